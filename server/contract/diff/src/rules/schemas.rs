//! Rules about schemas.

use super::{ACCEPTS_LESS, ACCEPTS_MORE, ANNOUNCED, RETURNS_LESS, RETURNS_MORE, UNDECIDED};
use countersign_contract_finding::{Rule, Verdict};

pub(super) const NARROWING: [Rule; 58] = narrowing! {
    "type-narrowed" "a schema accepts fewer types.";
    "format-added" "a format was added.";
    "format-narrowed" "a format became a narrower one (`int64` → `int32`).";
    "enum-added" "the values were listed (`enum`).";
    "enum-value-removed" "a value was removed from a closed list (`enum`).";
    "enum-closed" "an open list of values became a closed one.";
    "became-not-nullable" "`null` is no longer allowed.";
    "minimum-added" "a `minimum` was added.";
    "minimum-increased" "the `minimum` increased.";
    "maximum-added" "a `maximum` was added.";
    "maximum-decreased" "the `maximum` decreased.";
    "multiple-of-added" "a `multipleOf` was added, or became a multiple of the old one.";
    "min-length-added" "a `minLength` was added.";
    "min-length-increased" "`minLength` increased.";
    "max-length-added" "a `maxLength` was added.";
    "max-length-decreased" "`maxLength` decreased.";
    "min-items-added" "a `minItems` was added.";
    "pattern-narrowed" "a `pattern` became one that matches fewer texts.";
    "min-items-increased" "`minItems` increased.";
    "max-items-added" "a `maxItems` was added.";
    "max-items-decreased" "`maxItems` decreased.";
    "min-properties-added" "a `minProperties` was added.";
    "min-properties-increased" "`minProperties` increased.";
    "max-properties-added" "a `maxProperties` was added.";
    "max-properties-decreased" "`maxProperties` decreased.";
    "unique-items-added" "items must differ from each other (`uniqueItems`).";
    "alternative-removed" "an alternative was removed (`oneOf`, `anyOf`).";
    "alternatives-added" "values must match a further list of alternatives (`oneOf`, `anyOf`).";
    "not-added" "values were excluded (`not`).";
};

pub(super) const WIDENING: [Rule; 58] = widening! {
    "type-widened" "a schema accepts more types.";
    "format-removed" "a format was removed.";
    "format-widened" "a format became a wider one (`int32` → `int64`).";
    "enum-removed" "the values are no longer listed (`enum`).";
    "enum-value-added" "a value was added to a closed list (`enum`).";
    "enum-opened" "a closed list of values became an open one.";
    "became-nullable" "`null` is allowed.";
    "minimum-removed" "the `minimum` was removed.";
    "minimum-decreased" "the `minimum` decreased.";
    "maximum-removed" "the `maximum` was removed.";
    "maximum-increased" "the `maximum` increased.";
    "multiple-of-removed" "the `multipleOf` was removed, or became a divisor of the old one.";
    "min-length-removed" "the `minLength` was removed.";
    "min-length-decreased" "`minLength` decreased.";
    "max-length-removed" "the `maxLength` was removed.";
    "max-length-increased" "`maxLength` increased.";
    "min-items-removed" "the `minItems` was removed.";
    "pattern-widened" "a `pattern` became one that matches more texts.";
    "min-items-decreased" "`minItems` decreased.";
    "max-items-removed" "the `maxItems` was removed.";
    "max-items-increased" "`maxItems` increased.";
    "min-properties-removed" "the `minProperties` was removed.";
    "min-properties-decreased" "`minProperties` decreased.";
    "max-properties-removed" "the `maxProperties` was removed.";
    "max-properties-increased" "`maxProperties` increased.";
    "unique-items-removed" "items may be equal to each other (`uniqueItems`).";
    "alternative-added" "an alternative was added (`oneOf`, `anyOf`).";
    "alternatives-removed" "values must match one list of alternatives less (`oneOf`, `anyOf`).";
    "not-removed" "values are no longer excluded (`not`).";
};

pub(super) const SCHEMAS: [Rule; 58] = of_schemas! {
    "type-changed" "a schema accepts another type."
        request Breaking ACCEPTS_LESS, response Breaking RETURNS_MORE;
    "format-changed" "a format became another one."
        request Breaking "Values in the old format are rejected or misread.", response Breaking "Clients expect the old format.";
    "pattern-added" "a `pattern` was added."
        request Breaking ACCEPTS_LESS, response Compatible RETURNS_LESS;
    "pattern-removed" "a `pattern` was removed."
        request Compatible ACCEPTS_MORE, response Breaking "Clients that rely on the format of the text, by parsing it or by storing it in a fixed-length column, may fail.";
    "pattern-replaced" "a `pattern` became another one: some texts no longer match, and others do now."
        request Breaking ACCEPTS_LESS, response Breaking RETURNS_MORE;
    "pattern-changed" "a `pattern` became another one, and which of them matches more was not decided."
        request Risky UNDECIDED, response Risky UNDECIDED;
    "multiple-of-changed" "`multipleOf` became a number that is neither a multiple nor a divisor of the old one."
        request Breaking ACCEPTS_LESS, response Breaking RETURNS_MORE;
    "not-changed" "the excluded values (`not`) changed."
        request Risky UNDECIDED, response Risky UNDECIDED;
    "open-enum-value-added" "a value was added to an open list."
        request Compatible ACCEPTS_MORE, response Compatible "An open list may grow: clients accept unknown values.";
    "open-enum-value-removed" "a value was removed from an open list."
        request Risky "Requests with it are still valid, but it may have no meaning any more.", response Compatible RETURNS_LESS;
    "property-added-required" "a required property was added."
        request Breaking ACCEPTS_LESS, response Compatible "Clients ignore properties that they do not know.";
    "property-added-optional" "an optional property was added."
        request Compatible ACCEPTS_MORE, response Compatible "Clients ignore properties that they do not know.";
    "property-added-required-with-default" "a required property with a default was added."
        request Breaking "A server that enforces the schema rejects requests without the property. If it fills in the default, make the property optional.", response Compatible "Clients ignore properties that they do not know.";
    "property-added-to-closed-object" "a property was added to an object that allows no others (`additionalProperties: false`)."
        request Compatible ACCEPTS_MORE, response Risky "Clients that validate responses against the old schema reject it.";
    "property-removed" "a required property was removed."
        request Risky "Requests that contain it are still accepted, but it has no effect.", response Breaking "Clients expect it: every response had it.";
    "optional-property-removed" "an optional property was removed."
        request Risky "Requests that contain it are still accepted, but it has no effect.", response Risky "Clients could not rely on it, but those that use it no longer get it.";
    "property-became-required" "a property became required."
        request Breaking ACCEPTS_LESS, response Compatible RETURNS_LESS;
    "property-became-required-with-default" "a property that has a default became required."
        request Breaking "A server that enforces the schema rejects requests without the property. If it fills in the default, keep the property optional.", response Compatible RETURNS_LESS;
    "property-became-optional" "a property is no longer required."
        request Compatible ACCEPTS_MORE, response Breaking "Clients expect it: every response had it.";
    "additional-properties-forbidden" "an object may no longer have other properties than those listed."
        request Breaking ACCEPTS_LESS, response Compatible RETURNS_LESS;
    "additional-properties-allowed" "an object may have other properties than those listed."
        request Compatible ACCEPTS_MORE, response Risky "Clients that validate responses against the old schema reject it.";
    "one-of-became-any-of" "`oneOf` became `anyOf`: values may match several alternatives."
        request Compatible ACCEPTS_MORE, response Risky "Clients that use the first matching alternative may choose another one.";
    "any-of-became-one-of" "`anyOf` became `oneOf`: values that match several alternatives are no longer allowed."
        request Risky "If the alternatives exclude each other, nothing changes; otherwise requests that were valid are rejected.", response Compatible RETURNS_LESS;
    "redundant-alternative-added" "an alternative was added that accepts nothing new."
        request Compatible ACCEPTS_MORE, response Compatible RETURNS_LESS;
    "redundant-alternative-removed" "an alternative was removed whose values another one accepts."
        request Compatible ACCEPTS_MORE, response Compatible RETURNS_LESS;
    "one-of-overlap-grew" "values may match several alternatives of a `oneOf` that matched one before."
        request Risky "A value that matches several alternatives is rejected. Make them exclude each other, or use `anyOf`.", response Compatible RETURNS_LESS;
    "one-of-overlap-shrank" "values may match one alternative of a `oneOf` that matched several before."
        request Compatible ACCEPTS_MORE, response Risky "Clients that validate responses against the old schema reject values that match several alternatives.";
    "default-changed" "a default changed."
        request Risky "Requests without the value now mean something else.", response Compatible "Responses contain the value; clients that fill in the default themselves get another one.";
    "default-removed" "a default was removed."
        request Risky "Requests without the value may mean something else.", response Compatible "Responses contain the value.";
};

pub(super) const MORE_SCHEMAS: [Rule; 24] = of_schemas! {
    "default-added" "a default was added."
        request Compatible "The meaning of requests without the value is now documented.", response Compatible "Responses contain the value.";
    "discriminator-added" "a discriminator was added."
        request Risky "Generated clients have other types, and requests without the property may be rejected.", response Risky "Generated clients have other types.";
    "discriminator-removed" "the discriminator was removed."
        request Risky "Generated clients have other types.", response Breaking "Generated clients can no longer distinguish the alternatives.";
    "discriminator-property-changed" "the discriminator is another property."
        request Breaking "Requests name their type in the old property.", response Breaking "Clients expect the type in the old property.";
    "discriminator-mapping-added" "the discriminator has a further value."
        request Compatible ACCEPTS_MORE, response Breaking RETURNS_MORE;
    "discriminator-mapping-removed" "a value of the discriminator was removed."
        request Breaking ACCEPTS_LESS, response Compatible RETURNS_LESS;
    "discriminator-mapping-changed" "a value of the discriminator stands for another schema."
        request Breaking "The same value means something else.", response Breaking "The same value means something else.";
    "property-became-read-only" "a property became `readOnly`: only responses contain it."
        request Risky "Requests that contain it may be rejected, and it has no effect.", response Compatible RETURNS_LESS;
    "property-no-longer-read-only" "a property is no longer `readOnly`: requests may contain it."
        request Compatible ACCEPTS_MORE, response Compatible RETURNS_LESS;
    "property-became-write-only" "a property became `writeOnly`: only requests contain it."
        request Compatible ACCEPTS_MORE, response Breaking "Clients expect it.";
    "property-no-longer-write-only" "a property is no longer `writeOnly`: responses may contain it."
        request Compatible ACCEPTS_MORE, response Compatible "Clients ignore properties that they do not know.";
    "xml-changed" "the XML form of a schema changed (`xml`)."
        request Risky "Clients that send XML use the old form.", response Risky "Clients that read XML expect the old form.";
};

/// Keywords that only JSON Schema has.
pub(super) const JSON_SCHEMA_NARROWING: [Rule; 18] = narrowing! {
    "values-forbidden" "no value is allowed where some were (the schema `false`).";
    "contains-added" "a list must contain an item of a certain kind (`contains`).";
    "contains-narrowed" "fewer lists contain the items that they must (`contains`, `minContains`, `maxContains`).";
    "dependent-required-added" "a property requires another one (`dependentRequired`).";
    "dependent-schema-added" "objects with a property must match a further schema (`dependentSchemas`).";
    "dependent-schema-narrowed" "the schema of objects with a property accepts less (`dependentSchemas`).";
    "condition-added" "a condition was added (`if`).";
    "condition-narrowed" "the consequence of a condition accepts less (`then`, `else`).";
    "pattern-properties-forbidden" "properties whose names match a pattern are no longer allowed (`patternProperties`).";
};

pub(super) const JSON_SCHEMA_WIDENING: [Rule; 16] = widening! {
    "values-allowed" "values are allowed where none were (the schema `false`).";
    "contains-removed" "a list need not contain an item of a certain kind (`contains`).";
    "contains-widened" "more lists contain the items that they must (`contains`, `minContains`, `maxContains`).";
    "dependent-required-removed" "a property no longer requires another one (`dependentRequired`).";
    "dependent-schema-removed" "objects with a property need not match a further schema (`dependentSchemas`).";
    "dependent-schema-widened" "the schema of objects with a property accepts more (`dependentSchemas`).";
    "condition-removed" "a condition was removed (`if`).";
    "condition-widened" "the consequence of a condition accepts more (`then`, `else`).";
};

pub(super) const JSON_SCHEMA: [Rule; 16] = of_schemas! {
    "number-format-added" "a format of numbers was added (`int32`)."
        request Risky "A server that stores the number in this format rejects those that it cannot hold.", response Compatible RETURNS_LESS;
    "extensible-enum-value-removed" "a value was removed from `x-extensible-enum`."
        request Breaking "The server no longer knows a value that clients send.", response Compatible RETURNS_LESS;
    "contains-changed" "the items that a list must contain changed (`contains`)."
        request Risky UNDECIDED, response Risky UNDECIDED;
    "dependent-schema-changed" "the schema of objects with a property changed (`dependentSchemas`)."
        request Risky UNDECIDED, response Risky UNDECIDED;
    "condition-changed" "a condition or its consequence changed (`if`, `then`, `else`)."
        request Risky UNDECIDED, response Risky UNDECIDED;
    "pattern-properties-allowed" "properties whose names match a pattern are allowed (`patternProperties`)."
        request Compatible ACCEPTS_MORE, response Risky "Clients that validate responses against the old schema reject them.";
    "content-encoding-changed" "the encoding of a string's content changed (`contentEncoding`)."
        request Breaking "Clients send the old encoding.", response Breaking "Clients expect the old encoding.";
    "content-media-type-changed" "the media type of a string's content changed (`contentMediaType`)."
        request Risky "Clients send content of the old type.", response Risky "Clients expect content of the old type.";
};

pub(super) const DEPRECATIONS: [Rule; 4] = of_schemas! {
    "property-deprecated" "a property or schema was marked as deprecated."
        request Compatible ANNOUNCED, response Compatible ANNOUNCED;
    "property-undeprecated" "a property or schema is no longer deprecated."
        request Compatible "Nothing changes on the wire.", response Compatible "Nothing changes on the wire.";
};
