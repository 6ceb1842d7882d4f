//! From which quotas a code that is sent takes.
//!
//! Codes for proved methods and codes to addresses that nobody has proved yet are counted apart, so that strangers who ask for
//! codes to an address do not use up what its owner needs to sign in.

use crate::account::Account;
use crate::address::Address;
use crate::ids::AccountId;
use crate::method::Method;
use crate::policy::Policy;
use crate::quota::{AccountQuota, QuotaLimit, QuotaOwner, QuotaUse};

/// Characters of a telephone number that make its prefix: plus sign, country and area.
const PREFIX_LENGTH: usize = 7;

/// Whose wish it is that a code goes to an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recipient {
    /// Somebody who has shown to receive codes there.
    Proved,
    /// Anybody's: nobody has shown that yet.
    Unproved,
}

/// Whether the address of a method was proved; a code without a method goes to an address that is yet to become one. A
/// method for the account's own e-mail address may have come along with an app, and is proved by its first use.
#[must_use]
pub fn recipient(account: &Account, method: Option<&Method>) -> Recipient {
    let Some(method) = method else { return Recipient::Unproved };
    let is_own = matches!(&method.address, Some(Address::Email(address)) if account.email.as_ref() == Some(address));
    match is_own && !account.email_verified && method.proved_at.is_none() {
        true => Recipient::Unproved,
        false => Recipient::Proved,
    }
}

/// The quotas that one more code takes from, in the order in which they are taken (attack 45).
#[must_use]
pub fn quotas(
    account: AccountId,
    address: &Address,
    recipient: Recipient,
    network: Option<&str>,
    policy: &Policy,
) -> Vec<QuotaUse> {
    let window = |uses, window| QuotaLimit::Window { uses, window };
    let of_account = |counts| Some(QuotaOwner { account_id: account, counts });
    // An address that nobody has proved may be somebody else's, so its count is not the account's.
    let (class, owner, owner_of_address) = match recipient {
        Recipient::Proved => ("", of_account(AccountQuota::SentCodes), of_account(AccountQuota::SentCodesToAddress)),
        Recipient::Unproved => ("unproved-", of_account(AccountQuota::UnprovedSentCodes), None),
    };
    let limit = window(policy.one_time_codes, policy.one_time_code_window);
    let mut quotas = vec![
        QuotaUse { name: format!("{class}mailed-codes:{account}"), limit, owner },
        QuotaUse { name: format!("{class}mailed-codes-to:{}", address.as_str()), limit, owner: owner_of_address },
    ];
    if let Address::Sms(number) = address {
        let messages = |name, uses| QuotaUse { name, limit: window(uses, policy.text_message_window), owner: None };
        let prefix: String = number.as_str().chars().take(PREFIX_LENGTH).collect();
        if let Some(network) = network {
            let name = format!("{class}text-messages-from:{network}");
            quotas.push(messages(name, policy.text_messages_per_network));
        }
        quotas.push(messages(format!("{class}text-messages-to:{prefix}"), policy.text_messages_per_prefix));
        quotas.push(messages(format!("{class}text-messages"), policy.text_messages));
    }
    quotas
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decisions::fixtures::{NOW, account, account_id, email, method, sms};

    #[test]
    fn a_recipient_is_proved_by_a_code() {
        let verified = Account { email_verified: true, ..account() };
        let moved = Account { email: None, ..account() };
        let used = Method { proved_at: Some(NOW), ..method(1, Some(email())) };
        for (account, method, expected) in [
            (account(), None, Recipient::Unproved),
            (account(), Some(method(1, Some(email()))), Recipient::Unproved),
            (account(), Some(used), Recipient::Proved),
            (verified, Some(method(1, Some(email()))), Recipient::Proved),
            (moved, Some(method(1, Some(email()))), Recipient::Proved),
            (account(), Some(method(1, Some(sms()))), Recipient::Proved),
        ] {
            assert_eq!(recipient(&account, method.as_ref()), expected, "{method:?}");
        }
    }

    #[test]
    fn mail_and_text_messages_with_each_recipient_45() {
        let names = |address: Address, recipient, network| {
            let quotas = quotas(account_id(1), &address, recipient, network, &Policy::default());
            for quota in &quotas {
                let owner = quota.owner.map(|owner| owner.counts.limit(&Policy::default()));
                assert!(owner.is_none_or(|limit| limit == quota.limit), "an administrator sees the limit: {quota:?}");
            }
            quotas.into_iter().map(|quota| quota.name.replace(&account_id(1).to_string(), "1")).collect::<Vec<_>>()
        };
        let (proved, unproved) = (Recipient::Proved, Recipient::Unproved);
        assert_eq!(names(email(), proved, Some("n")), ["mailed-codes:1", "mailed-codes-to:ada@example.org"]);
        assert_eq!(
            names(email(), unproved, None),
            ["unproved-mailed-codes:1", "unproved-mailed-codes-to:ada@example.org"]
        );
        assert_eq!(
            names(sms(), proved, None),
            ["mailed-codes:1", "mailed-codes-to:+15550109999", "text-messages-to:+155501", "text-messages"]
        );
        assert_eq!(
            names(sms(), unproved, Some("n")),
            [
                "unproved-mailed-codes:1",
                "unproved-mailed-codes-to:+15550109999",
                "unproved-text-messages-from:n",
                "unproved-text-messages-to:+155501",
                "unproved-text-messages"
            ]
        );
    }
}
