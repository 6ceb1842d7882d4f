//! The output of `check-config`: every effective value with its source, then notes and problems.

use super::keys::Key;
use super::settings::Settings;
use super::values::DatabaseUrl;
use super::{Configuration, layers::DEFAULT_FILE};
use std::fmt::Write as _;

impl Configuration {
    /// Secrets are redacted. `startup_problem` is what would stop a start although the settings are valid.
    #[must_use]
    pub fn report(&self, startup_problem: Option<&str>) -> String {
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
                for note in notes(&settings) {
                    writeln!(report, "note: {note}").expect("writing to a string cannot fail");
                }
                match startup_problem {
                    None => report.push_str("The configuration is valid.\n"),
                    Some(problem) => writeln!(report, "error: {problem}").expect("writing to a string cannot fail"),
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

/// Valid choices that may not be intended.
fn notes(settings: &Settings) -> Vec<String> {
    let mut notes = Vec::new();
    let is_local = settings.listen.ip().is_loopback();
    if !is_local && !settings.base_url.is_secure() {
        notes.push(format!(
            "the base URL {} is not https, so cookies lack Secure and passwords cross the network unencrypted",
            settings.base_url
        ));
    }
    if !is_local && settings.smtp.is_none() {
        notes.push(format!(
            "no mail server is configured (smtp.url): codes are only written to {}",
            settings.outbox.display()
        ));
    }
    if !settings.rate_limits_are_on {
        notes.push("the rate limits per client address are off; those per account stay on".to_owned());
    }
    if settings.responses_are_validated {
        notes.push("every response is checked against the contract, which costs time: meant for tests".to_owned());
    }
    if settings.trusted_proxies.iter().any(|network| network.prefix_len() == 0) {
        notes.push("every address is a trusted proxy, so any client can claim any address".to_owned());
    }
    if settings.base_url.is_secure() && settings.trusted_proxies.is_empty() {
        notes.push(format!(
            "the base URL {} is https, which a proxy has to speak, and no proxy is trusted (trusted_proxies): all clients \
             count as one, for rate limits and for quotas of wrong passwords",
            settings.base_url
        ));
    }
    if matches!(settings.database.url, DatabaseUrl::Sqlite(_)) && !is_local {
        notes.push("SQLite serves one process; several nodes need PostgreSQL".to_owned());
    }
    notes
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
        Configuration::load(&inputs, &[]).report(None)
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
        assert_eq!(line("smtp.url"), "smtp.url (none: codes go to the outbox) default");
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
        assert_eq!(report.lines().filter(|line| line.starts_with("note: ")).count(), 5, "{report}");
    }

    #[test]
    fn https_without_a_trusted_proxy_is_noted() {
        let base_url = ("COUNTERSIGN_BASE_URL", "https://id.example.com");
        assert!(report(&[base_url]).contains("no proxy is trusted (trusted_proxies)"));
        assert!(!report(&[base_url, ("COUNTERSIGN_TRUSTED_PROXIES", "127.0.0.1")]).contains("no proxy is trusted"));
        assert!(!report(&[]).contains("no proxy is trusted"));
    }
}
