//! Authenticating with a passkey: signing in.

use crate::sign_in::SignIn;
use crate::{Caller, FlowError, Flows};
use countersign_domain::decisions::passkey_use::PasskeyUse;
use countersign_domain::ids::TenantId;
use countersign_domain::passkey::options::RequestOptions;
use countersign_domain::passkey::response::EncodedAssertion;
use countersign_domain::passkey::verifier::NotVerified;
use countersign_domain::secret::CeremonyToken;
use countersign_domain::terms::Terms;

/// Who is to authenticate.
#[derive(Clone, Copy, Debug)]
pub enum Asker {
    /// Whoever the passkey belongs to signs in.
    Anybody,
}

/// An assertion that a browser is asked for.
#[derive(Debug)]
pub struct BegunAuthentication {
    pub options: RequestOptions,
    /// Finds the ceremony when the response comes.
    pub token: CeremonyToken,
}

/// A response of a browser.
#[derive(Clone, Copy, Debug)]
pub struct PresentedPasskey<'a> {
    /// The tenant that the caller means; passkeys of another one do not exist for it.
    pub tenant_id: TenantId,
    /// Of the ceremony, as presented.
    pub token: Option<&'a str>,
    pub response: EncodedAssertion<'a>,
    /// Token of a trusted device, for a passkey that is one factor only.
    pub trust: Option<&'a str>,
    /// Whether the session outlives the browser.
    pub is_remembered: bool,
}

/// How an authentication with a passkey ended.
#[derive(Debug)]
pub enum PasskeyAuthentication {
    /// As a sign-in ends.
    SignIn(SignIn),
    /// The ceremony is unknown, spent, expired or one of another kind.
    NoCeremony,
    /// Nobody has this passkey.
    UnknownPasskey,
    /// The response is not right.
    NotVerified(NotVerified),
    /// It is right, and does not count.
    Refused(PasskeyUse),
}

impl Flows {
    /// Asks a browser for a signature; `None` where there is no relying party.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn begin_passkey_authentication(
        &self,
        _caller: &Caller,
        _asker: Asker,
    ) -> Result<Option<BegunAuthentication>, FlowError> {
        todo!()
    }

    /// Verifies the response of a browser, and opens what is decided.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn complete_passkey_authentication(
        &self,
        _caller: &Caller,
        _presented: PresentedPasskey<'_>,
        _terms: &Terms,
    ) -> Result<PasskeyAuthentication, FlowError> {
        todo!()
    }
}
