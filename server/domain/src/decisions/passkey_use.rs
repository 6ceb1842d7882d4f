//! What a right assertion by a passkey is worth.
//!
//! The signature is verified by then ([`crate::passkey::verifier`]); this is decided on the passkey as it is stored when it counts.

use crate::audit::EventKind;
use crate::passkey::ceremony::Ceremony;
use crate::passkey::verifier::Asserted;
use crate::passkey::{Passkey, user_handle};

#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    pub passkey: &'a Passkey,
    pub ceremony: &'a Ceremony,
    pub asserted: Asserted,
    /// Whose passkey the authenticator says it is.
    pub user_handle: Option<&'a [u8]>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasskeyUse {
    Counts {
        /// Whether it proves two factors: the authenticator, and what only its user knows or is.
        proves_two: bool,
    },
    /// The ceremony demands that the authenticator verifies the user, and it has not.
    NotVerified,
    /// The authenticator names another user, or none where nobody else says who signs in.
    OtherUser,
    /// The passkey is one of another relying party than the ceremony.
    OtherRelyingParty,
    /// The signature counter is not higher than it was: the key of one device is in use twice, one of them a copy.
    CounterFell,
    /// A passkey that is synced says that it is bound to one device. The reverse is let be: not every source of passkeys knew.
    BackupChanged,
}

impl PasskeyUse {
    /// What the audit trail records of a refusal.
    #[must_use]
    pub fn event(self) -> Option<EventKind> {
        match self {
            Self::Counts { .. } => None,
            Self::CounterFell => Some(EventKind::PasskeyCounterFell),
            Self::NotVerified | Self::OtherUser | Self::OtherRelyingParty | Self::BackupChanged => {
                Some(EventKind::PasskeyRejected)
            }
        }
    }
}

/// A passkey that is synced among devices has a counter for each of them, or none, so that it may fall.
#[must_use]
pub fn decide(facts: &Facts<'_>) -> PasskeyUse {
    let Facts { passkey, ceremony, asserted, user_handle: named } = *facts;
    let handle = user_handle(passkey.account_id);
    let is_discovered = ceremony.purpose.account_id().is_none();
    let is_other_account = ceremony.purpose.account_id().is_some_and(|account_id| account_id != passkey.account_id);
    let names_another = named.map_or(is_discovered, |named| named != handle.as_bytes());
    let is_bound = !passkey.backup.is_eligible && !asserted.backup.is_eligible;
    let counts = passkey.counter > 0 || asserted.counter > 0;
    if passkey.relying_party != ceremony.relying_party {
        PasskeyUse::OtherRelyingParty
    } else if is_other_account || names_another {
        PasskeyUse::OtherUser
    } else if passkey.backup.is_eligible && !asserted.backup.is_eligible {
        PasskeyUse::BackupChanged
    } else if ceremony.demands_verification && !asserted.user_verified {
        PasskeyUse::NotVerified
    } else if is_bound && counts && asserted.counter <= passkey.counter {
        PasskeyUse::CounterFell
    } else {
        PasskeyUse::Counts { proves_two: asserted.user_verified }
    }
}
