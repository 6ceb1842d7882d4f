//! Changes of a keyring: the file is replaced at once and completely; keys that come from elsewhere are printed instead.

use super::{FirstRunError, is_missing, parse, read_keyring, read_named_keyring};
use crate::config::Settings;
use crate::config::values::KeyringSource;
use countersign_domain::keyring::Keyring;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, fchown};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// A keyring that is about to be changed. While it is open, another command waits that changes the same file.
#[derive(Debug)]
pub struct KeyringFile {
    pub keyring: Keyring,
    /// `None` if the keys come from the environment or a credential.
    path: Option<PathBuf>,
    _lock: Option<File>,
}

/// Where a changed keyring went.
pub enum Written {
    File(PathBuf),
    /// The text, which the operator puts where the keys come from.
    Nowhere(Zeroizing<String>),
}

impl KeyringFile {
    /// Opens the keyring that the settings name. It has to exist.
    ///
    /// # Errors
    /// When it cannot be read, or others can read it.
    pub fn open(settings: &Settings) -> Result<Self, FirstRunError> {
        let path = match &settings.keyring {
            KeyringSource::Text(_) | KeyringSource::Credential(_) => {
                return Ok(Self { keyring: read_named_keyring(&settings.keyring)?, path: None, _lock: None });
            }
            KeyringSource::NamedFile(path) | KeyringSource::DefaultFile(path) => path,
        };
        if is_missing(path) {
            return Err(FirstRunError::NoKeyring { path: path.clone() });
        }
        let failed = |source| FirstRunError::ReadKeyring { path: path.clone(), source };
        // A link stays a link.
        let path = path.canonicalize().map_err(failed)?;
        let directory = File::open(directory_of(&path)).map_err(failed)?;
        directory.lock().map_err(failed)?;
        Ok(Self { keyring: read_keyring(&path)?, path: Some(path), _lock: Some(directory) })
    }

    /// Puts the changed keyring in the place of the file.
    ///
    /// # Errors
    /// When the file cannot be replaced; then it is as it was.
    pub fn write(self) -> Result<Written, FirstRunError> {
        let text = self.keyring.to_text();
        let Some(path) = self.path else { return Ok(Written::Nowhere(text)) };
        match replace(&path, text.as_bytes()) {
            Ok(()) => Ok(Written::File(path)),
            Err(source) => Err(FirstRunError::WriteKeyring { path, source }),
        }
    }
}

fn directory_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// The new file has the owner of the one before, so that a server of another user can still read it.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let before = fs::metadata(path)?;
    let draft = path.with_extension(format!("draft-{}", std::process::id()));
    // A crashed process with the same id may have left a draft.
    let _ = fs::remove_file(&draft);
    let replaced = (|| {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
        let made = file.metadata()?;
        if (made.uid(), made.gid()) != (before.uid(), before.gid()) {
            fchown(&file, Some(before.uid()), Some(before.gid()))?;
        }
        file.write_all(bytes)?;
        file.sync_all()?;
        // What is read back is what nodes will read.
        parse(&fs::read_to_string(&draft)?, String::new).map_err(io::Error::other)?;
        fs::rename(&draft, path)
    })();
    if replaced.is_err() {
        let _ = fs::remove_file(&draft);
    }
    replaced?;
    // It is replaced now; where the directory cannot be written out, a power failure may bring the former one back.
    let _ = File::open(directory_of(path)).and_then(|directory| directory.sync_all());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::secret::SecretText;
    use crate::first_run::prepare;
    use rand::SeedableRng as _;
    use rand::rngs::StdRng;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn a_file_is_replaced_at_once_and_only_its_owner_can_read_it() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let settings = Settings::default_in(directory.path());
        let mut random = StdRng::seed_from_u64(1);
        prepare(&settings, &mut random).expect("a first run");
        let path = directory.path().join("keyring");
        let mut open = KeyringFile::open(&settings).expect("it is there");
        let new = open.keyring.add_pending(&mut random);
        let Written::File(written) = open.write().expect("writable") else { panic!("there is a file") };
        assert_eq!(written, path.canonicalize().expect("a path"));
        assert_eq!(fs::metadata(&path).expect("a file").permissions().mode() & 0o777, 0o600);
        let found = KeyringFile::open(&settings).expect("it is there").keyring;
        assert!(found.opens(&new) && found.active_id() != new);
        let names: Vec<_> =
            fs::read_dir(directory.path()).expect("a directory").map(|entry| entry.expect("one").file_name()).collect();
        assert!(names.iter().all(|name| !name.to_string_lossy().contains("draft")), "{names:?}");
    }

    #[test]
    fn commands_that_change_one_file_wait_for_each_other() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let settings = Settings::default_in(directory.path());
        prepare(&settings, &mut StdRng::seed_from_u64(2)).expect("a first run");
        std::thread::scope(|scope| {
            for seed in 3..9 {
                let settings = &settings;
                scope.spawn(move || {
                    let mut open = KeyringFile::open(settings).expect("it is there");
                    open.keyring.add_pending(&mut StdRng::seed_from_u64(seed));
                    open.write().expect("writable");
                });
            }
        });
        assert_eq!(KeyringFile::open(&settings).expect("it is there").keyring.entries().len(), 7);
    }

    #[test]
    fn keys_from_elsewhere_are_returned() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let mut random = StdRng::seed_from_u64(1);
        let text = Keyring::generate(&mut random).to_text().to_string();
        let file = directory.path().join("keyring");
        fs::write(&file, &text).expect("writable");
        // As systemd shows a credential that a service of another user gets by an access list.
        fs::set_permissions(&file, fs::Permissions::from_mode(0o440)).expect("permitted");
        for source in [KeyringSource::Text(SecretText::new(&text)), KeyringSource::Credential(file.clone())] {
            let mut settings = Settings::default_in(directory.path());
            settings.keyring = source;
            let mut open = KeyringFile::open(&settings).expect("usable");
            let new = open.keyring.add_pending(&mut random);
            let Written::Nowhere(changed) = open.write().expect("text") else { panic!("there is no file to write") };
            assert!(Keyring::parse(&changed).expect("a keyring").opens(&new));
            assert_eq!(fs::read_to_string(&file).expect("a file"), text);
        }
    }
}
