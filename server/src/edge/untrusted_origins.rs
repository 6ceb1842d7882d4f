//! Origins that requests came from, or were to lead to, and that are not trusted.
//!
//! Neither the response nor the browser says which setting would trust a page, so the log does, once an hour for each origin. Any
//! client can name any origin, so their number is bounded.

use crate::clock::Clock;
use crate::net::origin::Origin;
use countersign_domain::time::Timestamp;
use slog::{Logger, warn};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Origins that are remembered: more than an operator has, and few enough for the log.
const MOST_ORIGINS: usize = 64;
/// How long an origin is remembered. A client that fills the memory hides the operator's own page from the log for as long at most.
const REMEMBERED_FOR: Duration = Duration::from_secs(60 * 60);
/// Longest text of an origin that is logged, in characters: a host name has 253 at most (RFC 1035, 2.3.4).
const LONGEST: usize = 280;

/// Writes origins that are not trusted to the log.
pub struct UntrustedOrigins {
    log: Logger,
    clock: Arc<dyn Clock>,
    seen: Seen,
}

impl UntrustedOrigins {
    #[must_use]
    pub fn new(log: Logger, clock: Arc<dyn Clock>) -> Self {
        Self { log, clock, seen: Seen::default() }
    }

    /// Logs where a request came from: an `Origin` header, the scheme of an app, or a `Referer`.
    pub fn log_source(&self, source: &str) {
        if let Some(origin) = self.seen.first_seen(source, self.clock.now()) {
            warn!(
                self.log,
                "a page or an app of an origin that is not trusted was refused, or cannot read the response";
                "origin" => origin,
                "setting" => "trusted_origins",
            );
        }
    }

    /// Logs where a request was to lead to, by the field that names it. Of the URL only the origin is logged, because its query
    /// may hold a secret; what has no origin cannot be trusted, and is not logged.
    pub fn log_target(&self, url: &str, field: &str) {
        let Some(origin) = Origin::of_url(url) else { return };
        if let Some(origin) = self.seen.first_seen(&origin.to_string(), self.clock.now()) {
            warn!(
                self.log,
                "a request was refused, because it leads to a page or an app of an origin that is not trusted";
                "origin" => origin,
                "field" => field,
                "setting" => "trusted_origins",
            );
        }
    }
}

/// Origins, and when they were seen.
#[derive(Default)]
struct Seen(Mutex<HashMap<String, Timestamp>>);

impl Seen {
    /// The origin of this header or URL as the setting would have it, unless it is remembered.
    fn first_seen(&self, source: &str, now: Timestamp) -> Option<String> {
        let origin = match Origin::of_url(source) {
            Some(origin) => origin.to_string(),
            None => source.to_owned(),
        };
        let origin: String = origin.chars().take(LONGEST).collect();
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.retain(|_, at| now < *at + REMEMBERED_FOR);
        if seen.len() >= MOST_ORIGINS || seen.contains_key(&origin) {
            return None;
        }
        seen.insert(origin.clone(), now);
        Some(origin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp::from_millis(1_000_000);

    #[test]
    fn each_origin_is_seen_once_as_the_setting_would_have_it_and_their_number_is_bounded() {
        let origins = Seen::default();
        let first_seen = |source: &str| origins.first_seen(source, START);
        assert_eq!(first_seen("https://APP.example:443").as_deref(), Some("https://app.example"));
        assert_eq!(first_seen("https://app.example/a?token=secret"), None, "a referrer of the same");
        assert_eq!(first_seen("https://other.example/a?token=secret").as_deref(), Some("https://other.example"));
        assert_eq!(first_seen("myapp://signed-in").as_deref(), Some("myapp://signed-in"));
        assert_eq!(first_seen(&"é".repeat(1_000)).map(|text| text.chars().count()), Some(LONGEST));
        let more = (0..1_000).filter(|number| first_seen(&format!("https://{number}.example")).is_some());
        assert_eq!(more.count(), MOST_ORIGINS - 4);
    }

    #[test]
    fn a_client_that_fills_the_memory_hides_other_origins_for_an_hour_at_most() {
        let origins = Seen::default();
        for number in 0..MOST_ORIGINS {
            assert!(origins.first_seen(&format!("https://{number}.example"), START).is_some());
        }
        let own = "https://app.example";
        let just_before = START + REMEMBERED_FOR.saturating_sub(Duration::from_millis(1));
        assert_eq!(origins.first_seen(own, just_before), None);
        assert_eq!(origins.first_seen(own, START + REMEMBERED_FOR).as_deref(), Some(own));
        assert_eq!(origins.first_seen(own, START + REMEMBERED_FOR), None, "once an hour");
        assert_eq!(origins.0.lock().expect("not poisoned").len(), 1, "what is old takes no memory");
    }
}
