//! Registering a passkey.

use super::BROWSER_TIMEOUT;
use crate::enrolment::new_handles;
use crate::{Caller, FlowError, Flows, FullSession};
use countersign_domain::assurance::{Assurance, Manager};
use countersign_domain::audit::EventKind;
use countersign_domain::decisions::passkey_management::{self, AddPasskey as Decision, Facts, PasskeysRefused};
use countersign_domain::ids::MethodId;
use countersign_domain::passkey::ceremony::{Ceremony, Purpose};
use countersign_domain::passkey::options::{CreationOptions, Descriptor, UserVerification};
use countersign_domain::passkey::public_key::Algorithm;
use countersign_domain::passkey::relying_party::{Attestation, RelyingParty};
use countersign_domain::passkey::response::{EncodedRegistration, RegistrationResponse};
use countersign_domain::passkey::verifier::{self, Expected, NotVerified, Registered};
use countersign_domain::passkey::{Passkey, user_handle};
use countersign_domain::secret::CeremonyToken;
use countersign_domain::time::Timestamp;
use countersign_store::work::{AddPasskey, FindCeremony, FoundCeremony, PasskeyAdded};

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
    /// An account has a passkey with this credential id.
    Taken,
}

impl NotRegistered {
    fn of(decision: Decision) -> Option<Self> {
        match decision {
            Decision::Add => None,
            Decision::NotAllowed => Some(Self::NotAllowed),
            Decision::Refused(refused) => Some(Self::Refused(refused)),
            Decision::TooMany => Some(Self::TooMany),
        }
    }
}

impl Flows {
    /// Asks a browser for a new passkey. `label` is what the authenticator shows as the user's name, in place of the login name.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn begin_passkey_registration(
        &self,
        session: &FullSession,
        label: Option<&str>,
    ) -> Result<Result<BegunRegistration, NotRegistered>, FlowError> {
        let rules = self.rules();
        let Some(relying_party) = &rules.relying_party else { return Ok(Err(NotRegistered::NotAllowed)) };
        let (account, now) = (&session.account, self.now());
        let known = self.store().passkeys_of(account.id).await?;
        let manager = Manager::Owner(Assurance::of_session(&session.session, account));
        let tenant = rules.tenant_of(account);
        let facts = Facts { account, tenant, manager: &manager, passkeys: known.len() };
        let decision = passkey_management::decide_addition(&facts, self.policy(), now);
        if let Some(refused) = NotRegistered::of(decision) {
            return Ok(Err(refused));
        }
        let purpose = Purpose::Registration(account.id);
        let begun = self.begin_ceremony(purpose, &relying_party.id, account.versions(), false).await?;
        let Some((token, challenge)) = begun else { return Ok(Err(NotRegistered::NoCeremony)) };
        let login_name = account.login_name();
        let options = CreationOptions {
            challenge,
            relying_party: relying_party.id.clone(),
            relying_party_name: relying_party.name.clone(),
            user_handle: user_handle(account.id),
            user_name: label.filter(|label| !label.is_empty()).unwrap_or(login_name).to_owned(),
            user_display_name: login_name.to_owned(),
            algorithms: Algorithm::ALL,
            timeout: BROWSER_TIMEOUT,
            exclude: known.iter().map(Descriptor::from).collect(),
            attestation: relying_party.attestation,
            user_verification: UserVerification::Preferred,
        };
        Ok(Ok(BegunRegistration { options, token }))
    }

    /// Stores the passkey that a browser made. `token` is the one of the ceremony, as presented.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn complete_passkey_registration(
        &self,
        caller: &Caller,
        session: &FullSession,
        token: Option<&str>,
        response: EncodedRegistration<'_>,
        name: Option<&str>,
    ) -> Result<Result<Passkey, NotRegistered>, FlowError> {
        let (rules, now) = (self.rules(), self.now());
        let Some(relying_party) = &rules.relying_party else { return Ok(Err(NotRegistered::NotAllowed)) };
        let Some(ceremony) = self.registration(token, now).await? else { return Ok(Err(NotRegistered::NoCeremony)) };
        let account = &session.account;
        if ceremony.purpose != Purpose::Registration(account.id) {
            return Ok(Err(NotRegistered::OtherUser));
        }
        let (response, registered) = match verify(relying_party, &ceremony, response) {
            Ok(verified) => verified,
            Err(why) => {
                let event = self.passkey_audit(caller, session).event(EventKind::PasskeyRegistrationRejected);
                let is_spent = self.spend_ceremony(ceremony.digest, event).await?;
                let refused = if is_spent { NotRegistered::NotVerified(why) } else { NotRegistered::NoCeremony };
                return Ok(Err(refused));
            }
        };
        let is_recorded = relying_party.attestation == Attestation::Direct;
        let attestation_object = is_recorded.then(|| response.attestation_object.clone());
        let (id, handles) = self.random().draw(|random| (MethodId::generate(now, random), new_handles(random)));
        let [handle, ..] = handles.clone();
        let passkey = Passkey {
            id,
            account_id: account.id,
            handle,
            credential_id: response.credential_id,
            relying_party: relying_party.id.clone(),
            public_key: registered.public_key,
            counter: registered.counter,
            name: name.map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned),
            transports: response.transports,
            aaguid: registered.aaguid,
            user_verified: registered.user_verified,
            backup: registered.backup,
            attestation: registered.attestation,
            last_used_at: None,
            created_at: now,
        };
        let add = AddPasskey {
            account_id: account.id,
            versions: ceremony.versions,
            manager: Manager::Owner(Assurance::of_session(&session.session, account)),
            ceremony: ceremony.digest,
            passkey,
            handles,
            attestation_object,
            rules: self.rules(),
            audit: self.passkey_audit(caller, session),
        };
        Ok(match self.store().add_passkey(add).await? {
            PasskeyAdded::Added(passkey) => Ok(*passkey),
            PasskeyAdded::Refused(decision) => Err(NotRegistered::of(decision).unwrap_or(NotRegistered::NoCeremony)),
            PasskeyAdded::Taken => Err(NotRegistered::Taken),
            PasskeyAdded::Stale => Err(NotRegistered::NoCeremony),
        })
    }

    /// The registration with this token that waits for its response.
    async fn registration(&self, token: Option<&str>, now: Timestamp) -> Result<Option<Ceremony>, FlowError> {
        let Some(token) = token.and_then(CeremonyToken::parse) else { return Ok(None) };
        let find = FindCeremony { digest: token.digest(), credential_id: None, now };
        let found = self.store().find_ceremony(find).await?;
        let ceremony = found.map(|FoundCeremony { ceremony, .. }| ceremony);
        Ok(ceremony.filter(|ceremony| matches!(ceremony.purpose, Purpose::Registration(_))))
    }
}

/// Verifies a response, unless it cannot be decoded or the relying party is not the one that the ceremony began with any more.
fn verify(
    relying_party: &RelyingParty,
    ceremony: &Ceremony,
    response: EncodedRegistration<'_>,
) -> Result<(RegistrationResponse, Registered), NotVerified> {
    if ceremony.relying_party != relying_party.id {
        return Err(NotVerified::OtherRelyingParty);
    }
    let response = response.decode().ok_or(NotVerified::Malformed)?;
    let registered = verifier::register(Expected { relying_party, challenge: &ceremony.challenge }, &response)?;
    Ok((response, registered))
}
