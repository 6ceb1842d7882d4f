//! The administration API: takes requests apart, calls one flow, builds the response. No rule lives here, and no user signs in
//! here: there are no terms.
//!
//! | module | what it holds |
//! |---|---|
//! | [`rules`] | what the edge asks before a handler runs |
//! | `credentials` | who calls: a service, whose API key allows administration |
//! | `problems`, `pages` | the domain's refusals as problem details, and what pages have in common |
//! | `users`, `grants`, `reports` | the operations |

mod credentials;
mod grants;
mod pages;
mod problems;
mod reports;
pub mod rules;
mod users;

use crate::app::App;
use crate::edge::contexts::Lent;
use countersign_api::admin::{AdminApi, Problem, replies, requests};
use countersign_api::{CheckedBody, Reply, TypedQuery};
use dropshot::{Path, RequestContext};
use std::sync::Arc;

type Context = RequestContext<Arc<App>>;

/// Implements the operations.
pub enum Admin {}

impl AdminApi for Admin {
    type Context = Arc<App>;

    async fn list_users(
        context: Context,
        query: TypedQuery<requests::UsersQuery>,
    ) -> Result<Reply<replies::ListUsers>, Problem> {
        users::list(&Lent::new(context), query.into_inner()).await
    }

    async fn create_user(
        context: Context,
        body: CheckedBody<requests::NewUser>,
    ) -> Result<Reply<replies::CreateUser>, Problem> {
        users::create(&Lent::new(context), body.into_inner()).await
    }

    async fn read_user(context: Context, path: Path<requests::UserPath>) -> Result<Reply<replies::ReadUser>, Problem> {
        users::read(&Lent::new(context), &path.into_inner().user_id).await
    }

    async fn delete_user(
        context: Context,
        path: Path<requests::UserPath>,
    ) -> Result<Reply<replies::ChangeUser>, Problem> {
        users::delete(&Lent::new(context), &path.into_inner().user_id).await
    }

    async fn unlock_user(
        context: Context,
        path: Path<requests::UserPath>,
    ) -> Result<Reply<replies::ChangeUser>, Problem> {
        users::unlock(&Lent::new(context), &path.into_inner().user_id).await
    }

    async fn reset_factors(
        context: Context,
        path: Path<requests::UserPath>,
    ) -> Result<Reply<replies::ResetFactors>, Problem> {
        users::reset_factors(&Lent::new(context), &path.into_inner().user_id).await
    }

    async fn set_password(
        context: Context,
        path: Path<requests::UserPath>,
        body: CheckedBody<requests::NewPassword>,
    ) -> Result<Reply<replies::ChangeUser>, Problem> {
        users::set_password(&Lent::new(context), &path.into_inner().user_id, &body.into_inner().password).await
    }

    async fn deactivate_user(
        context: Context,
        path: Path<requests::UserPath>,
    ) -> Result<Reply<replies::DeactivateUser>, Problem> {
        users::deactivate(&Lent::new(context), &path.into_inner().user_id).await
    }

    async fn reactivate_user(
        context: Context,
        path: Path<requests::UserPath>,
    ) -> Result<Reply<replies::ReactivateUser>, Problem> {
        users::reactivate(&Lent::new(context), &path.into_inner().user_id).await
    }

    async fn list_grants(
        context: Context,
        path: Path<requests::UserPath>,
    ) -> Result<Reply<replies::ListGrants>, Problem> {
        grants::list(&Lent::new(context), &path.into_inner().user_id).await
    }

    async fn revoke_grants(
        context: Context,
        path: Path<requests::UserPath>,
    ) -> Result<Reply<replies::ChangeUser>, Problem> {
        grants::revoke_all(&Lent::new(context), &path.into_inner().user_id).await
    }

    async fn revoke_grant(
        context: Context,
        path: Path<requests::GrantPath>,
    ) -> Result<Reply<replies::ChangeUser>, Problem> {
        grants::revoke(&Lent::new(context), path.into_inner()).await
    }

    async fn export_user(
        context: Context,
        path: Path<requests::UserPath>,
    ) -> Result<Reply<replies::ExportUser>, Problem> {
        users::export(&Lent::new(context), &path.into_inner().user_id).await
    }

    async fn read_statistics(context: Context) -> Result<Reply<replies::ReadStatistics>, Problem> {
        reports::statistics(&Lent::new(context)).await
    }

    async fn list_audit_events(
        context: Context,
        query: TypedQuery<requests::AuditEventsQuery>,
    ) -> Result<Reply<replies::ListAuditEvents>, Problem> {
        reports::audit_events(&Lent::new(context), query.into_inner()).await
    }
}
