//! The client of a request, as the network and its credentials tell.

use super::Flows;
use super::hashing::{Lane, Overloaded, Permit};
use countersign_domain::audit::AuditContext;
use countersign_domain::ids::{ApiKeyId, AuditId};
use countersign_domain::network::ClientNetwork;
use countersign_domain::time::Timestamp;
use std::net::IpAddr;

#[derive(Clone, Debug)]
pub struct Caller {
    /// Its address, trusted proxies taken into account.
    pub ip: IpAddr,
    /// Whether `ip` is that of a service which does not say whose request it passes on. Then it stands for no client network.
    pub is_relayed: bool,
    /// Its own description; empty when it sends none.
    pub user_agent: String,
    /// Name of the dialect it speaks, as the audit trail has it.
    pub dialect: &'static str,
    /// The API key of a service.
    pub api_key_id: Option<ApiKeyId>,
    /// Whether it presents a signature of ours, such as that of a session or of a trusted device. That opens nothing: its
    /// passwords are hashed before those of others when many wait.
    pub is_known: bool,
}

impl Caller {
    /// The client's network; `None` if it is not known.
    pub(super) fn network(&self) -> Option<String> {
        (!self.is_relayed).then(|| ClientNetwork::from(self.ip).to_string())
    }
}

impl Flows {
    /// A place in the queue of passwords to be hashed.
    pub(super) fn admit(&self, caller: &Caller) -> Result<Permit, Overloaded> {
        let lane = if caller.is_known { Lane::Known } else { Lane::Unknown };
        self.services.hasher.admit(lane, caller.ip.into())
    }

    /// A place in the queue for the password of a new account.
    pub(super) fn admit_new_account(&self, caller: &Caller) -> Result<Permit, Overloaded> {
        self.services.hasher.admit(Lane::NewAccount, caller.ip.into())
    }

    /// The audit context of a request; what happened, and to which account, is added where it is known.
    pub(super) fn audit(&self, caller: &Caller, now: Timestamp) -> AuditContext {
        AuditContext {
            id: self.random().draw(|random| AuditId::generate(now, random)),
            at: now,
            account_id: None,
            session_id: None,
            factor: None,
            dialect: caller.dialect,
            ip_address: caller.ip.to_string(),
            api_key_id: caller.api_key_id,
        }
    }
}
