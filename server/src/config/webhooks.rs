//! The `[[webhooks]]` of a configuration.

use super::read::{Text, tables};
use super::secret::SecretText;
use crate::net::webhook::WebhookUrl;
use countersign_domain::ids::TenantId;
use countersign_domain::tenant::Directory;
use countersign_domain::webhook::{EventType, SHORTEST_SECRET, Secret, Subscription};
use serde::{Deserialize, Deserializer};
use std::path::PathBuf;

/// A receiver of events.
#[derive(Clone, Debug)]
pub struct Receiver {
    pub subscription: Subscription,
    pub url: WebhookUrl,
    /// Key of the signature.
    pub secret: Secret,
    pub allows_private_addresses: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WebhookSection {
    /// In rows, log and metrics.
    name: String,
    url: Text<WebhookUrl>,
    /// All of them if left out.
    events: Option<Vec<Text<EventType>>>,
    /// All of them if left out.
    tenant: Option<Text<TenantId>>,
    secret_file: Option<PathBuf>,
    /// For the environment: a file with it may be committed.
    secret: Option<Text<SecretText>>,
    #[serde(default)]
    allow_private_addresses: bool,
    #[serde(default)]
    allow_http: bool,
}

pub(super) fn read_webhooks<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Vec<WebhookSection>>, D::Error> {
    tables(from, "webhooks")
}

/// # Errors
/// Says what is wrong with the list, as the continuation of a sentence.
pub(super) fn receivers(given: Option<Vec<WebhookSection>>, directory: &Directory) -> Result<Vec<Receiver>, String> {
    let mut receivers: Vec<Receiver> = Vec::new();
    for section in given.unwrap_or_default() {
        let receiver = receiver(section, directory)?;
        let name = &receiver.subscription.receiver;
        if receivers.iter().any(|other| other.subscription.receiver == *name) {
            return Err(format!("the webhook `{name}` is there twice"));
        }
        receivers.push(receiver);
    }
    Ok(receivers)
}

fn receiver(section: WebhookSection, directory: &Directory) -> Result<Receiver, String> {
    const LONGEST_NAME: usize = 64;
    let WebhookSection { name, url: Text(url), events, tenant, .. } = section;
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if name.is_empty() || name.len() > LONGEST_NAME || !name.bytes().all(is_plain) {
        let name = name.escape_debug();
        return Err(format!("`{name}` is no name of a webhook: give it up to {LONGEST_NAME} of a-z, 0-9 and -"));
    }
    if url.is_private() && !section.allow_private_addresses {
        return Err(format!(
            "the URL of the webhook `{name}` leads to this machine or a private network: set `allow_private_addresses` if it is meant to"
        ));
    }
    if url.is_readable() && !section.allow_http {
        return Err(format!(
            "the URL of the webhook `{name}` must be https:// beyond this machine, or `allow_http` be true"
        ));
    }
    let tenant_id = tenant.map(|Text(id)| id);
    if let Some(id) = tenant_id.filter(|id| directory.tenant(*id).is_none()) {
        return Err(format!("`{}`, of the webhook `{name}`, is not the id of a tenant", id.to_hyphenated()));
    }
    let events = match events {
        Some(events) if events.is_empty() => {
            return Err(format!("`events` of the webhook `{name}` is empty: leave it out for all events"));
        }
        Some(events) => events.into_iter().map(|Text(event)| event).collect(),
        None => EventType::ALL.iter().copied().collect(),
    };
    let secret = match (section.secret_file, section.secret) {
        (Some(path), None) => {
            let text = std::fs::read_to_string(&path);
            text.map_err(|error| format!("failed to read {}: {error}", path.display()))?.trim().to_owned()
        }
        (None, Some(Text(secret))) => secret.expose().to_owned(),
        (None, None) | (Some(_), Some(_)) => {
            return Err(format!("the webhook `{name}` needs one of `secret_file` and `secret`"));
        }
    };
    let secret = Secret::new(&secret)
        .ok_or_else(|| format!("the secret of the webhook `{name}` is shorter than {SHORTEST_SECRET} bytes"))?;
    let subscription = Subscription { receiver: name, events, tenant_id };
    Ok(Receiver { subscription, url, secret, allows_private_addresses: section.allow_private_addresses })
}

#[cfg(test)]
mod tests {
    use super::*;
    use countersign_domain::time::Timestamp;
    use toml::Value;

    const SECRET: &str = "0123456789abcdef0123456789abcdef";

    fn read(text: &str) -> Result<Vec<Receiver>, String> {
        let given = read_webhooks(Value::from(text)).map_err(|error| error.message().to_owned())?;
        receivers(given, &Directory::default())
    }

    fn with(more: &str) -> Result<Vec<Receiver>, String> {
        read(&format!(r#"[{{"name": "crm", "url": "https://crm.example/events", "secret": "{SECRET}"{more}}}]"#))
    }

    #[test]
    fn without_configuration_there_is_none_and_without_a_choice_all_events_are_sent() {
        assert_eq!(read("").expect("none").len(), 0);
        let receivers = with("").expect("valid");
        let Subscription { receiver, events, tenant_id } = &receivers[0].subscription;
        assert_eq!((receiver.as_str(), events.len(), *tenant_id), ("crm", EventType::ALL.len(), None));
        assert!(!receivers[0].allows_private_addresses);
        let some = with(r#", "events": ["user.create"], "tenant": "c0de0000-0000-4000-8000-000000000001""#);
        let some = &some.expect("valid")[0].subscription;
        assert_eq!((some.events.len(), some.tenant_id), (1, Some(TenantId::DEFAULT)));
    }

    #[test]
    fn a_secret_comes_from_a_file() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path().join("secret");
        std::fs::write(&path, format!("{SECRET}\n")).expect("written");
        let text =
            format!(r#"[{{"name": "crm", "url": "https://crm.example/", "secret_file": "{}"}}]"#, path.display());
        let (found, expected) = (read(&text).expect("valid")[0].secret.clone(), Secret::new(SECRET).expect("long"));
        let now = Timestamp::from_millis(0);
        assert_eq!(found.sign(b"x", now), expected.sign(b"x", now));
    }

    #[test]
    fn mistakes_are_named_and_secrets_are_not() {
        for (found, problem) in [
            (
                with(r#", "events": ["user.craete"]"#),
                "`user.craete` is no event that is sent; there are user.action, user.create",
            ),
            (with(r#", "events": []"#), "is empty: leave it out for all events"),
            (with(r#", "tenant": "11111111-1111-4111-8111-111111111111""#), "is not the id of a tenant"),
            (with(r#", "secret_file": "/x""#), "needs one of `secret_file` and `secret`"),
            (with(r#", "color": "red""#), "unknown field `color`"),
            (read(r#"[{"name": "crm", "url": "https://crm.example/"}]"#), "needs one of `secret_file` and `secret`"),
            (
                read(r#"[{"name": "crm", "url": "https://crm.example/", "secret": "hunter2"}]"#),
                "the secret of the webhook `crm` is shorter than 32 bytes",
            ),
            (
                read(r#"[{"name": "crm", "url": "https://crm.example/", "secret_file": "/nonexistent"}]"#),
                "failed to read /nonexistent",
            ),
            (read(r#"[{"name": "My CRM", "url": "https://crm.example/"}]"#), "is no name of a webhook"),
            (read(r#"[{"name": "crm", "url": "crm.example"}]"#), "expected https://host/path"),
            (read(r#"[{"name": "crm", "url": "http://crm.example"}]"#), "must be https:// beyond this machine"),
            (read(r#"[{"name": "crm", "url": "https://10.0.0.1"}]"#), "set `allow_private_addresses`"),
            (read(r#"[{"name": "crm", "url": "http://localhost:1"}]"#), "set `allow_private_addresses`"),
        ] {
            let found = found.expect_err(problem);
            assert!(found.contains(problem) && !found.contains("hunter2"), "{found}");
        }
        let twice = format!(r#"{{"name": "crm", "url": "https://crm.example/", "secret": "{SECRET}"}}"#);
        let found = read(&format!("[{twice}, {twice}]")).expect_err("twice");
        assert_eq!(found, "the webhook `crm` is there twice");
    }

    #[test]
    fn what_is_meant_to_be_private_or_readable_can_be_allowed() {
        for url in ["http://127.0.0.1:8080/", "https://10.0.0.1/", "http://crm.internal/"] {
            let allowed = r#""allow_private_addresses": true, "allow_http": true"#;
            let text = format!(r#"[{{"name": "crm", "url": "{url}", "secret": "{SECRET}", {allowed}}}]"#);
            assert_eq!(read(&text).expect(url).len(), 1);
        }
    }
}
