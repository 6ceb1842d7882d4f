//! Which methods follow when a service changes the addresses of an account, and whether it may.

use super::usable::is_usable;
use crate::account::{Account, EmailAddress, PhoneNumber};
use crate::address::Address;
use crate::method::Method;
use crate::tenant::Tenant;

/// The addresses that an account can be reached at, apart from its methods.
#[derive(Clone, Copy, Debug, Default)]
pub struct Contact<'a> {
    pub email: Option<&'a EmailAddress>,
    pub phone_number: Option<&'a PhoneNumber>,
    pub mobile_phone: Option<&'a PhoneNumber>,
}

impl Contact<'_> {
    fn addresses(&self) -> [Option<Address>; 3] {
        let sms = |number: Option<&PhoneNumber>| number.cloned().map(Address::Sms);
        [self.email.cloned().map(Address::Email), sms(self.phone_number), sms(self.mobile_phone)]
    }
}

/// An address in whose place another one came.
///
/// A method for the old address is a method for the new one from then on, unproved until a code that was sent there is
/// presented; if the new one is a method already, the old one is removed. Codes that were sent to the old address are dead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddressChange {
    pub from: Address,
    pub to: Address,
}

#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    pub tenant: &'a Tenant,
    /// The account as it is, and as it is to be.
    pub before: &'a Account,
    pub after: &'a Account,
    /// The account's confirmed methods.
    pub methods: &'a [Method],
    pub changes: &'a [AddressChange],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Move {
    Allowed,
    /// Signing in would ask for a second factor, and backup codes would be all that is left of it.
    LeavesNoMethod,
}

/// Whether addresses may be changed: not if that takes the account's last usable method. The caller can vouch for the new
/// address, or add another method before. An account that has no usable method as it is loses nothing.
#[must_use]
pub fn decide(facts: &Facts<'_>) -> Move {
    let Facts { tenant, before, after, methods, changes } = *facts;
    let has_usable =
        |account: &Account, methods: &[Method]| methods.iter().any(|method| is_usable(method, account, tenant));
    let loses_last =
        !changes.is_empty() && has_usable(before, methods) && !has_usable(after, &followed(methods.to_vec(), changes));
    if loses_last { Move::LeavesNoMethod } else { Move::Allowed }
}

/// The methods of an account as they are after the changes.
#[must_use]
pub fn followed(methods: Vec<Method>, changes: &[AddressChange]) -> Vec<Method> {
    let known: Vec<Option<Address>> = methods.iter().map(|method| method.address.clone()).collect();
    let followed = methods.into_iter().filter_map(|method| {
        let Some(change) = changes.iter().find(|change| method.address.as_ref() == Some(&change.from)) else {
            return Some(method);
        };
        let is_method_already = known.contains(&Some(change.to.clone()));
        (!is_method_already).then(|| Method { address: Some(change.to.clone()), proved_at: None, ..method })
    });
    followed.collect()
}

/// The changes from one contact to the other. A method for an address that is removed without another in its place stays:
/// it was set up as a method, and is removed as one. So does a method for an address that the account keeps elsewhere.
#[must_use]
pub fn changes(before: &Contact<'_>, after: &Contact<'_>) -> Vec<AddressChange> {
    let kept = after.addresses();
    let mut changes: Vec<AddressChange> = Vec::new();
    for (from, to) in before.addresses().into_iter().zip(after.addresses()) {
        let (Some(from), Some(to)) = (from, to) else { continue };
        let is_known = changes.iter().any(|change| change.from == from);
        if !is_known && !kept.iter().flatten().any(|address| *address == from) {
            changes.push(AddressChange { from, to });
        }
    }
    changes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::MethodKind;
    use crate::decisions::fixtures::{NOW, account, email, method, sms, tenant};
    use crate::tenant::MailedCodes::{self, Always, Never, Verified};

    #[test]
    fn the_last_usable_method_is_not_taken_away() {
        let old = method(1, Some(email()));
        let proved = Method { proved_at: Some(NOW), ..old.clone() };
        let new_address = EmailAddress::new("new@example.org");
        let at_new = |proved_at| Method { proved_at, ..method(2, Some(Address::Email(new_address.clone()))) };
        let (app, text) = (method(3, None), method(4, Some(sms())));
        let moved = [AddressChange { from: email(), to: Address::Email(new_address.clone()) }];
        let other = Address::Sms(PhoneNumber::new("+15550177").expect("a number"));
        let number_moved = [AddressChange { from: sms(), to: other }];
        let (refused, allowed) = (Move::LeavesNoMethod, Move::Allowed);
        let row = |mailed_codes: MailedCodes, methods: &[&Method], vouches: bool, changes: &[AddressChange]| {
            let tenant = Tenant { mailed_codes, ..Tenant::default() };
            let before = account();
            let after = Account { email: Some(new_address.clone()), email_verified: vouches, ..account() };
            let methods: Vec<Method> = methods.iter().map(|method| (*method).clone()).collect();
            decide(&Facts { tenant: &tenant, before: &before, after: &after, methods: &methods, changes })
        };
        for (mailed_codes, methods, vouches, changes, outcome) in [
            (Verified, &[&proved][..], false, &moved[..], refused),
            (Verified, &[&proved], true, &moved, allowed),
            (Verified, &[&proved, &app], false, &moved, allowed),
            (Verified, &[&proved, &text], false, &moved, allowed),
            // The method for the old address is removed, and the one for the new one stays.
            (Verified, &[&proved, &at_new(Some(NOW))], false, &moved, allowed),
            (Verified, &[&proved, &at_new(None)], false, &moved, refused),
            // Nobody has proved the old one either.
            (Verified, &[&old], false, &moved, allowed),
            (Verified, &[], false, &moved, allowed),
            (Verified, &[&proved], false, &[], allowed),
            (Always, &[&proved], false, &moved, allowed),
            (Never, &[&proved], false, &moved, allowed),
            (Verified, &[&text], false, &number_moved, allowed),
        ] {
            assert_eq!(row(mailed_codes, methods, vouches, changes), outcome, "{mailed_codes:?} {methods:?} {vouches}");
        }
        // Another method that the tenant does not allow is none.
        let tenant = Tenant { mailed_codes: Verified, ..tenant(&[MethodKind::Email]) };
        let after = Account { email: Some(new_address.clone()), ..account() };
        let methods = [proved, app];
        let facts = Facts { tenant: &tenant, before: &account(), after: &after, methods: &methods, changes: &moved };
        assert_eq!(decide(&facts), refused);
    }

    #[test]
    fn methods_follow_an_address_that_is_replaced() {
        let mail = |text| EmailAddress::new(text);
        let number = |text| PhoneNumber::new(text).expect("a number");
        let (old, new) = (mail("old@example.org"), mail("new@example.org"));
        let (one, two, three) = (number("+15550101"), number("+15550102"), number("+15550103"));
        let contact = |email, phone_number, mobile_phone| Contact { email, phone_number, mobile_phone };
        let (o, n, a, b, c) = (Some(&old), Some(&new), Some(&one), Some(&two), Some(&three));
        let mailed = AddressChange { from: Address::Email(old.clone()), to: Address::Email(new.clone()) };
        let sms = |from: &PhoneNumber, to: &PhoneNumber| AddressChange {
            from: Address::Sms(from.clone()),
            to: Address::Sms(to.clone()),
        };
        for (name, before, after, expected) in [
            ("nothing", contact(o, a, b), contact(o, a, b), vec![]),
            ("mail", contact(o, a, None), contact(n, a, None), vec![mailed.clone()]),
            ("mail added", contact(None, a, None), contact(n, a, None), vec![]),
            ("number", contact(o, a, None), contact(o, b, None), vec![sms(&one, &two)]),
            ("number removed", contact(o, a, None), contact(o, None, None), vec![]),
            ("mobile number", contact(o, None, a), contact(o, None, b), vec![sms(&one, &two)]),
            ("kept as the mobile number", contact(o, a, a), contact(o, b, a), vec![]),
            ("exchanged", contact(o, a, b), contact(o, b, a), vec![]),
            ("both from one", contact(o, a, a), contact(o, b, c), vec![sms(&one, &two)]),
            ("all", contact(o, a, b), contact(n, c, b), vec![mailed, sms(&one, &three)]),
        ] {
            assert_eq!(changes(&before, &after), expected, "{name}");
        }
    }
}
