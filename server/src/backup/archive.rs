//! The form of a backup: the head of [`countersign_domain::backup`], then the database file, compressed by gzip.
//!
//! Standard tools read what follows the head (`tail -c +1025 FILE | gunzip`); whether it is what was written, the head's MAC says.

use super::{BackupError, Progress, failed};
use countersign_domain::backup::{HEAD_BYTES, Head, is_backup};
use countersign_domain::decisions::restore::{self, Facts, Restore};
use countersign_domain::keyring::Keyring;
use countersign_store::database_file;
use data_encoding::HEXLOWER;
use flate2::Compression;
use flate2::bufread::GzDecoder;
use flate2::write::GzEncoder;
use sha2::{Digest as _, Sha256};
use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, Read, Seek as _, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

const BLOCK: usize = 64 * 1024;

/// What is known of a database before it is compressed.
pub(super) struct Described {
    pub(super) taken_at: String,
    pub(super) newest_migration: String,
}

/// Counts and digests what passes through.
struct Digesting<T> {
    inner: T,
    digest: Sha256,
    bytes: u64,
}

impl<T> Digesting<T> {
    fn new(inner: T) -> Self {
        Self { inner, digest: Sha256::new(), bytes: 0 }
    }

    fn note(&mut self, bytes: &[u8]) {
        self.digest.update(bytes);
        self.bytes += u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    }

    fn finish(self) -> (u64, String) {
        (self.bytes, HEXLOWER.encode(&self.digest.finalize()))
    }
}

impl<T: Write> Write for Digesting<T> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.note(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl<T: Read> Read for Digesting<T> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(bytes)?;
        self.note(&bytes[..read]);
        Ok(read)
    }
}

/// Writes a new backup, which only its owner can read, and has the disk keep it.
///
/// # Errors
/// If the database cannot be read, or the file cannot be written.
pub(super) fn write(
    database: &Path,
    into: &Path,
    described: Described,
    keyring: &Keyring,
    progress: &mut Progress,
) -> Result<Head, BackupError> {
    let read = |path: &Path| failed("read", path);
    let mut source = File::open(database).map_err(read(database))?;
    let database_bytes = source.metadata().map_err(read(database))?.len();
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(into);
    let mut file = made.map_err(failed("create", into))?;
    let written = || failed("write", into);
    // The head is known at the end.
    file.write_all(&[0; HEAD_BYTES]).map_err(written())?;
    let mut encoder = GzEncoder::new(Digesting::new(&file), Compression::fast());
    let (mut block, mut done) = (vec![0; BLOCK], 0);
    loop {
        let length = source.read(&mut block).map_err(read(database))?;
        if length == 0 {
            break;
        }
        encoder.write_all(&block[..length]).map_err(written())?;
        done += u64::try_from(length).unwrap_or(0);
        progress.at(done, database_bytes);
    }
    let (payload_bytes, payload_sha256) = encoder.finish().map_err(written())?.finish();
    let head = Head {
        program: env!("CARGO_PKG_VERSION").to_owned(),
        taken_at: described.taken_at,
        newest_migration: described.newest_migration,
        database_bytes: done,
        payload_bytes,
        payload_sha256,
        key_id: keyring.active_id(),
    };
    file.seek(SeekFrom::Start(0)).map_err(written())?;
    file.write_all(&head.seal(keyring)).map_err(written())?;
    file.sync_all().map_err(written())?;
    Ok(head)
}

/// Whether a file is a backup, with whichever keyring it was written.
pub(super) fn looks_like_backup(path: &Path) -> io::Result<bool> {
    let mut first = Vec::new();
    File::open(path)?.take(HEAD_BYTES as u64).read_to_end(&mut first)?;
    Ok(is_backup(&first))
}

/// A backup whose head is authentic.
#[derive(Debug)]
pub struct Backup {
    path: PathBuf,
    file: File,
    pub head: Head,
}

impl Backup {
    /// Opens a backup and reads its head.
    ///
    /// # Errors
    /// If it is no backup, was not written with a key of this ring, is incomplete, or is newer than this program.
    pub fn open(path: &Path, keyring: &Keyring) -> Result<Self, BackupError> {
        let unreadable = || failed("read the backup", path);
        // Before it is opened, which would wait for somebody who writes to a pipe.
        let found = std::fs::metadata(path).map_err(unreadable())?;
        if !found.is_file() {
            return Err(BackupError::Usage(format!("{} is not a file", path.display())));
        }
        let mut file = File::open(path).map_err(unreadable())?;
        let found = file.metadata().map_err(unreadable())?;
        let mut first = Vec::new();
        (&mut file).take(HEAD_BYTES as u64).read_to_end(&mut first).map_err(unreadable())?;
        let head = Head::open(&first, keyring);
        let head = head.map_err(|source| BackupError::Head { path: path.to_owned(), source })?;
        let backup = Self { path: path.to_owned(), file, head };
        backup.decide(found.len().saturating_sub(HEAD_BYTES as u64), None)?;
        Ok(backup)
    }

    fn decide(&self, payload_bytes: u64, payload_sha256: Option<&str>) -> Result<(), BackupError> {
        let newest_migration = &database_file::newest_known_migration();
        match restore::decide(&Facts { head: &self.head, payload_bytes, payload_sha256, newest_migration }) {
            Restore::Possible => Ok(()),
            Restore::Refused(source) => Err(BackupError::Unusable { path: self.path.clone(), source }),
        }
    }

    /// Writes the database to `into`, whose writer's path is `target`. It must not be used if this fails.
    ///
    /// # Errors
    /// If anything in the backup was altered, it cannot be read, or `into` cannot be written.
    pub(super) fn extract(
        &self,
        into: &mut dyn Write,
        target: &Path,
        progress: &mut Progress,
    ) -> Result<(), BackupError> {
        let unreadable = || failed("read the backup", &self.path);
        let mut file = &self.file;
        file.seek(SeekFrom::Start(HEAD_BYTES as u64)).map_err(unreadable())?;
        let payload = Digesting::new(file.take(self.head.payload_bytes));
        let mut decoder = GzDecoder::new(BufReader::with_capacity(BLOCK, payload));
        let (mut block, mut done) = (vec![0; BLOCK], 0);
        // What was altered may not be gzip any more, or may become too long: the digest says so then.
        while done <= self.head.database_bytes {
            match decoder.read(&mut block) {
                Ok(0) => break,
                Ok(length) => {
                    into.write_all(&block[..length]).map_err(failed("write", target))?;
                    done += u64::try_from(length).unwrap_or(0);
                    progress.at(done, self.head.database_bytes);
                }
                Err(error) if is_about_content(&error) => break,
                Err(error) => return Err(unreadable()(error)),
            }
        }
        let mut rest = decoder.into_inner();
        io::copy(&mut rest, &mut io::sink()).map_err(unreadable())?;
        let (payload_bytes, payload_sha256) = rest.into_inner().finish();
        self.decide(payload_bytes, Some(&payload_sha256))?;
        match done == self.head.database_bytes {
            true => Ok(()),
            false => Err(BackupError::Unusable { path: self.path.clone(), source: restore::Unusable::Altered }),
        }
    }

    /// Reads all of it, as a restore would, and writes nothing.
    ///
    /// # Errors
    /// If anything in the backup was altered, or it cannot be read.
    pub fn check(&self, progress: &mut Progress) -> Result<(), BackupError> {
        progress.step("reading the backup");
        let read = self.extract(&mut io::sink(), &self.path, progress);
        progress.end();
        read
    }
}

/// Whether the decoder found that the content is no gzip, or ends too early.
fn is_about_content(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof)
}

#[cfg(test)]
mod tests {
    use super::*;
    use countersign_domain::error_chain;
    use rand::SeedableRng as _;
    use rand::rngs::StdRng;
    use std::fs;

    fn written(directory: &Path, keyring: &Keyring) -> (Vec<u8>, Vec<u8>) {
        let content: Vec<u8> = (0..3_000_u32).flat_map(|number| (number * number % 977).to_le_bytes()).collect();
        let (database, backup) = (directory.join("database"), directory.join("backup"));
        fs::write(&database, &content).expect("writable");
        let newest_migration = database_file::newest_known_migration();
        let described = Described { taken_at: "2026-03-01T12:00:00.000Z".to_owned(), newest_migration };
        write(&database, &backup, described, keyring, &mut Progress::new()).expect("a backup");
        (content, fs::read(backup).expect("a backup"))
    }

    fn read(path: &Path, keyring: &Keyring) -> Result<Vec<u8>, String> {
        let mut content = Vec::new();
        let backup = Backup::open(path, keyring).map_err(|error| error_chain(&error))?;
        let extracted = backup.extract(&mut content, path, &mut Progress::new());
        extracted.map(|()| content).map_err(|error| error_chain(&error))
    }

    #[test]
    fn a_backup_gives_back_what_it_was_made_of_and_only_its_owner_can_read_it() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let keyring = Keyring::generate(&mut StdRng::seed_from_u64(1));
        let (content, bytes) = written(directory.path(), &keyring);
        let path = directory.path().join("backup");
        assert_eq!(read(&path, &keyring), Ok(content));
        assert!(looks_like_backup(&path).is_ok_and(|is_one| is_one));
        let mode = std::os::unix::fs::MetadataExt::mode(&fs::metadata(&path).expect("a file"));
        assert_eq!(mode & 0o777, 0o600);
        assert!(bytes.starts_with(b"countersign-backup 1\n{\"program\":"));
    }

    #[test]
    fn every_single_altered_byte_and_every_length_but_its_own_is_refused() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let keyring = Keyring::generate(&mut StdRng::seed_from_u64(1));
        let (_, bytes) = written(directory.path(), &keyring);
        let path = directory.path().join("altered");
        for position in 0..bytes.len() {
            let mut altered = bytes.clone();
            altered[position] ^= 1 << (position % 8);
            fs::write(&path, &altered).expect("writable");
            let error = read(&path, &keyring).expect_err("altered");
            let expected = if position < HEAD_BYTES { "altered" } else { "it was altered: what follows its head" };
            let is_other_form = position < 25 && error.contains("does not know");
            assert!(error.contains(expected) || is_other_form, "byte {position}: {error}");
        }
        for length in (0..bytes.len()).step_by(97).chain([HEAD_BYTES - 1, HEAD_BYTES, bytes.len() - 1]) {
            fs::write(&path, &bytes[..length]).expect("writable");
            let error = read(&path, &keyring).expect_err("cut off");
            let expected = if length == 0 { "not a backup" } else { "it is incomplete" };
            assert!(error.contains(expected), "{length}: {error}");
        }
        fs::write(&path, [&bytes[..], b"\n"].concat()).expect("writable");
        assert!(read(&path, &keyring).expect_err("longer").contains("something was appended"));
    }
}
