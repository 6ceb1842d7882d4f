//! Finds the files that steer the tools: the configuration and the exceptions.

use super::ContractError;
use super::root::RootArguments;
use clap::Args;
use countersign_contract_profile::Profile;
use std::path::{Path, PathBuf};

/// File name of a configuration.
const CONFIGURATION: &str = "contract.toml";

/// The configuration of diff and lint.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct ProfileArguments {
    /// Read the configuration from FILE. By default, from contract.toml beside the (new, or first) document or at the root
    /// that references may lead to, if there is one.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl ProfileArguments {
    /// The configuration for a document; the default one without a file.
    pub(super) fn load(&self, document: &str, root: &RootArguments) -> Result<Profile, ContractError> {
        let path = self.config.clone().or_else(|| find(CONFIGURATION, document, root));
        let Some(path) = path else { return Ok(Profile::default()) };
        Ok(Profile::parse(&path.display().to_string(), &read(&path)?)?)
    }
}

/// The file of this name beside a document, or else at the root that its references may lead to.
pub(super) fn find(name: &str, document: &str, root: &RootArguments) -> Option<PathBuf> {
    let beside = beside(document).join(name);
    if beside.is_file() {
        return Some(beside);
    }
    let path = if Path::new(document).exists() { document } else { "." };
    let at_root = root.of(Path::new(path)).ok()?.join(name);
    at_root.is_file().then(|| relative(&at_root))
}

/// The directory of a document; for standard input and a revision of git, the working directory.
pub(super) fn beside(document: &str) -> &Path {
    let path = Path::new(document);
    path.parent().filter(|_| path.exists()).unwrap_or(Path::new(""))
}

/// The text of a file.
pub(super) fn read(path: &Path) -> Result<String, ContractError> {
    let unreadable = |source| ContractError::Unreadable { name: path.display().to_string(), source };
    std::fs::read_to_string(path).map_err(unreadable)
}

/// The path from the working directory, if the file is below it.
fn relative(path: &Path) -> PathBuf {
    let here = std::env::current_dir().and_then(|here| here.canonicalize());
    let below = here.ok().and_then(|here| path.strip_prefix(here).ok().map(Path::to_owned));
    below.unwrap_or_else(|| path.to_owned())
}
