//! From which quotas a code that is sent takes.
//!
//! Codes by methods of the account and codes to addresses that are yet to become methods are counted apart, so that strangers who
//! ask for codes to an address do not use up what its owner needs to sign in.

use crate::account::Account;
use crate::address::Address;
use crate::attempt::Claimant;
use crate::decisions::mailed_link::Purpose;
use crate::ids::AccountId;
use crate::method::Method;
use crate::network::ClientDigest;
use crate::policy::Policy;
use crate::quota::{AccountQuota, HiddenAddress, QuotaLimit, QuotaOwner, QuotaUse};

/// Characters of a telephone number that make its prefix: plus sign, country and area.
const PREFIX_LENGTH: usize = 7;

/// Whose wish it is that a code goes to an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recipient {
    /// Somebody who has shown to receive codes there.
    Proved,
    /// The account's, by a method for its own address. It may have come along with an app, or with the password alone; its first
    /// use proves it. The address may be a stranger's.
    Own,
    /// Anybody's: nobody has shown that yet.
    Unproved,
}

/// Whether the address of a method was proved; a code without a method goes to an address that is yet to become one.
#[must_use]
pub fn recipient(account: &Account, method: Option<&Method>) -> Recipient {
    let Some(method) = method else { return Recipient::Unproved };
    let is_own = matches!(&method.address, Some(Address::Email(address)) if account.email.as_ref() == Some(address));
    match is_own && !account.email_verified && method.proved_at.is_none() {
        true => Recipient::Own,
        false => Recipient::Proved,
    }
}

/// The client network at whose request a code is sent. A code for a sign-in counts for the network of its password step, because
/// it may be a service that asks for the code, and a service asks for all its users; there is none if the service named none.
#[must_use]
pub fn client(
    claimant: &Claimant,
    of_challenge: Option<ClientDigest>,
    of_request: Option<ClientDigest>,
) -> Option<ClientDigest> {
    match claimant {
        Claimant::Challenge(_) => of_challenge,
        Claimant::Session { .. } | Claimant::Holder { .. } => of_request,
    }
}

/// The quotas that one more code takes from, in the order in which they are taken (attack 45). `hidden` is the address.
#[must_use]
pub fn quotas(
    account: AccountId,
    address: &Address,
    hidden: &HiddenAddress,
    recipient: Recipient,
    network: Option<ClientDigest>,
    policy: &Policy,
) -> Vec<QuotaUse> {
    let window = |uses, window| QuotaLimit::Window { uses, window };
    let of_account = |counts| Some(QuotaOwner { account_id: account, counts });
    // An address that nobody has proved may be somebody else's, so its count is not the account's.
    let (class, owner, owner_of_address) = match recipient {
        Recipient::Proved => ("", of_account(AccountQuota::SentCodes), of_account(AccountQuota::SentCodesToAddress)),
        Recipient::Own => ("own-", of_account(AccountQuota::OwnSentCodes), None),
        Recipient::Unproved => ("unproved-", of_account(AccountQuota::UnprovedSentCodes), None),
    };
    let limit = window(policy.one_time_codes, policy.one_time_code_window);
    let mut quotas = vec![
        QuotaUse { name: format!("{class}mailed-codes:{account}"), limit, owner },
        QuotaUse { name: format!("{class}mailed-codes-to:{hidden}"), limit, owner: owner_of_address },
    ];
    if let Address::Sms(number) = address {
        let messages = |name, uses| QuotaUse { name, limit: window(uses, policy.text_message_window), owner: None };
        let of_texts = of_account(AccountQuota::TextMessages);
        let of_number = of_texts.filter(|_| owner_of_address.is_some());
        for (name, owner) in [(format!("for:{account}"), of_texts), (format!("to-number:{hidden}"), of_number)] {
            let limit = AccountQuota::TextMessages.limit(policy);
            quotas.push(QuotaUse { name: format!("{class}text-messages-{name}"), limit, owner });
        }
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

/// Who asks for a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Requester {
    /// A service, with its key.
    Service,
    /// The owner of the account, in a session.
    Owner,
    /// A client without a session or an API key.
    Stranger,
}

/// The quotas that one more mailed link takes from: that of the address, then that of the account, if there is one. An address is
/// counted whether an account has it or not, and is nobody's, because anybody can ask for a link to it (attacks 44 and 45). Where the
/// account is asked for by another name, that is what is counted: its count must not say whose address it leads to.
///
/// Each class of requesters has counts of its own, so that strangers do not use up what a service or the owner needs. A new address
/// is not verified and may belong to another user, so that it is counted as for [`Requester::Stranger`].
#[must_use]
pub fn link_quotas(
    purpose: Purpose,
    requester: Requester,
    asked_for: &HiddenAddress,
    account: Option<AccountId>,
    policy: &Policy,
) -> (QuotaUse, Option<QuotaUse>) {
    let class = |requester| match requester {
        Requester::Service => "service-",
        Requester::Owner => "own-",
        Requester::Stranger => "",
    };
    let of_address = match purpose {
        Purpose::ChangeAddress => Requester::Stranger,
        Purpose::ResetPassword | Purpose::VerifyAddress | Purpose::DeleteAccount | Purpose::SignIn => requester,
    };
    let limit = QuotaLimit::Window { uses: policy.one_time_codes, window: policy.one_time_code_window };
    let of_account = account.map(|account_id| QuotaUse {
        name: format!("{}mailed-links:{account_id}", class(requester)),
        limit,
        owner: Some(QuotaOwner { account_id, counts: AccountQuota::SentLinks }),
    });
    (QuotaUse { name: format!("{}mailed-links-to:{asked_for}", class(of_address)), limit, owner: None }, of_account)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decisions::fixtures::{NOW, account, account_id, challenge, email, holder, method, session, sms};
    use crate::keyring::Keyring;
    use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

    const CLIENT: ClientDigest = ClientDigest([1; 32]);

    fn hidden(address: &str) -> HiddenAddress {
        HiddenAddress::of(address, &Keyring::generate(&mut ChaCha20Rng::seed_from_u64(1)))
    }

    #[test]
    fn quotas_name_no_address_and_tell_addresses_apart_43() {
        let [one, other] = [hidden("ada@example.org"), hidden("bob@example.org")];
        assert!(one != other && !one.to_string().contains("ada"), "{one}");
        let other_key = Keyring::generate(&mut ChaCha20Rng::seed_from_u64(2));
        assert_ne!(HiddenAddress::of("ada@example.org", &other_key), one, "who has no key cannot try addresses");
    }

    #[test]
    fn a_code_for_a_sign_in_counts_for_the_network_of_its_password_45() {
        let other = ClientDigest([2; 32]);
        for (claimant, of_challenge, of_request, expected) in [
            (challenge(), Some(CLIENT), Some(other), Some(CLIENT)),
            (challenge(), None, Some(other), None),
            (session(), None, Some(other), Some(other)),
            (holder(), None, Some(other), Some(other)),
            (holder(), None, None, None),
        ] {
            assert_eq!(client(&claimant, of_challenge, of_request), expected, "{claimant:?}");
        }
    }

    #[test]
    fn a_recipient_is_proved_by_a_code() {
        let verified = Account { email_verified: true, ..account() };
        let moved = Account { email: None, ..account() };
        let used = Method { proved_at: Some(NOW), ..method(1, Some(email())) };
        for (account, method, expected) in [
            (account(), None, Recipient::Unproved),
            (account(), Some(method(1, Some(email()))), Recipient::Own),
            (account(), Some(used), Recipient::Proved),
            (verified, Some(method(1, Some(email()))), Recipient::Proved),
            (moved, Some(method(1, Some(email()))), Recipient::Proved),
            (account(), Some(method(1, Some(sms()))), Recipient::Proved),
        ] {
            assert_eq!(recipient(&account, method.as_ref()), expected, "{method:?}");
        }
    }

    #[test]
    fn a_link_is_counted_for_its_address_and_for_the_account_45() {
        use Purpose::{ChangeAddress, DeleteAccount, ResetPassword, SignIn, VerifyAddress};
        use Requester::{Owner, Service, Stranger};
        let (address, policy) = (hidden("ada@example.org"), Policy::default());
        for (purposes, requester, to_class, class) in [
            (&[ResetPassword, VerifyAddress, SignIn, DeleteAccount, ChangeAddress][..], Stranger, "", ""),
            (&[ResetPassword, VerifyAddress, SignIn, DeleteAccount], Service, "service-", "service-"),
            (&[ResetPassword, VerifyAddress, SignIn, DeleteAccount], Owner, "own-", "own-"),
            (&[ChangeAddress], Service, "", "service-"),
            (&[ChangeAddress], Owner, "", "own-"),
        ] {
            for purpose in purposes {
                let of = |account| link_quotas(*purpose, requester, &address, account, &policy);
                let (of_address, of_account) = of(Some(account_id(1)));
                let name = format!("{to_class}mailed-links-to:{address}");
                assert_eq!((of_address.name.as_str(), of_address.owner), (&*name, None), "{purpose:?}");
                let of_account = of_account.expect("there is an account");
                assert_eq!(of_account.name, format!("{class}mailed-links:{}", account_id(1)), "{purpose:?}");
                let owner = of_account.owner.expect("an administrator can lift it");
                assert_eq!((owner.account_id, owner.counts.limit(&policy)), (account_id(1), of_account.limit));
                assert_eq!(of(None), (of_address, None), "nobody has the address, and it counts all the same");
            }
        }
    }

    #[test]
    fn mail_and_text_messages_with_each_recipient_45() {
        let names = |address: Address, recipient, network| {
            let hidden = hidden(address.as_str());
            let quotas = quotas(account_id(1), &address, &hidden, recipient, network, &Policy::default());
            let (id, hidden) = (account_id(1).to_string(), hidden.to_string());
            for quota in &quotas {
                let owner = quota.owner.map(|owner| owner.counts.limit(&Policy::default()));
                assert!(owner.is_none_or(|limit| limit == quota.limit), "an administrator sees the limit: {quota:?}");
            }
            let shown = quotas
                .into_iter()
                .map(|quota| quota.name.replace(&id, "1").replace(&hidden, "HIDDEN").replace(&CLIENT.to_string(), "n"));
            shown.collect::<Vec<_>>()
        };
        let (proved, unproved) = (Recipient::Proved, Recipient::Unproved);
        assert_eq!(names(email(), proved, Some(CLIENT)), ["mailed-codes:1", "mailed-codes-to:HIDDEN"]);
        assert_eq!(names(email(), Recipient::Own, None), ["own-mailed-codes:1", "own-mailed-codes-to:HIDDEN"]);
        assert_eq!(names(email(), unproved, None), ["unproved-mailed-codes:1", "unproved-mailed-codes-to:HIDDEN"]);
        assert_eq!(
            names(sms(), proved, None),
            [
                "mailed-codes:1",
                "mailed-codes-to:HIDDEN",
                "text-messages-for:1",
                "text-messages-to-number:HIDDEN",
                "text-messages-to:+155501",
                "text-messages"
            ]
        );
        assert_eq!(
            names(sms(), unproved, Some(CLIENT)),
            [
                "unproved-mailed-codes:1",
                "unproved-mailed-codes-to:HIDDEN",
                "unproved-text-messages-for:1",
                "unproved-text-messages-to-number:HIDDEN",
                "unproved-text-messages-from:n",
                "unproved-text-messages-to:+155501",
                "unproved-text-messages"
            ]
        );
    }
}
