//! The `Authorization` header.

use crate::edge::headers;
use http::HeaderMap;
use http::header::AUTHORIZATION;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Authorization {
    Absent,
    /// The token of the scheme `Bearer` (RFC 6750, 2.1), never empty.
    Bearer(String),
    /// Any other value as a whole, such as an API key.
    Other(String),
}

impl Authorization {
    /// Reads the first such header. Bytes that are not UTF-8 make a credential that matches nothing, not an absent one:
    /// the request must not fall back to a cookie because its token is damaged.
    #[must_use]
    pub fn read(headers: &HeaderMap) -> Self {
        let Some(value) = headers.get(AUTHORIZATION) else { return Self::Absent };
        let value = headers::text(value);
        let value = value.trim();
        match value.split_once(' ') {
            Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Self::Bearer(token.trim().to_owned()),
            _ => Self::Other(value.to_owned()),
        }
    }

    #[must_use]
    pub fn into_bearer(self) -> Option<String> {
        match self {
            Self::Bearer(token) => Some(token),
            Self::Absent | Self::Other(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn read(value: &[u8]) -> Authorization {
        let value = HeaderValue::from_bytes(value).expect("a header");
        Authorization::read(&HeaderMap::from_iter([(AUTHORIZATION, value)]))
    }

    #[test]
    fn a_bearer_is_a_scheme_and_a_token() {
        assert_eq!(Authorization::read(&HeaderMap::new()), Authorization::Absent);
        for value in ["Bearer abc", "bearer abc", " BEARER   abc  "] {
            assert_eq!(read(value.as_bytes()), Authorization::Bearer("abc".to_owned()), "{value}");
        }
        for value in ["abc", "Bearer", "Bearer ", "Bearerabc", "Basic abc"] {
            assert_eq!(read(value.as_bytes()), Authorization::Other(value.trim().to_owned()), "{value}");
        }
    }

    #[test]
    fn a_damaged_credential_is_present() {
        assert_eq!(read(b"Bearer a\xffb"), Authorization::Bearer("a\u{fffd}b".to_owned()));
        assert_eq!(read(b"\xff"), Authorization::Other("\u{fffd}".to_owned()));
    }
}
