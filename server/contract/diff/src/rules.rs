//! The rules of the comparison, with their texts for users.
//!
//! Rules about schemas exist twice, for requests and for responses, because the same change has opposite effects there: a
//! server that accepts less breaks clients that send, a server that returns more breaks clients that read.

use countersign_contract_finding::{Rule, Verdict};

const ACCEPTS_LESS: &str =
    "Requests that were valid are now rejected. Keep accepting them, or release a new major version.";
const ACCEPTS_MORE: &str = "Every request that was accepted is still accepted.";
const RETURNS_MORE: &str = "Clients receive responses that were not documented; generated clients and those that validate reject them. Keep responses within the old schema, or release a new major version.";
const RETURNS_LESS: &str = "Every response is still valid under the old document.";
const UNDECIDED: &str = "Which of the two accepts more cannot be decided automatically. Review the change: in requests it is harmless if every old value is still accepted, in responses if no new value is.";
const ANNOUNCED: &str = "Nothing changes on the wire. Clients should plan to migrate.";
const PROSE: &str = "Programs do not read this text.";
const NAMES: &str =
    "Nothing changes on the wire. Regenerated clients have other names, so the code that uses them must be changed.";

macro_rules! rules {
    ($($id:literal $verdict:ident $what:literal $why:expr;)*) => {
        [$(Rule { id: $id, verdict: Verdict::$verdict, what: $what, why: $why }),*]
    };
}

/// Pairs of rules for a change of a schema, one for each direction.
macro_rules! of_schemas {
    ($($id:literal $what:literal request $request:ident $request_why:expr, response $response:ident $response_why:expr;)*) => {
        [$(
            Rule { id: concat!("request-", $id), verdict: Verdict::$request, what: concat!("In requests, ", $what), why: $request_why },
            Rule { id: concat!("response-", $id), verdict: Verdict::$response, what: concat!("In responses, ", $what), why: $response_why },
        )*]
    };
}

/// Changes after which a schema accepts fewer values.
macro_rules! narrowing {
    ($($id:literal $what:literal;)*) => {
        of_schemas![$($id $what request Breaking ACCEPTS_LESS, response Compatible RETURNS_LESS;)*]
    };
}

/// Changes after which a schema accepts more values.
macro_rules! widening {
    ($($id:literal $what:literal;)*) => {
        of_schemas![$($id $what request Compatible ACCEPTS_MORE, response Breaking RETURNS_MORE;)*]
    };
}

const DOCUMENT: [Rule; 16] = rules! {
    "documentation-changed" Documentation "A title, summary, description, example or link to further documentation changed." PROSE;
    "info-version-changed" Documentation "The version of the contract (`info.version`) changed." PROSE;
    "openapi-version-changed" Documentation "The version of OpenAPI that the document is written in changed." "Tools that read the document must support that version.";
    "extension-changed" Compatible "An extension (`x-…`) changed." "The tools that read an extension define its meaning. Review the change if you use such a tool.";
    "server-added" Compatible "A server was added." "Clients that use the other servers are not affected.";
    "server-removed" Risky "A server is no longer listed." "Clients configured with its address fail once it is shut down.";
    "base-path-changed" Breaking "The path of the first server changed, and with it the address of every operation." "The path is compiled into generated clients. Serve both for a while.";
    "server-variable-changed" Risky "A variable in a server's address lost a value, or has another default." "Clients that use the value or the default reach another address.";
    "server-variable-extended" Compatible "A variable in a server's address may have a further value, or any." "Clients that use an old value are not affected.";
    "schema-dialect-changed" Risky "The dialect of the schemas changed (`jsonSchemaDialect`)." "Schemas are compared as those of OpenAPI; another dialect may give their keywords another meaning.";
    "tag-hierarchy-changed" Documentation "The parent or the kind of a tag changed." PROSE;
    "schema-added" Compatible "A named schema was added." "References to it are reported separately.";
    "schema-removed" Risky "A named schema was removed." NAMES;
    "schema-renamed" Risky "A schema was replaced by one of another name." NAMES;
    "tag-added" Compatible "The document declares another tag." PROSE;
    "tag-removed" Compatible "The document no longer declares a tag." "Operations keep their tags; changes of those are reported separately.";
};

const OPERATIONS: [Rule; 33] = rules! {
    "operation-added" Compatible "An operation was added." "Clients that do not know it do not call it.";
    "operation-removed" Breaking "An operation was removed without having been deprecated." "Clients that call it get an error. Mark it `deprecated` first, with the date of its removal in `x-sunset`, and remove it after that date.";
    "operation-removed-before-sunset" Breaking "A deprecated operation was removed before its `x-sunset` date." "Clients may rely on the announced date. Keep it until then.";
    "operation-removed-after-deprecation" Risky "A deprecated operation was removed; its `x-sunset` date had passed, or it had none." "Clients that have not migrated will fail.";
    "operation-moved" Breaking "An operation has another path or method under the same operationId." "Existing clients call the old address. Serve both for a while.";
    "operation-id-changed" Risky "The operationId changed." NAMES;
    "operation-id-removed" Risky "The operationId was removed." "Nothing changes on the wire. Generators derive a name instead, so code that uses the old one must be changed.";
    "operation-id-added" Risky "An operationId was added." "Nothing changes on the wire. Generators derived a name before, so code that uses it must be changed.";
    "operation-tag-added" Compatible "An operation has a further tag." "Generators that create a class for each tag add the operation to another class.";
    "operation-tag-removed" Risky "An operation lost a tag." "Nothing changes on the wire. Generators that create a class for each tag move the operation, so code that calls it must be changed.";
    "operation-deprecated" Compatible "An operation was marked as deprecated." ANNOUNCED;
    "operation-undeprecated" Compatible "An operation is no longer deprecated." "Nothing changes on the wire.";
    "sunset-added" Compatible "A removal date was announced (`x-sunset`)." ANNOUNCED;
    "sunset-moved-later" Compatible "The `x-sunset` date was postponed." "Clients have more time.";
    "sunset-moved-earlier" Risky "The `x-sunset` date was moved to an earlier day." "Clients have less time to migrate than announced.";
    "sunset-removed" Risky "The `x-sunset` date was removed." "Clients no longer know how long it will be available.";
    "sunset-invalid" Risky "`x-sunset` is not a date (`2027-01-31`)." "Clients cannot plan for it.";
    "sunset-in-the-past" Risky "The announced `x-sunset` date is in the past." "Clients had no time to migrate. Choose a later date.";
    "sunset-too-soon" Breaking "The `x-sunset` date gives clients fewer days of notice than are promised. Only with `notice-days`." "Clients have less time to migrate than they were promised. Choose a later date.";
    "stability-level-lowered" Breaking "The level of an operation was lowered (`x-stability-level`: stable, beta, alpha, draft)." "Clients rely on the old level, which allowed fewer changes.";
    "stability-level-raised" Compatible "The level of an operation was raised (`x-stability-level`: stable, beta, alpha, draft)." "Clients can rely on more than before.";
    "path-parameter-renamed" Risky "A variable of the path has another name." NAMES;
    "callback-added" Risky "The server calls a further callback URL." "Clients that pass the URL receive calls that were not documented.";
    "callback-removed" Risky "The server no longer calls a callback URL." "Clients waiting for the callback never receive it.";
    "callback-operation-added" Risky "A callback has a further operation." "Clients that pass the URL receive calls that were not documented.";
    "webhook-added" Compatible "The server sends a further webhook." "Only subscribers that ask for it receive it.";
    "webhook-removed" Risky "The server no longer sends a webhook." "Subscribers that wait for it never receive it.";
    "webhook-operation-added" Risky "A webhook is sent with a further method." "Subscribers receive requests that were not documented.";
    "webhook-operation-removed" Risky "A webhook is no longer sent with a method." "Subscribers that wait for it never receive it.";
    "callback-operation-removed" Risky "A callback operation was removed." "Clients waiting for the callback never receive it.";
    "link-added" Compatible "A link from a response to another operation was added." "Clients that do not follow links are not affected.";
    "link-removed" Risky "A link from a response to another operation was removed." "Clients that follow the link no longer find it.";
    "link-changed" Risky "A link from a response to another operation changed." "Clients that follow the link reach another operation or send other values.";
};

const PARAMETERS: [Rule; 18] = rules! {
    "parameter-added-required" Breaking "A parameter was added that every request must have." ACCEPTS_LESS;
    "parameter-added-optional" Compatible "A parameter was added that requests may have." ACCEPTS_MORE;
    "parameter-removed" Risky "A parameter was removed." "Most servers ignore it in requests, so it has no effect; a strict server rejects them.";
    "parameter-removed-before-sunset" Breaking "A deprecated parameter was removed before its `x-sunset` date." "Clients may rely on the announced date. Keep it until then.";
    "parameter-became-required" Breaking "A parameter became required." ACCEPTS_LESS;
    "parameter-became-optional" Compatible "A parameter is no longer required." ACCEPTS_MORE;
    "parameter-moved" Breaking "A parameter is expected elsewhere (query, header, cookie, path)." "The server does not look for it in the old place.";
    "parameter-style-changed" Breaking "The serialization of a parameter changed (`style`, `explode`)." "The server misreads what existing clients send.";
    "parameter-content-changed" Breaking "A parameter is described by `schema` instead of `content` or the reverse, or by another media type." "The server misreads what existing clients send.";
    "parameter-reserved-allowed" Compatible "A parameter may contain unescaped reserved characters (`allowReserved`)." ACCEPTS_MORE;
    "parameter-reserved-forbidden" Breaking "A parameter may no longer contain unescaped reserved characters (`allowReserved`)." ACCEPTS_LESS;
    "parameter-empty-allowed" Compatible "A parameter may be empty (`allowEmptyValue`)." ACCEPTS_MORE;
    "parameter-empty-forbidden" Breaking "A parameter may no longer be empty (`allowEmptyValue`)." ACCEPTS_LESS;
    "parameter-default-added" Breaking "A default of a parameter was added." "Requests without the parameter may mean something else now.";
    "parameter-default-changed" Breaking "The default of a parameter changed." "Requests without the parameter mean something else now.";
    "parameter-default-removed" Breaking "The default of a parameter was removed." "Requests without the parameter may mean something else now.";
    "parameter-deprecated" Compatible "A parameter was marked as deprecated." ANNOUNCED;
    "parameter-undeprecated" Compatible "A parameter is no longer deprecated." "Nothing changes on the wire.";
};

const BODIES: [Rule; 9] = rules! {
    "request-body-added-required" Breaking "A required request body was added." ACCEPTS_LESS;
    "request-body-added-optional" Compatible "An optional request body was added." ACCEPTS_MORE;
    "request-body-removed" Breaking "The request body was removed." "The server ignores what clients send in it.";
    "request-body-became-required" Breaking "The body of requests became required." ACCEPTS_LESS;
    "request-body-became-optional" Compatible "The body of requests is no longer required." ACCEPTS_MORE;
    "request-media-type-added" Compatible "Requests may use a further media type." ACCEPTS_MORE;
    "request-media-type-removed" Breaking "Requests may no longer use a media type." ACCEPTS_LESS;
    "request-property-removed-from-closed-object" Breaking "In requests, a property was removed from an object that allows no others (`additionalProperties: false`)." "Requests that contain it are rejected.";
    "request-encoding-changed" Risky "The serialization of a part of a form changed (`encoding`)." "The server may misread what existing clients send.";
};

const RESPONSES: [Rule; 19] = rules! {
    "response-success-added" Risky "An operation has a further status for success." "Clients that only know the others treat it as a failure, or as one of the others.";
    "response-success-removed" Breaking "A success status was removed." "Clients expect it and do not know the one that replaces it.";
    "response-error-added" Compatible "An operation has a further status for failures." "Clients must handle unknown failures anyway: any server or proxy can return them.";
    "response-error-removed" Risky "A failure status was removed." "If the same failure has another status now, clients that handle the old one miss it.";
    "response-status-generalised" Risky "A status is no longer listed; a range (`4XX`) or `default` covers it." "Generated clients lose the type of that status.";
    "response-status-specified" Compatible "A status is listed that a range (`4XX`) or `default` covered before." RETURNS_LESS;
    "response-range-removed" Compatible "A range (`4XX`) or `default` was removed; statuses in it are listed." RETURNS_LESS;
    "response-body-added" Compatible "A body was added to a response." "Clients do not read it.";
    "response-body-removed" Breaking "The body of a response was removed." "Clients expect it.";
    "response-media-type-added" Risky "A response may have a further media type." "Clients that send no `Accept` header may get a type that they cannot read.";
    "response-media-type-removed" Breaking "A media type of a response was removed." "Clients that ask for it get something else.";
    "response-header-added" Compatible "A header was added to a response." "Clients that do not know it ignore it.";
    "response-header-removed" Breaking "A header that every response had was removed." "Clients expect it.";
    "response-optional-header-removed" Risky "An optional response header was removed." "Clients could not rely on it, but those that use it no longer get it.";
    "response-header-became-required" Compatible "A response header became required." RETURNS_LESS;
    "response-header-became-optional" Breaking "A response header became optional." "Clients expect it.";
    "response-header-content-changed" Breaking "A header is described by `schema` instead of `content` or the reverse, or by another media type." "Existing clients misread it.";
    "response-header-deprecated" Compatible "A header was marked as deprecated." ANNOUNCED;
    "response-header-undeprecated" Compatible "A header is no longer deprecated." "Nothing changes on the wire.";
};

const SECURITY: [Rule; 18] = rules! {
    "security-added" Breaking "An operation requires credentials and did not before." "Requests without credentials are now rejected.";
    "security-removed" Risky "An operation no longer requires credentials." "Requests with credentials are still accepted, but what was protected is open now. Make sure that this is meant.";
    "security-alternative-added" Compatible "An alternative security requirement was added." ACCEPTS_MORE;
    "security-alternative-removed" Breaking "An alternative security requirement was removed or became stricter." "Clients that use it are now rejected.";
    "security-scope-added" Breaking "An operation requires a further scope." "Tokens issued without it are now rejected.";
    "security-scope-removed" Compatible "An operation no longer requires a scope." ACCEPTS_MORE;
    "security-scheme-added" Compatible "A security scheme was added." "Operations that require it are reported separately.";
    "security-scheme-removed" Risky "A security scheme was removed." "Operations that required it are reported separately; generated clients lose the setting.";
    "security-scheme-renamed" Risky "A security scheme has another name." NAMES;
    "security-scheme-type-changed" Breaking "A security scheme is of another type." "Clients send the old kind of credentials.";
    "security-scheme-location-changed" Breaking "An API key is expected elsewhere or under another name." "Clients send it in the old place.";
    "security-scheme-http-changed" Breaking "A security scheme uses another HTTP authentication scheme." "Clients send the old kind of credentials.";
    "security-bearer-format-changed" Risky "The format of bearer tokens changed." "Clients that parse the token misread it.";
    "security-flow-added" Compatible "An OAuth flow was added." ACCEPTS_MORE;
    "security-flow-removed" Breaking "An OAuth flow was removed." "Clients that use it get no token.";
    "security-flow-url-changed" Risky "A URL of an OAuth flow or of OpenID Connect discovery changed." "Clients are configured with the old one.";
    "security-flow-scope-added" Compatible "An OAuth flow offers a further scope." ACCEPTS_MORE;
    "security-flow-scope-removed" Breaking "An OAuth flow no longer offers a scope." "Clients that request it get an error, or a token with fewer rights.";
};

const NARROWING: [Rule; 56] = narrowing! {
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

const WIDENING: [Rule; 56] = widening! {
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

const SCHEMAS: [Rule; 56] = of_schemas! {
    "type-changed" "a schema accepts another type."
        request Breaking ACCEPTS_LESS, response Breaking RETURNS_MORE;
    "format-changed" "a format became another one."
        request Breaking "Values in the old format are rejected or misread.", response Breaking "Clients expect the old format.";
    "pattern-added" "a `pattern` was added."
        request Breaking ACCEPTS_LESS, response Compatible RETURNS_LESS;
    "pattern-removed" "a `pattern` was removed."
        request Compatible ACCEPTS_MORE, response Risky "Clients that rely on the format of the text, by parsing it or by storing it in a fixed-length column, may fail.";
    "pattern-changed" "a `pattern` became another one."
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

const MORE_SCHEMAS: [Rule; 24] = of_schemas! {
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
const JSON_SCHEMA_NARROWING: [Rule; 18] = narrowing! {
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

const JSON_SCHEMA_WIDENING: [Rule; 16] = widening! {
    "values-allowed" "values are allowed where none were (the schema `false`).";
    "contains-removed" "a list need not contain an item of a certain kind (`contains`).";
    "contains-widened" "more lists contain the items that they must (`contains`, `minContains`, `maxContains`).";
    "dependent-required-removed" "a property no longer requires another one (`dependentRequired`).";
    "dependent-schema-removed" "objects with a property need not match a further schema (`dependentSchemas`).";
    "dependent-schema-widened" "the schema of objects with a property accepts more (`dependentSchemas`).";
    "condition-removed" "a condition was removed (`if`).";
    "condition-widened" "the consequence of a condition accepts more (`then`, `else`).";
};

const JSON_SCHEMA: [Rule; 16] = of_schemas! {
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

const DEPRECATIONS: [Rule; 4] = of_schemas! {
    "property-deprecated" "a property or schema was marked as deprecated."
        request Compatible ANNOUNCED, response Compatible ANNOUNCED;
    "property-undeprecated" "a property or schema is no longer deprecated."
        request Compatible "Nothing changes on the wire.", response Compatible "Nothing changes on the wire.";
};

const GROUPS: [&[Rule]; 14] = [
    &DOCUMENT,
    &OPERATIONS,
    &PARAMETERS,
    &BODIES,
    &RESPONSES,
    &SECURITY,
    &NARROWING,
    &WIDENING,
    &SCHEMAS,
    &MORE_SCHEMAS,
    &JSON_SCHEMA_NARROWING,
    &JSON_SCHEMA_WIDENING,
    &JSON_SCHEMA,
    &DEPRECATIONS,
];

/// All rules of the comparison.
pub fn rules() -> impl Iterator<Item = &'static Rule> {
    static ALL: [&[Rule]; 14] = GROUPS;
    ALL.iter().copied().flatten()
}

/// The rule with this id.
#[must_use]
pub fn rule(id: &str) -> Option<&'static Rule> {
    rules().find(|rule| rule.id == id)
}
