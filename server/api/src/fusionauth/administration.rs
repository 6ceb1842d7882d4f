//! What services do for their users: find them, lock them for a time, and manage their registrations. Paths have a literal in place of
//! `{userId}`.

use super::error::Error;
use super::tenant::TenantHeader;
use super::{actions, replies, requests, search};
use crate::body::{LenientBody, MergePatchBody};
use crate::query::CheckedQuery;
use crate::reply::Reply;
use dropshot::{Path, RequestContext};

/// Searches, locks and registrations.
#[dropshot::api_description]
pub trait AdministrationApi {
    /// State shared by all handlers.
    type Context;

    /// Replace a registration.
    #[endpoint {
        method = PUT,
        path = "/api/user/registration/{userId}",
        operation_id = "updateRegistration",
        tags = ["Users"],
    }]
    async fn update_registration(
        context: RequestContext<Self::Context>,
        path: Path<requests::UserPath>,
        tenant: TenantHeader,
        body: LenientBody<requests::Registration>,
    ) -> Result<Reply<replies::ChangeRegistration>, Error>;

    /// Change some things of a registration.
    #[endpoint {
        method = PATCH,
        path = "/api/user/registration/{userId}",
        operation_id = "patchRegistration",
        tags = ["Users"],
    }]
    async fn patch_registration(
        context: RequestContext<Self::Context>,
        path: Path<requests::UserPath>,
        tenant: TenantHeader,
        body: MergePatchBody<requests::Registration>,
    ) -> Result<Reply<replies::ChangeRegistration>, Error>;

    /// Read a registration.
    #[endpoint {
        method = GET,
        path = "/api/user/registration/{userId}/{applicationId}",
        operation_id = "retrieveRegistration",
        tags = ["Users"],
    }]
    async fn retrieve_registration(
        context: RequestContext<Self::Context>,
        path: Path<requests::RegistrationPath>,
        tenant: TenantHeader,
    ) -> Result<Reply<replies::RetrieveRegistration>, Error>;

    /// Delete a registration.
    #[endpoint {
        method = DELETE,
        path = "/api/user/registration/{userId}/{applicationId}",
        operation_id = "deleteRegistration",
        tags = ["Users"],
    }]
    async fn delete_registration(
        context: RequestContext<Self::Context>,
        path: Path<requests::RegistrationPath>,
        tenant: TenantHeader,
    ) -> Result<Reply<replies::DeleteRegistration>, Error>;

    /// Find users by their ids or names.
    #[endpoint {
        method = GET,
        path = "/api/user/search",
        operation_id = "searchUsersByIds",
        tags = ["Users"],
    }]
    async fn search_users_by_ids(
        context: RequestContext<Self::Context>,
        query: search::RepeatedQuery,
        tenant: TenantHeader,
    ) -> Result<Reply<replies::FindUsers>, Error>;

    /// Find users by their ids or names.
    #[endpoint {
        method = POST,
        path = "/api/user/search",
        operation_id = "searchUsersByQueryString",
        tags = ["Users"],
    }]
    async fn search_users_by_query_string(
        context: RequestContext<Self::Context>,
        tenant: TenantHeader,
        body: LenientBody<search::Search>,
    ) -> Result<Reply<replies::SearchUsers>, Error>;

    /// Lock a user.
    #[endpoint {
        method = POST,
        path = "/api/user/action",
        operation_id = "actionUser",
        tags = ["Actions"],
    }]
    async fn action_user(
        context: RequestContext<Self::Context>,
        tenant: TenantHeader,
        body: LenientBody<actions::Action>,
    ) -> Result<Reply<replies::TakeAction>, Error>;

    /// Read what keeps a user from logging in.
    #[endpoint {
        method = GET,
        path = "/api/user/action",
        operation_id = "retrieveActions",
        tags = ["Actions"],
    }]
    async fn retrieve_actions(
        context: RequestContext<Self::Context>,
        query: CheckedQuery<actions::ActionsQuery>,
        tenant: TenantHeader,
    ) -> Result<Reply<replies::RetrieveActions>, Error>;

    /// Read the lock of a user.
    #[endpoint {
        method = GET,
        path = "/api/user/action/{actionId}",
        operation_id = "retrieveAction",
        tags = ["Actions"],
    }]
    async fn retrieve_action(
        context: RequestContext<Self::Context>,
        path: Path<actions::ActionPath>,
        tenant: TenantHeader,
    ) -> Result<Reply<replies::RetrieveAction>, Error>;

    /// Change when the lock of a user ends.
    #[endpoint {
        method = PUT,
        path = "/api/user/action/{actionId}",
        operation_id = "modifyAction",
        tags = ["Actions"],
    }]
    async fn modify_action(
        context: RequestContext<Self::Context>,
        path: Path<actions::ActionPath>,
        tenant: TenantHeader,
        body: LenientBody<actions::Action>,
    ) -> Result<Reply<replies::TakeAction>, Error>;

    /// End the lock of a user.
    #[endpoint {
        method = DELETE,
        path = "/api/user/action/{actionId}",
        operation_id = "cancelAction",
        tags = ["Actions"],
    }]
    async fn cancel_action(
        context: RequestContext<Self::Context>,
        path: Path<actions::ActionPath>,
        tenant: TenantHeader,
    ) -> Result<Reply<replies::TakeAction>, Error>;
}
