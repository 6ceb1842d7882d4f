//! Whether a presented code is right.

use super::passkey_use::{self, PasskeyUse};
use crate::attempt::{AwaitedPasskey, Material, Proof, StoredBackupCode};
use crate::audit::EventKind;
use crate::backup_code::BackupCode;
use crate::ids::{AccountId, MethodId};
use crate::keyring::Keyring;
use crate::one_time_code::{OneTimeCode, Subject};
use crate::passkey::relying_party::RelyingParty;
use crate::passkey::response::AssertionResponse;
use crate::passkey::verifier;
use crate::password::{Cost, PasswordHash};
use crate::presented_code::PresentedCode;
use crate::stored_secret::{self, OpenSecretError, Opened};
use crate::time::Timestamp;
use crate::totp;
use argon2::Block;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Judgement {
    Right(Proof),
    /// Right once, and used already.
    Replayed,
    Wrong,
}

/// Why a code cannot be judged.
#[derive(Debug, thiserror::Error)]
pub enum JudgementError {
    #[error(transparent)]
    Secret(#[from] OpenSecretError),
}

/// Compares a code with the authenticator apps: the one being enrolled first, because its code finishes the enrolment. A code
/// that any app with the same secret has used is used: earlier versions could store a secret twice.
///
/// Apps whose secret cannot be opened are left out and returned. So a row that was damaged, or moved here from another
/// account, neither keeps its account from using the others nor makes guesses at the others free.
///
/// # Errors
/// When there are apps and none of their secrets can be opened: then nothing was judged.
pub fn judge_totp(
    code: &PresentedCode,
    material: &Material,
    keyring: &Keyring,
    skew: u16,
    now: Timestamp,
) -> Result<(Judgement, Vec<(MethodId, OpenSecretError)>), JudgementError> {
    let mut judgement = Judgement::Wrong;
    let pending = material.pending.iter().map(|app| (app, true));
    let apps = pending.chain(material.authenticators.iter().map(|app| (app, false)));
    let (mut opened, mut unopened) = (Vec::new(), Vec::new());
    for (app, confirms) in apps {
        match stored_secret::open(app, keyring) {
            Ok(Opened { secret, .. }) => opened.push((app, confirms, secret)),
            Err(error) => unopened.push((app.id, error)),
        }
    }
    if opened.is_empty()
        && let Some((_, error)) = unopened.pop()
    {
        return Err(error.into());
    }
    for (app, confirms, secret) in &opened {
        let same = opened.iter().filter(|(_, _, other)| other.is_same(secret));
        let last_step = same.filter_map(|(app, ..)| app.last_step).max();
        match secret.judge(code, now, skew, last_step) {
            totp::Verdict::Right { step } => {
                judgement = Judgement::Right(Proof::Totp { method_id: app.id, step, confirms: *confirms });
                break;
            }
            totp::Verdict::Replayed => judgement = Judgement::Replayed,
            totp::Verdict::Wrong => {}
        }
    }
    Ok((judgement, unopened))
}

/// Compares a code with the one-time code that was sent for `subject`.
#[must_use]
pub fn judge_one_time_code(
    code: &PresentedCode,
    material: &Material,
    subject: &Subject,
    account: AccountId,
    keyring: &Keyring,
) -> Judgement {
    match &material.one_time_code {
        Some(sent) if OneTimeCode::presented(code).matches(subject, account, &sent.mac, keyring) => {
            Judgement::Right(Proof::OneTimeCode(sent.clone()))
        }
        _ => Judgement::Wrong,
    }
}

/// How a response of a passkey was judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PasskeyJudgement {
    Right(Proof),
    /// It is not right, or does not count; what the audit trail records.
    Wrong(EventKind),
}

/// Verifies the response of a passkey, and decides whether it counts.
#[must_use]
pub fn judge_passkey(
    response: &AssertionResponse,
    material: &Material,
    relying_party: Option<&RelyingParty>,
) -> PasskeyJudgement {
    let rejected = PasskeyJudgement::Wrong(EventKind::SecondFactorRejected);
    let Some(AwaitedPasskey { ceremony, passkey: Some(passkey) }) = &material.passkey else { return rejected };
    let Some(relying_party) = relying_party.filter(|one| one.id == ceremony.relying_party) else { return rejected };
    let expected = verifier::Expected { relying_party, challenge: &ceremony.challenge };
    let Ok(asserted) = verifier::assert(expected, passkey, response) else { return rejected };
    let user_handle = response.user_handle.as_deref();
    match passkey_use::decide(&passkey_use::Facts { passkey, ceremony, asserted, user_handle }) {
        PasskeyUse::Counts { .. } => {
            PasskeyJudgement::Right(Proof::Passkey { id: passkey.id, ceremony: ceremony.digest, asserted })
        }
        PasskeyUse::CounterFell => PasskeyJudgement::Wrong(EventKind::SecondFactorCounterFell),
        PasskeyUse::NotVerified | PasskeyUse::OtherUser | PasskeyUse::OtherRelyingParty | PasskeyUse::BackupChanged => {
            rejected
        }
    }
}

/// A reading of the presented text, and the stored backup codes that have its selector.
pub type Candidate = (BackupCode, Vec<StoredBackupCode>);

/// The stored backup codes that each reading of the presented text may be. One without a tag, because the key of its tag is
/// retired, may be any.
#[must_use]
pub fn backup_code_candidates(
    readings: Vec<BackupCode>,
    account: AccountId,
    stored: &[StoredBackupCode],
    keyring: &Keyring,
) -> Vec<Candidate> {
    let candidates = readings.into_iter().map(|code| {
        let selectors = code.selectors(account, keyring);
        let may_be = |stored: &&StoredBackupCode| stored.selector.is_empty() || selectors.contains(&stored.selector);
        let found = stored.iter().filter(may_be).cloned().collect();
        (code, found)
    });
    candidates.collect()
}

/// Compares backup codes with their candidates; the same work when there are none. Hashes: run it where hashing may block.
#[must_use]
pub fn judge_backup_code(candidates: &[Candidate], memory: &mut Vec<Block>) -> Judgement {
    if let [(code, _), ..] = candidates
        && candidates.iter().all(|(_, stored)| stored.is_empty())
    {
        let _ = code.matches(&PasswordHash::of_nobody(Cost::BACKUP_CODE), memory);
    }
    let mut pairs = candidates.iter().flat_map(|(code, stored)| stored.iter().map(move |stored| (code, stored)));
    match pairs.find(|(code, stored)| code.matches(&stored.hash, memory)) {
        Some((_, stored)) if stored.is_spent => Judgement::Replayed,
        Some((_, stored)) => Judgement::Right(Proof::BackupCode(stored.id)),
        None => Judgement::Wrong,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attempt::{Authenticator, StoredCode};
    use crate::backup_code::Alphabet;
    use crate::decisions::fixtures::{NOW, account, awaited_passkey, backup_code_id, method_id, passkey};
    use crate::passkey::Passkey;
    use crate::passkey::ceremony::{Ceremony, Challenge};
    use crate::passkey::public_key::PublicKey;
    use crate::passkey::relying_party::{Attestation, RelyingPartyId};
    use crate::stored_secret::Binding;
    use crate::totp::TotpSecret;
    use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
    use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
    use sha2::{Digest as _, Sha256};

    fn keyring() -> Keyring {
        Keyring::generate(&mut ChaCha20Rng::seed_from_u64(1))
    }

    fn app(id: MethodId, secret: &TotpSecret, last_step: Option<i64>, keyring: &Keyring) -> Authenticator {
        let mut random = ChaCha20Rng::seed_from_u64(2);
        let account_id = account().id;
        let sealed = stored_secret::seal(secret, account_id, id, Binding::Account, keyring, &mut random);
        Authenticator { id, account_id, secret: sealed, fingerprint: None, last_step }
    }

    #[test]
    fn a_totp_code_is_right_once_for_the_app_it_belongs_to_1_3() {
        let ring = keyring();
        let [old, new] = [3, 4].map(|seed| TotpSecret::generate(&mut ChaCha20Rng::seed_from_u64(seed)));
        let step = i64::try_from(NOW.as_unix_seconds() / totp::STEP_SECONDS).expect("a step");
        let right = |method_id, confirms| Judgement::Right(Proof::Totp { method_id, step, confirms });
        for (code, last_step, pending, expected) in [
            (old.code_at(NOW), None, false, right(method_id(1), false)),
            (old.code_at(NOW), Some(step - 1), false, right(method_id(1), false)),
            (old.code_at(NOW), Some(step), false, Judgement::Replayed),
            (new.code_at(NOW), None, false, Judgement::Wrong),
            (new.code_at(NOW), None, true, right(method_id(2), true)),
            ("000000x".to_owned(), None, true, Judgement::Wrong),
        ] {
            let material = Material {
                authenticators: vec![app(method_id(1), &old, last_step, &ring)],
                pending: pending.then(|| app(method_id(2), &new, None, &ring)),
                ..Material::default()
            };
            assert_eq!(
                judge_totp(&PresentedCode::new(&code), &material, &ring, 1, NOW).expect("opens").0,
                expected,
                "{last_step:?}"
            );
        }
    }

    #[test]
    fn a_step_is_used_for_every_app_with_the_same_secret_1() {
        let (ring, secret) = (keyring(), TotpSecret::generate(&mut ChaCha20Rng::seed_from_u64(3)));
        let step = i64::try_from(NOW.as_unix_seconds() / totp::STEP_SECONDS).expect("a step");
        for steps in [[Some(step), None], [None, Some(step)]] {
            let apps = [app(method_id(1), &secret, steps[0], &ring), app(method_id(2), &secret, steps[1], &ring)];
            let material = Material { authenticators: apps.into(), ..Material::default() };
            let judged =
                judge_totp(&PresentedCode::new(&secret.code_at(NOW)), &material, &ring, 1, NOW).expect("opens");
            assert_eq!(judged.0, Judgement::Replayed, "{steps:?}");
        }
    }

    #[test]
    fn a_secret_moved_to_another_row_is_an_error_and_no_wrong_code() {
        let (ring, secret) = (keyring(), TotpSecret::generate(&mut ChaCha20Rng::seed_from_u64(3)));
        let moved = Authenticator { id: method_id(2), ..app(method_id(1), &secret, None, &ring) };
        let material = Material { authenticators: vec![moved], ..Material::default() };
        assert!(judge_totp(&PresentedCode::new("000000"), &material, &ring, 1, NOW).is_err());
    }

    #[test]
    fn a_secret_moved_to_another_row_opens_nothing_and_leaves_the_others_as_they_are_43() {
        let ring = keyring();
        let [mine, stolen] = [3, 4].map(|seed| TotpSecret::generate(&mut ChaCha20Rng::seed_from_u64(seed)));
        let moved = Authenticator { id: method_id(2), ..app(method_id(1), &stolen, None, &ring) };
        let apps = vec![moved, app(method_id(3), &mine, None, &ring)];
        let material = Material { authenticators: apps, ..Material::default() };
        let judge = |code: &str| judge_totp(&PresentedCode::new(code), &material, &ring, 1, NOW).expect("one opens");
        let (judgement, unopened) = judge(&stolen.code_at(NOW));
        assert_eq!((judgement, unopened.len()), (Judgement::Wrong, 1));
        assert!(
            matches!(judge(&mine.code_at(NOW)).0, Judgement::Right(Proof::Totp { method_id: id, .. }) if id == method_id(3))
        );
    }

    #[test]
    fn a_one_time_code_is_right_for_its_subject_only() {
        let ring = keyring();
        let subject = |id| Subject::Disable { account_id: account().id, method_id: method_id(id) };
        let code = OneTimeCode::generate(&mut ChaCha20Rng::seed_from_u64(5));
        let sent = StoredCode { mac: code.mac(&subject(1), account().id, &ring).to_vec(), method_id: None };
        let material = Material { one_time_code: Some(sent.clone()), ..Material::default() };
        let judge = |text: &str, subject| {
            judge_one_time_code(&PresentedCode::new(text), &material, &subject, account().id, &ring)
        };
        assert_eq!(judge(code.expose(), subject(1)), Judgement::Right(Proof::OneTimeCode(sent)));
        assert_eq!(judge(code.expose(), subject(2)), Judgement::Wrong);
        assert_eq!(judge("", subject(1)), Judgement::Wrong);
        let nothing = Material::default();
        assert_eq!(
            judge_one_time_code(&PresentedCode::new(code.expose()), &nothing, &subject(1), account().id, &ring),
            Judgement::Wrong
        );
    }

    #[test]
    fn a_backup_code_is_right_once_8() {
        let (ring, mut random, mut memory) = (keyring(), ChaCha20Rng::seed_from_u64(6), Vec::new());
        let [code, other] = [0; 2].map(|_| BackupCode::generate(Alphabet::Mixed, 2, &mut random));
        let hash = code.hash(&mut random, &mut memory);
        let selector = code.selectors(account().id, &ring).swap_remove(0);
        for (presented, is_spent, expected) in [
            (&code, false, Judgement::Right(Proof::BackupCode(backup_code_id()))),
            (&code, true, Judgement::Replayed),
            (&other, false, Judgement::Wrong),
        ] {
            // Found by its tag, or, after the key of the tag was retired, by itself.
            for selector in [selector.clone(), Vec::new()] {
                let stored = StoredBackupCode { id: backup_code_id(), selector, hash: hash.clone(), is_spent };
                let readings = vec![presented.clone()];
                let candidates = backup_code_candidates(readings, account().id, &[stored], &ring);
                assert_eq!(judge_backup_code(&candidates, &mut memory), expected);
            }
        }
    }

    fn relying_party(id: &str) -> RelyingParty {
        RelyingParty {
            id: RelyingPartyId::parse(id).expect("a domain"),
            name: String::new(),
            origins: vec!["https://example.org".to_owned()],
            attestation: Attestation::None,
            demands_verification: false,
        }
    }

    /// What an authenticator with this key signs for the challenge.
    fn signed(key: &Ed25519KeyPair, challenge: &Challenge, flags: u8, counter: u8) -> AssertionResponse {
        let challenge = challenge.to_text();
        let client_data =
            format!(r#"{{"type":"webauthn.get","challenge":"{challenge}","origin":"https://example.org"}}"#);
        let relying_party = Sha256::digest(b"example.org");
        let authenticator_data = [relying_party.as_slice(), &[flags, 0, 0, 0, counter]].concat();
        let message = [authenticator_data.as_slice(), &Sha256::digest(client_data.as_bytes())].concat();
        AssertionResponse {
            credential_id: passkey().credential_id,
            client_data: client_data.into_bytes(),
            authenticator_data,
            signature: key.sign(&message).as_ref().to_vec(),
            user_handle: None,
        }
    }

    #[test]
    fn a_response_of_a_passkey_counts_for_what_it_was_asked_for_46_51_52_54() {
        const PRESENT: u8 = 0x01;
        const VERIFIED: u8 = 0x05;
        let key = |seed| Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).expect("a seed");
        let mine = key(1);
        let public = mine.public_key().as_ref().try_into().expect("32 bytes");
        let stored = Passkey { public_key: PublicKey::Ed25519(public), counter: 7, ..passkey() };
        let challenge = Challenge::generate(&mut ChaCha20Rng::seed_from_u64(7));
        let awaited = |demands_verification, passkey: Option<Passkey>| {
            let ceremony = awaited_passkey().ceremony;
            let ceremony = Ceremony { challenge: challenge.digest(), demands_verification, ..ceremony };
            Material { passkey: Some(AwaitedPasskey { ceremony, passkey }), ..Material::default() }
        };
        let waits = || awaited(false, Some(stored.clone()));
        let (home, away) = (relying_party("example.org"), relying_party("example.net"));
        let response = |flags, counter| signed(&mine, &challenge, flags, counter);
        let of_another = AssertionResponse { user_handle: Some(b"another".to_vec()), ..response(PRESENT, 8) };
        let rejected = Some(EventKind::SecondFactorRejected);
        for (name, response, material, relying_party, refused) in [
            ("a key in the hand", response(PRESENT, 8), waits(), Some(&home), None),
            ("verified", response(VERIFIED, 8), awaited(true, Some(stored.clone())), Some(&home), None),
            ("not verified", response(PRESENT, 8), awaited(true, Some(stored.clone())), Some(&home), rejected),
            ("a copy", response(VERIFIED, 7), waits(), Some(&home), Some(EventKind::SecondFactorCounterFell)),
            ("another key", signed(&key(2), &challenge, VERIFIED, 8), waits(), Some(&home), rejected),
            ("another user", of_another, waits(), Some(&home), rejected),
            ("not the account's", response(VERIFIED, 8), awaited(false, None), Some(&home), rejected),
            ("nothing asked for", response(VERIFIED, 8), Material::default(), Some(&home), rejected),
            ("another relying party", response(VERIFIED, 8), waits(), Some(&away), rejected),
            ("none", response(VERIFIED, 8), waits(), None, rejected),
        ] {
            match (judge_passkey(&response, &material, relying_party), refused) {
                (PasskeyJudgement::Right(Proof::Passkey { id, asserted, .. }), None) => {
                    assert_eq!((id, asserted.counter), (stored.id, 8), "{name}");
                }
                (judged, refused) => assert_eq!(Some(judged), refused.map(PasskeyJudgement::Wrong), "{name}"),
            }
        }
    }
}
