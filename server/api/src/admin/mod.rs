//! The administration API, under `/admin`: what `openapi/admin.yaml` says, as one trait. It is this server's own; no user signs
//! in there.
//!
//! | to see | look at |
//! |---|---|
//! | bodies, queries and paths of requests | [`requests`] |
//! | bodies of responses, which the command line prints as well | [`responses`] |
//! | statuses of each operation | [`replies`] |
//! | the form of errors | [`problem`] |

pub mod problem;
pub mod replies;
pub mod requests;
pub mod responses;

pub use problem::Problem;

use crate::body::CheckedBody;
use crate::query::TypedQuery;
use crate::reply::Reply;
use dropshot::{Path, RequestContext};

/// The operations of the API. Paths, ids and tags are those of the contract.
#[dropshot::api_description {
    tag_config = {
        allow_other_tags = false,
        policy = dropshot::EndpointTagPolicy::ExactlyOne,
        tags = {
            "Administration" = { description = "Users, counts and the audit trail, for administrators." },
        },
    },
}]
pub trait AdminApi {
    /// State shared by all handlers.
    type Context;

    /// List users.
    #[endpoint { method = GET, path = "/admin/users", operation_id = "listUsers", tags = ["Administration"] }]
    async fn list_users(
        context: RequestContext<Self::Context>,
        query: TypedQuery<requests::UsersQuery>,
    ) -> Result<Reply<replies::ListUsers>, Problem>;

    /// Create a user.
    #[endpoint { method = POST, path = "/admin/users", operation_id = "createUser", tags = ["Administration"] }]
    async fn create_user(
        context: RequestContext<Self::Context>,
        body: CheckedBody<requests::NewUser>,
    ) -> Result<Reply<replies::CreateUser>, Problem>;

    /// Read a user.
    #[endpoint { method = GET, path = "/admin/users/{userId}", operation_id = "readUser", tags = ["Administration"] }]
    async fn read_user(
        context: RequestContext<Self::Context>,
        path: Path<requests::UserPath>,
    ) -> Result<Reply<replies::ReadUser>, Problem>;

    /// Delete a user.
    #[endpoint {
        method = DELETE,
        path = "/admin/users/{userId}",
        operation_id = "deleteUser",
        tags = ["Administration"],
    }]
    async fn delete_user(
        context: RequestContext<Self::Context>,
        path: Path<requests::UserPath>,
    ) -> Result<Reply<replies::ChangeUser>, Problem>;

    /// End the locks of a user.
    #[endpoint {
        method = POST,
        path = "/admin/users/{userId}/unlock",
        operation_id = "unlockUser",
        tags = ["Administration"],
    }]
    async fn unlock_user(
        context: RequestContext<Self::Context>,
        path: Path<requests::UserPath>,
    ) -> Result<Reply<replies::ChangeUser>, Problem>;

    /// Reset a lost second factor.
    #[endpoint {
        method = POST,
        path = "/admin/users/{userId}/reset-factors",
        operation_id = "resetFactors",
        tags = ["Administration"],
    }]
    async fn reset_factors(
        context: RequestContext<Self::Context>,
        path: Path<requests::UserPath>,
    ) -> Result<Reply<replies::ResetFactors>, Problem>;

    /// Set the password of a user.
    #[endpoint {
        method = POST,
        path = "/admin/users/{userId}/password",
        operation_id = "setPassword",
        tags = ["Administration"],
    }]
    async fn set_password(
        context: RequestContext<Self::Context>,
        path: Path<requests::UserPath>,
        body: CheckedBody<requests::NewPassword>,
    ) -> Result<Reply<replies::ChangeUser>, Problem>;

    /// Deactivate a user.
    #[endpoint {
        method = POST,
        path = "/admin/users/{userId}/deactivate",
        operation_id = "deactivateUser",
        tags = ["Administration"],
    }]
    async fn deactivate_user(
        context: RequestContext<Self::Context>,
        path: Path<requests::UserPath>,
    ) -> Result<Reply<replies::DeactivateUser>, Problem>;

    /// Make a deactivated user usable again.
    #[endpoint {
        method = POST,
        path = "/admin/users/{userId}/reactivate",
        operation_id = "reactivateUser",
        tags = ["Administration"],
    }]
    async fn reactivate_user(
        context: RequestContext<Self::Context>,
        path: Path<requests::UserPath>,
    ) -> Result<Reply<replies::ReactivateUser>, Problem>;

    /// List what the credentials of a user have opened.
    #[endpoint {
        method = GET,
        path = "/admin/users/{userId}/sessions",
        operation_id = "listGrants",
        tags = ["Administration"],
    }]
    async fn list_grants(
        context: RequestContext<Self::Context>,
        path: Path<requests::UserPath>,
    ) -> Result<Reply<replies::ListGrants>, Problem>;

    /// End all sessions of a user.
    #[endpoint {
        method = DELETE,
        path = "/admin/users/{userId}/sessions",
        operation_id = "revokeGrants",
        tags = ["Administration"],
    }]
    async fn revoke_grants(
        context: RequestContext<Self::Context>,
        path: Path<requests::UserPath>,
    ) -> Result<Reply<replies::ChangeUser>, Problem>;

    /// End one session of a user.
    #[endpoint {
        method = DELETE,
        path = "/admin/users/{userId}/sessions/{grantId}",
        operation_id = "revokeGrant",
        tags = ["Administration"],
    }]
    async fn revoke_grant(
        context: RequestContext<Self::Context>,
        path: Path<requests::GrantPath>,
    ) -> Result<Reply<replies::ChangeUser>, Problem>;

    /// Export everything that is stored about a user.
    #[endpoint {
        method = GET,
        path = "/admin/users/{userId}/export",
        operation_id = "exportUser",
        tags = ["Administration"],
    }]
    async fn export_user(
        context: RequestContext<Self::Context>,
        path: Path<requests::UserPath>,
    ) -> Result<Reply<replies::ExportUser>, Problem>;

    /// Count users, sessions and events.
    #[endpoint { method = GET, path = "/admin/statistics", operation_id = "readStatistics", tags = ["Administration"] }]
    async fn read_statistics(context: RequestContext<Self::Context>)
    -> Result<Reply<replies::ReadStatistics>, Problem>;

    /// Read the audit trail.
    #[endpoint {
        method = GET,
        path = "/admin/audit-events",
        operation_id = "listAuditEvents",
        tags = ["Administration"],
    }]
    async fn list_audit_events(
        context: RequestContext<Self::Context>,
        query: TypedQuery<requests::AuditEventsQuery>,
    ) -> Result<Reply<replies::ListAuditEvents>, Problem>;
}
