//! Clients for HTTP.

use reqwest::{Client, ClientBuilder, Url};
use std::net::IpAddr;

/// A client for requests to a URL. The proxies that environment variables name (`HTTPS_PROXY` and the like) lead to other
/// machines, so requests to this one are sent without.
pub(super) fn client_for(url: &Url) -> ClientBuilder {
    let builder = Client::builder();
    if is_loopback(url) { builder.no_proxy() } else { builder }
}

/// Whether the host of a URL is this machine by its name or address (RFC 6761, section 6.3).
fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_end_matches('.');
    let address: Option<IpAddr> = host.trim_start_matches('[').trim_end_matches(']').parse().ok();
    address.map_or_else(
        || host == "localhost" || host.ends_with(".localhost"),
        |address| address.to_canonical().is_loopback(),
    )
}

#[cfg(test)]
mod tests {
    use super::is_loopback;

    #[test]
    fn loopback_addresses_are_known_by_their_name_and_number() {
        for (url, expected) in [
            ("http://localhost:3000/api", true),
            ("http://LOCALHOST./", true),
            ("http://api.localhost", true),
            ("http://127.0.0.1", true),
            ("http://127.8.9.1:80", true),
            ("http://[::1]:8000/", true),
            ("http://[::ffff:127.0.0.1]/", true),
            ("http://mylocalhost", false),
            ("http://localhost.example.com", false),
            ("http://10.0.0.1", false),
            ("http://[2001:db8::1]", false),
        ] {
            assert_eq!(is_loopback(&url.parse().expect(url)), expected, "{url}");
        }
    }
}
