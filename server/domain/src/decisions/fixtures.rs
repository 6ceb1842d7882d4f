//! Values for the tables of this folder.

use crate::account::{Account, EmailAddress, PhoneNumber, Versions};
use crate::address::Address;
use crate::address::MethodKind;
use crate::assurance::Assurance;
use crate::attempt::{Authenticator, AwaitedPasskey, Claimant, Expected, Proof, StoredBackupCode, StoredCode};
use crate::backup_code::Alphabet;
use crate::challenge::Factor;
use crate::ids::{AccountId, ApplicationId, BackupCodeId, MethodId, SessionId, TenantId};
use crate::keyring::{Keyring, Sealed};
use crate::method::{Method, MethodHandle};
use crate::one_time_code::Subject;
use crate::passkey::ceremony::{Ceremony, Details, Purpose};
use crate::passkey::public_key::PublicKey;
use crate::passkey::relying_party::RelyingPartyId;
use crate::passkey::verifier::Asserted;
use crate::passkey::{Aaguid, Backup, CredentialId, Description, Passkey, Transports};
use crate::password::{Cost, PasswordHash};
use crate::presentation::Presentation;
use crate::presented_code::PresentedCode;
use crate::secret::Digest;
use crate::session::Session;
use crate::tenant::Tenant;
use crate::terms::{CeremonyForm, ChallengeForm, EnrolmentPlace, Grant, Terms, TrustForm};
use crate::time::Timestamp;
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use std::time::Duration;

/// 2026-03-01T12:00:00Z, the first instant of a TOTP step.
pub(crate) const NOW: Timestamp = Timestamp::from_millis(1_772_366_400_000);

macro_rules! ids {
    ($($name:ident: $id:ident;)*) => { $(
        pub(crate) fn $name(seed: u64) -> $id {
            $id::generate(NOW, &mut ChaCha20Rng::seed_from_u64(seed))
        }
    )* };
}

ids! {
    account_id: AccountId;
    application_id: ApplicationId;
    method_id: MethodId;
    session_id: SessionId;
}

pub(crate) fn other_account_id() -> AccountId {
    account_id(99)
}

pub(crate) fn backup_code_id() -> BackupCodeId {
    BackupCodeId::generate(NOW, &mut ChaCha20Rng::seed_from_u64(1))
}

/// A usable account with an e-mail address, without a password and a second factor.
pub(crate) fn account() -> Account {
    Account {
        id: account_id(1),
        tenant_id: TenantId::DEFAULT,
        email: Some(EmailAddress::new("ada@example.org")),
        username: None,
        phone_number: None,
        name: String::new(),
        email_verified: false,
        image: None,
        password: None,
        password_changed_at: NOW,
        password_change_required: false,
        is_active: true,
        expires_at: None,
        two_factor_enabled: false,
        credentials_version: 0,
        limits_epoch: 0,
        factors_version: 0,
        lock_ends_at: None,
        guess_level: None,
        suspended_until: None,
        wrong_guess: None,
        created_at: NOW,
        updated_at: NOW,
    }
}

/// The assurance of the account's owner, who has passed no second factor.
pub(crate) fn assurance() -> Assurance {
    Assurance { account_id: account_id(1), signed_in_at: NOW, second_factor_at: None, factors_version: 0 }
}

pub(crate) fn account_with_password() -> Account {
    Account { password: Some(PasswordHash::of_nobody(Cost::PASSWORD)), ..account() }
}

pub(crate) fn live_session() -> Session {
    Session {
        id: session_id(1),
        account_id: account_id(1),
        is_remembered: true,
        second_factor_at: None,
        ip_address: String::new(),
        user_agent: String::new(),
        signed_in_at: NOW,
        created_at: NOW,
        updated_at: NOW,
        last_used_at: NOW,
        expires_at: NOW + Duration::from_secs(7 * 24 * 60 * 60),
    }
}

pub(crate) fn tenant(methods: &[MethodKind]) -> Tenant {
    Tenant { methods: methods.iter().copied().collect(), ..Tenant::default() }
}

/// Terms under which sessions are granted, and enrolment happens in one.
pub(crate) fn session_terms() -> Terms {
    Terms {
        grant: Grant::Session,
        enrolment: EnrolmentPlace::Session,
        trust: TrustForm::Rotating,
        challenge: ChallengeForm::Token,
        challenge_lifetime: Duration::from_secs(600),
        code_lifetime: Duration::from_secs(180),
        backup_codes: Alphabet::Mixed,
        ceremony: CeremonyForm::Token,
        email_with_app: true,
    }
}

/// Terms under which tokens are granted, and enrolment happens in the challenge.
pub(crate) fn challenge_terms() -> Terms {
    Terms {
        grant: Grant::Tokens,
        enrolment: EnrolmentPlace::Challenge,
        trust: TrustForm::Lasting,
        challenge: ChallengeForm::TwoFactorId,
        ceremony: CeremonyForm::Challenge,
        email_with_app: false,
        ..session_terms()
    }
}

pub(crate) fn challenge() -> Claimant {
    Claimant::Challenge(Digest::from_bytes(&[7; 32]).expect("32 bytes"))
}

pub(crate) fn session() -> Claimant {
    Claimant::Session { session_id: session_id(1), account_id: account_id(1) }
}

pub(crate) fn subject_of_removal(method: u64) -> Subject {
    Subject::Disable { account_id: account_id(1), method_id: method_id(method) }
}

pub(crate) fn holder() -> Claimant {
    Claimant::Holder { account_id: account_id(1), subject: subject_of_removal(1) }
}

pub(crate) fn totp_proof(confirms: bool) -> Proof {
    Proof::Totp { method_id: method_id(1), step: 7, confirms }
}

pub(crate) fn stored_code() -> StoredCode {
    StoredCode { mac: vec![1], method_id: None }
}

pub(crate) fn code_proof() -> Proof {
    Proof::OneTimeCode(stored_code())
}

pub(crate) fn backup_code_proof() -> Proof {
    Proof::BackupCode(backup_code_id())
}

pub(crate) fn authenticator() -> Authenticator {
    let secret = Sealed { key_id: "key".to_owned(), bytes: vec![1] };
    Authenticator { id: method_id(1), account_id: account_id(1), secret, fingerprint: None, last_step: None }
}

pub(crate) fn stored_backup_code() -> StoredBackupCode {
    let hash = PasswordHash::of_nobody(Cost::BACKUP_CODE);
    StoredBackupCode { id: backup_code_id(), selector: vec![1], hash, is_spent: false }
}

pub(crate) fn email() -> Address {
    Address::Email(EmailAddress::new("ada@example.org"))
}

pub(crate) fn sms() -> Address {
    Address::Sms(PhoneNumber::new("+15550109999").expect("a number"))
}

pub(crate) fn handle(seed: u64) -> MethodHandle {
    MethodHandle::generate(&mut ChaCha20Rng::seed_from_u64(seed))
}

/// An authenticator app, or a method for this address.
pub(crate) fn method(seed: u64, address: Option<Address>) -> Method {
    Method {
        id: method_id(seed),
        handle: handle(seed),
        kind: address.as_ref().map_or(MethodKind::Authenticator, Address::kind),
        name: None,
        address,
        proved_at: None,
        last_used_at: None,
    }
}

/// A passkey of the account, bound to one device.
pub(crate) fn passkey() -> Passkey {
    Passkey {
        id: method_id(1),
        account_id: account_id(1),
        handle: handle(1),
        credential_id: CredentialId::new(vec![7; 32]).expect("an id"),
        relying_party: RelyingPartyId::parse("example.org").expect("a domain"),
        public_key: PublicKey::Ed25519([7; 32]),
        counter: 0,
        name: None,
        transports: Transports::default(),
        aaguid: Aaguid::new([0; 16]),
        user_verified: false,
        backup: Backup::default(),
        attestation: "none".to_owned(),
        last_used_at: None,
        created_at: NOW,
        description: Description::default(),
        is_imported: false,
    }
}

pub(crate) fn passkey_proof() -> Proof {
    let asserted = Asserted { user_verified: false, counter: 1, backup: Backup::default() };
    Proof::Passkey { id: method_id(1), ceremony: Digest::from_bytes(&[8; 32]).expect("32 bytes"), asserted }
}

/// A ceremony of [`challenge`] that waits for [`passkey`].
pub(crate) fn awaited_passkey() -> AwaitedPasskey {
    let sign_in = Digest::from_bytes(&[7; 32]).expect("32 bytes");
    let ceremony = Ceremony {
        digest: Digest::from_bytes(&[8; 32]).expect("32 bytes"),
        challenge: Digest::from_bytes(&[9; 32]).expect("32 bytes"),
        purpose: Purpose::SecondFactor { account_id: account_id(1), sign_in },
        relying_party: passkey().relying_party,
        demands_verification: false,
        versions: Versions::default(),
        created_at: NOW,
        expires_at: NOW,
        details: Details::default(),
    };
    AwaitedPasskey { ceremony, passkey: Some(passkey()) }
}

/// A code that is presented as that of an app in [`challenge`].
pub(crate) fn presentation(code: &str) -> Presentation {
    let keyring = Keyring::generate(&mut ChaCha20Rng::seed_from_u64(1));
    let (expected, subject) = (Expected::One(Factor::Totp), challenge().subject());
    Presentation::new(&PresentedCode::new(code), expected, &subject, NOW, &keyring)
}
