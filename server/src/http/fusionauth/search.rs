//! Finding users: the part of the published API's search that an index serves. What is not understood is refused, so that no
//! service takes a result for one of another query.

use super::credentials::{self, Call};
use super::values::{account_id, body_value, is_blank, query_switch, query_value};
use super::{Context, refusal, wire};
use countersign_api::fusionauth::search::{RepeatedQuery, Search, SearchResponse, SortField, UserSearchCriteria};
use countersign_api::fusionauth::{Error, TenantHeader, replies};
use countersign_api::reply::Reply;
use countersign_domain::policy::{REACHABLE_USERS, USERS_AT_ONCE, USERS_BY_DEFAULT};
use countersign_domain::user_search::{NamePattern, Page, PageRefused, UserSearch};

/// The longest query string, as the contract has it for bodies.
const LONGEST_QUERY: usize = 256;

/// Characters with a meaning in the query language of the published API that is not understood here.
const OPERATORS: &str = "*?\"()[]{}^~:\\/<>=!&|";

/// 400: something that an index does not serve.
fn not_supported(field: &str, message: String) -> Error {
    Error::of_field(field, "notSupported", message)
}

/// What a query string looks for.
fn parsed(field: &str, text: &str) -> Result<UserSearch, Error> {
    let refused = || {
        let message = format!(
            "The [{field}] is none that is understood: *, a name, the beginning of a name with * behind it, or one of these with \
             email: or username: before it."
        );
        not_supported(field, message)
    };
    if text.len() > LONGEST_QUERY || text.chars().any(char::is_control) {
        return Err(refused());
    }
    let (named, value) = match text.split_once(':') {
        Some((name @ ("email" | "username"), value)) => (Some(name), value),
        _ => (None, text),
    };
    let quoted = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    let pattern = match (quoted, value.strip_suffix('*')) {
        (Some(quoted), _) if !quoted.is_empty() && !quoted.contains(['"', '\\']) => NamePattern::Exactly(quoted),
        (None, Some(start)) if !has_operator(start) => NamePattern::StartsWith(start),
        (None, None) if !value.is_empty() && !has_operator(value) => NamePattern::Exactly(value),
        _ => return Err(refused()),
    };
    Ok(match (named, pattern) {
        (None, NamePattern::StartsWith("")) => UserSearch::All,
        (None, pattern) => UserSearch::EmailOrUsername { email: pattern.emails(), username: pattern.usernames() },
        (Some("email"), pattern) => UserSearch::Email(pattern.emails()),
        (Some(_), pattern) => UserSearch::Username(pattern.usernames()),
    })
}

fn has_operator(text: &str) -> bool {
    text.contains(|letter: char| letter.is_whitespace() || OPERATORS.contains(letter))
}

/// A request, from a body or from a query: `at` is the path of its properties.
struct Request<'a> {
    at: &'static str,
    ids: Option<Vec<&'a str>>,
    query_string: Option<&'a str>,
    start: i64,
    count: i64,
    counts_all: bool,
}

/// 400 if a property was sent that is not understood.
fn refuse_others(at: &str, query: bool, next_results: bool, order_by: Option<&str>) -> Result<(), Error> {
    if query {
        let message = "Queries in the language of Elasticsearch are not understood: use the queryString, or ids.";
        return Err(not_supported(&format!("{at}query"), message.to_owned()));
    }
    if next_results {
        let message = "Results have no further pages by nextResults: use the startRow.";
        return Err(not_supported(&format!("{at}nextResults"), message.to_owned()));
    }
    match order_by {
        None => Ok(()),
        Some(order) if ["id", "id asc"].contains(&order.to_ascii_lowercase().as_str()) => Ok(()),
        Some(_) => Err(not_supported(&format!("{at}orderBy"), ONLY_ORDER.to_owned())),
    }
}

const ONLY_ORDER: &str = "Users are found in the order of their ids, and in no other.";

fn is_by_id(field: &SortField) -> bool {
    let ascending = body_value(field.order.as_ref()).is_none_or(|order| order.eq_ignore_ascii_case("asc"));
    ascending && body_value(field.name.as_ref()) == Some("id")
}

async fn find(context: &Context, call: &Call, request: Request<'_>) -> Result<SearchResponse, Error> {
    let tenant = call.tenant(context, None)?.id;
    let Request { at, ids, query_string, start, count, counts_all } = request;
    let field = |name: &str| format!("{at}{name}");
    let page = Page::new(start, count).map_err(|refused| {
        let (name, message) = match refused {
            PageRefused::Start => ("startRow", "The first user is number 0.".to_owned()),
            PageRefused::Count => ("numberOfResults", format!("A page has from 0 to {USERS_AT_ONCE} users.")),
            PageRefused::OutOfReach => {
                ("startRow", format!("A page ends at user {REACHABLE_USERS} at the latest: narrow the search."))
            }
        };
        Error::of_field(&field(name), "invalid", message)
    })?;
    let which = match (ids, query_string) {
        (Some(ids), query_string) if !ids.is_empty() || query_string.is_none() => {
            let name = field("ids");
            if ids.len() > USERS_AT_ONCE as usize {
                return Err(Error::of_field(
                    &name,
                    "tooLong",
                    format!("At most {USERS_AT_ONCE} ids are looked for at once."),
                ));
            }
            UserSearch::Ids(ids.into_iter().map(|id| account_id(&name, id)).collect::<Result<_, _>>()?)
        }
        (_, Some(text)) => parsed(&field("queryString"), text)?,
        (_, None) => return Err(is_blank(&field("queryString"))),
    };
    let found = context.context().flows.find_users(tenant, which, page, counts_all).await;
    let found = found.map_err(refusal::of_failure)?;
    Ok(SearchResponse {
        total: i64::try_from(found.total).unwrap_or(i64::MAX),
        users: found.users.iter().map(wire::user).collect(),
    })
}

fn number(query: &RepeatedQuery, name: &str, default: i64) -> Result<i64, Error> {
    let Some(text) = query_value(query.get(name)) else { return Ok(default) };
    text.parse().map_err(|_| Error::of_field(name, "couldNotConvert", format!("The [{name}] is not a number.")))
}

/// `GET /api/user/search`
pub(super) async fn by_query(
    context: &Context,
    tenant: TenantHeader,
    query: RepeatedQuery,
) -> Result<Reply<replies::FindUsers>, Error> {
    let call = credentials::require_service(context, tenant).await?;
    let given = |name: &str| query_value(query.get(name));
    refuse_others("", given("query").is_some(), given("nextResults").is_some(), given("orderBy"))?;
    if query.names().any(|name| name.starts_with("sortFields")) {
        return Err(not_supported("sortFields", ONLY_ORDER.to_owned()));
    }
    let request = Request {
        at: "",
        ids: Some(query.all("ids").filter_map(|id| query_value(Some(id))).collect())
            .filter(|ids: &Vec<_>| !ids.is_empty()),
        query_string: given("queryString"),
        start: number(&query, "startRow", 0)?,
        count: number(&query, "numberOfResults", USERS_BY_DEFAULT.into())?,
        counts_all: query_switch("accurateTotal", query.get("accurateTotal"))?.unwrap_or(false),
    };
    Ok(Reply::ok(find(context, &call, request).await?))
}

/// `POST /api/user/search`
pub(super) async fn by_body(
    context: &Context,
    tenant: TenantHeader,
    body: Search,
) -> Result<Reply<replies::SearchUsers>, Error> {
    let call = credentials::require_service(context, tenant).await?;
    let missing = || Error::of_field("search", "missing", "You must specify the [search] property.");
    let search: UserSearchCriteria = body.search.ok_or_else(missing)?;
    let given = |value: &Option<String>| body_value(value.as_ref()).is_some();
    refuse_others("search.", given(&search.query), given(&search.next_results), body_value(search.order_by.as_ref()))?;
    if !search.sort_fields.iter().flatten().all(is_by_id) {
        return Err(not_supported("search.sortFields", ONLY_ORDER.to_owned()));
    }
    let request = Request {
        at: "search.",
        ids: search.ids.as_ref().map(|ids| ids.iter().map(String::as_str).collect()),
        query_string: body_value(search.query_string.as_ref()),
        start: search.start_row.unwrap_or(0),
        count: search.number_of_results.unwrap_or(USERS_BY_DEFAULT.into()),
        counts_all: search.accurate_total.unwrap_or(false),
    };
    Ok(Reply::ok(find(context, &call, request).await?))
}
