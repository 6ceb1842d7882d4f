//! The head of a backup file: says what the file holds, and shows that none of it was altered.
//!
//! A backup is 1,024 bytes of text (three lines, the second of them padded with blanks) and, behind them, the database,
//! compressed. The second line has the length and the SHA-256 of what follows, the third a MAC of the two before it, with
//! a key that is derived from the keyring. So the MAC covers every byte, and the head can be checked before anything else is read.

use crate::keyring::{Keyring, Purpose};
use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};

/// Length of the head in bytes.
pub const HEAD_BYTES: usize = 1024;

const NAME: &str = "countersign-backup";
/// Version of the form of backups that this program writes, and the only one that it reads.
const FORMAT: u32 = 1;
/// A MAC in hexadecimal digits, and the end of its line.
const MAC_LINE: usize = 2 * 32 + 1;

/// What a backup file says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// Version of the program that wrote it.
    pub program: String,
    /// In RFC 3339: every change that was acknowledged before is in the backup.
    pub taken_at: String,
    /// Version of the newest migration of the database.
    pub newest_migration: String,
    /// Length of the database file.
    pub database_bytes: u64,
    /// Length of what follows the head.
    pub payload_bytes: u64,
    /// SHA-256 of what follows the head, in hexadecimal digits.
    pub payload_sha256: String,
    /// Id of the key that the MAC is made with.
    pub key_id: String,
}

/// Why a file is no backup that can be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeadError {
    #[error("it is not a backup that `countersign backup` has written, or its first line was altered")]
    NoBackup,
    #[error("it is incomplete: it ends within its head")]
    Incomplete,
    #[error(
        "it is a backup of the form {0}, which this program does not know: use the version of the program that wrote it, or a \
         newer one"
    )]
    UnknownForm(u32),
    #[error("its head was altered")]
    Altered,
    #[error(
        "it belongs to a database with another keyring, or its head was altered: the keyring lacks its key {0}; use the keyring \
         that the server had when the backup was written"
    )]
    LacksKey(String),
    #[error(
        "its head was altered, or its key {0} is another one than the key of that id in the keyring; use the keyring that \
         the server had when the backup was written"
    )]
    NotAuthentic(String),
}

fn first_line() -> String {
    format!("{NAME} {FORMAT}\n")
}

impl Head {
    /// The head as it is written, with the MAC of the active key, whose id it names.
    ///
    /// # Panics
    /// If a version is hundreds of characters long.
    #[must_use]
    pub fn seal(&self, keyring: &Keyring) -> Vec<u8> {
        let key_id = keyring.active_id();
        let line = serde_json::to_string(&Self { key_id, ..self.clone() }).expect("text and numbers are JSON");
        let mut head = first_line();
        head.push_str(&line);
        let padding = (HEAD_BYTES - MAC_LINE - 1).checked_sub(head.len()).expect("versions and times are short");
        head.extend(std::iter::repeat_n(' ', padding));
        head.push('\n');
        let mac = keyring.mac(Purpose::Backup, head.as_bytes());
        head.push_str(&HEXLOWER.encode(&mac));
        head.push('\n');
        head.into_bytes()
    }

    /// Reads a head, which nothing of is believed before its MAC is right. `bytes` are the first [`HEAD_BYTES`] of the file,
    /// or all of a shorter one.
    ///
    /// # Errors
    /// If it is not the head of a backup, or not one that was made with a key of this ring.
    pub fn open(bytes: &[u8], keyring: &Keyring) -> Result<Self, HeadError> {
        check_form(bytes)?;
        if bytes.len() < HEAD_BYTES {
            return Err(HeadError::Incomplete);
        }
        let (authenticated, mac_line) = bytes.split_at(HEAD_BYTES - MAC_LINE);
        let line = authenticated.strip_prefix(first_line().as_bytes()).ok_or(HeadError::Altered)?;
        let head: Self = serde_json::from_slice(line).map_err(|_| HeadError::Altered)?;
        if !keyring.opens(&head.key_id) {
            return Err(HeadError::LacksKey(head.key_id.chars().take(8).collect()));
        }
        let digits = mac_line.strip_suffix(b"\n").ok_or(HeadError::Altered)?;
        let mac = HEXLOWER.decode(digits).map_err(|_| HeadError::Altered)?;
        match keyring.verify(Purpose::Backup, authenticated, &mac) {
            true => Ok(head),
            false => Err(HeadError::NotAuthentic(head.key_id)),
        }
    }
}

/// Whether a file begins as a backup of any form does.
#[must_use]
pub fn is_backup(first_bytes: &[u8]) -> bool {
    first_bytes.starts_with(NAME.as_bytes())
}

fn check_form(bytes: &[u8]) -> Result<(), HeadError> {
    let expected = first_line();
    let known = bytes.len().min(expected.len());
    if bytes.is_empty() || bytes[..known] != expected.as_bytes()[..known] {
        let first = bytes.split(|byte| *byte == b'\n').next().and_then(|line| std::str::from_utf8(line).ok());
        let form = first.and_then(|line| line.strip_prefix(NAME)?.strip_prefix(' ')?.parse().ok());
        return Err(form.map_or(HeadError::NoBackup, HeadError::UnknownForm));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

    fn ring(seed: u64) -> Keyring {
        Keyring::generate(&mut ChaCha20Rng::seed_from_u64(seed))
    }

    fn head(ring: &Keyring) -> Head {
        Head {
            program: "1.2.3".to_owned(),
            taken_at: "2026-03-01T12:00:00.000Z".to_owned(),
            newest_migration: "00000000000023".to_owned(),
            database_bytes: u64::MAX,
            payload_bytes: u64::MAX,
            payload_sha256: HEXLOWER.encode(&[7; 32]),
            key_id: ring.active_id(),
        }
    }

    #[test]
    fn a_head_is_read_as_it_was_written_also_after_a_rotation() {
        let ring = ring(1);
        let written = head(&ring).seal(&ring);
        assert_eq!(written.len(), HEAD_BYTES);
        assert_eq!(Head::open(&written, &ring), Ok(head(&ring)));
        let mut rotated = Keyring::parse(&ring.to_text()).expect("its text");
        let new = rotated.add_pending(&mut ChaCha20Rng::seed_from_u64(2));
        rotated.activate(&new);
        assert_eq!(Head::open(&written, &rotated), Ok(head(&ring)));
    }

    #[test]
    fn every_altered_byte_and_every_shorter_head_is_refused() {
        let ring = ring(1);
        let written = head(&ring).seal(&ring);
        for position in 0..written.len() {
            for bit in 0..8 {
                let mut altered = written.clone();
                altered[position] ^= 1 << bit;
                assert!(Head::open(&altered, &ring).is_err(), "byte {position}, bit {bit}");
            }
            let expected = if position == 0 { HeadError::NoBackup } else { HeadError::Incomplete };
            assert_eq!(Head::open(&written[..position], &ring), Err(expected), "{position}");
        }
    }

    #[test]
    fn another_file_another_form_and_another_keyring_are_told_apart() {
        let (ring, other) = (ring(1), ring(2));
        let written = head(&ring).seal(&ring);
        for text in ["", "SQLite format 3\0", "countersign-backup", "countersign-backup x\n", "countersign"] {
            let expected = if "countersign-backup 1".starts_with(text) && !text.is_empty() {
                HeadError::Incomplete
            } else {
                HeadError::NoBackup
            };
            assert_eq!(Head::open(text.as_bytes(), &ring), Err(expected), "{text}");
        }
        assert_eq!(Head::open(b"countersign-backup 2\nsomething else", &ring), Err(HeadError::UnknownForm(2)));
        assert_eq!(Head::open(&written, &other), Err(HeadError::LacksKey(ring.active_id())));
        // Another key with the same id.
        let forged = other.to_text().replace(&other.active_id(), &ring.active_id());
        let forged = Keyring::parse(&forged).expect("a key");
        assert_eq!(Head::open(&written, &forged), Err(HeadError::NotAuthentic(ring.active_id())));
        assert!(is_backup(&written) && is_backup(b"countersign-backup 2\n") && !is_backup(b"SQLite format 3\0"));
    }
}
