//! Random text without bias.

use rand_core::CryptoRng;

/// `A–Z a–z 0–9`: session tokens and backup codes.
pub(crate) const ALPHANUMERIC: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
/// `A–Z 0–9`: backup codes and method handles of the FusionAuth dialect.
pub(crate) const CAPITALS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
/// [`ALPHANUMERIC`] with `_` and `-`: 64 characters, six bits each.
pub(crate) const URL_SAFE: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
/// Decimal digits: one-time codes.
pub(crate) const DIGITS: &[u8] = b"0123456789";

/// `length` characters drawn independently and uniformly from `alphabet` (at most 256 of them).
pub(crate) fn text(length: usize, alphabet: &[u8], random: &mut dyn CryptoRng) -> String {
    // Bytes at or above the largest multiple of the alphabet's size would favour its first letters: draw again.
    let limit = 256 - 256 % alphabet.len();
    let mut out = String::with_capacity(length);
    let mut pool = [0; 64];
    while out.len() < length {
        random.fill_bytes(&mut pool);
        out.extend(
            pool.iter()
                .map(|byte| usize::from(*byte))
                .filter(|value| *value < limit)
                .map(|value| char::from(alphabet[value % alphabet.len()]))
                .take(length - out.len()),
        );
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

    #[test]
    fn every_letter_is_about_as_frequent_as_every_other_a_6_5_3() {
        let mut random = ChaCha20Rng::seed_from_u64(7);
        for alphabet in [ALPHANUMERIC, CAPITALS, URL_SAFE, DIGITS] {
            let drawn = text(200_000, alphabet, &mut random);
            let expected = 200_000 / alphabet.len();
            for letter in alphabet {
                let count = drawn.bytes().filter(|byte| byte == letter).count();
                assert!(count.abs_diff(expected) < expected / 7, "{} drawn {count} times", char::from(*letter));
            }
        }
    }
}
