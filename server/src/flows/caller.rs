//! Who calls, as far as the network tells.

use super::{Flows, with_random};
use countersign_domain::account::Account;
use countersign_domain::audit::{AuditEvent, EventKind};
use countersign_domain::challenge::Factor;
use countersign_domain::ids::{AccountId, ApiKeyId, AuditId, SessionId};
use countersign_domain::secret::SessionToken;
use countersign_domain::session::Session;
use countersign_domain::time::Timestamp;
use countersign_store::work::NewSession;
use std::net::IpAddr;

/// The longest client description that is kept, in characters: what browsers send is well below.
const LONGEST_USER_AGENT: usize = 512;

/// The client of a request.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Its address, proxies taken into account.
    pub ip: IpAddr,
    /// What it says it is; empty when it says nothing.
    pub user_agent: String,
    /// The dialect it speaks, as the audit trail names it.
    pub dialect: &'static str,
    /// The key of the service that calls.
    pub api_key_id: Option<ApiKeyId>,
}

impl Caller {
    /// A line for the audit trail.
    #[must_use]
    pub fn event(&self, kind: EventKind, account_id: Option<AccountId>, now: Timestamp) -> AuditEvent {
        AuditEvent {
            id: with_random(|random| AuditId::generate(now, random)),
            at: now,
            kind,
            account_id,
            session_id: None,
            factor: None,
            dialect: self.dialect,
            ip_address: self.ip.to_string(),
            api_key_id: self.api_key_id,
        }
    }

    /// A line for the audit trail about something done within a session.
    #[must_use]
    pub fn event_in(&self, kind: EventKind, session: &Session, now: Timestamp) -> AuditEvent {
        AuditEvent { session_id: Some(session.id), ..self.event(kind, Some(session.account_id), now) }
    }

    /// A line for the audit trail about a second factor.
    #[must_use]
    pub fn factor_event(
        &self,
        kind: EventKind,
        factor: Option<Factor>,
        account_id: Option<AccountId>,
        session_id: Option<SessionId>,
        now: Timestamp,
    ) -> AuditEvent {
        AuditEvent { factor, session_id, ..self.event(kind, account_id, now) }
    }
}

impl Flows {
    /// A new session of `account` for `caller`, and its token.
    pub(super) fn new_session(
        &self,
        caller: &Caller,
        account: &Account,
        is_remembered: bool,
        second_factor_at: Option<Timestamp>,
        now: Timestamp,
    ) -> (NewSession, SessionToken) {
        let (id, token) = with_random(|random| (SessionId::generate(now, random), SessionToken::generate(random)));
        let session = Session {
            id,
            account_id: account.id,
            is_remembered,
            second_factor_at,
            ip_address: caller.ip.to_string(),
            user_agent: caller.user_agent.chars().take(LONGEST_USER_AGENT).collect(),
            created_at: now,
            updated_at: now,
            expires_at: Session::expiry(is_remembered, now, &self.policy),
        };
        (NewSession { session, token: token.digest() }, token)
    }
}
