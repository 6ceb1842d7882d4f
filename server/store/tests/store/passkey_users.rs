//! Passkeys of users, and the units of work that they cause.

use crate::users::{NOON, User, audit, handles, random};
use countersign_domain::account::Versions;
use countersign_domain::assurance::{Assurance, Manager};
use countersign_domain::challenge::{Challenge, FirstFactor};
use countersign_domain::ids::MethodId;
use countersign_domain::passkey::ceremony::{Ceremony, Purpose};
use countersign_domain::passkey::public_key::PublicKey;
use countersign_domain::passkey::relying_party::RelyingPartyId;
use countersign_domain::passkey::verifier::Asserted;
use countersign_domain::passkey::{Aaguid, Backup, CredentialId, Passkey, Transports, user_handle};
use countersign_domain::secret::{CeremonyToken, Digest};
use countersign_store::Store;
use countersign_store::work::{AddPasskey, BeginCeremony, CompleteSignIn, PasskeyAdded, UsedPasskey};
use rand_chacha::rand_core::Rng as _;
use std::sync::Arc;
use std::time::Duration;

pub(crate) const MINUTE: Duration = Duration::from_secs(60);

fn relying_party() -> RelyingPartyId {
    RelyingPartyId::parse("example.org").unwrap()
}

fn digest() -> Digest {
    CeremonyToken::generate(&mut random()).digest()
}

/// A ceremony that lasts five minutes.
pub(crate) fn ceremony(purpose: Purpose, versions: Versions) -> Ceremony {
    Ceremony {
        digest: digest(),
        challenge: digest(),
        purpose,
        relying_party: relying_party(),
        demands_verification: false,
        versions,
        created_at: NOON,
        expires_at: NOON + 5 * MINUTE,
    }
}

pub(crate) async fn begun(store: &Store, purpose: Purpose, versions: Versions) -> Ceremony {
    let ceremony = ceremony(purpose, versions);
    assert!(store.begin_ceremony(BeginCeremony { ceremony: ceremony.clone(), most: 16 }).await.unwrap());
    ceremony
}

pub(crate) fn owner(user: &User) -> Manager {
    let factors_version = user.account.factors_version;
    Manager::Owner(Assurance {
        account_id: user.id(),
        signed_in_at: NOON,
        second_factor_at: Some(NOON),
        factors_version,
    })
}

/// A new passkey of the user, bound to one device.
pub(crate) fn passkey(user: &User) -> Passkey {
    let mut id = vec![0; 32];
    random().fill_bytes(&mut id);
    Passkey {
        id: MethodId::generate(NOON, &mut random()),
        account_id: user.id(),
        handle: handles()[0].clone(),
        credential_id: CredentialId::new(id).unwrap(),
        relying_party: relying_party(),
        public_key: PublicKey::Rs256 { modulus: vec![0xff; 256], exponent: vec![1, 0, 1] },
        counter: 7,
        name: Some("My key".to_owned()),
        transports: Transports::parse("usb,nfc"),
        aaguid: Aaguid::new([3; 16]),
        user_verified: true,
        backup: Backup::default(),
        attestation: "none".to_owned(),
        last_used_at: None,
        created_at: NOON,
    }
}

pub(crate) fn addition(user: &User, ceremony: &Ceremony, passkey: Passkey) -> AddPasskey {
    AddPasskey {
        account_id: user.id(),
        versions: ceremony.versions,
        manager: owner(user),
        ceremony: ceremony.digest,
        handles: handles(),
        passkey,
        attestation_object: Some(vec![0xa0]),
        rules: Arc::default(),
        audit: audit(user.id(), NOON),
    }
}

/// Registers a passkey.
pub(crate) async fn registered(store: &Store, user: &User) -> Passkey {
    let ceremony = begun(store, Purpose::Registration(user.id()), user.account.versions()).await;
    match store.add_passkey(addition(user, &ceremony, passkey(user))).await.unwrap() {
        PasskeyAdded::Added(passkey) => *passkey,
        other => panic!("{other:?}"),
    }
}

/// A sign-in with a passkey.
pub(crate) fn sign_in(user: &User, passkey: &Passkey, ceremony: &Ceremony, asserted: Asserted) -> CompleteSignIn {
    let used = UsedPasskey {
        ceremony: ceremony.digest,
        id: passkey.id,
        asserted,
        user_handle: Some(user_handle(user.id()).into_bytes()),
        refusal_audit: audit(user.id(), NOON),
    };
    let plain = user.sign_in(NOON);
    let challenge = Challenge { first_factor: FirstFactor::Passkey, ..plain.challenge.clone() };
    CompleteSignIn { passkey: Some(used), challenge, password_uses: Vec::new(), ..plain }
}

pub(crate) fn asserted(counter: u32, user_verified: bool) -> Asserted {
    Asserted { user_verified, counter, backup: Backup::default() }
}
