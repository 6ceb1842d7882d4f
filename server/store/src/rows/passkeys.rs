//! Passkeys and their ceremonies.

use super::corrupt;
use crate::error::StoreError;
use crate::schema::{passkey_ceremonies, passkeys};
use countersign_domain::account::Versions;
use countersign_domain::ids::{AccountId, ApplicationId, MethodId, SessionId};
use countersign_domain::method::MethodHandle;
use countersign_domain::passkey::ceremony::{Ceremony, Details, Purpose};
use countersign_domain::passkey::public_key::PublicKey;
use countersign_domain::passkey::relying_party::RelyingPartyId;
use countersign_domain::passkey::{Aaguid, Backup, CredentialId, Description, Passkey, Transports};
use countersign_domain::secret::Digest;
use countersign_domain::time::Timestamp;
use diesel::prelude::*;

/// All columns but the attestation object, which is recorded for operators.
#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = passkeys, treat_none_as_default_value = false)]
pub(crate) struct PasskeyRow {
    id: String,
    account_id: String,
    handle: String,
    credential_id: Vec<u8>,
    relying_party: String,
    public_key: Vec<u8>,
    counter: i64,
    name: Option<String>,
    transports: String,
    aaguid: Vec<u8>,
    user_verified: bool,
    backup_eligible: bool,
    backed_up: bool,
    attestation: String,
    last_used_at: Option<i64>,
    created_at: i64,
    user_name: Option<String>,
    user_agent: Option<String>,
    discoverable: Option<bool>,
    imported: bool,
}

impl From<&Passkey> for PasskeyRow {
    fn from(passkey: &Passkey) -> Self {
        Self {
            id: passkey.id.to_text(),
            account_id: passkey.account_id.to_text(),
            handle: passkey.handle.as_str().to_owned(),
            credential_id: passkey.credential_id.as_bytes().to_vec(),
            relying_party: passkey.relying_party.as_str().to_owned(),
            public_key: passkey.public_key.to_cose(),
            counter: i64::from(passkey.counter),
            name: passkey.name.clone(),
            transports: passkey.transports.to_text(),
            aaguid: passkey.aaguid.as_bytes().to_vec(),
            user_verified: passkey.user_verified,
            backup_eligible: passkey.backup.is_eligible,
            backed_up: passkey.backup.is_backed_up,
            attestation: passkey.attestation.clone(),
            last_used_at: passkey.last_used_at.map(Timestamp::as_millis),
            created_at: passkey.created_at.as_millis(),
            user_name: passkey.description.user_name.clone(),
            user_agent: passkey.description.user_agent.clone(),
            discoverable: passkey.description.is_discoverable,
            imported: passkey.is_imported,
        }
    }
}

impl TryFrom<PasskeyRow> for Passkey {
    type Error = StoreError;

    fn try_from(row: PasskeyRow) -> Result<Self, StoreError> {
        let wrong = |what| corrupt("passkeys", what);
        Ok(Self {
            id: MethodId::parse(&row.id).ok_or(wrong("its id"))?,
            account_id: AccountId::parse(&row.account_id).ok_or(wrong("its account"))?,
            handle: MethodHandle::parse(&row.handle).ok_or(wrong("its handle"))?,
            credential_id: CredentialId::new(row.credential_id).ok_or(wrong("its credential id"))?,
            relying_party: RelyingPartyId::parse(&row.relying_party).map_err(|_| wrong("its relying party"))?,
            public_key: PublicKey::from_cose(&row.public_key).ok_or(wrong("its public key"))?,
            counter: u32::try_from(row.counter).map_err(|_| wrong("its counter"))?,
            name: row.name,
            transports: Transports::parse(&row.transports),
            aaguid: row.aaguid.try_into().map(Aaguid::new).map_err(|_| wrong("its model"))?,
            user_verified: row.user_verified,
            backup: Backup { is_eligible: row.backup_eligible, is_backed_up: row.backed_up },
            attestation: row.attestation,
            last_used_at: row.last_used_at.map(Timestamp::from_millis),
            created_at: Timestamp::from_millis(row.created_at),
            description: Description {
                user_name: row.user_name,
                user_agent: row.user_agent,
                is_discoverable: row.discoverable,
            },
            is_imported: row.imported,
        })
    }
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = passkey_ceremonies, treat_none_as_default_value = false)]
pub(crate) struct CeremonyRow {
    digest: Vec<u8>,
    challenge: Vec<u8>,
    purpose: String,
    relying_party: String,
    account_id: Option<String>,
    sign_in: Option<Vec<u8>>,
    session_id: Option<String>,
    demands_verification: bool,
    credentials_version: i64,
    factors_version: i64,
    created_at: i64,
    expires_at: i64,
    name: Option<String>,
    user_name: Option<String>,
    user_agent: Option<String>,
    application_id: Option<String>,
    passkey_id: Option<String>,
    state: Option<String>,
}

impl From<&Ceremony> for CeremonyRow {
    fn from(ceremony: &Ceremony) -> Self {
        Self {
            digest: ceremony.digest.as_bytes().to_vec(),
            challenge: ceremony.challenge.as_bytes().to_vec(),
            purpose: ceremony.purpose.name().to_owned(),
            relying_party: ceremony.relying_party.as_str().to_owned(),
            account_id: ceremony.purpose.account_id().map(AccountId::to_text),
            sign_in: ceremony.purpose.sign_in().map(<[u8]>::to_vec),
            session_id: match ceremony.purpose {
                Purpose::StepUp { session_id, .. } => Some(session_id.to_text()),
                Purpose::Registration(_) | Purpose::SignIn(_) | Purpose::SecondFactor { .. } => None,
            },
            demands_verification: ceremony.demands_verification,
            credentials_version: ceremony.versions.credentials,
            factors_version: ceremony.versions.factors,
            created_at: ceremony.created_at.as_millis(),
            expires_at: ceremony.expires_at.as_millis(),
            name: ceremony.details.name.clone(),
            user_name: ceremony.details.user_name.clone(),
            user_agent: ceremony.details.user_agent.clone(),
            application_id: ceremony.details.application_id.map(ApplicationId::to_text),
            passkey_id: ceremony.details.passkey_id.map(MethodId::to_text),
            state: ceremony.details.state.clone(),
        }
    }
}

impl TryFrom<CeremonyRow> for Ceremony {
    type Error = StoreError;

    fn try_from(row: CeremonyRow) -> Result<Self, StoreError> {
        let wrong = |what| corrupt("passkey_ceremonies", what);
        let account_id = row.account_id.as_deref().and_then(AccountId::parse);
        let digest = |bytes: &[u8]| Digest::from_bytes(bytes);
        let sign_in = row.sign_in.as_deref().and_then(Digest::from_bytes);
        let session_id = row.session_id.as_deref().and_then(SessionId::parse);
        Ok(Self {
            digest: digest(&row.digest).ok_or(wrong("its digest"))?,
            challenge: digest(&row.challenge).ok_or(wrong("its challenge"))?,
            purpose: match (row.purpose.as_str(), account_id, sign_in, session_id) {
                ("registration", Some(account_id), None, None) => Purpose::Registration(account_id),
                ("sign-in", account_id, None, None) => Purpose::SignIn(account_id),
                ("second-factor", Some(account_id), Some(sign_in), None) => {
                    Purpose::SecondFactor { account_id, sign_in }
                }
                ("step-up", Some(account_id), None, Some(session_id)) => Purpose::StepUp { account_id, session_id },
                _ => return Err(wrong("its purpose")),
            },
            relying_party: RelyingPartyId::parse(&row.relying_party).map_err(|_| wrong("its relying party"))?,
            demands_verification: row.demands_verification,
            versions: Versions { credentials: row.credentials_version, factors: row.factors_version },
            created_at: Timestamp::from_millis(row.created_at),
            expires_at: Timestamp::from_millis(row.expires_at),
            details: Details {
                name: row.name,
                user_name: row.user_name,
                user_agent: row.user_agent,
                application_id: row.application_id.as_deref().and_then(ApplicationId::parse),
                passkey_id: row.passkey_id.map(|id| MethodId::parse(&id).ok_or(wrong("its passkey"))).transpose()?,
                state: row.state,
            },
        })
    }
}
