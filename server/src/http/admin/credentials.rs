//! The caller: a service, whose API key allows the operation. Nothing else opens one; cookies are not looked at.

use super::{Context, problems};
use crate::edge::noted;
use crate::http::shared::{Authorization, KeyCheck, check_key};
use countersign_api::DialectName;
use countersign_api::admin::Problem;
use countersign_api::admin::problem::KeyChallenge;
use countersign_domain::actor::Actor;
use countersign_domain::ids::{AccountId, TenantId};
use countersign_domain::language::Languages;
use countersign_domain::user::{AccountLookup, User};
use countersign_flows::Caller;
use dropshot::ErrorStatusCode as Status;

/// A caller, and the only tenant that it sees, if its key is for one.
#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) caller: Caller,
    pub(super) scope: Option<TenantId>,
}

/// The service that calls.
///
/// # Errors
/// 401, 403, 503.
pub(super) async fn require_service(context: &Context) -> Result<Call, Problem> {
    let unauthorized = |challenge| Problem::of_status(Status::UNAUTHORIZED).with_challenge(challenge);
    let key = Authorization::read(context.request.headers()).into_bearer();
    let key = key.ok_or_else(|| unauthorized(KeyChallenge::Missing))?;
    let service = match check_key(context, DialectName::Admin, &key).await.map_err(problems::of_failure)? {
        KeyCheck::Allowed(service) => service,
        KeyCheck::Unknown => return Err(unauthorized(KeyChallenge::Invalid)),
        KeyCheck::NotAllowed => {
            return Err(Problem::of_status(Status::FORBIDDEN).with_challenge(KeyChallenge::Insufficient));
        }
    };
    let caller = Caller {
        actor: Actor::Service(service.key_id),
        is_relayed: true,
        // What a service accepts says nothing about its user.
        languages: Languages::default(),
        ..crate::http::shared::caller(context, DialectName::Admin)
    };
    Ok(Call { caller, scope: service.tenant_id })
}

impl Call {
    /// The user with this id, whom the service may see.
    ///
    /// # Errors
    /// 404, 503.
    pub(super) async fn user(&self, context: &Context, id: &str) -> Result<User, Problem> {
        let id = AccountId::parse(id).ok_or_else(problems::no_user)?;
        let user = context.context().flows.user(AccountLookup::Id(id), self.scope).await;
        let user = user.map_err(problems::of_failure)?.ok_or_else(problems::no_user)?;
        noted::account(user.account.id);
        Ok(user)
    }

    /// The tenant that a request names, else that of the key, else the first of the server. `None` for one that is not there, or
    /// not for this key: which of both is not said.
    pub(super) fn tenant(&self, context: &Context, named: Option<&str>) -> Option<TenantId> {
        let directory = context.context().flows.directory();
        let Some(named) = named else { return Some(self.scope.unwrap_or(directory.home().id)) };
        let known = TenantId::parse(named).filter(|id| directory.tenant(*id).is_some());
        known.filter(|id| self.scope.is_none_or(|scope| scope == *id))
    }
}
