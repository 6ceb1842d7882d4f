//! Origins that requests came from and that are not trusted.
//!
//! Neither the response nor the browser says which setting would trust a page, so the log does, once for each origin. Any
//! client can name any origin, so their number is bounded.

use crate::net::origin::Origin;
use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

/// Origins that are remembered: more than an operator has, and few enough for the log.
const MOST_ORIGINS: usize = 64;
/// Longest text of an origin that is logged, in characters: a host name has 253 at most (RFC 1035, 2.3.4).
const LONGEST: usize = 280;

/// Origins that were seen.
#[derive(Debug, Default)]
pub struct UntrustedOrigins(Mutex<HashSet<String>>);

impl UntrustedOrigins {
    /// The origin of this `Origin` header, app scheme or `Referer` as the setting would have it, unless it was seen before.
    #[must_use]
    pub fn first_seen(&self, source: &str) -> Option<String> {
        let origin = match Origin::of_url(source) {
            Some(origin) => origin.to_string(),
            None => source.to_owned(),
        };
        let origin: String = origin.chars().take(LONGEST).collect();
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (seen.len() < MOST_ORIGINS && seen.insert(origin.clone())).then_some(origin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_origin_is_seen_once_as_the_setting_would_have_it_and_their_number_is_bounded() {
        let origins = UntrustedOrigins::default();
        assert_eq!(origins.first_seen("https://APP.example:443").as_deref(), Some("https://app.example"));
        assert_eq!(origins.first_seen("https://app.example/a?token=secret"), None, "a referrer of the same");
        assert_eq!(
            origins.first_seen("https://other.example/a?token=secret").as_deref(),
            Some("https://other.example")
        );
        assert_eq!(origins.first_seen("myapp://signed-in").as_deref(), Some("myapp://signed-in"));
        assert_eq!(origins.first_seen(&"é".repeat(1_000)).map(|text| text.chars().count()), Some(LONGEST));
        let more = (0..1_000).filter(|number| origins.first_seen(&format!("https://{number}.example")).is_some());
        assert_eq!(more.count(), MOST_ORIGINS - 4);
    }
}
