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
    /// The user handle is another user's, or is missing in a sign-in without a user name.
    OtherUser,
    /// The passkey is one of another relying party than the ceremony.
    OtherRelyingParty,
    /// The signature counter is not higher than it was: the key of one device is in use twice, one of them a copy.
    CounterFell,
    /// A passkey that is synced says that it is bound to one device. The reverse is accepted: some providers set the flag later.
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
    // Which user handle another server gave is not known; the credential id says whose it is.
    let is_foreign = |named: &[u8]| !passkey.is_imported && named != handle.as_bytes();
    let names_another = named.map_or(is_discovered, is_foreign);
    // As it was stored: a copy may claim to be synced.
    let is_bound = !passkey.backup.is_eligible;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::Versions;
    use crate::decisions::fixtures::{NOW, account_id, other_account_id, passkey};
    use crate::passkey::Backup;
    use crate::passkey::ceremony::{Details, Purpose};
    use crate::passkey::relying_party::RelyingPartyId;
    use crate::secret::Digest;

    const SYNCED: Backup = Backup { is_eligible: true, is_backed_up: true };
    const BOUND: Backup = Backup { is_eligible: false, is_backed_up: false };

    fn ceremony(purpose: Purpose) -> Ceremony {
        let digest = Digest::from_bytes(&[7; 32]).expect("32 bytes");
        Ceremony {
            digest,
            challenge: digest,
            purpose,
            relying_party: passkey().relying_party,
            demands_verification: false,
            versions: Versions::default(),
            created_at: NOW,
            expires_at: NOW,
            details: Details::default(),
        }
    }

    fn asserted(counter: u32, backup: Backup) -> Asserted {
        Asserted { user_verified: false, counter, backup }
    }

    fn decided(passkey: &Passkey, ceremony: &Ceremony, asserted: Asserted, user_handle: Option<&str>) -> PasskeyUse {
        decide(&Facts { passkey, ceremony, asserted, user_handle: user_handle.map(str::as_bytes) })
    }

    #[test]
    fn what_a_passkey_proves_is_what_its_signature_says_52() {
        let handle = user_handle(account_id(1));
        for (user_verified, demands_verification, outcome) in [
            (false, false, PasskeyUse::Counts { proves_two: false }),
            (true, false, PasskeyUse::Counts { proves_two: true }),
            (false, true, PasskeyUse::NotVerified),
            (true, true, PasskeyUse::Counts { proves_two: true }),
        ] {
            let ceremony = Ceremony { demands_verification, ..ceremony(Purpose::SignIn(None)) };
            let asserted = Asserted { user_verified, ..asserted(1, BOUND) };
            assert_eq!(decided(&passkey(), &ceremony, asserted, Some(&handle)), outcome);
        }
    }

    #[test]
    fn the_counter_of_a_passkey_of_one_device_has_to_rise_54() {
        let counts = PasskeyUse::Counts { proves_two: false };
        let handle = user_handle(account_id(1));
        for (stored, seen, was, is, outcome) in [
            (0, 0, BOUND, BOUND, counts),
            (0, 1, BOUND, BOUND, counts),
            (7, 8, BOUND, BOUND, counts),
            (7, 7, BOUND, BOUND, PasskeyUse::CounterFell),
            (7, 6, BOUND, BOUND, PasskeyUse::CounterFell),
            (7, 0, BOUND, BOUND, PasskeyUse::CounterFell),
            (u32::MAX, 0, BOUND, BOUND, PasskeyUse::CounterFell),
            (7, 7, SYNCED, SYNCED, counts),
            (7, 0, SYNCED, SYNCED, counts),
            (7, 0, BOUND, SYNCED, PasskeyUse::CounterFell),
            (7, 8, BOUND, SYNCED, counts),
            (0, 0, BOUND, SYNCED, counts),
            (7, 8, SYNCED, BOUND, PasskeyUse::BackupChanged),
        ] {
            let passkey = Passkey { counter: stored, backup: was, ..passkey() };
            let outcome_now = decided(&passkey, &ceremony(Purpose::SignIn(None)), asserted(seen, is), Some(&handle));
            assert_eq!(outcome_now, outcome, "{stored} {seen} {was:?} {is:?}");
        }
    }

    #[test]
    fn a_passkey_is_its_users_and_of_its_relying_party_46_51() {
        let (own, other) = (user_handle(account_id(1)), user_handle(other_account_id()));
        let counts = PasskeyUse::Counts { proves_two: false };
        let asserted = asserted(1, BOUND);
        for (handle, outcome) in [
            (Some(own.as_str()), counts),
            (Some(&other), PasskeyUse::OtherUser),
            (Some(""), PasskeyUse::OtherUser),
            (None, PasskeyUse::OtherUser),
        ] {
            assert_eq!(decided(&passkey(), &ceremony(Purpose::SignIn(None)), asserted, handle), outcome, "{handle:?}");
        }
        let imported = Passkey { is_imported: true, ..passkey() };
        for (handle, outcome) in [(Some("another server's"), counts), (None, PasskeyUse::OtherUser)] {
            assert_eq!(decided(&imported, &ceremony(Purpose::SignIn(None)), asserted, handle), outcome, "{handle:?}");
        }
        // The ceremony is another account's, and the authenticator says nothing of its user, or what it likes.
        let sign_in = Digest::from_bytes(&[8; 32]).expect("32 bytes");
        for (account_id, outcome) in [(account_id(1), counts), (other_account_id(), PasskeyUse::OtherUser)] {
            let ceremony = ceremony(Purpose::SecondFactor { account_id, sign_in });
            for handle in [None, Some(own.as_str())] {
                assert_eq!(decided(&passkey(), &ceremony, asserted, handle), outcome, "{handle:?}");
            }
        }
        let id = RelyingPartyId::parse("example.net").expect("a domain");
        let elsewhere = Passkey { relying_party: id, ..passkey() };
        let outcome = decided(&elsewhere, &ceremony(Purpose::SignIn(None)), asserted, Some(&own));
        assert_eq!(outcome, PasskeyUse::OtherRelyingParty);
    }

    #[test]
    fn each_refusal_has_its_event() {
        for (outcome, event) in [
            (PasskeyUse::Counts { proves_two: true }, None),
            (PasskeyUse::CounterFell, Some(EventKind::PasskeyCounterFell)),
            (PasskeyUse::NotVerified, Some(EventKind::PasskeyRejected)),
            (PasskeyUse::OtherUser, Some(EventKind::PasskeyRejected)),
            (PasskeyUse::OtherRelyingParty, Some(EventKind::PasskeyRejected)),
            (PasskeyUse::BackupChanged, Some(EventKind::PasskeyRejected)),
        ] {
            assert_eq!(outcome.event(), event, "{outcome:?}");
        }
    }
}
