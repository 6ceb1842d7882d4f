//! Queries and bodies of the operations at `/api/user/search`.

use super::requests::requests;
use super::responses::User;
use crate::query::checked;
use crate::responses::responses;
use async_trait::async_trait;
use dropshot::{
    ApiEndpointBodyContentType, ExtractorMetadata, HttpError, Query, RequestContext, ServerContext, SharedExtractor,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

requests! {
    /// `searchUsersByQueryString`.
    Search {
        /// What to look for.
        search: UserSearchCriteria,
    }

    /// What to look for.
    UserSearchCriteria {
        /// Whether `total` is exact beyond 10,000.
        accurate_total: bool,
        /// Ids of users.
        #[schemars(length(max = 500))]
        ids: Vec<String>,
        /// Where an earlier page has ended: refused.
        #[schemars(length(max = 4096))]
        next_results: String,
        /// Number of users on the page.
        number_of_results: i64,
        /// Order of the users: by id.
        #[schemars(length(max = 256))]
        order_by: String,
        /// A query in the language of Elasticsearch: refused.
        #[schemars(length(max = 4096))]
        query: String,
        /// A name, the beginning of one, or all.
        #[schemars(length(max = 256))]
        query_string: String,
        /// Order of the users: by id.
        #[schemars(length(max = 16))]
        sort_fields: Vec<SortField>,
        /// Number of users before the page.
        start_row: i64,
    }

    /// A property to sort by.
    SortField {
        /// Where users without the property are.
        #[schemars(length(max = 256))]
        missing: String,
        /// The property.
        #[schemars(length(max = 256))]
        name: String,
        /// `asc` or `desc`.
        #[schemars(length(max = 256))]
        order: String,
    }

    /// `searchUsersByIds`, as it is documented.
    SearchQuery {
        /// `true` for a `total` that is exact beyond 10,000.
        accurate_total: String,
        /// Ids of users: the parameter may be repeated.
        ids: String,
        /// Where an earlier page has ended: refused.
        next_results: String,
        /// Number of users on the page.
        number_of_results: String,
        /// Order of the users: by id.
        order_by: String,
        /// A query in the language of Elasticsearch: refused.
        query: String,
        /// A name, the beginning of one, or all.
        query_string: String,
        /// Number of users before the page.
        start_row: String,
    }
}

/// The query of a request, in which `ids` may be repeated.
#[derive(Clone)]
pub struct RepeatedQuery(Vec<(String, String)>);

impl fmt::Debug for RepeatedQuery {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("RepeatedQuery").finish_non_exhaustive()
    }
}

impl RepeatedQuery {
    /// The value of a parameter other than `ids`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&String> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value)
    }

    /// All values of a parameter.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a String> {
        self.0.iter().filter(move |(key, _)| key == name).map(|(_, value)| value)
    }

    /// The names of the parameters.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(key, _)| key.as_str())
    }
}

#[async_trait]
impl SharedExtractor for RepeatedQuery {
    async fn from_request<Context: ServerContext>(context: &RequestContext<Context>) -> Result<Self, HttpError> {
        let query = context.request.uri().query().unwrap_or_default();
        checked::<SearchQuery>(query, Some("ids"))?;
        Ok(Self(form_urlencoded::parse(query.as_bytes()).into_owned().collect()))
    }

    fn metadata(content_type: ApiEndpointBodyContentType) -> ExtractorMetadata {
        Query::<SearchQuery>::metadata(content_type)
    }
}

responses! {
    /// Users that were found.
    SearchResponse {
        /// How many match, on all pages; 10,000 may stand for more.
        total: i64,
        /// The users of the page, in the order of their ids.
        users: Vec<User>,
    }
}
