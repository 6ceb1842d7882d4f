//! Defaults, some of which follow from other settings.

use super::keys::Key;
use super::layers::{Entry, Source};
use super::settings::MAX_HASH_THREADS;
use countersign_domain::passkey::options::UserVerification;
use countersign_domain::policy::Policy;
use countersign_domain::tenant::{MailedCodes, RefreshTokenUsage};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;

/// Gives a value to every key that has none. Empty text means "none".
pub(super) fn add(entries: &mut BTreeMap<Key, Entry>) {
    // The table lists a setting before those whose defaults follow from it.
    for key in Key::ALL {
        if !entries.contains_key(key) {
            let strict = strict_text(*key).filter(|_| is_strict(entries));
            let source = if strict.is_some() { Source::Profile } else { Source::Default };
            let value = strict.unwrap_or_else(|| default_text(*key, entries)).into();
            entries.insert(*key, Entry { value, source });
        }
    }
}

/// Whether the strict profile is chosen. The table lists the profile before the settings that follow from it.
fn is_strict(entries: &BTreeMap<Key, Entry>) -> bool {
    entries.get(&Key::Profile).is_some_and(|entry| entry.text().trim() == "strict")
}

/// The default of the strict profile, where it is another one. Limits and lifetimes that are no settings are in
/// `Policy::strict`.
fn strict_text(key: Key) -> Option<String> {
    let strict = Policy::strict();
    let lifetime = match key {
        Key::MailedCodes => return Some(MailedCodes::Never.name().to_owned()),
        Key::RefreshTokenUsage => return Some(RefreshTokenUsage::OneTimeUse.name().to_owned()),
        Key::PasskeyUserVerification => return Some(UserVerification::Required.name().to_owned()),
        Key::Passwordless => return Some(if strict.signs_in_by_mail { "on" } else { "off" }.to_owned()),
        Key::SessionIdle => strict.session_lifetime,
        Key::SessionLifetime => strict.session_absolute_lifetime,
        Key::RefreshTokenIdle => strict.refresh_token_lifetime,
        Key::RefreshTokenLifetime => strict.refresh_token_absolute_lifetime,
        Key::TrustIdle => strict.trust_lifetime,
        Key::TrustLifetime => strict.trust_absolute_lifetime,
        Key::AccessTokenLifetime => strict.access_token_lifetime,
        Key::AssuranceLifetime => strict.assurance_lifetime,
        _ => return None,
    };
    Some(lifetime.as_secs().to_string())
}

fn default_text(key: Key, entries: &BTreeMap<Key, Entry>) -> String {
    let text = |key| entries.get(&key).map_or_else(String::new, Entry::text);
    let in_data_dir = |name: &str| Path::new(&text(Key::DataDir)).join(name).display().to_string();
    match key {
        Key::BaseUrl => base_url(&text(Key::Listen)),
        // The base URL, or below it, which is not known before its port is.
        Key::JwtIssuer | Key::ChangePasswordLink | Key::VerifyEmailLink | Key::PasswordlessLink => String::new(),
        Key::Outbox => in_data_dir("outbox.ndjson"),
        Key::Keyring => in_data_dir("keyring"),
        Key::DatabaseUrl => format!("sqlite:{}", in_data_dir("countersign.db")),
        Key::HashThreads => {
            std::thread::available_parallelism().map_or(1, usize::from).min(MAX_HASH_THREADS).to_string()
        }
        Key::TrustedOrigins
        | Key::TrustedProxies
        | Key::DisabledPaths
        | Key::JwtRetiringAlgorithms
        | Key::Tenants
        | Key::Applications
        | Key::Webhooks
        | Key::Keys
        | Key::CookieDomain
        | Key::PasskeyRpId
        | Key::PasskeyOrigins
        | Key::SmtpUrl
        | Key::SmtpFrom
        // The sender's domain.
        | Key::SmtpHello
        | Key::SmtpTls
        | Key::SmtpCa
        | Key::SmsUrl
        | Key::SmsSecret
        | Key::SmsAccount
        | Key::SmsFrom
        | Key::MessageTemplates
        | Key::OperationsListen
        | Key::TracesEndpoint => String::new(),
        Key::Notices => if text(Key::SmtpUrl).trim().is_empty() { "off" } else { "on" }.to_owned(),
        plain => plain.default_in_words().to_owned(),
    }
}

/// Names loopback `localhost`, because that is what people type into browsers, and `127.0.0.1` is another origin.
fn base_url(listen: &str) -> String {
    match listen.parse::<SocketAddr>() {
        Ok(address) if address.ip().is_loopback() => format!("http://localhost:{}", address.port()),
        _ => format!("http://{listen}"),
    }
}
