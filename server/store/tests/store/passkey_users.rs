//! Passkeys of users, and the units of work that they cause.

use crate::users::{NOON, User, audit, handles, random};
use countersign_domain::account::Versions;
use countersign_domain::assurance::{Assurance, Manager};
use countersign_domain::attempt::{Claimant, Proof};
use countersign_domain::challenge::{Challenge, Factor, FirstFactor};
use countersign_domain::ids::MethodId;
use countersign_domain::passkey::ceremony::{Ceremony, Details, Purpose};
use countersign_domain::passkey::public_key::PublicKey;
use countersign_domain::passkey::relying_party::{Attestation, RelyingParty, RelyingPartyId};
use countersign_domain::passkey::verifier::Asserted;
use countersign_domain::passkey::{Aaguid, Backup, CredentialId, Description, Passkey, Transports, user_handle};
use countersign_domain::secret::{CeremonyToken, Digest};
use countersign_domain::terms::Rules;
use countersign_store::Store;
use countersign_store::work::{
    AddPasskey, BeginCeremony, ClaimAttempt, CompleteSignIn, ImportedPasskey, PasskeyAdded, PresentedPasskey,
    UsedPasskey,
};
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
        details: Details::default(),
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
        description: Description::default(),
        is_imported: false,
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

/// What a passkey has signed in a ceremony.
pub(crate) fn used(user: &User, passkey: &Passkey, ceremony: &Ceremony, asserted: Asserted) -> UsedPasskey {
    UsedPasskey {
        ceremony: ceremony.digest,
        id: passkey.id,
        asserted,
        user_handle: Some(user_handle(user.id()).into_bytes()),
        refusal_audit: audit(user.id(), NOON),
    }
}

/// A passkey of the user as another server had it.
pub(crate) fn foreign(user: &User) -> ImportedPasskey {
    ImportedPasskey { passkey: passkey(user), handles: handles(), audit: audit(user.id(), NOON) }
}

/// A sign-in with a passkey.
pub(crate) fn sign_in(user: &User, passkey: &Passkey, ceremony: &Ceremony, asserted: Asserted) -> CompleteSignIn {
    let used = used(user, passkey, ceremony, asserted);
    let plain = user.sign_in(NOON);
    let challenge = Challenge { first_factor: FirstFactor::Passkey, ..plain.challenge.clone() };
    CompleteSignIn { passkey: Some(used), challenge, password_uses: Vec::new(), ..plain }
}

pub(crate) fn asserted(counter: u32, user_verified: bool) -> Asserted {
    Asserted { user_verified, counter, backup: Backup::default() }
}

/// Rules with the relying party of these passkeys.
pub(crate) fn rules() -> Arc<Rules> {
    let relying_party = RelyingParty {
        id: relying_party(),
        name: "Example".to_owned(),
        origins: vec!["https://example.org".to_owned()],
        attestation: Attestation::None,
        demands_verification: false,
    };
    Arc::new(Rules { relying_party: Some(relying_party), ..Rules::default() })
}

/// A ceremony in which the claimant presents a passkey.
pub(crate) async fn begun_by(store: &Store, user: &User, claimant: &Claimant) -> Ceremony {
    let account_id = user.id();
    let purpose = match claimant {
        Claimant::Challenge(sign_in) => Purpose::SecondFactor { account_id, sign_in: *sign_in },
        Claimant::Session { session_id, .. } => Purpose::StepUp { account_id, session_id: *session_id },
        Claimant::Holder { .. } => panic!("a holder presents no passkey"),
    };
    begun(store, purpose, user.account.versions()).await
}

/// What a passkey proves.
pub(crate) fn proof(passkey: &Passkey, ceremony: &Ceremony, counter: u32) -> Proof {
    Proof::Passkey { id: passkey.id, ceremony: ceremony.digest, asserted: asserted(counter, true) }
}

/// A claim of an attempt with a passkey.
pub(crate) fn claim(user: &User, claimant: &Claimant, ceremony: &Ceremony, passkey: &Passkey) -> ClaimAttempt {
    let (ceremony, credential_id) = (ceremony.digest, passkey.credential_id.clone());
    let passkey = Some(PresentedPasskey { ceremony, credential_id });
    ClaimAttempt { passkey, ..user.claim(claimant.clone(), Factor::Passkey, NOON) }
}
