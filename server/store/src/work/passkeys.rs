//! Passkeys, and the ceremonies in which they are made and used.

use countersign_domain::account::{Account, Unusable, Versions};
use countersign_domain::assurance::Manager;
use countersign_domain::audit::{AuditContext, AuditEvent};
use countersign_domain::challenge::Challenge;
use countersign_domain::decisions::passkey_management::{
    AddPasskey as AddPasskeyDecision, RemovePasskey as RemovePasskeyDecision,
};
use countersign_domain::decisions::passkey_use::PasskeyUse;
use countersign_domain::ids::{AccountId, MethodId, TenantId};
use countersign_domain::method::MethodHandle;
use countersign_domain::passkey::ceremony::Ceremony;
use countersign_domain::passkey::verifier::Asserted;
use countersign_domain::passkey::{CredentialId, Passkey};
use countersign_domain::secret::Digest;
use countersign_domain::terms::Rules;
use countersign_domain::time::Timestamp;
use std::sync::Arc;

/// A ceremony that a client is asked for.
#[derive(Clone, Debug)]
pub struct BeginCeremony {
    pub ceremony: Ceremony,
    /// [`Policy::passkey_ceremonies`](countersign_domain::policy::Policy::passkey_ceremonies)
    pub most: u32,
}

/// A sign-in that waits for its second factor, as the account is now.
#[derive(Clone, Debug)]
pub struct WaitingSignIn {
    pub challenge: Challenge,
    pub account: Account,
}

/// Looks for a ceremony that is live at a time, and for the passkey that responds to it.
#[derive(Clone, Debug)]
pub struct FindCeremony {
    /// Of the token that finds it.
    pub digest: Digest,
    /// The passkey, unless it is only being made.
    pub credential_id: Option<CredentialId>,
    pub now: Timestamp,
}

#[derive(Clone, Debug)]
pub struct FoundCeremony {
    pub ceremony: Ceremony,
    /// The passkey with the credential id, and its account.
    pub passkey: Option<(Passkey, Account)>,
}

/// Ends a ceremony whose response was not right, so that no other response to it is looked at.
#[derive(Clone, Debug)]
pub struct SpendCeremony {
    pub digest: Digest,
    pub event: AuditEvent,
}

/// Stores a passkey whose registration is verified.
#[derive(Clone, Debug)]
pub struct AddPasskey {
    pub account_id: AccountId,
    /// Versions of the account when the ceremony began.
    pub versions: Versions,
    pub manager: Manager,
    /// Of the ceremony's token.
    pub ceremony: Digest,
    /// Its handle is the first of `handles` that no method and no other passkey of the account has.
    pub passkey: Passkey,
    pub handles: [MethodHandle; 3],
    /// The attestation object, where it is recorded.
    pub attestation_object: Option<Vec<u8>>,
    pub rules: Arc<Rules>,
    pub audit: AuditContext,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PasskeyAdded {
    /// The passkey as stored.
    Added(Box<Passkey>),
    Refused(AddPasskeyDecision),
    /// An account has a passkey with this credential id.
    Taken,
    /// The ceremony was spent or has ended, or the credentials changed in the meantime.
    Stale,
}

/// Stores passkeys that were registered elsewhere: all, or none.
#[derive(Clone, Debug)]
pub struct ImportPasskeys {
    pub passkeys: Vec<ImportedPasskey>,
    /// Users of other tenants are unknown.
    pub tenant_id: Option<TenantId>,
    pub rules: Arc<Rules>,
}

#[derive(Clone, Debug)]
pub struct ImportedPasskey {
    /// Its handle is the first of `handles` that is free.
    pub passkey: Passkey,
    pub handles: [MethodHandle; 3],
    pub audit: AuditContext,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasskeysImported {
    Imported,
    /// The number of the passkey for which nothing was stored, and why.
    Refused(usize, NotImported),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotImported {
    NoAccount,
    Refused(AddPasskeyDecision),
    /// An account has a passkey with this credential id.
    CredentialTaken,
    /// There is a passkey with this id.
    IdTaken,
}

/// Passkeys of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhichPasskeys {
    One(MethodId),
    All,
}

#[derive(Clone, Debug)]
pub struct RemovePasskeys {
    pub account_id: AccountId,
    pub which: WhichPasskeys,
    pub manager: Manager,
    pub rules: Arc<Rules>,
    pub audit: AuditContext,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasskeysRemoved {
    Decided(RemovePasskeyDecision),
    /// The account is gone.
    Gone,
}

#[derive(Clone, Debug)]
pub struct RenamePasskey {
    pub account_id: AccountId,
    pub id: MethodId,
    pub name: String,
    pub event: AuditEvent,
}

/// Shows that somebody holds a passkey, and opens nothing.
#[derive(Clone, Debug)]
pub struct ConfirmPasskey {
    pub account_id: AccountId,
    pub passkey: UsedPasskey,
    pub audit: AuditContext,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PasskeyConfirmed {
    /// The passkey as it is now.
    Confirmed(Box<Passkey>),
    /// The account may not be used.
    Unusable(Unusable),
    /// The signature was right, and does not count.
    Refused(PasskeyUse),
    /// The ceremony was spent, or the passkey is gone.
    Stale,
}

/// A passkey whose assertion is verified, and counts if it is still so when the sign-in is completed.
#[derive(Clone, Debug)]
pub struct UsedPasskey {
    /// Of the ceremony's token.
    pub ceremony: Digest,
    pub id: MethodId,
    pub asserted: Asserted,
    /// Whose passkey the authenticator says it is.
    pub user_handle: Option<Vec<u8>>,
    /// Recorded if it does not count.
    pub refusal_audit: AuditContext,
}
