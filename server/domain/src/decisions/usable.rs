//! Which methods count as a second factor. What offers, sends, accepts or enrols codes by e-mail asks here.

use crate::account::Account;
use crate::address::{Address, MethodKind};
use crate::attempt::{Claimant, StoredCode};
use crate::challenge::FirstFactor;
use crate::method::Method;
use crate::passkey::Passkey;
use crate::tenant::{MailedCodes, Tenant};
use crate::terms::Rules;

/// Whether codes by e-mail count at an address that is proved, or is not.
fn mail_counts(tenant: &Tenant, is_proved: bool) -> bool {
    tenant.allows(MethodKind::Email)
        && match tenant.mailed_codes {
            MailedCodes::Always => true,
            MailedCodes::Verified => is_proved,
            MailedCodes::Never => false,
        }
}

/// Whether codes by e-mail to the account's own address count, without a method for it.
#[must_use]
pub fn own_address_counts(account: &Account, tenant: &Tenant) -> bool {
    own_address_counts_if(account.email_verified, account, tenant)
}

/// The same, where the address is proved or not by what is going on.
#[must_use]
pub fn own_address_counts_if(is_proved: bool, account: &Account, tenant: &Tenant) -> bool {
    account.email.is_some() && mail_counts(tenant, is_proved)
}

/// Whether a method counts.
#[must_use]
pub fn is_usable(method: &Method, account: &Account, tenant: &Tenant) -> bool {
    match &method.address {
        Some(Address::Email(address)) => {
            let is_verified = account.email_verified && account.email.as_ref() == Some(address);
            mail_counts(tenant, is_verified || method.proved_at.is_some())
        }
        Some(Address::Sms(_)) | None => tenant.allows(method.kind),
    }
}

/// The passkeys that count, as methods: those of this relying party, once there is a second factor.
#[must_use]
pub fn passkeys_as_methods(passkeys: &[Passkey], account: &Account, rules: &Rules) -> Vec<Method> {
    let id = rules.relying_party.as_ref().map(|relying_party| &relying_party.id);
    let counts = |passkey: &&Passkey| account.two_factor_enabled && id == Some(&passkey.relying_party);
    passkeys.iter().filter(counts).map(Passkey::as_method).collect()
}

/// The methods that count.
#[must_use]
pub fn usable_methods(methods: Vec<Method>, account: &Account, tenant: &Tenant) -> Vec<Method> {
    methods.into_iter().filter(|method| is_usable(method, account, tenant)).collect()
}

/// The methods that a challenge can be completed with.
#[must_use]
pub fn completing_methods(
    methods: Vec<Method>,
    first_factor: FirstFactor,
    account: &Account,
    tenant: &Tenant,
) -> Vec<Method> {
    let usable = usable_methods(methods, account, tenant).into_iter();
    usable.filter(|method| first_factor.is_complemented_by(method.kind)).collect()
}

/// Whether a one-time code that was sent counts where this claimant presents it. `methods` are the confirmed ones of the
/// account; `first_factor` is that of a challenge.
#[must_use]
pub fn code_counts(
    code: &StoredCode,
    claimant: &Claimant,
    first_factor: FirstFactor,
    methods: &[Method],
    account: &Account,
    tenant: &Tenant,
) -> bool {
    match (claimant, code.method_id) {
        // A method that does not count can still be removed, by its own code.
        (Claimant::Holder { .. }, _) => true,
        // A method that was removed in the meantime takes its codes with it.
        (_, Some(id)) => methods
            .iter()
            .find(|method| method.id == id)
            .is_some_and(|method| is_usable(method, account, tenant) && first_factor.is_complemented_by(method.kind)),
        // A calling service delivers the code and vouches for the user.
        (Claimant::Challenge(_), None) => true,
        // The code went to the account's own address. While there is no second factor it proves that address, and enrols it.
        (Claimant::Session { .. }, None) if account.two_factor_enabled => own_address_counts(account, tenant),
        (Claimant::Session { .. }, None) => account.email.is_some() && tenant.allows(MethodKind::Email),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::EmailAddress;
    use crate::decisions::fixtures::{
        NOW, account, challenge, email, holder, method, method_id, passkey, session, sms,
    };
    use crate::method::Method;
    use crate::passkey::relying_party::{Attestation, RelyingParty, RelyingPartyId};
    use MailedCodes::{Always, Never, Verified};

    fn tenant(mailed_codes: MailedCodes) -> Tenant {
        Tenant { mailed_codes, ..Tenant::default() }
    }

    #[test]
    fn mail_counts_as_the_tenant_says_and_other_kinds_always_n7() {
        let other = Address::Email(EmailAddress::new("other@example.org"));
        // own address or another, verified account, proved method → always, verified, never
        for (address, email_verified, is_proved, expected) in [
            (email(), false, false, [true, false, false]),
            (email(), true, false, [true, true, false]),
            (email(), false, true, [true, true, false]),
            (other.clone(), true, false, [true, false, false]),
            (other, false, true, [true, true, false]),
            (sms(), false, false, [true, true, true]),
        ] {
            let account = Account { email_verified, ..account() };
            let proved_at = is_proved.then_some(NOW);
            let found = Method { proved_at, ..method(1, Some(address.clone())) };
            let usable = [Always, Verified, Never].map(|choice| is_usable(&found, &account, &tenant(choice)));
            assert_eq!(usable, expected, "{address:?} {email_verified} {is_proved}");
        }
        for choice in [Always, Verified, Never] {
            assert!(is_usable(&method(1, None), &account(), &tenant(choice)), "{choice:?}");
        }
        let without = Tenant { methods: [MethodKind::Authenticator].into(), ..Tenant::default() };
        assert!(!is_usable(&method(1, Some(email())), &account(), &without));
        assert!(!is_usable(&method(1, Some(sms())), &account(), &without));
    }

    #[test]
    fn the_own_address_counts_as_the_tenant_says() {
        for (email_verified, expected) in [(false, [true, false, false]), (true, [true, true, false])] {
            let account = Account { email_verified, ..account() };
            let counts = [Always, Verified, Never].map(|choice| own_address_counts(&account, &tenant(choice)));
            assert_eq!(counts, expected, "{email_verified}");
            let nameless = Account { email: None, ..account };
            assert!(!own_address_counts(&nameless, &tenant(Always)));
        }
    }

    #[test]
    fn a_code_counts_with_the_method_that_it_was_sent_by() {
        let methods = [method(1, Some(email())), method(2, Some(sms()))];
        let sent_by = |id: Option<u64>| StoredCode { mac: vec![1], method_id: id.map(method_id) };
        let counts = |first_factor, claimant: &Claimant, enabled, code: &StoredCode| {
            let account = Account { two_factor_enabled: enabled, ..account() };
            [Always, Verified, Never]
                .map(|choice| code_counts(code, claimant, first_factor, &methods, &account, &tenant(choice)))
        };
        for (name, claimant, enabled, code, expected) in [
            ("mail", challenge(), true, sent_by(Some(1)), [true, false, false]),
            ("text message", challenge(), true, sent_by(Some(2)), [true, true, true]),
            ("removed method", challenge(), true, sent_by(Some(3)), [false, false, false]),
            ("delivered by a service", challenge(), true, sent_by(None), [true, true, true]),
            ("removal", holder(), true, sent_by(Some(1)), [true, true, true]),
            ("enrolment", session(), false, sent_by(None), [true, true, false]),
            ("own address", session(), true, sent_by(None), [true, false, false]),
        ] {
            assert_eq!(counts(FirstFactor::Password, &claimant, enabled, &code), expected, "{name}");
        }
        for (name, code, expected) in [
            ("mail", sent_by(Some(1)), [false; 3]),
            ("text message", sent_by(Some(2)), [true; 3]),
            ("delivered by a service", sent_by(None), [true; 3]),
        ] {
            assert_eq!(counts(FirstFactor::Mailbox, &challenge(), true, &code), expected, "{name} after mail");
        }
    }

    #[test]
    fn after_a_mailed_link_a_challenge_is_answered_by_no_mail() {
        let methods = || vec![method(1, None), method(2, Some(email())), method(3, Some(sms()))];
        let kinds = |first_factor| {
            let answering = completing_methods(methods(), first_factor, &account(), &tenant(Always));
            answering.into_iter().map(|method| method.kind).collect::<Vec<_>>()
        };
        assert_eq!(kinds(FirstFactor::Password), [MethodKind::Authenticator, MethodKind::Email, MethodKind::Sms]);
        assert_eq!(kinds(FirstFactor::Mailbox), [MethodKind::Authenticator, MethodKind::Sms]);
    }

    #[test]
    fn passkeys_of_this_relying_party_are_methods_once_there_is_a_second_factor() {
        let relying_party = |id: &str| {
            Some(RelyingParty {
                id: RelyingPartyId::parse(id).expect("a domain"),
                name: String::new(),
                origins: Vec::new(),
                attestation: Attestation::None,
                demands_verification: false,
            })
        };
        for (two_factor_enabled, relying_party, counts) in [
            (true, relying_party("example.org"), true),
            (true, relying_party("example.net"), false),
            (true, None, false),
            (false, relying_party("example.org"), false),
        ] {
            let account = Account { two_factor_enabled, ..account() };
            let rules = Rules { relying_party, ..Rules::default() };
            let methods = passkeys_as_methods(&[passkey()], &account, &rules);
            assert_eq!(methods, if counts { vec![passkey().as_method()] } else { Vec::new() });
            assert!(methods.iter().all(|method| method.kind == MethodKind::Passkey && method.address.is_none()));
        }
    }
}
