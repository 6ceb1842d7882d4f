//! Quotas: stored counts that no setting switches off.

use crate::ids::AccountId;
use crate::keyring::{Keyring, Purpose};
use crate::policy::Policy;
use crate::rate::Rate;
use data_encoding::HEXLOWER;
use std::fmt;
use std::time::Duration;

/// How often something may happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QuotaLimit {
    /// So many uses within a window that begins with the first. A success restores the whole quota.
    Window { uses: u32, window: Duration },
    /// A limit that refills with time. A success gives back its own use.
    Refilling(Rate),
}

/// An address, or another name that an account is asked for by, as the names of quotas have it: a keyed MAC. A count that outlives
/// the account does not keep its address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HiddenAddress(String);

impl HiddenAddress {
    /// `text` is compared as it is.
    #[must_use]
    pub fn of(text: &str, keyring: &Keyring) -> Self {
        Self(HEXLOWER.encode(&keyring.mac(Purpose::Quota, format!("address|{text}").as_bytes())))
    }
}

impl fmt::Display for HiddenAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
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
    /// Codes that were sent by a method for the account's own address that was not used yet.
    OwnSentCodes,
    /// Codes that were sent to addresses that nobody has proved.
    UnprovedSentCodes,
    /// Text messages that were sent for the account in a day, in all or to one number.
    TextMessages,
    /// Wrong codes for addresses that are to become methods.
    AddressProofs,
    /// Links that were mailed: to set a new password, to prove an address, to delete the account.
    SentLinks,
}

impl AccountQuota {
    pub const ALL: [Self; 11] = [
        Self::NetworkPasswords,
        Self::KnownNetworkPasswords,
        Self::DevicePasswords,
        Self::SessionPasswords,
        Self::SentCodes,
        Self::SentCodesToAddress,
        Self::OwnSentCodes,
        Self::UnprovedSentCodes,
        Self::TextMessages,
        Self::AddressProofs,
        Self::SentLinks,
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
            Self::OwnSentCodes => "own-sent-codes",
            Self::UnprovedSentCodes => "unproved-sent-codes",
            Self::TextMessages => "text-messages",
            Self::AddressProofs => "address-proofs",
            Self::SentLinks => "sent-links",
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
            Self::OwnSentCodes => "codes sent by a method that was not used yet",
            Self::UnprovedSentCodes => "codes sent to addresses that are not proved",
            Self::TextMessages => "text messages in a day, in all or to one number",
            Self::AddressProofs => "wrong codes for addresses that are to become methods",
            Self::SentLinks => "links mailed",
        }
    }

    /// Whether its limit refills with time.
    #[must_use]
    pub const fn refills(self) -> bool {
        match self {
            Self::KnownNetworkPasswords | Self::DevicePasswords | Self::SessionPasswords | Self::AddressProofs => true,
            Self::NetworkPasswords
            | Self::SentCodes
            | Self::SentCodesToAddress
            | Self::OwnSentCodes
            | Self::UnprovedSentCodes
            | Self::TextMessages
            | Self::SentLinks => false,
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
            Self::SentCodes
            | Self::SentCodesToAddress
            | Self::OwnSentCodes
            | Self::UnprovedSentCodes
            | Self::SentLinks => {
                QuotaLimit::Window { uses: policy.one_time_codes, window: policy.one_time_code_window }
            }
            Self::TextMessages => {
                QuotaLimit::Window { uses: policy.text_messages_per_account, window: policy.text_message_window }
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
            let limit = counts.limit(&Policy::default());
            assert_eq!(matches!(limit, QuotaLimit::Refilling(_)), counts.refills(), "{counts:?}");
        }
        assert_eq!(AccountQuota::parse("nonsense"), None);
        let words: HashSet<&str> = AccountQuota::ALL.into_iter().map(AccountQuota::words).collect();
        assert_eq!(words.len(), AccountQuota::ALL.len());
    }
}
