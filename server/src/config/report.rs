//! The output of `check-config`: every effective value with its source, then notes and problems.

use super::keys::Key;
use super::settings::Settings;
use super::values::DatabaseUrl;
use super::{Configuration, layers::DEFAULT_FILE};
use crate::net::cookie_scope::SameSite;
use std::fmt::Write as _;

impl Configuration {
    /// Secrets are redacted. `start` is what would stop a start although the settings are valid, else a note about it.
    #[must_use]
    pub fn report(&self, start: Result<Option<&str>, &str>) -> String {
        let mut report = match &self.file {
            Some(path) => format!("Configuration file: {}\n\n", path.display()),
            None => {
                format!("Configuration file: none ({DEFAULT_FILE} does not exist here, and no other was named)\n\n")
            }
        };
        let rows: Vec<[String; 3]> = Key::ALL.iter().filter_map(|key| self.row(*key)).collect();
        let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
        let (names, values) = (width(0), width(1));
        for [name, value, source] in &rows {
            writeln!(report, "{name:names$}  {value:values$}  {source}").expect("writing to a string cannot fail");
        }
        report.push('\n');
        match self.settings() {
            Ok(settings) => {
                for note in settings.notes() {
                    writeln!(report, "note: {note}").expect("writing to a string cannot fail");
                }
                if let Ok(Some(note)) = start {
                    writeln!(report, "note: {note}").expect("writing to a string cannot fail");
                }
                match start {
                    Ok(_) => report.push_str("The configuration is valid.\n"),
                    Err(problem) => writeln!(report, "error: {problem}").expect("writing to a string cannot fail"),
                }
            }
            Err(error) => writeln!(report, "error: {error}").expect("writing to a string cannot fail"),
        }
        report
    }

    fn row(&self, key: Key) -> Option<[String; 3]> {
        let entry = self.effective.get(&key)?;
        let value = match key.redacted(&entry.text()) {
            empty if empty.is_empty() && !entry.source.is_explicit() => format!("({})", key.default_in_words()),
            empty if empty.is_empty() => "-".to_owned(),
            value => value,
        };
        Some([key.name().to_owned(), value, entry.source.describe(key)])
    }
}

impl Settings {
    /// Valid choices that may not be intended.
    fn notes(&self) -> Vec<String> {
        let mut notes: Vec<String> = self.address_notes().collect();
        let is_local = self.listen.ip().is_loopback();
        if !is_local && !self.base_url.is_secure() {
            notes.push(format!(
                "the base URL {} is not https, so cookies lack Secure and passwords cross the network unencrypted",
                self.base_url
            ));
        }
        if !is_local && self.smtp.is_none() {
            notes.push(format!(
                "no mail server is configured (smtp.url): codes are only written to {}",
                self.outbox.display()
            ));
        }
        if let Some(address) = self.operations.filter(|address| !address.ip().is_loopback()) {
            notes.push(format!(
                "metrics at {address} (operations.listen) need no credential, and other machines can reach them"
            ));
        }
        for receiver in self.webhooks.iter().filter(|receiver| receiver.url.is_readable()) {
            notes.push(format!(
                "events for the webhook `{}` cross the network unencrypted (allow_http)",
                receiver.subscription.receiver
            ));
        }
        if !self.rate_limits_are_on {
            notes.push("the rate limits per client address are off; those per account stay on".to_owned());
        }
        if self.responses_are_validated {
            notes.push("every response is checked against the contract, which costs time: meant for tests".to_owned());
        }
        if self.trusted_proxies.iter().any(|network| network.prefix_len() == 0) {
            notes.push("every address is a trusted proxy, so any client can claim any address".to_owned());
        }
        if self.trusted_proxies.is_empty() {
            let shared = "all clients count as one, for rate limits and for quotas of wrong passwords";
            if self.base_url.is_secure() {
                notes.push(format!(
                    "the base URL {} is https, which a proxy has to speak, and no proxy is trusted (trusted_proxies): \
                     {shared}",
                    self.base_url
                ));
            } else if !is_local {
                notes.push(format!("no proxy is trusted (trusted_proxies): behind one, {shared}"));
            }
        }
        if self.cookies.same_site == SameSite::None {
            notes.push(
                "cookies are sent with requests from pages of all sites (cookies.same_site), and count from trusted origins only"
                    .to_owned(),
            );
        }
        if matches!(self.database.url, DatabaseUrl::Sqlite(_)) && !is_local {
            notes.push("SQLite serves one process; several nodes need PostgreSQL".to_owned());
        }
        notes
    }

    /// What the addresses of pages do not allow, as notes for the operator.
    pub fn address_notes(&self) -> impl Iterator<Item = String> {
        self.base_url_note().into_iter().chain(self.passkeys_note())
    }

    /// Whether the base URL is one that no page has, as a note for the operator.
    fn base_url_note(&self) -> Option<String> {
        self.base_url.origin().is_unspecified().then(|| {
            format!(
                "the base URL {} is an address to listen on, which no browser sends as its origin: set base_url to what is in \
                 the address bar, such as https://id.example.com, or pages are refused with \"Invalid origin\"",
                self.base_url
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::Inputs;
    use super::*;
    use countersign_domain::ids::{ApplicationId, TenantId};
    use std::path::PathBuf;

    fn report(environment: &[(&str, &str)]) -> String {
        let mut environment: Vec<_> =
            environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        environment.push(("COUNTERSIGN_HASH_THREADS".to_owned(), "2".to_owned()));
        let inputs = Inputs { environment, directory: PathBuf::from("/nonexistent"), ..Inputs::default() };
        Configuration::load(&inputs, &[]).report(Ok(None))
    }

    #[test]
    fn values_come_with_their_source() {
        let report = report(&[
            ("COUNTERSIGN_APP_NAME", "Two"),
            ("COUNTERSIGN_DATABASE_URL", "postgres://ann:hunter2@db/two"),
            ("COUNTERSIGN_KEYS", "hunter2"),
        ]);
        let line = |name: &str| {
            let line = report.lines().find(|line| line.starts_with(name)).expect(name);
            line.split_whitespace().collect::<Vec<_>>().join(" ")
        };
        assert_eq!(line("listen"), "listen 127.0.0.1:3000 default");
        assert_eq!(line("app_name"), "app_name Two environment COUNTERSIGN_APP_NAME");
        assert_eq!(
            line("database.url"),
            "database.url postgres://[redacted]@db/two environment COUNTERSIGN_DATABASE_URL"
        );
        assert_eq!(line("keys"), "keys [redacted] environment COUNTERSIGN_KEYS");
        assert_eq!(line("smtp.url"), "smtp.url (none: mails go to the outbox) default");
        assert_eq!(line("jwt.issuer"), "jwt.issuer (the base URL) default");
        let (tenant, application) = (TenantId::DEFAULT.to_hyphenated(), ApplicationId::DEFAULT.to_hyphenated());
        assert_eq!(line("tenants"), format!("tenants (one, called Default: {tenant}) default"));
        assert_eq!(line("applications"), format!("applications (one, called Default: {application}) default"));
        assert!(report.ends_with("\nThe configuration is valid.\n"), "{report}");
    }

    #[test]
    fn values_of_the_profile_name_it() {
        let line = |environment: &[(&str, &str)]| {
            let report = report(environment);
            let line = report.lines().find(|line| line.starts_with("mailed_codes")).expect("a line").to_owned();
            line.split_whitespace().collect::<Vec<_>>().join(" ")
        };
        let strict = ("COUNTERSIGN_PROFILE", "strict");
        assert_eq!(line(&[]), "mailed_codes always default");
        assert_eq!(line(&[strict]), "mailed_codes never profile strict");
        let own = ("COUNTERSIGN_MAILED_CODES", "verified");
        assert_eq!(line(&[strict, own]), "mailed_codes verified environment COUNTERSIGN_MAILED_CODES");
    }

    #[test]
    fn problems_end_the_report() {
        let report = report(&[("COUNTERSIGN_LISTEN", "0.0.0.0:3000"), ("COUNTERSIGN_LOG", "loud")]);
        assert!(report.contains("error: the configuration has 2 problems:\n  - `log.level`"), "{report}");
    }

    #[test]
    fn risky_choices_are_noted() {
        let report = report(&[
            ("COUNTERSIGN_LISTEN", "0.0.0.0:3000"),
            ("COUNTERSIGN_KEYS", "text"),
            ("COUNTERSIGN_RATE_LIMITS", "off"),
            ("COUNTERSIGN_TRUSTED_PROXIES", "0.0.0.0/0"),
        ]);
        assert_eq!(report.lines().filter(|line| line.starts_with("note: ")).count(), 6, "{report}");
    }

    #[test]
    fn a_base_url_that_no_page_has_is_noted() {
        let keys = ("COUNTERSIGN_KEYS", "text");
        for listen in ["0.0.0.0:3000", "[::]:3000"] {
            let listen = ("COUNTERSIGN_LISTEN", listen);
            assert!(report(&[keys, listen]).contains("set base_url to what is in the address bar"), "{listen:?}");
            let base_url = ("COUNTERSIGN_BASE_URL", "http://id.example.com:3000");
            assert!(!report(&[keys, listen, base_url]).contains("address bar"));
        }
        assert!(!report(&[]).contains("address bar"));
    }

    #[test]
    fn listening_for_others_without_a_trusted_proxy_is_noted() {
        let others = [("COUNTERSIGN_KEYS", "text"), ("COUNTERSIGN_LISTEN", "192.0.2.1:3000")];
        assert!(
            report(&others)
                .contains("note: no proxy is trusted (trusted_proxies): behind one, all clients count as one")
        );
        let proxied = [others[0], others[1], ("COUNTERSIGN_TRUSTED_PROXIES", "192.0.2.2")];
        assert!(!report(&proxied).contains("no proxy is trusted"));
    }

    #[test]
    fn https_without_a_trusted_proxy_is_noted() {
        let base_url = ("COUNTERSIGN_BASE_URL", "https://id.example.com");
        assert!(report(&[base_url]).contains("no proxy is trusted (trusted_proxies)"));
        assert!(!report(&[base_url, ("COUNTERSIGN_TRUSTED_PROXIES", "127.0.0.1")]).contains("no proxy is trusted"));
        assert!(!report(&[]).contains("no proxy is trusted"));
    }
}
