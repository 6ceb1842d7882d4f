//! The directory that a document's references may not leave.
//!
//! A document may come from somebody whose changes are not trusted yet, such as the author of a pull request. What its
//! references name must then be nothing that only the machine can read, and no message may show it.

use clap::Args;
use std::io;
use std::path::{Component, Path, PathBuf};

/// Where references may lead.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct RootArguments {
    /// Follow references to files below DIR. By default, to files of the git repository that contains the document;
    /// outside of a repository, to files below the document's own directory. `/` allows every file. At a revision of git,
    /// references always stay within the repository.
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,
}

/// Why a reference is not followed.
#[derive(Debug, thiserror::Error)]
#[error("it is outside of {}; --root DIR names another directory that references may lead to", root.display())]
pub(super) struct OutsideError {
    root: PathBuf,
}

impl RootArguments {
    /// The directory, with symbolic links resolved, for a document at a path.
    ///
    /// # Errors
    /// When the directory does not exist.
    pub(super) fn of(&self, document: &Path) -> io::Result<PathBuf> {
        if let Some(root) = &self.root {
            return root.canonicalize();
        }
        let folder = document.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let folder = folder.canonicalize()?;
        let repository = folder.ancestors().find(|folder| folder.join(".git").exists());
        Ok(repository.unwrap_or(&folder).to_owned())
    }
}

/// The path of a file with symbolic links resolved, if it is below the root. Files of git itself (`.git`) count as outside:
/// its configuration may hold credentials.
///
/// # Errors
/// [`OutsideError`], whether or not there is such a file; the error of the file system for a missing file below the root.
pub(super) fn confine(path: &Path, root: &Path) -> io::Result<PathBuf> {
    let found = path.canonicalize();
    // Of a missing file, the nearest directory that exists tells where it would be.
    let known = match &found {
        Ok(found) => Some(found.clone()),
        Err(_) => path.ancestors().skip(1).find_map(|folder| {
            let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
            folder.canonicalize().ok()
        }),
    };
    let below = known.as_deref().and_then(|known| known.strip_prefix(root).ok());
    let is_outside = below.is_none_or(|below| below.components().any(is_git));
    match is_outside {
        true => Err(io::Error::other(OutsideError { root: root.to_owned() })),
        false => found,
    }
}

fn is_git(component: Component<'_>) -> bool {
    component.as_os_str().eq_ignore_ascii_case(".git")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn files_below_the_root_are_found_and_others_are_not() {
        let directory = tempfile::tempdir().expect("a directory");
        let at = |path: &str| directory.path().join(path);
        for path in ["repository/.git", "repository/openapi", "other"] {
            fs::create_dir_all(at(path)).expect("created");
        }
        for path in ["repository/common.yaml", "repository/openapi/api.yaml", "repository/.git/config", "other/a.yaml"]
        {
            fs::write(at(path), "x").expect("written");
        }
        let api = at("repository/openapi/api.yaml");
        let root = RootArguments::default().of(&api).expect("a root");
        assert_eq!(root, at("repository").canonicalize().expect("exists"));
        let is_outside = |path: &str| {
            let error = confine(&at("repository/openapi").join(path), &root).err()?;
            Some(error.get_ref().is_some_and(|error| error.is::<OutsideError>()))
        };
        for (path, expected) in [
            ("api.yaml", None),
            ("../common.yaml", None),
            ("missing.yaml", Some(false)),
            ("no/such/folder.yaml", Some(false)),
            ("../.git/config", Some(true)),
            ("../../other/a.yaml", Some(true)),
            ("../../other/missing.yaml", Some(true)),
            ("../../../../../../../etc/passwd", Some(true)),
        ] {
            assert_eq!(is_outside(path), expected, "{path}");
        }
        let wider = RootArguments { root: Some(directory.path().to_owned()) }.of(&api).expect("a root");
        assert!(confine(&at("repository/openapi/../../other/a.yaml"), &wider).is_ok());
        fs::remove_dir(at("repository/.git"))
            .unwrap_or_else(|_| fs::remove_dir_all(at("repository/.git")).expect("removed"));
        let own = RootArguments::default().of(&api).expect("a root");
        assert_eq!(own, at("repository/openapi").canonicalize().expect("exists"));
    }

    #[cfg(unix)]
    #[test]
    fn symbolic_links_are_followed_within_the_root_only() {
        use std::os::unix::fs::symlink;
        let directory = tempfile::tempdir().expect("a directory");
        let at = |path: &str| directory.path().join(path);
        fs::create_dir_all(at("root/inner")).expect("created");
        for path in ["root/inner/a.yaml", "secret.yaml"] {
            fs::write(at(path), "x").expect("written");
        }
        symlink(at("root/inner/a.yaml"), at("root/within.yaml")).expect("linked");
        symlink(at("secret.yaml"), at("root/out.yaml")).expect("linked");
        symlink(directory.path(), at("root/up")).expect("linked");
        let root = at("root").canonicalize().expect("exists");
        assert!(confine(&at("root/within.yaml"), &root).is_ok());
        for path in ["root/out.yaml", "root/up/secret.yaml", "root/up/missing.yaml"] {
            assert!(confine(&at(path), &root).is_err(), "{path}");
        }
    }
}
