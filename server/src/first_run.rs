//! Creates what a start needs on disk: directories, the keyring, the database file.
//!
//! Only the owner can read what is created here. A keyring file appears complete or not at all, so that concurrent starts
//! use the same one. It is never created if the database exists already, because the new keys could not decrypt it.

pub mod keyring_file;

use crate::config::Settings;
use crate::config::values::{DatabaseUrl, KeyringSource};
use countersign_domain::keyring::{Keyring, KeyringError};
use countersign_domain::signing::Algorithm;
use rand::CryptoRng;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

#[derive(Debug)]
pub struct Prepared {
    pub keyring: Keyring,
    /// Whether this start created the keyring.
    pub keyring_is_new: bool,
}

#[derive(Debug, thiserror::Error)]
pub enum FirstRunError {
    #[error("failed to create the directory {path}")]
    Directory {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("failed to read the keyring {path}")]
    ReadKeyring {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("failed to create the keyring {path}")]
    CreateKeyring {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("failed to replace the keyring {path}")]
    WriteKeyring {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error(
        "there is no keyring at {path}; create one with `(umask 077; countersign generate-keyring > {path})`, or \
         restore the one that this database was used with"
    )]
    NoKeyring { path: PathBuf },
    #[error(
        "the database {database} exists, but its keyring {keyring} does not; a new keyring could not decrypt what the \
         old one has encrypted: restore the old one (or move the database away to start over)"
    )]
    LostKeyring { database: PathBuf, keyring: PathBuf },
    #[error("others can read the keyring {path} (mode {mode:03o}): run `chmod 600 {path}`")]
    ExposedKeyring { path: PathBuf, mode: u32 },
    #[error("{place} is not a keyring")]
    Keyring {
        /// File or variable.
        place: String,
        #[source]
        source: KeyringError,
    },
    #[error("failed to create the database file {path}")]
    Database {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
}

/// Creates what is missing and reads the keyring.
///
/// # Errors
/// When something is missing that must not or cannot be created, or others can read the keyring.
pub fn prepare(settings: &Settings, random: &mut dyn CryptoRng) -> Result<Prepared, FirstRunError> {
    // The keyring comes first, because an existing database means that there was one.
    let prepared = match &settings.keyring {
        KeyringSource::DefaultFile(path) => {
            let keyring_is_new = is_missing(path) && create_keyring(path, settings, random)?;
            Prepared { keyring: read_keyring(path)?, keyring_is_new }
        }
        named => Prepared { keyring: read_named_keyring(named)?, keyring_is_new: false },
    };
    if let DatabaseUrl::Sqlite(path) = &settings.database.url {
        create_parent(path)?;
        create_database(path).map_err(|source| FirstRunError::Database { path: path.clone(), source })?;
    }
    if settings.smtp.is_none() {
        create_parent(&settings.outbox)?;
    }
    Ok(prepared)
}

/// Reads the keyring, if it exists, without creating anything.
///
/// # Errors
/// Those of [`prepare`] that concern the keyring.
pub fn inspect_keyring(settings: &Settings) -> Result<Option<Keyring>, FirstRunError> {
    match &settings.keyring {
        KeyringSource::DefaultFile(path) if is_missing(path) => {
            refuse_lost_keyring(path, settings)?;
            Ok(None)
        }
        KeyringSource::DefaultFile(path) => read_keyring(path).map(Some),
        named => read_named_keyring(named).map(Some),
    }
}

/// Whether there is no such file. One that cannot be looked at is no missing one: reading it says what is wrong.
pub(crate) fn is_missing(path: &Path) -> bool {
    matches!(path.try_exists(), Ok(false))
}

/// Creates the directory of a file, which only its owner can read.
pub(crate) fn create_parent(path: &Path) -> Result<(), FirstRunError> {
    let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) else { return Ok(()) };
    let created = DirBuilder::new().recursive(true).mode(0o700).create(parent);
    created.map_err(|source| FirstRunError::Directory { path: parent.to_owned(), source })
}

fn read_named_keyring(source: &KeyringSource) -> Result<Keyring, FirstRunError> {
    match source {
        KeyringSource::Text(text) => parse(text.expose(), || crate::config::Key::Keys.variable().to_owned()),
        KeyringSource::Credential(path) => {
            // systemd keeps others away by the directory, and shows an access list for the service's user as the group's mode.
            let failed = |source| FirstRunError::ReadKeyring { path: path.clone(), source };
            parse(&fs::read_to_string(path).map_err(failed)?, || path.display().to_string())
        }
        KeyringSource::NamedFile(path) if is_missing(path) => Err(FirstRunError::NoKeyring { path: path.clone() }),
        KeyringSource::NamedFile(path) | KeyringSource::DefaultFile(path) => read_keyring(path),
    }
}

fn refuse_lost_keyring(path: &Path, settings: &Settings) -> Result<(), FirstRunError> {
    if let DatabaseUrl::Sqlite(database) = &settings.database.url
        && fs::metadata(database).is_ok_and(|found| found.len() > 0)
        // Another start may have created both since the first look.
        && is_missing(path)
    {
        return Err(FirstRunError::LostKeyring { database: database.clone(), keyring: path.to_owned() });
    }
    Ok(())
}

/// Returns whether this call created it, and not a concurrent start.
fn create_keyring(path: &Path, settings: &Settings, random: &mut dyn CryptoRng) -> Result<bool, FirstRunError> {
    refuse_lost_keyring(path, settings)?;
    create_parent(path)?;
    let failed = |source| FirstRunError::CreateKeyring { path: path.to_owned(), source };
    let mut keyring = Keyring::generate(random);
    if settings.tokens.algorithm == Algorithm::Rs256 {
        keyring.add_rsa_key().map_err(|error| failed(io::Error::other(error)))?;
    }
    write_new(path, keyring.to_text().as_bytes()).map_err(failed)
}

/// Writes a file that appears complete; returns `false` if one exists already.
fn write_new(path: &Path, bytes: &[u8]) -> io::Result<bool> {
    static ATTEMPT: AtomicU64 = AtomicU64::new(0);
    let attempt = ATTEMPT.fetch_add(1, Ordering::Relaxed);
    let draft = path.with_extension(format!("draft-{}-{attempt}", std::process::id()));
    // A crashed process with the same id may have left a draft.
    let _ = fs::remove_file(&draft);
    let written = (|| {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        // Unlike a rename, a link does not replace an existing file.
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

/// SQLite would create a file that the group can read. Its journal gets the mode of the database.
fn create_database(path: &Path) -> io::Result<()> {
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        created => created.map(drop),
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
    fn only_the_owner_can_read_what_is_created() {
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
        assert_eq!(names.len(), 2, "a draft is left: {names:?}");

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
