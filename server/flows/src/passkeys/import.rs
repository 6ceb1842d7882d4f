//! Bringing passkeys from another server.

use crate::enrolment::new_handles;
use crate::{Caller, FlowError, Flows};
use countersign_domain::challenge::Factor;
use countersign_domain::ids::{AccountId, MethodId, TenantId};
use countersign_domain::passkey::public_key::PublicKey;
use countersign_domain::passkey::relying_party::RelyingPartyId;
use countersign_domain::passkey::{Aaguid, Backup, CredentialId, Description, Passkey, Transports};
use countersign_domain::time::Timestamp;
use countersign_store::work::{ImportPasskeys, ImportedPasskey, PasskeysImported};

pub use countersign_store::work::NotImported;

/// A passkey as another server had it.
#[derive(Clone, Debug)]
pub struct ForeignPasskey {
    /// One is made if there is none.
    pub id: Option<MethodId>,
    pub account_id: AccountId,
    pub credential_id: CredentialId,
    pub relying_party: RelyingPartyId,
    pub public_key: PublicKey,
    pub counter: u32,
    /// The user's label.
    pub name: Option<String>,
    pub transports: Transports,
    pub user_verified: bool,
    pub description: Description,
    pub last_used_at: Option<Timestamp>,
    /// Now, if it is not known.
    pub created_at: Option<Timestamp>,
}

impl Flows {
    /// Stores passkeys of users of a tenant: all of them, or none.
    ///
    /// # Errors
    /// When the database fails; then none is stored.
    pub async fn import_passkeys(
        &self,
        caller: &Caller,
        tenant_id: Option<TenantId>,
        foreign: Vec<ForeignPasskey>,
    ) -> Result<Result<(), (usize, NotImported)>, FlowError> {
        let passkeys = foreign.into_iter().map(|foreign| self.imported(caller, foreign)).collect();
        let import = ImportPasskeys { passkeys, tenant_id, rules: self.rules() };
        Ok(match self.store().import_passkeys(import).await? {
            PasskeysImported::Imported => Ok(()),
            PasskeysImported::Refused(number, why) => Err((number, why)),
        })
    }

    fn imported(&self, caller: &Caller, foreign: ForeignPasskey) -> ImportedPasskey {
        let now = self.now();
        let (new_id, handles) = self.random().draw(|random| (MethodId::generate(now, random), new_handles(random)));
        let [handle, ..] = handles.clone();
        let passkey = Passkey {
            id: foreign.id.unwrap_or(new_id),
            account_id: foreign.account_id,
            handle,
            credential_id: foreign.credential_id,
            relying_party: foreign.relying_party,
            public_key: foreign.public_key,
            counter: foreign.counter,
            name: foreign.name,
            transports: foreign.transports,
            // What a registration would have said; its first use tells whether it is synced.
            aaguid: Aaguid::new([0; 16]),
            backup: Backup::default(),
            attestation: "none".to_owned(),
            user_verified: foreign.user_verified,
            last_used_at: foreign.last_used_at,
            created_at: foreign.created_at.unwrap_or(now),
            description: foreign.description,
            is_imported: true,
        };
        let audit = self.factor_audit(caller, Some(Factor::Passkey), Some(foreign.account_id), None, now);
        ImportedPasskey { passkey, handles, audit }
    }

    /// The domain that passkeys are for; `None` where there are none.
    #[must_use]
    pub fn passkey_domain(&self) -> Option<RelyingPartyId> {
        self.rules().relying_party.as_ref().map(|relying_party| relying_party.id.clone())
    }
}
