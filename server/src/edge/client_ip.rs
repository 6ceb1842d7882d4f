//! The client's address.
//!
//! Any client can send `X-Forwarded-For`. It is trusted only as far as configured proxies added to it, read from the right.
//! Other forwarding headers are ignored.

use http::HeaderMap;
use ipnet::IpNet;
use std::net::{IpAddr, SocketAddr};

const FORWARDED_FOR: &str = "x-forwarded-for";

/// The proxies whose `X-Forwarded-For` is trusted.
#[derive(Clone, Debug, Default)]
pub struct TrustedProxies(Vec<IpNet>);

impl TrustedProxies {
    /// The proxies in `networks`.
    #[must_use]
    pub fn new(networks: Vec<IpNet>) -> Self {
        Self(networks)
    }

    fn contains(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }

    /// The client's address: the peer's, unless that is a trusted proxy; then the rightmost forwarded address that is not a
    /// trusted proxy itself. If a hop on the way to it cannot be parsed, the peer's.
    #[must_use]
    pub fn client_address(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let peer = peer.to_canonical();
        let mut client = peer;
        let lines = headers.get_all(FORWARDED_FOR).iter().collect::<Vec<_>>();
        let mut hops = lines.iter().rev().flat_map(|line| line.as_bytes().rsplit(|byte| *byte == b','));
        while self.contains(client) {
            match hops.next().map(forwarded_address) {
                Some(Some(address)) => client = address,
                // Every hop is a trusted proxy, so the farthest made the request.
                None => break,
                Some(None) => return peer,
            }
        }
        client
    }
}

/// Parses one element: an address with or without a port, an IPv6 address with or without brackets.
fn forwarded_address(element: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(element).ok()?.trim();
    let without_brackets = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    let address = without_brackets.parse::<IpAddr>().or_else(|_| text.parse::<SocketAddr>().map(|socket| socket.ip()));
    address.ok().map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn client(proxies: &[&str], peer: &str, forwarded: &[&str]) -> String {
        let networks = proxies.iter().map(|network| network.parse().expect("a network")).collect();
        let mut headers = HeaderMap::new();
        for line in forwarded {
            headers.append(FORWARDED_FOR, HeaderValue::from_bytes(line.as_bytes()).expect("a header"));
        }
        headers.insert("x-real-ip", HeaderValue::from_static("9.9.9.9"));
        headers.insert("forwarded", HeaderValue::from_static("for=9.9.9.9"));
        TrustedProxies::new(networks).client_address(peer.parse().expect("an address"), &headers).to_string()
    }

    #[test]
    fn without_trusted_proxies_headers_change_nothing_30() {
        for forwarded in [&["1.2.3.4"][..], &["1.2.3.4, 5.6.7.8"], &["127.0.0.1"], &[]] {
            assert_eq!(client(&[], "203.0.113.9", forwarded), "203.0.113.9");
            assert_eq!(client(&["10.0.0.0/8"], "203.0.113.9", forwarded), "203.0.113.9");
        }
    }

    #[test]
    fn the_rightmost_untrusted_address_is_the_client() {
        let proxies = &["10.0.0.0/8", "fd00::/8"];
        for (forwarded, expected) in [
            (&["1.2.3.4"][..], "1.2.3.4"),
            (&["6.6.6.6, 1.2.3.4"], "1.2.3.4"),
            (&["6.6.6.6, 1.2.3.4, 10.0.0.2"], "1.2.3.4"),
            (&["6.6.6.6", "1.2.3.4", "10.0.0.2, fd00::1"], "1.2.3.4"),
            (&["1.2.3.4:5678"], "1.2.3.4"),
            (&["[2001:db8::1]:443"], "2001:db8::1"),
            (&["[2001:db8::1]"], "2001:db8::1"),
            (&["::ffff:1.2.3.4"], "1.2.3.4"),
            (&["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
            (&[], "10.0.0.1"),
        ] {
            assert_eq!(client(proxies, "10.0.0.1", forwarded), expected, "{forwarded:?}");
        }
        assert_eq!(client(proxies, "::ffff:10.0.0.1", &["1.2.3.4"]), "1.2.3.4");
    }

    #[test]
    fn a_malformed_hop_counts_only_if_it_is_needed() {
        let proxies = &["10.0.0.0/8"];
        for forwarded in
            [&["unknown"][..], &[""], &["1.2.3.4,"], &["1.2.3.4, 10.0.0.2, x"], &["999.1.1.1"], &["\u{e4}"]]
        {
            assert_eq!(client(proxies, "10.0.0.1", forwarded), "10.0.0.1", "{forwarded:?}");
        }
        assert_eq!(client(proxies, "10.0.0.1", &["<script>, 1.2.3.4"]), "1.2.3.4");
    }
}
