//! The text that the terminal shows once the server has started: addresses, files, and first commands to try.

use crate::config::Settings;
use crate::config::values::{BaseUrl, DatabaseUrl, DialectName, KeyringSource};
use std::fmt::Write as _;
use std::net::SocketAddr;

/// `keyring_is_new` means that this start created the keyring.
#[must_use]
pub(super) fn first_screen(
    settings: &Settings,
    address: SocketAddr,
    operations: Option<SocketAddr>,
    keyring_is_new: bool,
) -> String {
    let base = &settings.base_url;
    let mut rows = [
        ("Health", format!("http://{address}/healthz and /readyz")),
        ("Database", database(&settings.database.url)),
        ("Keys", keys(&settings.keyring, keyring_is_new)),
        ("Codes", codes(settings)),
        ("Sign-up", sign_up(settings)),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .to_vec();
    if settings.docs_are_on {
        rows.insert(0, ("Reference".to_owned(), format!("{base}/docs   (read the APIs, try a call)")));
    }
    for dialect in settings.dialects.iter().rev() {
        rows.insert(0, api(*dialect, base));
    }
    if let Some(operations) = operations {
        rows.push(("Metrics".to_owned(), format!("http://{operations}/metrics")));
    }
    if !settings.rate_limits_are_on {
        rows.push(("Rate limits".to_owned(), "off per client; limits per account stay on".to_owned()));
    }
    let mut screen = format!("Countersign {} is listening on http://{address}\n\n", env!("CARGO_PKG_VERSION"));
    for (name, value) in rows {
        writeln!(screen, "  {name:15}  {value}").expect("writing to a string cannot fail");
    }
    for note in settings.address_notes() {
        writeln!(screen, "\nNote: {note}.").expect("writing to a string cannot fail");
    }
    if settings.open_tenant().is_some() {
        write!(
            screen,
            "\nNext: create an account, then turn on its second factor with the token in the response.\n\n  \
             curl -s {base}/api/auth/sign-up/email -H 'content-type: application/json' \\\n    \
             -d '{{\"name\":\"Ada\",\"email\":\"ada@example.com\",\"password\":\"correct horse battery\"}}'\n\n  \
             curl -s {base}/api/auth/two-factor/enable -H 'content-type: application/json' \\\n    \
             -H 'authorization: Bearer TOKEN' -d '{{\"password\":\"correct horse battery\"}}'\n"
        )
        .expect("writing to a string cannot fail");
    }
    screen.push_str(
        "\nA service that calls the FusionAuth API needs a key: countersign api-key create (for the admin API: --allow admin)\n\
         All settings and their sources: countersign check-config. Stop with Ctrl-C.\n",
    );
    screen
}

fn api(dialect: DialectName, base: &BaseUrl) -> (String, String) {
    let widest = DialectName::ALL.iter().map(|dialect| dialect.base_path().len()).max().unwrap_or_default();
    let (path, file) = (dialect.base_path(), dialect.contract_file());
    (format!("{} API", dialect.title()), format!("{base}{path:widest$}   (contract: {base}/{file})"))
}

fn database(url: &DatabaseUrl) -> String {
    match url {
        DatabaseUrl::Sqlite(path) => format!("SQLite, {}", path.display()),
        DatabaseUrl::Postgres(_) => format!("PostgreSQL, {url:?}"),
    }
}

fn keys(source: &KeyringSource, is_new: bool) -> String {
    match source {
        KeyringSource::Text(_) => format!("from {}", crate::config::Key::Keys.variable()),
        KeyringSource::Credential(path) => format!("{}   (systemd credential)", path.display()),
        KeyringSource::DefaultFile(path) | KeyringSource::NamedFile(path) if !is_new => path.display().to_string(),
        KeyringSource::DefaultFile(path) | KeyringSource::NamedFile(path) => {
            format!("{}   (created just now; back it up: the database is unusable without it)", path.display())
        }
    }
}

fn sign_up(settings: &Settings) -> String {
    let setting = crate::config::Key::SignUp.name();
    match settings.open_tenant() {
        Some(tenant) => {
            format!("open: anybody can create an account in the tenant {}   (to close it: {setting})", tenant.name)
        }
        None => "closed: services create the accounts".to_owned(),
    }
}

fn codes(settings: &Settings) -> String {
    match &settings.smtp {
        Some(smtp) => format!("sent by mail from {}", smtp.from),
        None => format!("written to {}   (no mail server is configured: smtp.url)", settings.outbox.display()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn the_first_screen() {
        let settings = Settings::default_in(Path::new("./countersign-data"));
        let screen = first_screen(&settings, "127.0.0.1:3000".parse().expect("an address"), None, true);
        let expected = r#"Countersign VERSION is listening on http://127.0.0.1:3000

  Better Auth API  http://localhost:3000/api/auth   (contract: http://localhost:3000/openapi/better-auth.yaml)
  FusionAuth API   http://localhost:3000/api        (contract: http://localhost:3000/openapi/fusionauth.yaml)
  Admin API        http://localhost:3000/admin      (contract: http://localhost:3000/openapi/admin.yaml)
  Reference        http://localhost:3000/docs   (read the APIs, try a call)
  Health           http://127.0.0.1:3000/healthz and /readyz
  Database         SQLite, ./countersign-data/countersign.db
  Keys             ./countersign-data/keyring   (created just now; back it up: the database is unusable without it)
  Codes            written to ./countersign-data/outbox.ndjson   (no mail server is configured: smtp.url)
  Sign-up          open: anybody can create an account in the tenant Default   (to close it: sign_up)

Next: create an account, then turn on its second factor with the token in the response.

  curl -s http://localhost:3000/api/auth/sign-up/email -H 'content-type: application/json' \
    -d '{"name":"Ada","email":"ada@example.com","password":"correct horse battery"}'

  curl -s http://localhost:3000/api/auth/two-factor/enable -H 'content-type: application/json' \
    -H 'authorization: Bearer TOKEN' -d '{"password":"correct horse battery"}'

A service that calls the FusionAuth API needs a key: countersign api-key create (for the admin API: --allow admin)
All settings and their sources: countersign check-config. Stop with Ctrl-C.
"#;
        assert_eq!(screen, expected.replace("VERSION", env!("CARGO_PKG_VERSION")));
    }

    #[test]
    fn a_base_url_that_no_page_has_is_on_the_screen() {
        let mut settings = Settings::default_in(Path::new("data"));
        settings.base_url = BaseUrl::parse("http://0.0.0.0:3000").expect("a URL");
        let screen = first_screen(&settings, "0.0.0.0:3000".parse().expect("an address"), None, false);
        assert!(screen.contains("\nNote: the base URL http://0.0.0.0:3000 is an address to listen on"), "{screen}");
    }

    #[test]
    fn closed_sign_up_is_said_and_not_suggested() {
        let mut settings = Settings::default_in(Path::new("data"));
        settings.disabled_paths = ["/api/auth/sign-up/email".to_owned()].into();
        let screen = first_screen(&settings, "127.0.0.1:3000".parse().expect("an address"), None, false);
        assert!(screen.contains("\n  Sign-up          closed: services create the accounts\n"), "{screen}");
        assert!(!screen.contains("curl") && screen.ends_with("Stop with Ctrl-C.\n"), "{screen}");
    }

    #[test]
    fn secrets_are_not_on_the_screen() {
        let mut settings = Settings::default_in(Path::new("data"));
        settings.database.url = DatabaseUrl::parse("postgres://u:hunter2@db/two").expect("a URL");
        settings.keyring = KeyringSource::Text(crate::config::secret::SecretText::new("hunter2"));
        let screen = first_screen(&settings, "127.0.0.1:3000".parse().expect("an address"), None, false);
        assert!(!screen.contains("hunter2"));
        assert!(
            screen.contains("PostgreSQL, postgres://[redacted]@db/two") && screen.contains("from COUNTERSIGN_KEYS")
        );
    }
}
