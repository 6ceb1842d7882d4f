//! Registering a passkey.

use super::{PasskeyManager, ceremony_digest};
use crate::enrolment::new_handles;
use crate::{Caller, FlowError, Flows};
use countersign_domain::audit::EventKind;
use countersign_domain::challenge::Factor;
use countersign_domain::decisions::passkey_management::{self, AddPasskey as Decision, Facts, PasskeysRefused};
use countersign_domain::ids::MethodId;
use countersign_domain::passkey::ceremony::{Ceremony, Details, Purpose};
use countersign_domain::passkey::options::{CreationOptions, Descriptor, UserVerification};
use countersign_domain::passkey::public_key::Algorithm;
use countersign_domain::passkey::relying_party::{Attestation, RelyingParty};
use countersign_domain::passkey::response::{EncodedRegistration, RegistrationResponse};
use countersign_domain::passkey::verifier::{self, Expected, NotVerified, Registered};
use countersign_domain::passkey::{Description, Passkey, user_handle};
use countersign_domain::secret::{CeremonyToken, Digest};
use countersign_domain::terms::Terms;
use countersign_domain::time::Timestamp;
use countersign_store::work::{AddPasskey, FindCeremony, FoundCeremony, PasskeyAdded};

/// What a new passkey is to be.
#[derive(Clone, Copy, Debug, Default)]
pub struct PasskeyRequest<'a> {
    /// What the authenticator shows as the user's login name; the login name, if there is none.
    pub user_name: Option<&'a str>,
    /// What it shows as the user's name, and the user's label; the login name, and none, if there is none.
    pub display_name: Option<&'a str>,
    /// The browser, as the caller describes it.
    pub user_agent: Option<&'a str>,
    /// Whether the authenticator has to verify the user.
    pub demands_verification: bool,
}

/// A registration that a browser is asked for.
#[derive(Debug)]
pub struct BegunRegistration {
    pub options: CreationOptions,
    /// Finds the ceremony when the response comes, unless the challenge does.
    pub token: Option<CeremonyToken>,
}

/// A response of a browser.
#[derive(Clone, Copy, Debug)]
pub struct PresentedRegistration<'a> {
    /// Of the ceremony, as presented, where clients keep one.
    pub token: Option<&'a str>,
    pub response: EncodedRegistration<'a>,
    /// The user's label, if none was given before.
    pub name: Option<&'a str>,
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
    /// Asks a browser for a new passkey.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn begin_passkey_registration(
        &self,
        manager: PasskeyManager<'_>,
        request: PasskeyRequest<'_>,
        terms: &Terms,
    ) -> Result<Result<BegunRegistration, NotRegistered>, FlowError> {
        let rules = self.rules();
        let Some(relying_party) = &rules.relying_party else { return Ok(Err(NotRegistered::NotAllowed)) };
        let (account, now) = (manager.account(), self.now());
        // A service may begin it for an account that may not be used; the passkey would not be stored.
        if account.unusable(now).is_some() {
            return Ok(Err(NotRegistered::NoCeremony));
        }
        let known = self.store().passkeys_of(account.id).await?;
        let tenant = rules.tenant_of(account);
        let facts = Facts { account, tenant, manager: &manager.assurance(), passkeys: known.len() };
        let decision = passkey_management::decide_addition(&facts, self.policy(), now);
        if let Some(refused) = NotRegistered::of(decision) {
            return Ok(Err(refused));
        }
        let stated = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(str::to_owned);
        let details = Details {
            name: stated(request.display_name),
            user_name: stated(request.user_name),
            user_agent: stated(request.user_agent),
            ..Details::default()
        };
        let login_name = || account.login_name().to_owned();
        let user_name = details.user_name.clone().unwrap_or_else(login_name);
        let user_display_name = details.name.clone().unwrap_or_else(login_name);
        let purpose = Purpose::Registration(account.id);
        let ceremony = super::NewCeremony {
            purpose,
            versions: account.versions(),
            demands_verification: request.demands_verification,
            details,
        };
        let begun = self.begin_ceremony(&relying_party.id, ceremony, terms).await?;
        let Some(begun) = begun else { return Ok(Err(NotRegistered::NoCeremony)) };
        let options = CreationOptions {
            challenge: begun.challenge,
            relying_party: relying_party.id.clone(),
            relying_party_name: relying_party.name.clone(),
            user_handle: user_handle(account.id),
            user_name,
            user_display_name,
            algorithms: Algorithm::ALL,
            timeout: begun.timeout,
            exclude: known.iter().map(Descriptor::from).collect(),
            attestation: relying_party.attestation,
            user_verification: UserVerification::of(request.demands_verification),
        };
        Ok(Ok(BegunRegistration { options, token: begun.token }))
    }

    /// Stores the passkey that a browser made.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn complete_passkey_registration(
        &self,
        caller: &Caller,
        manager: PasskeyManager<'_>,
        presented: PresentedRegistration<'_>,
        terms: &Terms,
    ) -> Result<Result<Passkey, NotRegistered>, FlowError> {
        let (rules, now) = (self.rules(), self.now());
        let Some(relying_party) = &rules.relying_party else { return Ok(Err(NotRegistered::NotAllowed)) };
        let digest = ceremony_digest(terms.ceremony, presented.token, presented.response.client_data);
        let Some(ceremony) = self.registration(digest, now).await? else { return Ok(Err(NotRegistered::NoCeremony)) };
        let account = manager.account();
        let verified = match ceremony.purpose == Purpose::Registration(account.id) {
            true => verify(relying_party, &ceremony, presented.response).map_err(NotRegistered::NotVerified),
            false => Err(NotRegistered::OtherUser),
        };
        let (response, registered) = match verified {
            Ok(verified) => verified,
            Err(refused) => {
                // The event is the ceremony's user's, not that of the user who is named instead.
                let audit = match &refused {
                    NotRegistered::OtherUser => {
                        self.factor_audit(caller, Some(Factor::Passkey), ceremony.purpose.account_id(), None, now)
                    }
                    _ => self.passkey_audit(caller, manager),
                };
                let event = audit.event(EventKind::PasskeyRegistrationRejected);
                let is_spent = self.spend_ceremony(ceremony.digest, event).await?;
                return Ok(Err(if is_spent { refused } else { NotRegistered::NoCeremony }));
            }
        };
        let is_recorded = relying_party.attestation == Attestation::Direct;
        let attestation_object = is_recorded.then(|| response.attestation_object.clone());
        let (id, handles) = self.random().draw(|random| (MethodId::generate(now, random), new_handles(random)));
        let [handle, ..] = handles.clone();
        let Details { name, user_name, user_agent, .. } = ceremony.details;
        let label = name.as_deref().or(presented.name).map(str::trim);
        let passkey = Passkey {
            id,
            account_id: account.id,
            handle,
            credential_id: response.credential_id,
            relying_party: relying_party.id.clone(),
            public_key: registered.public_key,
            counter: registered.counter,
            name: label.filter(|label| !label.is_empty()).map(str::to_owned),
            transports: response.transports,
            aaguid: registered.aaguid,
            user_verified: registered.user_verified,
            backup: registered.backup,
            attestation: registered.attestation,
            last_used_at: None,
            created_at: now,
            description: Description { user_name, user_agent, is_discoverable: response.is_discoverable },
            is_imported: false,
        };
        let add = AddPasskey {
            account_id: account.id,
            versions: ceremony.versions,
            manager: manager.assurance(),
            ceremony: ceremony.digest,
            passkey,
            handles,
            attestation_object,
            rules: self.rules(),
            audit: self.passkey_audit(caller, manager),
        };
        Ok(match self.store().add_passkey(add).await? {
            PasskeyAdded::Added(passkey) => Ok(*passkey),
            PasskeyAdded::Refused(decision) => Err(NotRegistered::of(decision).unwrap_or(NotRegistered::NoCeremony)),
            PasskeyAdded::Taken => Err(NotRegistered::Taken),
            PasskeyAdded::Stale => Err(NotRegistered::NoCeremony),
        })
    }

    /// The registration with this digest that waits for its response.
    async fn registration(&self, digest: Option<Digest>, now: Timestamp) -> Result<Option<Ceremony>, FlowError> {
        let Some(digest) = digest else { return Ok(None) };
        let found = self.store().find_ceremony(FindCeremony { digest, credential_id: None, now }).await?;
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
    if ceremony.demands_verification && !registered.user_verified {
        return Err(NotVerified::UserNotVerified);
    }
    Ok((response, registered))
}
