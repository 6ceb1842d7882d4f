//! What a start finds on disk or makes there: directories, the keyring, the database file.
//!
//! Everything made here is for its owner only. A keyring appears whole or not at all, so that of two starts at once
//! both use the same one; and it is never made beside a database that an earlier one has sealed, because that would
//! turn a missing file into lost data.

use crate::config::Settings;
use crate::config::values::{DatabaseUrl, KeyringSource};
use countersign_domain::jwt::Algorithm;
use countersign_domain::keyring::{Keyring, KeyringError};
use rand::CryptoRng;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// What the server needs from disk.
#[derive(Debug)]
pub struct Prepared {
    /// The keys.
    pub keyring: Keyring,
    /// Whether they were made just now.
    pub keyring_is_new: bool,
}

/// Why the server cannot start with what is on disk.
#[derive(Debug, thiserror::Error)]
pub enum FirstRunError {
    /// A directory could not be made.
    #[error("the directory {path} could not be made")]
    Directory {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The keyring could not be read.
    #[error("the keyring {path} could not be read")]
    ReadKeyring {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The keyring could not be made.
    #[error("the keyring {path} could not be made")]
    MakeKeyring {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The configured keyring does not exist.
    #[error(
        "there is no keyring at {path}; make one with `(umask 077; countersign generate-keyring > {path})`, or put the \
         one back that this database was used with"
    )]
    NoKeyring {
        /// Where it was expected.
        path: PathBuf,
    },
    /// The keyring is gone, but the database that it belongs to is not.
    #[error(
        "the database {database} exists, but its keyring {keyring} does not; a new one could not open what the old one \
         has sealed: put the old one back (or move the database away to start anew)"
    )]
    LostKeyring {
        /// The database.
        database: PathBuf,
        /// Where the keyring was.
        keyring: PathBuf,
    },
    /// Others can read the keys.
    #[error("others can read the keyring {path} (mode {mode:03o}): run `chmod 600 {path}`")]
    ExposedKeyring {
        /// Which.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// The keyring is not one.
    #[error("{place} is not a keyring")]
    Keyring {
        /// The file or the variable.
        place: String,
        /// Why.
        #[source]
        source: KeyringError,
    },
    /// The database file could not be made.
    #[error("the database file {path} could not be made")]
    Database {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// Makes what is missing and reads the keyring.
///
/// # Errors
/// When something is missing that must not be made, or cannot be made, or is not safe to use.
pub fn prepare(settings: &Settings, random: &mut dyn CryptoRng) -> Result<Prepared, FirstRunError> {
    // The keyring comes first: a database that exists says that there was one.
    let prepared = match &settings.keyring {
        KeyringSource::DefaultFile(path) => {
            let keyring_is_new = !path.exists() && make_keyring(path, settings, random)?;
            Prepared { keyring: read_keyring(path)?, keyring_is_new }
        }
        named => Prepared { keyring: read_named_keyring(named)?, keyring_is_new: false },
    };
    if let DatabaseUrl::Sqlite(path) = &settings.database.url {
        make_parent(path)?;
        make_database(path).map_err(|source| FirstRunError::Database { path: path.clone(), source })?;
    }
    if settings.smtp.is_none() {
        make_parent(&settings.outbox)?;
    }
    Ok(prepared)
}

/// What [`prepare`] would refuse, without making anything: the keyring, if there is one already.
///
/// # Errors
/// As [`prepare`], as far as it can be known beforehand.
pub fn look(settings: &Settings) -> Result<Option<Keyring>, FirstRunError> {
    match &settings.keyring {
        KeyringSource::DefaultFile(path) if !path.exists() => {
            refuse_lost_keyring(path, settings)?;
            Ok(None)
        }
        KeyringSource::DefaultFile(path) => read_keyring(path).map(Some),
        named => read_named_keyring(named).map(Some),
    }
}

fn make_parent(path: &Path) -> Result<(), FirstRunError> {
    let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) else { return Ok(()) };
    let made = DirBuilder::new().recursive(true).mode(0o700).create(parent);
    made.map_err(|source| FirstRunError::Directory { path: parent.to_owned(), source })
}

fn read_named_keyring(source: &KeyringSource) -> Result<Keyring, FirstRunError> {
    match source {
        KeyringSource::Text(text) => parse(text.expose(), || crate::config::Key::Keys.variable().to_owned()),
        KeyringSource::NamedFile(path) if !path.exists() => Err(FirstRunError::NoKeyring { path: path.clone() }),
        KeyringSource::NamedFile(path) | KeyringSource::DefaultFile(path) => read_keyring(path),
    }
}

fn refuse_lost_keyring(path: &Path, settings: &Settings) -> Result<(), FirstRunError> {
    if let DatabaseUrl::Sqlite(database) = &settings.database.url
        && fs::metadata(database).is_ok_and(|found| found.len() > 0)
        // Another start may have made both since we looked for the keyring.
        && !path.exists()
    {
        return Err(FirstRunError::LostKeyring { database: database.clone(), keyring: path.to_owned() });
    }
    Ok(())
}

/// Returns whether it was this call that made it.
fn make_keyring(path: &Path, settings: &Settings, random: &mut dyn CryptoRng) -> Result<bool, FirstRunError> {
    refuse_lost_keyring(path, settings)?;
    make_parent(path)?;
    let failed = |source| FirstRunError::MakeKeyring { path: path.to_owned(), source };
    let mut keyring = Keyring::generate(random);
    if settings.tokens.algorithm == Algorithm::Rs256 {
        keyring.add_rsa_key().map_err(|error| failed(io::Error::other(error)))?;
    }
    write_new(path, keyring.to_text().as_bytes()).map_err(failed)
}

/// Writes a file that appears whole; `false` when another was there first.
fn write_new(path: &Path, bytes: &[u8]) -> io::Result<bool> {
    static ATTEMPT: AtomicU64 = AtomicU64::new(0);
    let attempt = ATTEMPT.fetch_add(1, Ordering::Relaxed);
    let draft = path.with_extension(format!("draft-{}-{attempt}", std::process::id()));
    // A draft of this name is what a crashed process of the same id has left behind.
    let _ = fs::remove_file(&draft);
    let written = (|| {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        // Unlike a rename, a link does not replace what is there.
        match fs::hard_link(&draft, path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
            linked => linked.map(|()| true),
        }
    })();
    let _ = fs::remove_file(&draft);
    if let Some(directory) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        File::open(directory)?.sync_all()?;
    }
    written
}

fn read_keyring(path: &Path) -> Result<Keyring, FirstRunError> {
    let failed = |source| FirstRunError::ReadKeyring { path: path.to_owned(), source };
    let mode = fs::metadata(path).map_err(failed)?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(FirstRunError::ExposedKeyring { path: path.to_owned(), mode });
    }
    let text = fs::read_to_string(path).map_err(failed)?;
    parse(&text, || path.display().to_string())
}

fn parse(text: &str, place: impl FnOnce() -> String) -> Result<Keyring, FirstRunError> {
    Keyring::parse(text).map_err(|source| FirstRunError::Keyring { place: place(), source })
}

/// SQLite makes files that the group can read; and it gives the journal the mode of the database.
fn make_database(path: &Path) -> io::Result<()> {
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        made => made.map(drop),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng as _;
    use rand::rngs::StdRng;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).expect("it exists").permissions().mode() & 0o777
    }

    fn random() -> StdRng {
        StdRng::seed_from_u64(1)
    }

    #[test]
    fn everything_made_is_for_its_owner_only() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let data_dir = directory.path().join("a/b");
        let settings = Settings::default_in(&data_dir);

        let first = prepare(&settings, &mut random()).expect("a first run");

        assert!(first.keyring_is_new);
        assert_eq!(mode(&data_dir), 0o700);
        assert_eq!(mode(&data_dir.join("keyring")), 0o600);
        assert_eq!(mode(&data_dir.join("countersign.db")), 0o600);
        let names: Vec<_> =
            fs::read_dir(&data_dir).expect("a directory").map(|entry| entry.expect("an entry").file_name()).collect();
        assert_eq!(names.len(), 2, "no draft is left: {names:?}");

        let second = prepare(&settings, &mut random()).expect("a second run");
        assert!(!second.keyring_is_new);
        assert_eq!(*second.keyring.to_text(), *first.keyring.to_text());
    }

    #[test]
    fn starts_at_once_agree_on_one_keyring() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let texts: Vec<String> = std::thread::scope(|scope| {
            let start = |seed| {
                let settings = Settings::default_in(directory.path());
                scope.spawn(move || {
                    let prepared = prepare(&settings, &mut StdRng::seed_from_u64(seed)).expect("a start");
                    prepared.keyring.to_text().to_string()
                })
            };
            (0..8).map(start).collect::<Vec<_>>().into_iter().map(|thread| thread.join().expect("no panic")).collect()
        });
        assert!(texts.iter().all(|text| *text == texts[0]));
    }

    #[test]
    fn a_keyring_that_others_can_read_is_refused() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let settings = Settings::default_in(directory.path());
        prepare(&settings, &mut random()).expect("a first run");
        let keyring = directory.path().join("keyring");
        for exposed in [0o640, 0o604, 0o620] {
            fs::set_permissions(&keyring, fs::Permissions::from_mode(exposed)).expect("permitted");
            let error = prepare(&settings, &mut random()).expect_err("exposed").to_string();
            assert!(error.contains(&format!("(mode {exposed:o}): run `chmod 600 ")), "{error}");
        }
    }

    #[test]
    fn a_lost_keyring_is_not_replaced() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let settings = Settings::default_in(directory.path());
        prepare(&settings, &mut random()).expect("a first run");
        fs::write(directory.path().join("countersign.db"), "data").expect("writable");
        fs::remove_file(directory.path().join("keyring")).expect("removable");
        assert!(matches!(prepare(&settings, &mut random()), Err(FirstRunError::LostKeyring { .. })));
        assert!(!directory.path().join("keyring").exists());
    }

    #[test]
    fn a_named_keyring_has_to_exist_and_text_needs_no_file() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let mut settings = Settings::default_in(directory.path());
        settings.keyring = KeyringSource::NamedFile(directory.path().join("mine"));
        assert!(matches!(prepare(&settings, &mut random()), Err(FirstRunError::NoKeyring { .. })));

        let text = Keyring::generate(&mut random()).to_text().to_string();
        settings.keyring = KeyringSource::Text(crate::config::secret::SecretText::new(text));
        assert!(!prepare(&settings, &mut random()).expect("keys as text").keyring_is_new);
        assert!(!directory.path().join("keyring").exists());

        settings.keyring = KeyringSource::Text(crate::config::secret::SecretText::new("hunter2"));
        let error = prepare(&settings, &mut random()).expect_err("not a keyring").to_string();
        assert_eq!(error, "COUNTERSIGN_KEYS is not a keyring");
    }
}
