//! The form in which user names are compared.

use countersign_domain::ids::AccountId;

/// Brings the names of some accounts to the form in which they are compared now.
#[derive(Clone, Copy, Debug)]
pub struct NormalizeUsernames {
    /// Accounts that are looked at.
    pub batch: u32,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UsernamesNormalized {
    /// Accounts that were looked at; 0 when there are no more.
    pub accounts: usize,
    /// Names whose form was another one.
    pub changed: usize,
    /// Names that kept their form, because another account has the new one.
    pub conflicts: usize,
}

/// A user name whose form another account has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsernameConflict {
    pub account_id: AccountId,
    pub username: String,
    /// The form, by which the other account is found.
    pub username_key: String,
}
