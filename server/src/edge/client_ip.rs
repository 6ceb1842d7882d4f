//! The client's address.
//!
//! Any client can send `X-Forwarded-For`. It is trusted only as far as configured proxies added to it, read from the right.
//! Other forwarding headers are ignored.

use countersign_domain::network::ClientNetwork;
use http::{HeaderMap, header};
use ipnet::IpNet;
use std::collections::HashSet;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Mutex, PoisonError};

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

/// Peers that sent `X-Forwarded-For` or `Forwarded` and are no trusted proxies, by their networks. A proxy that was not
/// configured makes one client of all who come through it, which the operator has to be told; any client can send the header,
/// so the number of networks is bounded, for those inside and outside of the operator's own separately.
#[derive(Debug, Default)]
pub struct UntrustedForwarders {
    local: Mutex<HashSet<ClientNetwork>>,
    others: Mutex<HashSet<ClientNetwork>>,
}

/// Networks that are remembered of each kind.
const MOST_FORWARDERS: usize = 16;

impl UntrustedForwarders {
    /// Whether the peer is one, and none of its network was seen before.
    #[must_use]
    pub fn is_new(&self, trusted: &TrustedProxies, peer: IpAddr, headers: &HeaderMap) -> bool {
        let peer = peer.to_canonical();
        let forwards = headers.contains_key(FORWARDED_FOR) || headers.contains_key(header::FORWARDED);
        if !forwards || trusted.contains(peer) {
            return false;
        }
        let seen = if is_local(peer) { &self.local } else { &self.others };
        let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.len() < MOST_FORWARDERS && seen.insert(peer.into())
    }
}

/// Whether the address is one of this machine or of a private network.
fn is_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_loopback() || address.is_private() || address.is_link_local(),
        IpAddr::V6(address) => address.is_loopback() || address.is_unique_local() || address.is_unicast_link_local(),
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
    fn a_forwarder_that_is_not_trusted_is_new_once_for_its_network() {
        let trusted = TrustedProxies::new(vec!["10.0.0.0/8".parse().expect("a network")]);
        let forwarders = UntrustedForwarders::default();
        let is_new = |peer: &str, name: &'static str| {
            let headers = HeaderMap::from_iter([(http::HeaderName::from_static(name), HeaderValue::from_static("x"))]);
            forwarders.is_new(&trusted, peer.parse().expect("an address"), &headers)
        };
        assert!(!is_new("127.0.0.1", "x-real-ip") && !is_new("10.0.0.1", "x-forwarded-for"));
        assert!(is_new("127.0.0.1", "x-forwarded-for") && !is_new("::ffff:127.0.0.1", "forwarded"));
        assert!(is_new("2001:db8::1", "forwarded") && !is_new("2001:db8::2", "x-forwarded-for"));
        let others = (0..100).filter(|last| is_new(&format!("203.0.113.{last}"), "x-forwarded-for")).count();
        assert_eq!(others, MOST_FORWARDERS - 1, "bounded");
        assert!(is_new("192.168.0.1", "x-forwarded-for"), "strangers do not hide a proxy nearby");
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
