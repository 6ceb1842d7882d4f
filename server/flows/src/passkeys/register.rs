//! Registering a passkey.

use crate::{Caller, FlowError, Flows, FullSession};
use countersign_domain::decisions::passkey_management::PasskeysRefused;
use countersign_domain::passkey::Passkey;
use countersign_domain::passkey::options::CreationOptions;
use countersign_domain::passkey::response::EncodedRegistration;
use countersign_domain::passkey::verifier::NotVerified;
use countersign_domain::secret::CeremonyToken;

/// A registration that a browser is asked for.
#[derive(Debug)]
pub struct BegunRegistration {
    pub options: CreationOptions,
    /// Finds the ceremony when the response comes.
    pub token: CeremonyToken,
}

/// Why a passkey is not registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotRegistered {
    /// There is no relying party, or the tenant does not allow passkeys.
    NotAllowed,
    Refused(PasskeysRefused),
    TooMany,
    /// The ceremony is unknown, spent, expired or one of another kind, or the credentials have changed since it began.
    NoCeremony,
    /// The ceremony was begun by another user.
    OtherUser,
    /// The response is not right.
    NotVerified(NotVerified),
    /// Somebody has this passkey already.
    Taken,
}

impl Flows {
    /// Asks a browser for a new passkey. `label` is what the authenticator shows as the user's name, in place of the login name.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn begin_passkey_registration(
        &self,
        _caller: &Caller,
        _session: &FullSession,
        _label: Option<&str>,
    ) -> Result<Result<BegunRegistration, NotRegistered>, FlowError> {
        todo!()
    }

    /// Stores the passkey that a browser made. `token` is the one of the ceremony, as presented.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn complete_passkey_registration(
        &self,
        _caller: &Caller,
        _session: &FullSession,
        _token: Option<&str>,
        _response: EncodedRegistration<'_>,
        _name: Option<&str>,
    ) -> Result<Result<Passkey, NotRegistered>, FlowError> {
        todo!()
    }
}
