//! Quotas: stored counts that no setting switches off.

use crate::ids::AccountId;
use crate::policy::Policy;
use crate::rate::Rate;
use std::time::Duration;

/// How often something may happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QuotaLimit {
    /// So many uses within a window that begins with the first. A success restores the whole quota.
    Window { uses: u32, window: Duration },
    /// A limit that refills with time. A success gives back its own use.
    Refilling(Rate),
}

/// One use of a quota.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuotaUse {
    /// Says what is counted for whom.
    pub name: String,
    pub limit: QuotaLimit,
    /// The account that it stops, if an administrator can see and lift it there.
    pub owner: Option<QuotaOwner>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuotaOwner {
    pub account_id: AccountId,
    pub counts: AccountQuota,
}

/// What a quota of an account counts. An account may have several of one kind, for different networks for example.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AccountQuota {
    /// Wrong passwords from one client network, within the short window.
    NetworkPasswords,
    /// Wrong passwords from one network that the account knows.
    KnownNetworkPasswords,
    /// Wrong passwords from one device that the account trusts.
    DevicePasswords,
    /// Wrong passwords in the account's sessions.
    SessionPasswords,
    /// Codes that were sent by methods of the account.
    SentCodes,
    /// Codes that were sent to one address of a method of the account.
    SentCodesToAddress,
    /// Codes that were sent to addresses that nobody has proved.
    UnprovedSentCodes,
    /// Wrong codes for addresses that are to become methods.
    AddressProofs,
}

impl AccountQuota {
    pub const ALL: [Self; 8] = [
        Self::NetworkPasswords,
        Self::KnownNetworkPasswords,
        Self::DevicePasswords,
        Self::SessionPasswords,
        Self::SentCodes,
        Self::SentCodesToAddress,
        Self::UnprovedSentCodes,
        Self::AddressProofs,
    ];

    /// Stored name, and name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NetworkPasswords => "network-passwords",
            Self::KnownNetworkPasswords => "known-network-passwords",
            Self::DevicePasswords => "device-passwords",
            Self::SessionPasswords => "session-passwords",
            Self::SentCodes => "sent-codes",
            Self::SentCodesToAddress => "sent-codes-to-address",
            Self::UnprovedSentCodes => "unproved-sent-codes",
            Self::AddressProofs => "address-proofs",
        }
    }

    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|counts| counts.name() == name)
    }

    /// For an operator.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::NetworkPasswords => "wrong passwords from one client network",
            Self::KnownNetworkPasswords => "wrong passwords from one known network, in the long run",
            Self::DevicePasswords => "wrong passwords from one trusted device",
            Self::SessionPasswords => "wrong passwords in sessions",
            Self::SentCodes => "codes sent by methods of the account",
            Self::SentCodesToAddress => "codes sent to one address of its methods",
            Self::UnprovedSentCodes => "codes sent to addresses that are not proved",
            Self::AddressProofs => "wrong codes for addresses that are to become methods",
        }
    }

    /// The limit that a policy sets.
    #[must_use]
    pub fn limit(self, policy: &Policy) -> QuotaLimit {
        match self {
            Self::NetworkPasswords => {
                QuotaLimit::Window { uses: policy.password_failures, window: policy.password_window }
            }
            Self::KnownNetworkPasswords | Self::DevicePasswords | Self::SessionPasswords => {
                QuotaLimit::Refilling(policy.password_guesses)
            }
            Self::SentCodes | Self::SentCodesToAddress | Self::UnprovedSentCodes => {
                QuotaLimit::Window { uses: policy.one_time_codes, window: policy.one_time_code_window }
            }
            Self::AddressProofs => QuotaLimit::Refilling(policy.address_proofs),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_kind_has_names_of_its_own_and_reads_back() {
        for counts in AccountQuota::ALL {
            assert_eq!(AccountQuota::parse(counts.name()), Some(counts));
        }
        assert_eq!(AccountQuota::parse("nonsense"), None);
        let words: HashSet<&str> = AccountQuota::ALL.into_iter().map(AccountQuota::words).collect();
        assert_eq!(words.len(), AccountQuota::ALL.len());
    }
}
