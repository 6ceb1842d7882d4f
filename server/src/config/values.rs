//! Types of single settings.

use super::secret::SecretText;
use crate::net::origin::{Origin, with_ascii_host};
use countersign_domain::policy::Policy;
use std::fmt;
use std::path::PathBuf;

pub use countersign_api::DialectName;

/// What clients put in front of a path: `https://id.example.com`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseUrl(Origin);

impl BaseUrl {
    /// Reads an absolute http or https URL without a path.
    ///
    /// # Errors
    /// Says what was expected.
    pub fn parse(text: &str) -> Result<Self, String> {
        let ascii = with_ascii_host(text.strip_suffix('/').unwrap_or(text));
        ascii
            .and_then(|text| Origin::parse(&text))
            .filter(|origin| ["http", "https"].contains(&origin.scheme()))
            .map(Self)
            .ok_or_else(|| format!("`{text}` is not http(s)://host or http(s)://host:port, without a path"))
    }

    #[must_use]
    pub fn origin(&self) -> &Origin {
        &self.0
    }

    /// Whether clients use TLS, so that cookies can and must be `Secure`.
    #[must_use]
    pub fn is_secure(&self) -> bool {
        self.0.scheme() == "https"
    }
}

impl fmt::Display for BaseUrl {
    /// Without a trailing slash.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

#[derive(Clone, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// A file that only this process opens.
    Sqlite(PathBuf),
    /// The URL carries a password.
    Postgres(SecretText),
}

impl DatabaseUrl {
    /// Reads `sqlite:PATH` or `postgres://…`.
    ///
    /// # Errors
    /// Says what was expected, without repeating the text: it may hold a password.
    pub fn parse(text: &str) -> Result<Self, String> {
        if let Some(path) = text.strip_prefix("sqlite:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            return match path {
                "" | ":memory:" => Err("sqlite: needs the path of a file".to_owned()),
                path => Ok(Self::Sqlite(PathBuf::from(path))),
            };
        }
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return Ok(Self::Postgres(SecretText::new(text)));
        }
        Err("expected sqlite:PATH or postgres://user:password@host/database".to_owned())
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(formatter, "sqlite:{}", path.display()),
            Self::Postgres(url) => formatter.write_str(&super::secret::without_credentials(url.expose())),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyringSource {
    /// Created by the first start.
    DefaultFile(PathBuf),
    /// Named by the operator; must exist.
    NamedFile(PathBuf),
    /// A credential that systemd hands to the service.
    Credential(PathBuf),
    /// Text of the keyring.
    Text(SecretText),
}

/// What the defaults of other settings, and the limits and lifetimes that are no settings, are chosen for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// The clients of both APIs work as with their own servers.
    Default,
    /// The numbers of NIST SP 800-63B-4 and OWASP ASVS 5.0.
    Strict,
}

impl Profile {
    /// Reads the name of a profile.
    ///
    /// # Errors
    /// Says what was expected.
    pub fn parse(text: &str) -> Result<Self, String> {
        match text {
            "default" => Ok(Self::Default),
            "strict" => Ok(Self::Strict),
            _ => Err(format!("`{text}` is neither default nor strict")),
        }
    }

    /// Limits and lifetimes.
    #[must_use]
    pub fn policy(self) -> Policy {
        match self {
            Self::Default => Policy::default(),
            Self::Strict => Policy::strict(),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    Text,
    /// One JSON object per line.
    Json,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base_urls_are_origins() {
        let url = BaseUrl::parse("https://ID.example.com/").expect("a URL");
        assert_eq!((url.to_string().as_str(), url.is_secure()), ("https://id.example.com", true));
        assert!(!BaseUrl::parse("http://localhost:3000").expect("a URL").is_secure());
        let url = BaseUrl::parse("https://bücher.example").expect("a URL");
        assert_eq!(url.to_string(), "https://xn--bcher-kva.example", "as browsers send it");
        for text in ["", "localhost:3000", "ftp://a", "https://a/b", "https://a//", "https://a?b", "https://u:p@a"] {
            assert!(BaseUrl::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn database_urls_do_not_print_passwords() {
        let url = DatabaseUrl::parse("postgres://u:hunter2@db/x").expect("a URL");
        assert_eq!(format!("{url:?}"), "postgres://[redacted]@db/x");
        assert_eq!(DatabaseUrl::parse("sqlite:a/b.db"), Ok(DatabaseUrl::Sqlite("a/b.db".into())));
        assert_eq!(DatabaseUrl::parse("sqlite:///var/a.db"), Ok(DatabaseUrl::Sqlite("/var/a.db".into())));
        for text in ["", "sqlite:", "mysql://u:hunter2@db", "a.db"] {
            assert!(!DatabaseUrl::parse(text).expect_err(text).contains("hunter2"));
        }
    }
}
