//! The form in which user names are compared.

use countersign_domain::ids::AccountId;

/// Looks at some accounts whose user name may not have the form in which names are compared now.
#[derive(Clone, Debug)]
pub(crate) struct FindUnnormalized {
    /// Id of the last account that was looked at; empty for the first call.
    pub(crate) after: String,
    /// Accounts that are looked at.
    pub(crate) batch: u32,
}

/// What was found in one batch.
#[derive(Clone, Debug, Default)]
pub(crate) struct Unnormalized {
    /// Id of the last account that was looked at; `None` when there are no more.
    pub(crate) last: Option<String>,
    /// Accounts whose form was noted beside the key that they have already.
    pub(crate) noted: usize,
    /// Accounts whose key has to change.
    pub(crate) due: Vec<String>,
}

/// How one account's name was brought to its form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UsernameNormalized {
    Changed,
    /// Another account has a name of this form, so it keeps its key.
    Contested,
    /// Nothing was to be done, or the account is gone.
    Unchanged,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UsernamesNormalized {
    /// Accounts whose form was stored or changed.
    pub changed: usize,
    /// Accounts that kept their key, because another account has a name of the same form.
    pub contested: usize,
}

/// Accounts whose user names have one form. Until one is left, each is found by its exact spelling only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsernameConflict {
    pub account_id: AccountId,
    pub username: String,
    /// The form that both have.
    pub form: String,
    /// The other accounts, and their user names.
    pub others: Vec<(AccountId, String)>,
}
