//! The client of a request, as the network and its credentials tell.

use super::Flows;
use super::hashing::{Lane, Overloaded, Permit};
use countersign_domain::actor::{Actor, OperatorName};
use countersign_domain::audit::{AuditContext, COMMAND_LINE, RequestIds};
use countersign_domain::audit_chain::TrailKeys;
use countersign_domain::device::Device;
use countersign_domain::ids::AuditId;
use countersign_domain::language::Languages;
use countersign_domain::network::ClientNetwork;
use countersign_domain::time::Timestamp;
use countersign_domain::webhook::Webhooks;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

#[derive(Clone, Debug)]
pub struct Caller {
    /// Its address, trusted proxies taken into account.
    pub ip: IpAddr,
    /// Whether `ip` is that of a service which does not say whose request it passes on. Then it stands for no client network.
    pub is_relayed: bool,
    /// Its own description; empty when it sends none.
    pub user_agent: String,
    /// What it says of the device of its user.
    pub device: Device,
    /// Languages that it wants messages in; empty for a service, which is not their reader.
    pub languages: Languages,
    /// Name of the dialect it speaks, as the audit trail has it.
    pub dialect: &'static str,
    /// Who it is, as the audit trail has it.
    pub actor: Actor,
    /// What its request is called.
    pub request: RequestIds,
    /// Whether it presents a signature of ours, such as that of a session or of a trusted device. That opens nothing: its
    /// passwords are hashed before those of others when many wait.
    pub is_known: bool,
}

/// The longest client description that is stored, in characters: browsers send far less.
const LONGEST_USER_AGENT: usize = 512;

impl Caller {
    /// An operator on the command line: no client of the network.
    #[must_use]
    pub fn operator(name: OperatorName) -> Self {
        Self {
            ip: Ipv4Addr::LOCALHOST.into(),
            is_relayed: true,
            user_agent: String::new(),
            device: Device::default(),
            languages: Languages::default(),
            dialect: COMMAND_LINE,
            actor: Actor::Operator(name),
            request: RequestIds::default(),
            is_known: true,
        }
    }

    /// Its description as it is stored.
    pub(super) fn stored_user_agent(&self) -> String {
        self.user_agent.chars().take(LONGEST_USER_AGENT).collect()
    }

    /// The client's network; `None` if it is not known.
    pub(super) fn network(&self) -> Option<ClientNetwork> {
        (!self.is_relayed).then(|| self.ip.into())
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
            ip_address: match caller.actor {
                Actor::User | Actor::Service(_) => caller.ip.to_string(),
                Actor::Operator(_) | Actor::Server => String::new(),
            },
            actor: caller.actor.clone(),
            request: caller.request.clone(),
            keys: Some(TrailKeys::new(Arc::clone(&self.services.keyring))),
            notices: self.services.notices.clone(),
            webhooks: (!self.services.subscriptions.is_empty()).then(|| Webhooks {
                subscriptions: Arc::clone(&self.services.subscriptions),
                user_agent: caller.stored_user_agent(),
            }),
        }
    }
}
