//! A code as it was presented, by which a request that is sent again is known.
//!
//! The same code for the same, within one time step, is the same guess: it has been judged, and says nothing new to a guesser. It is
//! refused as before and counts once, if the first was refused before it arrives. `fetch` of browsers and of Node sends a request again
//! whose response was 421 (Fetch standard, "HTTP-network-or-cache fetch").

use crate::attempt::{Expected, Material};
use crate::challenge::Factor;
use crate::guess::Guess;
use crate::keyring::{Keyring, Purpose};
use crate::one_time_code::Subject;
use crate::presented_code::PresentedCode;
use crate::time::Timestamp;
use crate::totp::STEP_SECONDS;
use sha2::{Digest as _, Sha256};
use std::fmt;

/// Keyed MAC of a code that was presented, of what it was presented for, and of the time step.
#[derive(Clone, Copy)]
pub struct Presentation([u8; 32]);

impl Presentation {
    #[must_use]
    pub fn new(code: &PresentedCode, expected: Expected, subject: &Subject, now: Timestamp, keyring: &Keyring) -> Self {
        let step = now.as_unix_seconds() / STEP_SECONDS;
        let factor = expected.factor().map_or("any", Factor::name);
        // The code comes last: nothing in front of it is the caller's to choose.
        let message = format!("{step}:{factor}:{}:{}", subject.to_text(), code.as_str());
        Self(keyring.mac(Purpose::Guess, zeroize::Zeroizing::new(message).as_bytes()))
    }

    /// The guess that this makes where it is compared with `material`. With another secret, or another code that was sent, it would be
    /// another one, and might be right.
    #[must_use]
    pub fn guess(&self, material: &Material) -> Guess {
        let mut digest = Sha256::new();
        digest.update(self.0);
        for app in material.authenticators.iter().chain(&material.pending) {
            digest.update(b"app:");
            digest.update(app.id.to_text());
        }
        if let Some(code) = &material.one_time_code {
            digest.update(b"code:");
            digest.update(&code.mac);
        }
        // They are in no order.
        let mut codes: Vec<String> = material.backup_codes.iter().map(|code| code.id.to_text()).collect();
        codes.sort_unstable();
        for code in codes {
            digest.update(b"backup-code:");
            digest.update(code);
        }
        Guess::new(digest.finalize().into())
    }
}

impl fmt::Debug for Presentation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Presentation([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attempt::StoredCode;
    use crate::decisions::fixtures::{NOW, account_id, authenticator, method_id, stored_backup_code};
    use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
    use std::time::Duration;

    #[test]
    fn what_could_be_judged_otherwise_is_another_guess_n4() {
        let keyring = Keyring::generate(&mut ChaCha20Rng::seed_from_u64(1));
        let subject = |id| Subject::Disable { account_id: account_id(1), method_id: method_id(id) };
        let any = Expected::Any { backup_code: false };
        let sent = |mac: u8| Some(StoredCode { mac: vec![mac; 32], method_id: None });
        let apps = || Material { authenticators: vec![authenticator()], ..Material::default() };
        let present = |code: &str, expected, id, now| {
            Presentation::new(&PresentedCode::new(code), expected, &subject(id), now, &keyring)
        };
        let first = present("123456", any, 1, NOW).guess(&apps());
        let start = NOW - Duration::from_secs(NOW.as_unix_seconds() % STEP_SECONDS);
        let late = start + Duration::from_secs(STEP_SECONDS - 1);
        assert_eq!(first, present("123 456", any, 1, late).guess(&apps()), "the same code in the same step");
        let begun = Material { pending: Some(authenticator()), ..apps() };
        for (name, other) in [
            ("another code", present("123457", any, 1, NOW).guess(&apps())),
            ("another subject", present("123456", any, 2, NOW).guess(&apps())),
            ("another factor", present("123456", Expected::One(Factor::Totp), 1, NOW).guess(&apps())),
            ("the next step", present("123456", any, 1, start + Duration::from_secs(STEP_SECONDS)).guess(&apps())),
            ("no app", present("123456", any, 1, NOW).guess(&Material::default())),
            ("one more app", present("123456", any, 1, NOW).guess(&begun)),
            ("a code was sent", present("123456", any, 1, NOW).guess(&Material { one_time_code: sent(1), ..apps() })),
            (
                "new backup codes",
                present("123456", any, 1, NOW).guess(&Material { backup_codes: vec![stored_backup_code()], ..apps() }),
            ),
        ] {
            assert_ne!(first, other, "{name}");
        }
        let with_code = |mac| present("123456", any, 1, NOW).guess(&Material { one_time_code: sent(mac), ..apps() });
        assert_ne!(with_code(1), with_code(2), "another code was sent");
    }
}
