//! Every rule of the comparison: what it finds, what that means, and why.
//!
//! Rules about schemas exist twice, for requests and for answers, because the same change means opposite things there: a
//! server that takes less breaks those who send, a server that answers more breaks those who read.

use crate::finding::{Rule, Verdict};

const ASKS_MORE: &str =
    "Requests that were right before are refused now. Keep taking them, or make it a new major version.";
const TAKES_MORE: &str = "Whatever was taken before is still taken.";
const ANSWERS_MORE: &str = "Clients meet answers that nobody told them of: those that validate or were generated refuse them. Keep answers within what was promised, or make it a new major version.";
const ANSWERS_LESS: &str = "Every answer is one that clients were told of before.";
const UNDECIDED: &str = "Whether the new one takes what the old one took cannot be told from here. Look at it; if it takes everything that the old one took, it is harmless in requests, if it takes nothing else, it is harmless in answers.";
const ANNOUNCED: &str = "Nothing changes on the wire. Clients have been told to move on.";
const WORDS: &str = "Only people read this.";
const NAMES: &str = "Nothing changes on the wire. Clients that are generated anew get other names in their code, and what calls them has to be changed.";

macro_rules! rules {
    ($($id:literal $verdict:ident $what:literal $why:expr;)*) => {
        [$(Rule { id: $id, verdict: Verdict::$verdict, what: $what, why: $why }),*]
    };
}

/// Rules of one thing that can happen to a schema, for both directions.
macro_rules! of_schemas {
    ($($id:literal $what:literal request $asked:ident $ask:expr, response $answered:ident $answer:expr;)*) => {
        [$(
            Rule { id: concat!("request-", $id), verdict: Verdict::$asked, what: concat!("In requests, ", $what), why: $ask },
            Rule { id: concat!("response-", $id), verdict: Verdict::$answered, what: concat!("In answers, ", $what), why: $answer },
        )*]
    };
}

/// What can happen to a schema and makes it fit fewer values.
macro_rules! narrowing {
    ($($id:literal $what:literal;)*) => {
        of_schemas![$($id $what request Breaking ASKS_MORE, response Compatible ANSWERS_LESS;)*]
    };
}

/// What can happen to a schema and makes it fit more values.
macro_rules! widening {
    ($($id:literal $what:literal;)*) => {
        of_schemas![$($id $what request Compatible TAKES_MORE, response Breaking ANSWERS_MORE;)*]
    };
}

const DOCUMENT: [Rule; 14] = rules! {
    "documentation-changed" Documentation "A title, summary, description, example or link to further documentation changed." WORDS;
    "info-version-changed" Documentation "The version of the contract (`info.version`) changed." WORDS;
    "openapi-version-changed" Documentation "The version of OpenAPI that the document is written in changed." "The tools that read the document must know it.";
    "extension-changed" Compatible "An extension (`x-…`) changed." "What an extension means is up to the tools that read it. If yours do, look.";
    "server-added" Compatible "A server was added." "Clients that know the others go on as before.";
    "server-removed" Risky "A server is no longer listed." "Clients that have its address in their configuration will find nobody there, once it is really gone.";
    "base-path-changed" Breaking "The path of the first server changed, and with it the address of every operation." "Generated clients have the path built in. Serve both for a while.";
    "server-variable-changed" Risky "A variable in a server's address lost a value, or has another default." "Clients that chose the value, or left it to the default, reach another place.";
    "server-variable-extended" Compatible "A variable in a server's address may have a further value, or any." "Clients that chose one go on as before.";
    "schema-added" Compatible "A named schema was added." "Nobody refers to it yet, or what does is told of by itself.";
    "schema-removed" Risky "A named schema is gone." NAMES;
    "schema-renamed" Risky "The same place is described by a schema of another name." NAMES;
    "tag-added" Compatible "The document declares another tag." WORDS;
    "tag-removed" Compatible "The document no longer declares a tag." "Operations that have it keep it: what happens to them is told of by itself.";
};

const OPERATIONS: [Rule; 26] = rules! {
    "operation-added" Compatible "An operation was added." "Clients that do not know it do not call it.";
    "operation-removed" Breaking "An operation is gone, without having been deprecated." "Whoever calls it gets an error. Mark it `deprecated` first, with the day of its end in `x-sunset`, and remove it afterwards.";
    "operation-removed-before-sunset" Breaking "A deprecated operation is gone before the day that `x-sunset` named." "Whoever relied on the day is let down. Wait for it.";
    "operation-removed-after-deprecation" Risky "A deprecated operation is gone; its day had come, or none was named." "Whoever has not moved on gets an error now.";
    "operation-moved" Breaking "An operation has another path or method under the same operationId." "Clients that were generated before call the old place. Serve both for a while.";
    "operation-id-changed" Risky "The operationId changed." NAMES;
    "operation-id-removed" Risky "The operationId is gone." "Nothing changes on the wire. Generators make up a name, and code that calls the old one has to be changed.";
    "operation-id-added" Risky "An operationId was added." "Nothing changes on the wire. Generators used a name of their own making before, and code that calls it has to be changed.";
    "operation-tag-added" Compatible "An operation has a further tag." "Generators that make a class for each tag put it into one more.";
    "operation-tag-removed" Risky "An operation lost a tag." "Nothing changes on the wire. Generators that make a class for each tag put the operation elsewhere, and code that calls it has to be changed.";
    "operation-deprecated" Compatible "An operation was marked as deprecated." ANNOUNCED;
    "operation-undeprecated" Compatible "An operation is no longer deprecated." "Nothing changes on the wire.";
    "sunset-added" Compatible "The day of the end was named (`x-sunset`)." ANNOUNCED;
    "sunset-moved-later" Compatible "The day of the end was put off." "Clients have more time.";
    "sunset-moved-earlier" Risky "The day of the end was moved closer." "Whoever planned with the old day has less time than promised.";
    "sunset-removed" Risky "The day of the end is no longer named." "Nobody knows how long it will be there.";
    "sunset-invalid" Risky "The day of the end is not a date (`2027-01-31`)." "Nobody can plan with it.";
    "sunset-in-the-past" Risky "The day of the end that was named is over already." "Nobody had time to move on. Name a day to come.";
    "path-parameter-renamed" Risky "A variable of the path has another name." NAMES;
    "callback-added" Risky "The server calls back to a further place." "Clients that named the place get calls that nobody told them of.";
    "callback-removed" Risky "The server no longer calls back to a place." "Clients that wait for the call wait for ever.";
    "callback-operation-added" Risky "A callback has a further operation." "Clients that named the place get calls that nobody told them of.";
    "callback-operation-removed" Risky "A callback lost an operation." "Clients that wait for the call wait for ever.";
    "link-added" Compatible "A link from an answer to another operation was added." "Nobody has to follow it.";
    "link-removed" Risky "A link from an answer to another operation is gone." "Clients that follow links do not find the way any more.";
    "link-changed" Risky "A link from an answer to another operation changed." "Clients that follow links end up elsewhere.";
};

const PARAMETERS: [Rule; 15] = rules! {
    "parameter-added-required" Breaking "A parameter was added that every request must have." ASKS_MORE;
    "parameter-added-optional" Compatible "A parameter was added that requests may have." TAKES_MORE;
    "parameter-removed" Risky "A parameter is gone." "Requests that carry it are still understood by most servers, but it does nothing any more, and a strict server refuses them.";
    "parameter-removed-before-sunset" Breaking "A deprecated parameter is gone before the day that `x-sunset` named." "Whoever relied on the day is let down. Wait for it.";
    "parameter-became-required" Breaking "A parameter became required." ASKS_MORE;
    "parameter-became-optional" Compatible "A parameter is no longer required." TAKES_MORE;
    "parameter-moved" Breaking "A parameter is expected elsewhere (query, header, cookie, path)." "Requests that carry it in the old place go without it.";
    "parameter-style-changed" Breaking "A parameter is written in another way (`style`, `explode`)." "What clients write is read as something else.";
    "parameter-content-changed" Breaking "A parameter is described by `schema` instead of `content`, or by another media type." "What clients write is read as something else.";
    "parameter-reserved-allowed" Compatible "A parameter may hold reserved characters as they are (`allowReserved`)." TAKES_MORE;
    "parameter-reserved-forbidden" Breaking "A parameter may no longer hold reserved characters as they are (`allowReserved`)." ASKS_MORE;
    "parameter-empty-allowed" Compatible "A parameter may be empty (`allowEmptyValue`)." TAKES_MORE;
    "parameter-empty-forbidden" Breaking "A parameter may no longer be empty (`allowEmptyValue`)." ASKS_MORE;
    "parameter-deprecated" Compatible "A parameter was marked as deprecated." ANNOUNCED;
    "parameter-undeprecated" Compatible "A parameter is no longer deprecated." "Nothing changes on the wire.";
};

const BODIES: [Rule; 9] = rules! {
    "request-body-added-required" Breaking "Requests must have a body, where they had none." ASKS_MORE;
    "request-body-added-optional" Compatible "Requests may have a body, where they had none." TAKES_MORE;
    "request-body-removed" Breaking "Requests have no body any more." "What clients send in it is not read any more.";
    "request-body-became-required" Breaking "The body of requests became required." ASKS_MORE;
    "request-body-became-optional" Compatible "The body of requests is no longer required." TAKES_MORE;
    "request-media-type-added" Compatible "Requests may have a further media type." TAKES_MORE;
    "request-media-type-removed" Breaking "Requests may no longer have a media type." ASKS_MORE;
    "request-property-removed-from-closed-object" Breaking "In requests, a property is gone from an object that allows no others (`additionalProperties: false`)." "Requests that carry it are refused now.";
    "request-encoding-changed" Risky "A part of a form is written in another way (`encoding`)." "What clients write may be read as something else.";
};

const RESPONSES: [Rule; 19] = rules! {
    "response-success-added" Risky "An operation has a further status for success." "Clients that know the others only take it for a failure, or for one of the others.";
    "response-success-removed" Breaking "A status for success is gone." "Clients wait for it; what comes instead is unknown to them.";
    "response-error-added" Compatible "An operation has a further status for failures." "Clients must be ready for failures they do not know: any server or proxy can answer them.";
    "response-error-removed" Risky "A status for failures is gone." "Clients that handle it are ready for more than they need; if the same failure has another status now, they miss it.";
    "response-status-generalised" Risky "A status is no longer listed; a range (`4XX`) or `default` stands for it." "Generated clients lose the type that belonged to the status.";
    "response-status-specified" Compatible "A status is listed now; a range (`4XX`) or `default` stood for it." ANSWERS_LESS;
    "response-range-removed" Compatible "A range (`4XX`) or `default` is gone; statuses in it are listed." ANSWERS_LESS;
    "response-body-added" Compatible "An answer has a body, where it had none." "Clients did not look for one.";
    "response-body-removed" Breaking "An answer has no body any more." "Clients look for it.";
    "response-media-type-added" Risky "An answer may have a further media type." "Clients that did not ask for a type may get one that they do not read.";
    "response-media-type-removed" Breaking "An answer no longer has a media type." "Clients that ask for it get something else.";
    "response-header-added" Compatible "An answer has a further header." "Clients that do not know it ignore it.";
    "response-header-removed" Breaking "A header that every answer had is gone." "Clients look for it.";
    "response-optional-header-removed" Risky "A header that an answer could have is gone." "Clients could not rely on it; those that hoped for it get nothing.";
    "response-header-became-required" Compatible "Every answer has a header that it only could have." ANSWERS_LESS;
    "response-header-became-optional" Breaking "A header that every answer had may be missing." "Clients look for it.";
    "response-header-content-changed" Breaking "A header is described by `schema` instead of `content`, or by another media type." "Clients read it as something else.";
    "response-header-deprecated" Compatible "A header was marked as deprecated." ANNOUNCED;
    "response-header-undeprecated" Compatible "A header is no longer deprecated." "Nothing changes on the wire.";
};

const SECURITY: [Rule; 18] = rules! {
    "security-added" Breaking "An operation asks for credentials, where it asked for none." "Requests without credentials are refused now.";
    "security-removed" Compatible "An operation no longer asks for credentials." "Requests with credentials are still taken.";
    "security-alternative-added" Compatible "There is a further way to show who one is." TAKES_MORE;
    "security-alternative-removed" Breaking "A way to show who one is is gone, or asks for more." "Clients that use it are refused now.";
    "security-scope-added" Breaking "An operation asks for a further scope." "Tokens that were issued without it are refused now.";
    "security-scope-removed" Compatible "An operation asks for one scope less." TAKES_MORE;
    "security-scheme-added" Compatible "A security scheme was added." "Operations that ask for it are told of by themselves.";
    "security-scheme-removed" Risky "A security scheme is gone." "Operations that asked for it are told of by themselves; generated clients lose the setting.";
    "security-scheme-renamed" Risky "A security scheme has another name." NAMES;
    "security-scheme-type-changed" Breaking "A security scheme is of another type." "Clients show the old kind of credentials.";
    "security-scheme-location-changed" Breaking "A key is expected elsewhere, or under another name." "Clients put it in the old place.";
    "security-scheme-http-changed" Breaking "A security scheme uses another HTTP authentication scheme." "Clients show the old kind of credentials.";
    "security-bearer-format-changed" Risky "The format of bearer tokens changed." "Clients that look into the token misread it.";
    "security-flow-added" Compatible "There is a further OAuth flow." TAKES_MORE;
    "security-flow-removed" Breaking "An OAuth flow is gone." "Clients that use it get no token.";
    "security-flow-url-changed" Risky "An address of an OAuth flow or of OpenID Connect discovery changed." "Clients have the old one in their configuration.";
    "security-flow-scope-added" Compatible "An OAuth flow offers a further scope." TAKES_MORE;
    "security-flow-scope-removed" Breaking "An OAuth flow no longer offers a scope." "Clients that ask for it get an error or a token that opens less.";
};

const NARROWING: [Rule; 56] = narrowing! {
    "type-narrowed" "a schema takes fewer types.";
    "format-added" "a format was added.";
    "format-narrowed" "a format became a narrower one (`int64` → `int32`).";
    "enum-added" "the values were listed (`enum`).";
    "enum-value-removed" "a listed value is gone (`enum`).";
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
    "alternative-removed" "an alternative is gone (`oneOf`, `anyOf`).";
    "alternatives-added" "values must fit a further list of alternatives (`oneOf`, `anyOf`).";
    "not-added" "values were excluded (`not`).";
};

const WIDENING: [Rule; 56] = widening! {
    "type-widened" "a schema takes more types.";
    "format-removed" "a format is gone.";
    "format-widened" "a format became a wider one (`int32` → `int64`).";
    "enum-removed" "the values are no longer listed (`enum`).";
    "enum-value-added" "a value was added to a closed list (`enum`).";
    "enum-opened" "a closed list of values became an open one.";
    "became-nullable" "`null` is allowed.";
    "minimum-removed" "the `minimum` is gone.";
    "minimum-decreased" "the `minimum` decreased.";
    "maximum-removed" "the `maximum` is gone.";
    "maximum-increased" "the `maximum` increased.";
    "multiple-of-removed" "the `multipleOf` is gone, or became a divisor of the old one.";
    "min-length-removed" "the `minLength` is gone.";
    "min-length-decreased" "`minLength` decreased.";
    "max-length-removed" "the `maxLength` is gone.";
    "max-length-increased" "`maxLength` increased.";
    "min-items-removed" "the `minItems` is gone.";
    "min-items-decreased" "`minItems` decreased.";
    "max-items-removed" "the `maxItems` is gone.";
    "max-items-increased" "`maxItems` increased.";
    "min-properties-removed" "the `minProperties` is gone.";
    "min-properties-decreased" "`minProperties` decreased.";
    "max-properties-removed" "the `maxProperties` is gone.";
    "max-properties-increased" "`maxProperties` increased.";
    "unique-items-removed" "items may be equal to each other (`uniqueItems`).";
    "alternative-added" "an alternative was added (`oneOf`, `anyOf`).";
    "alternatives-removed" "values must fit one list of alternatives less (`oneOf`, `anyOf`).";
    "not-removed" "values are no longer excluded (`not`).";
};

const SCHEMAS: [Rule; 56] = of_schemas! {
    "type-changed" "a schema takes another type."
        request Breaking ASKS_MORE, response Breaking ANSWERS_MORE;
    "format-changed" "a format became another one."
        request Breaking "What clients write in the old format is refused or misread.", response Breaking "Clients read the old format.";
    "pattern-added" "a `pattern` was added."
        request Breaking ASKS_MORE, response Compatible ANSWERS_LESS;
    "pattern-removed" "a `pattern` is gone."
        request Compatible TAKES_MORE, response Risky "Clients that rely on the form of the text, by parsing it or by keeping it in a column of fixed length, may fail.";
    "pattern-changed" "a `pattern` became another one."
        request Risky UNDECIDED, response Risky UNDECIDED;
    "multiple-of-changed" "`multipleOf` became a number that is neither a multiple nor a divisor of the old one."
        request Breaking ASKS_MORE, response Breaking ANSWERS_MORE;
    "not-changed" "the excluded values (`not`) changed."
        request Risky UNDECIDED, response Risky UNDECIDED;
    "open-enum-value-added" "a value was added to an open list."
        request Compatible TAKES_MORE, response Compatible "The list was said to grow: clients take values that they do not know.";
    "open-enum-value-removed" "a value was taken out of an open list."
        request Risky "Requests with it are still well-formed, but may mean nothing any more.", response Compatible ANSWERS_LESS;
    "property-added-required" "a property was added that is always there."
        request Breaking ASKS_MORE, response Compatible "Clients ignore properties that they do not know.";
    "property-added-optional" "a property was added that may be there."
        request Compatible TAKES_MORE, response Compatible "Clients ignore properties that they do not know.";
    "property-added-required-with-default" "a property was added that is required and has a default."
        request Risky "If the server fills in the default, nothing breaks; if it means what it says, requests without the property are refused. Make it optional.", response Compatible "Clients ignore properties that they do not know.";
    "property-added-to-closed-object" "a property was added to an object that promised to have no others (`additionalProperties: false`)."
        request Compatible TAKES_MORE, response Risky "Clients that hold the answer against the old schema refuse it.";
    "property-removed" "a property is gone."
        request Risky "Requests that carry it are still taken, but it does nothing any more.", response Breaking "Clients look for it: every answer had it.";
    "optional-property-removed" "a property that could be there is gone."
        request Risky "Requests that carry it are still taken, but it does nothing any more.", response Risky "Clients could not rely on it; those that hoped for it get nothing.";
    "property-became-required" "a property became required."
        request Breaking ASKS_MORE, response Compatible ANSWERS_LESS;
    "property-became-required-with-default" "a property that has a default became required."
        request Risky "If the server fills in the default, nothing breaks; if it means what it says, requests without the property are refused.", response Compatible ANSWERS_LESS;
    "property-became-optional" "a property is no longer required."
        request Compatible TAKES_MORE, response Breaking "Clients look for it: every answer had it.";
    "additional-properties-forbidden" "an object may no longer have other properties than those listed."
        request Breaking ASKS_MORE, response Compatible ANSWERS_LESS;
    "additional-properties-allowed" "an object may have other properties than those listed."
        request Compatible TAKES_MORE, response Risky "Clients that hold the answer against the old schema refuse it.";
    "one-of-became-any-of" "`oneOf` became `anyOf`: values may fit several alternatives."
        request Compatible TAKES_MORE, response Risky "Clients that decide by the first alternative that fits may decide otherwise.";
    "any-of-became-one-of" "`anyOf` became `oneOf`: values that fit several alternatives are no longer allowed."
        request Risky "If the alternatives exclude each other, nothing changes; otherwise requests are refused that were right before.", response Compatible ANSWERS_LESS;
    "redundant-alternative-added" "an alternative was added that takes nothing new."
        request Compatible TAKES_MORE, response Compatible ANSWERS_LESS;
    "redundant-alternative-removed" "an alternative is gone whose values another one takes."
        request Compatible TAKES_MORE, response Compatible ANSWERS_LESS;
    "one-of-overlap-grew" "values may fit several alternatives of a `oneOf` that fitted one before."
        request Risky "A value that fits several alternatives is refused. Make them exclude each other, or use `anyOf`.", response Compatible ANSWERS_LESS;
    "one-of-overlap-shrank" "values may fit one alternative of a `oneOf` that fitted several before."
        request Compatible TAKES_MORE, response Risky "Clients that hold the answer against the old schema refuse what fits several alternatives.";
    "default-changed" "a default changed."
        request Risky "Requests that leave it to the default mean something else.", response Compatible "Answers say the value; clients that fill it in themselves read another.";
    "default-removed" "a default is gone."
        request Risky "Requests that leave it to the default may mean something else.", response Compatible "Answers say the value.";
};

const MORE_SCHEMAS: [Rule; 24] = of_schemas! {
    "default-added" "a default was added."
        request Compatible "Requests that say nothing are now told what that means.", response Compatible "Answers say the value.";
    "discriminator-added" "a discriminator was added."
        request Risky "Generated clients get other types, and requests without the property may be refused.", response Risky "Generated clients get other types.";
    "discriminator-removed" "the discriminator is gone."
        request Risky "Generated clients get other types.", response Breaking "Generated clients cannot tell the alternatives apart any more.";
    "discriminator-property-changed" "the discriminator is another property."
        request Breaking "Requests name their kind in the old property.", response Breaking "Clients look for the kind in the old property.";
    "discriminator-mapping-added" "the discriminator has a further value."
        request Compatible TAKES_MORE, response Breaking ANSWERS_MORE;
    "discriminator-mapping-removed" "the discriminator lost a value."
        request Breaking ASKS_MORE, response Compatible ANSWERS_LESS;
    "discriminator-mapping-changed" "a value of the discriminator stands for another schema."
        request Breaking "The same value means something else.", response Breaking "The same value means something else.";
    "property-became-read-only" "a property is only in answers (`readOnly`)."
        request Risky "Requests that carry it may be refused, and it does nothing any more.", response Compatible ANSWERS_LESS;
    "property-no-longer-read-only" "a property is no longer only in answers (`readOnly`)."
        request Compatible TAKES_MORE, response Compatible ANSWERS_LESS;
    "property-became-write-only" "a property is only in requests (`writeOnly`)."
        request Compatible TAKES_MORE, response Breaking "Clients look for it.";
    "property-no-longer-write-only" "a property is no longer only in requests (`writeOnly`)."
        request Compatible TAKES_MORE, response Compatible "Clients ignore properties that they do not know.";
    "xml-changed" "the XML form of a schema changed (`xml`)."
        request Risky "Clients that send XML write the old form.", response Risky "Clients that read XML read the old form.";
};

const DEPRECATIONS: [Rule; 4] = of_schemas! {
    "property-deprecated" "a property or schema was marked as deprecated."
        request Compatible ANNOUNCED, response Compatible ANNOUNCED;
    "property-undeprecated" "a property or schema is no longer deprecated."
        request Compatible "Nothing changes on the wire.", response Compatible "Nothing changes on the wire.";
};

const GROUPS: [&[Rule]; 11] = [
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
    &DEPRECATIONS,
];

/// Every rule of the comparison.
pub fn rules() -> impl Iterator<Item = &'static Rule> {
    static ALL: [&[Rule]; 11] = GROUPS;
    ALL.iter().copied().flatten()
}

/// The rule of that name.
#[must_use]
pub fn rule(id: &str) -> Option<&'static Rule> {
    rules().find(|rule| rule.id == id)
}
