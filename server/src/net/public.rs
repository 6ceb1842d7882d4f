//! Which addresses are those of the public internet.
//!
//! A URL that comes from elsewhere must not lead into the operator's own network, or to the metadata service of
//! a cloud (169.254.169.254, fd00:ec2::254). A name is resolved once, and connected to by what was checked, so that a second
//! resolution cannot lead elsewhere (DNS rebinding). Special-purpose addresses are those of the registries of IANA
//! (RFC 6890).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Why a host is not connected to. Says the address: whose name it is stands in the configuration.
#[derive(Debug, thiserror::Error)]
pub enum NotPublic {
    #[error("{0} is no address of the public internet")]
    Address(IpAddr),
    #[error("the host has no address")]
    None,
}

/// Checks every address that a name has.
///
/// # Errors
/// When one of them is not public: which one is connected to is the choice of the operating system.
pub fn check_all(addresses: Vec<SocketAddr>) -> Result<Vec<SocketAddr>, NotPublic> {
    if addresses.is_empty() {
        return Err(NotPublic::None);
    }
    match addresses.iter().map(SocketAddr::ip).find(|address| !is_public(*address)) {
        Some(address) => Err(NotPublic::Address(address)),
        None => Ok(addresses),
    }
}

/// Whether an address is neither that of this machine, nor of a private or link-local network, nor of another special purpose.
#[must_use]
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    !(a == 0
        || address.is_loopback()
        || address.is_private()
        || address.is_link_local()
        || address.is_multicast()
        || address.is_documentation()
        // Carrier-grade NAT (RFC 6598).
        || (a == 100 && b & 0xc0 == 64)
        // Protocol assignments (RFC 6890), and 6to4 relays (RFC 7526).
        || (a == 192 && b == 0 && c == 0)
        || (a == 192 && b == 88 && c == 99)
        // Benchmarks (RFC 2544).
        || (a == 198 && b & 0xfe == 18)
        // Reserved, and broadcast.
        || a >= 240)
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let [first, second, third, _, _, _, seventh, eighth] = address.segments();
    let embedded = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        is_public_v4(Ipv4Addr::new(a, b, c, d))
    };
    if let Some(mapped) = address.to_ipv4_mapped() {
        return is_public_v4(mapped);
    }
    match (first, second) {
        // NAT64 (RFC 6052) and 6to4 (RFC 3056) lead to an IPv4 address.
        (0x64, 0xff9b) => third == 0 && embedded(seventh, eighth),
        (0x2002, high) => embedded(high, third),
        // Protocol assignments with Teredo, and documentation.
        (0x2001, 0..=0x1ff | 0xdb8) | (0x3fff, 0..=0xfff) => false,
        // Global unicast: every other block is local, multicast or reserved.
        _ => first & 0xe000 == 0x2000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_the_internet_are_public() {
        for (text, expected) in [
            ("1.1.1.1", true),
            ("93.184.216.34", true),
            ("172.15.255.255", true),
            ("172.32.0.1", true),
            ("100.63.0.1", true),
            ("100.128.0.1", true),
            ("198.20.0.1", true),
            ("0.0.0.0", false),
            ("0.1.2.3", false),
            ("10.0.0.1", false),
            ("100.64.0.1", false),
            ("127.0.0.1", false),
            ("127.255.0.1", false),
            ("169.254.169.254", false),
            ("172.16.0.1", false),
            ("172.31.255.255", false),
            ("192.0.0.192", false),
            ("192.0.2.1", false),
            ("192.168.1.1", false),
            ("198.18.0.1", false),
            ("198.19.255.255", false),
            ("224.0.0.1", false),
            ("240.0.0.1", false),
            ("255.255.255.255", false),
            ("2606:4700:4700::1111", true),
            ("2a00:1450::1", true),
            ("::", false),
            ("::1", false),
            ("::ffff:10.0.0.1", false),
            ("::ffff:1.1.1.1", true),
            ("::127.0.0.1", false),
            ("64:ff9b::a00:1", false),
            ("64:ff9b::101:101", true),
            ("64:ff9b:1::101:101", false),
            ("2002:a00:1::1", false),
            ("2002:101:101::1", true),
            ("2001::1", false),
            ("2001:db8::1", false),
            ("fc00::1", false),
            ("fd00:ec2::254", false),
            ("fe80::1", false),
            ("fec0::1", false),
            ("ff02::1", false),
        ] {
            assert_eq!(is_public(text.parse().expect(text)), expected, "{text}");
        }
    }

    #[test]
    fn a_name_is_as_private_as_any_of_its_addresses() {
        let addresses = |texts: &[&str]| {
            texts.iter().map(|text| SocketAddr::new(text.parse().expect("an address"), 0)).collect::<Vec<_>>()
        };
        assert!(check_all(addresses(&["1.1.1.1", "2606:4700:4700::1111"])).is_ok());
        let problem = check_all(addresses(&["1.1.1.1", "169.254.169.254"])).expect_err("private");
        assert_eq!(problem.to_string(), "169.254.169.254 is no address of the public internet");
        assert!(check_all(Vec::new()).is_err());
    }
}
