//! Client networks: what rate limits and password quotas are keyed by.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};

/// The unit that rate limits count as one client: an IPv4 address, or the /64 prefix that an IPv6 subscriber controls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ClientNetwork {
    V4(Ipv4Addr),
    /// The /64 prefix.
    V6(u64),
}

impl fmt::Display for ClientNetwork {
    /// An IPv4 address, or the /64 prefix as sixteen hexadecimal digits.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::V4(address) => address.fmt(formatter),
            Self::V6(prefix) => write!(formatter, "{prefix:016x}"),
        }
    }
}

impl From<IpAddr> for ClientNetwork {
    fn from(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self::V4(address),
            IpAddr::V6(address) => {
                let [first, second, third, fourth, ..] = address.segments();
                let prefix =
                    [first, second, third, fourth].into_iter().fold(0, |bits, part| bits << 16 | u64::from(part));
                Self::V6(prefix)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_client_is_one_network_however_its_address_is_written_31() {
        let network = |text: &str| ClientNetwork::from(text.parse::<IpAddr>().expect("an address"));
        let same = [
            "2001:db8:1:2::1",
            "2001:0db8:0001:0002:0000:0000:0000:0001",
            "2001:DB8:1:2::FFFF",
            "2001:db8:1:2:3:4:5:6",
            "2001:db8:1:2:0:0:0:1",
            "2001:db8:1:2::0.0.0.1",
        ];
        for text in same {
            assert_eq!(network(text), network(same[0]), "{text}");
        }
        assert_ne!(network("2001:db8:1:3::1"), network(same[0]));
        assert_eq!(network("::ffff:1.2.3.4"), network("1.2.3.4"));
        assert_ne!(network("1.2.3.5"), network("1.2.3.4"));
        assert_eq!(
            (network("1.2.3.4").to_string(), network(same[0]).to_string()),
            ("1.2.3.4".into(), "20010db800010002".into())
        );
    }
}
