//! Reads recorded traffic.

use super::ContractError;
use countersign_contract_check::exchange::Exchange;
use countersign_contract_check::har::Recording;
use reqwest::Url;
use std::path::Path;

/// The requests of a HAR file to URLs below a base, with their responses.
///
/// # Errors
/// A file that cannot be read, that is no recording, or that has no such request.
pub(super) fn read(file: &Path, base: &Url) -> Result<Vec<Exchange>, ContractError> {
    let name = file.display().to_string();
    let text = std::fs::read_to_string(file);
    let text = text.map_err(|source| ContractError::Unreadable { name: name.clone(), source })?;
    let recording = Recording::read(&text);
    let recording = recording.map_err(|source| ContractError::Recording { name: name.clone(), source })?;
    let exchanges: Vec<Exchange> = recording.exchanges(base.as_str()).collect();
    match exchanges.is_empty() {
        true => Err(ContractError::NothingRecorded { name, url: base.to_string() }),
        false => Ok(exchanges),
    }
}
