//! Defaults, some of which follow from other settings.

use super::keys::Key;
use super::layers::{Given, Source};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;

/// Gives every setting a text. An empty text means "none".
pub(super) fn complete(given: &mut BTreeMap<Key, Given>) {
    // In the table's order, the settings that others follow from come first.
    for key in Key::ALL {
        if !given.contains_key(key) {
            let text = default_text(*key, given);
            given.insert(*key, Given { text, source: Source::Default });
        }
    }
}

fn default_text(key: Key, given: &BTreeMap<Key, Given>) -> String {
    let text = |key| given.get(&key).map_or("", |given| given.text.as_str());
    let in_data_dir = |name: &str| Path::new(text(Key::DataDir)).join(name).display().to_string();
    match key {
        Key::BaseUrl => base_url(text(Key::Listen)),
        // The base URL, which may still change with a port that is chosen.
        Key::JwtIssuer => String::new(),
        Key::Outbox => in_data_dir("outbox.ndjson"),
        Key::Keyring => in_data_dir("keyring"),
        Key::DatabaseUrl => format!("sqlite:{}", in_data_dir("countersign.db")),
        Key::HashThreads => std::thread::available_parallelism().map_or(1, usize::from).to_string(),
        Key::TrustedOrigins
        | Key::TrustedProxies
        | Key::DisabledPaths
        | Key::Tenants
        | Key::Applications
        | Key::Keys
        | Key::SmtpUrl
        | Key::SmtpFrom => String::new(),
        plain => plain.default_in_words().to_owned(),
    }
}

/// People type `localhost` into browsers, and an origin counts letter by letter, so loopback is called that.
fn base_url(listen: &str) -> String {
    match listen.parse::<SocketAddr>() {
        Ok(address) if address.ip().is_loopback() => format!("http://localhost:{}", address.port()),
        _ => format!("http://{listen}"),
    }
}
