//! Where a one-time code can be sent.

use super::usable::{completing_methods, own_address_counts, usable_methods};
use crate::account::Account;
use crate::address::Address;
use crate::address::MethodKind;
use crate::challenge::FirstFactor;
use crate::ids::MethodId;
use crate::method::{Method, MethodHandle, primary_address};
use crate::one_time_code::Subject;
use crate::tenant::Tenant;
use crate::time::Timestamp;

/// Where the caller wants a code to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SendTo {
    /// The account's first e-mail method, else its first SMS method; its e-mail address while it has no second factor.
    Primary,
    /// The method with this handle.
    Method(MethodHandle),
    /// An address that is to become a method.
    Address(Address),
}

#[derive(Debug)]
pub struct Facts<'a> {
    pub account: &'a Account,
    pub tenant: &'a Tenant,
    /// Confirmed methods; not needed for an address.
    pub methods: Vec<Method>,
    /// Set while the account is locked: until then.
    pub locked_until: Option<Timestamp>,
    /// Whether a service asks, with an API key.
    pub is_service: bool,
    /// What the code is bound to.
    pub subject: &'a Subject,
    /// That of the challenge, if the code is bound to one.
    pub first_factor: FirstFactor,
    pub to: &'a SendTo,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivery {
    To {
        address: Address,
        method_id: Option<MethodId>,
    },
    /// The account has no such method, or none that a code can be sent by.
    NoMethod,
    /// An authenticator app takes no messages.
    CannotSend,
    /// The tenant does not allow methods of this kind.
    NotAllowed,
    /// The account is locked: the code would not be accepted before then. Who asks has the password, a session or a token of the
    /// account, and is told the same by an attempt. A service may prove an address for it all the same, because it may lift the lock.
    Locked {
        until: Timestamp,
    },
}

#[must_use]
pub fn decide(facts: Facts<'_>) -> Delivery {
    let Facts { account, tenant, methods, locked_until, is_service, subject, first_factor, to } = facts;
    let is_by_administrator = is_service && matches!(subject, Subject::Enable { .. });
    if let Some(until) = locked_until.filter(|_| !is_by_administrator) {
        return Delivery::Locked { until };
    }
    // A method that the tenant no longer allows can still be removed, by a code bound to that removal.
    let methods = match subject {
        Subject::Disable { .. } => methods,
        Subject::Challenge(_) => completing_methods(methods, first_factor, account, tenant),
        Subject::Session(_) | Subject::Enable { .. } => usable_methods(methods, account, tenant),
    };
    let method = match to {
        SendTo::Address(address) if !tenant.allows(address.kind()) => return Delivery::NotAllowed,
        SendTo::Address(address) => return Delivery::To { address: address.clone(), method_id: None },
        SendTo::Primary if account.two_factor_enabled => primary_address(&methods),
        SendTo::Primary => {
            // A session may prove the address by the code, and enrol it.
            let counts = match subject {
                Subject::Session(_) => tenant.allows(MethodKind::Email),
                Subject::Challenge(_) => {
                    own_address_counts(account, tenant) && first_factor.is_complemented_by(MethodKind::Email)
                }
                Subject::Enable { .. } | Subject::Disable { .. } => own_address_counts(account, tenant),
            };
            let email = account.email.clone().filter(|_| counts);
            let to = |email| Delivery::To { address: Address::Email(email), method_id: None };
            return email.map_or(Delivery::NoMethod, to);
        }
        SendTo::Method(handle) => methods.iter().find(|method| method.handle == *handle),
    };
    let Some(method) = method else { return Delivery::NoMethod };
    match &method.address {
        Some(address) => Delivery::To { address: address.clone(), method_id: Some(method.id) },
        None => Delivery::CannotSend,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decisions::fixtures::{
        NOW, account, email, handle, method, method_id, session_id, sms, subject_of_removal, tenant,
    };
    use crate::secret::Digest;
    use crate::tenant::MailedCodes;

    #[test]
    fn mail_goes_where_it_counts_or_proves_the_address() {
        let challenge = Subject::Challenge(Digest::from_bytes(&[7; 32]).expect("32 bytes"));
        let session = Subject::Session(session_id(1));
        let (by_method, own) = (Some(Some(method_id(2))), Some(None));
        // the method that a code is sent by, or none for the account's own address; nothing if no code is sent
        for (mailed_codes, email_verified, enabled, subject, expected) in [
            (MailedCodes::Always, false, true, &challenge, by_method),
            (MailedCodes::Verified, false, true, &challenge, None),
            (MailedCodes::Verified, false, true, &session, None),
            (MailedCodes::Verified, true, true, &challenge, by_method),
            (MailedCodes::Never, true, true, &challenge, None),
            (MailedCodes::Always, false, false, &session, own),
            (MailedCodes::Verified, false, false, &session, own),
            (MailedCodes::Verified, false, false, &challenge, None),
            (MailedCodes::Verified, true, false, &challenge, own),
            (MailedCodes::Never, true, false, &session, None),
        ] {
            let account = Account { two_factor_enabled: enabled, email_verified, ..account() };
            let tenant = Tenant { mailed_codes, ..Tenant::default() };
            let methods = vec![method(1, None), method(2, Some(email()))];
            let to = &SendTo::Primary;
            let facts = Facts {
                account: &account,
                tenant: &tenant,
                methods,
                locked_until: None,
                is_service: false,
                subject,
                first_factor: FirstFactor::Password,
                to,
            };
            let sent = match decide(facts) {
                Delivery::To { method_id, .. } => Some(method_id),
                _ => None,
            };
            assert_eq!(sent, expected, "{mailed_codes:?} verified={email_verified} enabled={enabled} {subject:?}");
        }
    }

    #[test]
    fn every_target_with_every_policy() {
        let all = &MethodKind::ALL[..];
        let (no_email, only_app) =
            (&[MethodKind::Authenticator, MethodKind::Sms][..], &[MethodKind::Authenticator][..]);
        let to = |address: Address, method_id| Delivery::To { address, method_id };
        let challenge = Subject::Challenge(Digest::from_bytes(&[7; 32]).expect("32 bytes"));
        let removal = subject_of_removal(2);
        for (name, policy, enabled, subject, target, outcome) in [
            ("first mail", all, true, &challenge, SendTo::Primary, to(email(), Some(method_id(2)))),
            ("then sms", no_email, true, &challenge, SendTo::Primary, to(sms(), Some(method_id(3)))),
            ("neither", only_app, true, &challenge, SendTo::Primary, Delivery::NoMethod),
            ("own address", all, false, &challenge, SendTo::Primary, to(email(), None)),
            ("own address not allowed", only_app, false, &challenge, SendTo::Primary, Delivery::NoMethod),
            ("by handle", all, true, &challenge, SendTo::Method(handle(3)), to(sms(), Some(method_id(3)))),
            ("an app", all, true, &challenge, SendTo::Method(handle(1)), Delivery::CannotSend),
            ("unknown", all, true, &challenge, SendTo::Method(handle(9)), Delivery::NoMethod),
            ("not allowed", only_app, true, &challenge, SendTo::Method(handle(2)), Delivery::NoMethod),
            (
                "removal of one not allowed",
                only_app,
                true,
                &removal,
                SendTo::Method(handle(2)),
                to(email(), Some(method_id(2))),
            ),
            ("new address", all, true, &challenge, SendTo::Address(sms()), to(sms(), None)),
            ("new address not allowed", only_app, true, &challenge, SendTo::Address(sms()), Delivery::NotAllowed),
        ] {
            let account = Account { two_factor_enabled: enabled, ..account() };
            let tenant = tenant(policy);
            let methods = vec![method(1, None), method(2, Some(email())), method(3, Some(sms()))];
            for is_service in [false, true] {
                let facts = |locked_until| Facts {
                    account: &account,
                    tenant: &tenant,
                    methods: methods.clone(),
                    locked_until,
                    is_service,
                    subject,
                    first_factor: FirstFactor::Password,
                    to: &target,
                };
                assert_eq!(decide(facts(None)), outcome, "{name}");
                assert_eq!(decide(facts(Some(NOW))), Delivery::Locked { until: NOW }, "{name}, locked");
            }
        }
    }

    #[test]
    fn only_a_service_proves_an_address_of_a_locked_account() {
        let (account, tenant) = (account(), Tenant::default());
        let subject = Subject::Enable { account_id: account.id, address: sms() };
        let sent = Delivery::To { address: sms(), method_id: None };
        for (is_service, locked_until, outcome) in
            [(false, None, sent.clone()), (false, Some(NOW), Delivery::Locked { until: NOW }), (true, Some(NOW), sent)]
        {
            let (methods, to) = (Vec::new(), &SendTo::Address(sms()));
            let facts = Facts {
                account: &account,
                tenant: &tenant,
                methods,
                locked_until,
                is_service,
                subject: &subject,
                first_factor: FirstFactor::Password,
                to,
            };
            assert_eq!(decide(facts), outcome, "{is_service} {locked_until:?}");
        }
    }
}
