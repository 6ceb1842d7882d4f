//! Time-based one-time passwords: RFC 6238 over RFC 4226, with SHA-1, six digits and steps of 30 seconds, the one
//! combination every authenticator app knows.

use crate::presented_code::PresentedCode;
use crate::random::{self, ALPHANUMERIC};
use crate::time::Timestamp;
use aws_lc_rs::digest;
use data_encoding::{BASE32, BASE32_NOPAD};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use rand_core::CryptoRng;
use std::fmt;
use subtle::ConstantTimeEq as _;
use totp_rs::{Algorithm, Builder, Totp};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// Length of a new secret: 256 bits, well over the 160 that RFC 4226 §4 recommends.
const SECRET_BYTES: usize = 32;
/// Length of the block of SHA-1, in bytes.
const HMAC_BLOCK: usize = 64;
pub const DIGITS: u8 = 6;
pub const STEP_SECONDS: u64 = 30;

/// The key that server and authenticator app share.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct TotpSecret(Vec<u8>);

impl TotpSecret {
    /// A new secret, uniformly random.
    #[must_use]
    pub fn generate(random: &mut dyn CryptoRng) -> Self {
        let mut bytes = vec![0; SECRET_BYTES];
        random.fill_bytes(&mut bytes);
        Self(bytes)
    }

    /// A new secret of letters and digits, as the FusionAuth dialect has it: 190 bits (attack 40).
    #[must_use]
    pub fn generate_text(random: &mut dyn CryptoRng) -> Zeroizing<String> {
        Zeroizing::new(random::text(SECRET_BYTES, ALPHANUMERIC, random))
    }

    /// Takes the bytes of a stored secret; `None` under 128 bits, which RFC 4226 §4 requires.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        (bytes.len() >= 16).then(|| Self(bytes.to_vec()))
    }

    /// Reads the base32 form, padded or not, in either case.
    #[must_use]
    pub fn from_base32(text: &str) -> Option<Self> {
        let upper = Zeroizing::new(text.to_ascii_uppercase());
        let decoded =
            if upper.contains('=') { BASE32.decode(upper.as_bytes()) } else { BASE32_NOPAD.decode(upper.as_bytes()) };
        Self::from_bytes(&Zeroizing::new(decoded.ok()?))
    }

    /// The bytes, to be sealed.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// The form that a user types into an app: base32 without padding (RFC 4648 §6).
    #[must_use]
    pub fn to_base32(&self) -> Zeroizing<String> {
        Zeroizing::new(BASE32_NOPAD.encode(&self.0))
    }

    /// The key URI that a QR code carries: `otpauth://totp/<issuer>:<account>?secret=…&issuer=…&digits=6&period=30`,
    /// all of it percent-encoded: apps show the `+` of an HTML form's encoding as it stands. Colons are taken out, which the
    /// format forbids in issuer and account.
    #[must_use]
    pub fn key_uri(&self, issuer: &str, login_name: &str) -> Zeroizing<String> {
        let issuer = component(&issuer.replace(':', ""));
        let label = format!("{issuer}:{}", component(&login_name.replace(':', "")));
        let secret = self.to_base32();
        Zeroizing::new(format!(
            "otpauth://totp/{label}?secret={}&issuer={issuer}&digits={DIGITS}&period={STEP_SECONDS}",
            *secret
        ))
    }

    /// The key as HMAC-SHA-1 takes it (RFC 2104 §2): one block, a longer key by its digest, a shorter one filled up with
    /// zeros. Secrets with the same block show the same codes, so they are one secret (R2).
    #[must_use]
    pub fn hmac_block(&self) -> Zeroizing<[u8; HMAC_BLOCK]> {
        let mut block = Zeroizing::new([0; HMAC_BLOCK]);
        if self.0.len() > HMAC_BLOCK {
            let short = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, &self.0);
            block[..short.as_ref().len()].copy_from_slice(short.as_ref());
        } else {
            block[..self.0.len()].copy_from_slice(&self.0);
        }
        block
    }

    /// Whether this secret shows the same codes as the other; compared in constant time.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        self.hmac_block().ct_eq(other.hmac_block().as_slice()).into()
    }

    fn totp(&self, skew: u16) -> Totp {
        Builder::new()
            .with_algorithm(Algorithm::SHA1)
            .with_digits(DIGITS)
            .with_step_duration(STEP_SECONDS)
            .with_skew(skew)
            .with_secret(self.0.clone())
            .build()
            .expect("a secret of at least 128 bits, six digits and 30 seconds are within the RFC")
    }

    /// The code that an app displays at `now`; for tests and tools.
    #[must_use]
    pub fn code_at(&self, now: Timestamp) -> String {
        self.totp(0).generate(now.as_unix_seconds()).to_string()
    }

    /// Judges `code` at `now`. A step is accepted once: only steps after `last_step` count (RFC 6238 §5.2), which
    /// also refuses an older code of the window after a newer one was used (attack 3).
    #[must_use]
    pub fn judge(&self, code: &PresentedCode, now: Timestamp, skew: u16, last_step: Option<i64>) -> Verdict {
        match self.totp(skew).check(code.as_str(), now.as_unix_seconds()).and_then(|step| i64::try_from(step).ok()) {
            None => Verdict::Wrong,
            Some(step) if last_step.is_some_and(|last| step <= last) => Verdict::Replayed,
            Some(step) => Verdict::Right { step },
        }
    }
}

impl fmt::Debug for TotpSecret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("TotpSecret([redacted])")
    }
}

/// Result of checking a TOTP code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The code of `step`, not used before. Accept it only if the store can still claim that step.
    Right {
        /// Number of 30-second steps since the epoch.
        step: i64,
    },
    /// A right code that was used before, or is older than one that was.
    Replayed,
    /// Not a code of the current time window.
    Wrong,
}

/// `encodeURIComponent`: all but letters, digits and `- _ . ! ~ * ' ( )`.
const COMPONENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'!')
    .remove(b'~')
    .remove(b'*')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')');

fn component(text: &str) -> String {
    utf8_percent_encode(text, COMPONENT).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
    use std::collections::HashSet;

    fn rfc_secret() -> TotpSecret {
        TotpSecret::from_bytes(b"12345678901234567890").expect("160 bits")
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1000)
    }

    #[test]
    fn codes_are_those_of_rfc_4226_appendix_d_r3() {
        let expected =
            ["755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"];
        for (counter, code) in (0..).zip(expected) {
            assert_eq!(rfc_secret().code_at(at(counter * 30)), code);
        }
    }

    #[test]
    fn codes_are_the_last_six_digits_of_rfc_6238_appendix_b_r4() {
        let expected = [
            (59, "94287082"),
            (1_111_111_109, "07081804"),
            (1_111_111_111, "14050471"),
            (1_234_567_890, "89005924"),
            (2_000_000_000, "69279037"),
            (20_000_000_000, "65353130"),
        ];
        for (seconds, code) in expected {
            assert_eq!(rfc_secret().code_at(at(seconds)), code[2..]);
        }
    }

    #[test]
    fn secrets_that_show_the_same_codes_are_the_same_1() {
        let secret = |bytes: &[u8]| TotpSecret::from_bytes(bytes).expect("at least 128 bits");
        let (short, long) = (secret(b"12345678901234567890"), [b'x'; 70]);
        let hashed = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, &long);
        for (one, other) in [
            (short.clone(), secret(b"12345678901234567890\0")),
            (short.clone(), secret(b"12345678901234567890\0\0\0\0\0")),
            (secret(&long), secret(hashed.as_ref())),
        ] {
            assert_eq!(one.code_at(at(59)), other.code_at(at(59)));
            assert!(one.is_same(&other));
        }
        for other in [secret(b"1234567890123456789\0"), secret(&long[1..]), secret(&[0; 16])] {
            assert_ne!(short.code_at(at(59)), other.code_at(at(59)));
            assert!(!short.is_same(&other));
        }
    }

    #[test]
    fn a_step_is_accepted_once_and_never_after_a_later_one_3() {
        let secret = rfc_secret();
        let now = at(59);
        let code = PresentedCode::new(&secret.code_at(now));
        assert_eq!(secret.judge(&code, now, 1, None), Verdict::Right { step: 1 });
        assert_eq!(secret.judge(&code, now, 1, Some(1)), Verdict::Replayed);
        assert_eq!(secret.judge(&code, at(60), 1, Some(1)), Verdict::Replayed, "still in the window, still spent");
        assert_eq!(secret.judge(&code, now, 1, Some(2)), Verdict::Replayed, "an older step after a newer one");
        assert_eq!(secret.judge(&code, at(90), 1, None), Verdict::Wrong, "two steps late");
        assert_eq!(secret.judge(&code, at(60), 0, None), Verdict::Wrong, "one step late in strict mode (A 6.5.5)");
    }

    #[test]
    fn only_six_ascii_digits_can_be_right_41() {
        let secret = rfc_secret();
        for odd in ["", "28708", "2870820", "287-082", "２８７０８２", "28708a", "-87082", "\u{0}87082", "+28708"]
        {
            assert_eq!(secret.judge(&PresentedCode::new(odd), at(59), 1, None), Verdict::Wrong, "{odd:?}");
        }
    }

    #[test]
    fn a_thousand_secrets_are_long_unique_and_even_40_n1() {
        let mut random = ChaCha20Rng::seed_from_u64(1);
        let secrets: HashSet<Vec<u8>> =
            (0..1000).map(|_| TotpSecret::generate(&mut random).expose().to_vec()).collect();
        assert_eq!(secrets.len(), 1000);
        assert!(secrets.iter().all(|secret| secret.len() * 8 >= 160));
        let ones: u32 = secrets.iter().flatten().map(|byte| byte.count_ones()).sum();
        assert!((126_000..130_000).contains(&ones), "{ones} of 256000 bits are set");
    }

    #[test]
    fn keys_codes_and_steps_are_those_of_the_standard_n1() {
        let mut random = ChaCha20Rng::seed_from_u64(2);
        for bytes in 0..16 {
            assert!(TotpSecret::from_bytes(&vec![b'x'; bytes]).is_none(), "{bytes} bytes");
        }
        for _ in 0..1_000 {
            let secret = TotpSecret::generate(&mut random);
            assert!(secret.expose().len() * 8 >= 112);
            let code = secret.code_at(at(0));
            assert!(code.len() == 6 && code.bytes().all(|byte| byte.is_ascii_digit()), "{code}");
        }
        let code = PresentedCode::new(&rfc_secret().code_at(at(0)));
        assert_eq!(rfc_secret().judge(&code, at(120), 1, None), Verdict::Wrong, "it has changed within two minutes");
    }

    #[test]
    fn a_key_uri_is_percent_encoded_r5() {
        let uri = rfc_secret().key_uri("My App & Co: x", "a+b@example.org");
        assert_eq!(
            *uri,
            "otpauth://totp/My%20App%20%26%20Co%20x:a%2Bb%40example.org\
             ?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=My%20App%20%26%20Co%20x&digits=6&period=30"
        );
    }

    #[test]
    fn a_key_uri_keeps_the_characters_that_need_no_encoding() {
        let every: String = (' '..='~').chain(['é', '%']).collect();
        assert_eq!(
            component(&every),
            "%20!%22%23%24%25%26'()*%2B%2C-.%2F0123456789%3A%3B%3C%3D%3E%3F%40ABCDEFGHIJKLMNOPQRSTUVWXYZ\
             %5B%5C%5D%5E_%60abcdefghijklmnopqrstuvwxyz%7B%7C%7D~%C3%A9%25"
        );
    }

    proptest! {
        #[test]
        fn any_text_is_judged_without_panic(code in ".{0,12}", millis in any::<i64>(), skew in 0u16..3) {
            let _ = rfc_secret().judge(&PresentedCode::new(&code), Timestamp::from_millis(millis), skew, None);
        }

        #[test]
        fn a_secret_survives_base32(bytes in proptest::collection::vec(any::<u8>(), 16..64)) {
            let secret = TotpSecret::from_bytes(&bytes).expect("long enough");
            let lower = secret.to_base32().to_lowercase();
            let read = TotpSecret::from_base32(&lower).expect("reads back");
            prop_assert_eq!(read.expose(), bytes.as_slice());
        }

        /// Whatever the order of presentations, accepted steps only ever grow.
        #[test]
        fn accepted_steps_are_strictly_monotone(times in proptest::collection::vec(1_000_000i64..1_000_300, 1..40)) {
            let (secret, mut last) = (rfc_secret(), None);
            for pair in times.windows(2) {
                if let Verdict::Right { step } = secret.judge(&PresentedCode::new(&secret.code_at(at(pair[0]))), at(pair[1]), 1, last) {
                    prop_assert!(last.is_none_or(|before| step > before));
                    last = Some(step);
                }
            }
        }
    }
}
