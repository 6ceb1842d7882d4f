//! Rules about the document and its operations.

use super::{ACCEPTS_LESS, ACCEPTS_MORE, ANNOUNCED, NAMES, PROSE, RETURNS_LESS};
use countersign_contract_finding::{Rule, Verdict};

pub(super) const DOCUMENT: [Rule; 16] = rules! {
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

pub(super) const OPERATIONS: [Rule; 33] = rules! {
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

pub(super) const PARAMETERS: [Rule; 18] = rules! {
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

pub(super) const BODIES: [Rule; 9] = rules! {
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

pub(super) const RESPONSES: [Rule; 19] = rules! {
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

pub(super) const SECURITY: [Rule; 18] = rules! {
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
