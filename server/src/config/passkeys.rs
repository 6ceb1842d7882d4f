//! The section `passkeys`: the domain that passkeys are for, and the pages that may ask for them.

use super::read::{list, optional, text};
use super::settings::Settings;
use crate::net::origin::{Origin, OriginPattern, with_ascii_host};
use countersign_domain::passkey::options::UserVerification;
use countersign_domain::passkey::relying_party::{Attestation, RelyingParty, RelyingPartyId};
use data_encoding::BASE64URL_NOPAD;
use serde::Deserialize;

/// What begins the origin of an Android app. The SHA-256 of the app's certificate follows.
const ANDROID: &str = "android:apk-key-hash:";
const SHA256_BYTES: usize = 32;

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Passkeys {
    /// `None` for the base URL's host.
    #[serde(deserialize_with = "optional")]
    pub rp_id: Option<RelyingPartyId>,
    /// Empty for the base URL's and the trusted ones, as far as they belong to the domain.
    #[serde(deserialize_with = "list")]
    pub origins: Vec<PasskeyOrigin>,
    /// Of those that sign in without another factor.
    #[serde(deserialize_with = "text")]
    pub user_verification: UserVerification,
    #[serde(deserialize_with = "text")]
    pub attestation: Attestation,
}

/// The origin of a page or of an Android app, as browsers write it in client data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PasskeyOrigin(String);

impl PasskeyOrigin {
    /// # Errors
    /// Says what was expected.
    pub fn parse(text: &str) -> Result<Self, String> {
        if let Some(hash) = text.strip_prefix(ANDROID) {
            let is_hash = BASE64URL_NOPAD.decode(hash.as_bytes()).is_ok_and(|bytes| bytes.len() == SHA256_BYTES);
            let refusal = || format!("`{text}` is not the base64url SHA-256 of the app's certificate");
            return is_hash.then(|| Self(text.to_owned())).ok_or_else(refusal);
        }
        let origin = with_ascii_host(text.strip_suffix('/').unwrap_or(text)).and_then(|text| Origin::parse(&text));
        let refusal = || format!("`{text}` is not an origin: write https://host or https://host:port, without a path");
        origin.map(|origin| Self(origin.to_string())).ok_or_else(refusal)
    }

    fn fits(&self, id: &RelyingPartyId) -> bool {
        self.0.starts_with(ANDROID) || id.fits(&self.0)
    }
}

/// Reads a domain name.
///
/// # Errors
/// Says why browsers would not take it.
pub(super) fn relying_party_id(text: &str) -> Result<RelyingPartyId, String> {
    let ascii = with_ascii_host(text);
    RelyingPartyId::parse(ascii.as_deref().unwrap_or(text)).map_err(|error| format!("`{text}` {error}"))
}

pub(super) fn user_verification(text: &str) -> Result<UserVerification, String> {
    [UserVerification::Preferred, UserVerification::Required]
        .into_iter()
        .find(|demand| demand.name() == text)
        .ok_or_else(|| format!("`{text}` is neither preferred nor required"))
}

pub(super) fn attestation(text: &str) -> Result<Attestation, String> {
    let known = Attestation::ALL.into_iter().find(|attestation| attestation.name() == text);
    known.ok_or_else(|| format!("`{text}` is neither none nor direct"))
}

impl Settings {
    /// The relying party.
    ///
    /// # Errors
    /// Says why browsers would let no page use passkeys, so that they are off.
    pub fn relying_party(&self) -> Result<RelyingParty, String> {
        let id = match &self.passkeys.rp_id {
            Some(id) => id.clone(),
            None => {
                let host = self.base_url.origin().host();
                let refusal = |error| {
                    format!("the host of `base_url`, {host}, {error}: set `passkeys.rp_id` to the domain of your pages")
                };
                RelyingPartyId::parse(host).map_err(refusal)?
            }
        };
        let origins = match self.passkeys.origins.as_slice() {
            [] => self.fitting_origins(&id),
            given => given.iter().map(|origin| origin.0.clone()).collect(),
        };
        if origins.is_empty() {
            return Err(format!(
                "neither `base_url`, {}, nor one of `trusted_origins` is a page of {id} that browsers let use passkeys, by \
                 https, or by http on localhost: list such pages in `passkeys.origins`",
                self.base_url
            ));
        }
        Ok(RelyingParty {
            id,
            name: self.app_name.clone(),
            origins,
            attestation: self.passkeys.attestation,
            demands_verification: self.passkeys.user_verification == UserVerification::Required,
        })
    }

    /// Trusted origins whose pages may use passkeys of this domain. Patterns with wildcards are left out, because client data is
    /// compared as a whole.
    fn fitting_origins(&self, id: &RelyingPartyId) -> Vec<String> {
        let trusted = self.origin_patterns.iter().filter_map(|pattern| match pattern {
            OriginPattern::Exact(origin) => Some(origin),
            OriginPattern::Scheme(_) | OriginPattern::OriginGlob(_) | OriginPattern::HostGlob(_) => None,
        });
        let mut origins: Vec<String> = Vec::new();
        for origin in std::iter::once(self.base_url.origin()).chain(trusted).map(Origin::to_string) {
            if id.fits(&origin) && !origins.contains(&origin) {
                origins.push(origin);
            }
        }
        origins
    }

    /// Configured origins whose pages may not use passkeys of the domain.
    pub(super) fn foreign_passkey_origins(&self, id: &RelyingPartyId) -> Vec<String> {
        let foreign = self.passkeys.origins.iter().filter(|origin| !origin.fits(id));
        foreign.map(|origin| origin.0.clone()).collect()
    }

    /// Why there are no passkeys, as a note for the operator. Of a base URL that no page has, [`Self::base_url_note`] says enough.
    pub(super) fn passkeys_note(&self) -> Option<String> {
        let is_of_interest = !self.base_url.origin().is_unspecified();
        self.relying_party().err().filter(|_| is_of_interest).map(|why| format!("passkeys are off: {why}"))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Configuration, Inputs};
    use super::*;
    use std::path::PathBuf;

    fn load(environment: &[(&str, &str)]) -> Result<Settings, Vec<String>> {
        let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let inputs = Inputs { environment, directory: PathBuf::from("/nonexistent"), ..Inputs::default() };
        let problems = |error: super::super::ConfigError| error.problems.iter().map(ToString::to_string).collect();
        Configuration::load(&inputs, &[]).settings().map_err(problems)
    }

    const BASE_URL: &str = "COUNTERSIGN_BASE_URL";
    const TRUSTED: &str = "COUNTERSIGN_TRUSTED_ORIGINS";
    const RP_ID: &str = "COUNTERSIGN_PASSKEYS_RP_ID";
    const ORIGINS: &str = "COUNTERSIGN_PASSKEYS_ORIGINS";

    #[test]
    fn the_relying_party_is_the_base_urls_host_and_pages_that_belong_to_it() {
        for (environment, id, origins) in [
            (&[][..], "localhost", &["http://localhost:3000"][..]),
            (&[(BASE_URL, "https://id.example.com")], "id.example.com", &["https://id.example.com"]),
            (
                &[
                    (BASE_URL, "https://example.com"),
                    (TRUSTED, "https://app.example.com:8443,https://other.net,*.example.com"),
                ],
                "example.com",
                &["https://example.com", "https://app.example.com:8443"],
            ),
            (
                &[(BASE_URL, "https://id.example.com"), (RP_ID, "Example.com"), (TRUSTED, "https://app.example.com")],
                "example.com",
                &["https://id.example.com", "https://app.example.com"],
            ),
            (
                &[
                    (RP_ID, "bücher.example"),
                    (
                        ORIGINS,
                        "https://APP.bücher.example:443/, android:apk-key-hash:47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU",
                    ),
                ],
                "xn--bcher-kva.example",
                &[
                    "https://app.xn--bcher-kva.example",
                    "android:apk-key-hash:47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU",
                ],
            ),
        ] {
            let relying_party =
                load(environment).expect("a valid configuration").relying_party().expect("passkeys are on");
            assert_eq!(relying_party.id.as_str(), id, "{environment:?}");
            assert_eq!(relying_party.origins, origins, "{environment:?}");
        }
    }

    #[test]
    fn passkeys_are_off_where_no_page_could_use_them_and_a_note_says_what_to_do() {
        for (base_url, words) in [
            ("http://127.0.0.1:3000", "the host of `base_url`, 127.0.0.1, is an IP address"),
            ("https://[::1]", "the host of `base_url`, [::1], is an IP address"),
            ("https://intranet", "set `passkeys.rp_id`"),
            ("http://id.example.com", "list such pages in `passkeys.origins`"),
        ] {
            let settings = load(&[(BASE_URL, base_url)]).expect("a valid configuration");
            let note = settings.passkeys_note().expect("they are off");
            assert!(note.starts_with("passkeys are off: ") && note.contains(words), "{note}");
        }
        assert_eq!(load(&[]).expect("a valid configuration").passkeys_note(), None);
        let other = [(BASE_URL, "http://127.0.0.1:3000"), ("COUNTERSIGN_DIALECTS", "fusionauth")];
        assert!(load(&other).expect("a valid configuration").passkeys_note().is_some(), "both dialects have them");
    }

    #[test]
    fn a_relying_party_that_browsers_would_refuse_is_refused_in_words() {
        let https = (BASE_URL, "https://id.example.com");
        for (environment, key, words) in [
            (&[(RP_ID, "10.0.0.1")][..], "passkeys.rp_id", "is an IP address"),
            (&[(RP_ID, "com")], "passkeys.rp_id", "has one label"),
            (&[https, (RP_ID, "https://example.com")], "passkeys.rp_id", "is no domain name"),
            (
                &[https, (RP_ID, "example.org")],
                "passkeys.rp_id",
                "neither `base_url`, https://id.example.com, nor one of",
            ),
            (&[https, (ORIGINS, "https://app.example.com")], "passkeys.origins", "is not a page of id.example.com"),
            (&[https, (ORIGINS, "http://id.example.com")], "passkeys.origins", "is not a page of id.example.com"),
            (&[https, (ORIGINS, "https://id.example.com/login")], "passkeys.origins", "is not an origin"),
            (
                &[https, (ORIGINS, "android:apk-key-hash:Ab_c")],
                "passkeys.origins",
                "is not the base64url SHA-256 of the app's certificate",
            ),
            (
                &[(BASE_URL, "https://10.0.0.1"), (ORIGINS, "https://a.example")],
                "passkeys.origins",
                "set `passkeys.rp_id`",
            ),
            (
                &[("COUNTERSIGN_PASSKEYS_USER_VERIFICATION", "always")],
                "passkeys.user_verification",
                "neither preferred nor",
            ),
            (&[("COUNTERSIGN_PASSKEYS_ATTESTATION", "indirect")], "passkeys.attestation", "neither none nor direct"),
            (&[(BASE_URL, "id"), (RP_ID, "example.com")], "base_url", "is not http(s)://host"),
        ] {
            let problems = load(environment).expect_err(key);
            let [problem] = problems.as_slice() else { panic!("{problems:?}") };
            assert!(problem.starts_with(&format!("`{key}` (")) && problem.contains(words), "{problem}");
        }
    }

    #[test]
    fn the_strict_profile_demands_user_verification() {
        let demands = |environment: &[(&str, &str)]| {
            let settings = load(environment).expect("a valid configuration");
            settings.relying_party().expect("passkeys are on").demands_verification
        };
        let strict = ("COUNTERSIGN_PROFILE", "strict");
        assert!(!demands(&[]) && demands(&[strict]));
        assert!(!demands(&[strict, ("COUNTERSIGN_PASSKEYS_USER_VERIFICATION", "preferred")]), "what is given wins");
    }
}
