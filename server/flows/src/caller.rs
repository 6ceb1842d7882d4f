//! The client of a request, as the network and its credentials tell.

use super::Flows;
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
}

impl Caller {
    /// The client's network; `None` if it is not known.
    pub(super) fn network(&self) -> Option<String> {
        (!self.is_relayed).then(|| ClientNetwork::from(self.ip).to_string())
    }
}

impl Flows {
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
