//! Which methods follow when a service changes the addresses of an account.

use crate::account::{EmailAddress, PhoneNumber};
use crate::address::Address;

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

/// The changes from one contact to the other. A method for an address that is removed without another in its place stays:
/// it was set up as a method, and is removed as one. So does a method for an address that the account keeps elsewhere.
#[must_use]
pub fn decide(before: &Contact<'_>, after: &Contact<'_>) -> Vec<AddressChange> {
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
            assert_eq!(decide(&before, &after), expected, "{name}");
        }
    }
}
