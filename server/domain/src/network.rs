//! Client networks: what rate limits and password quotas are keyed by, and how they share a scarce resource.

use crate::ids::AccountId;
use crate::keyring::{Keyring, Purpose};
use data_encoding::HEXLOWER;
use std::collections::HashMap;
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

/// Keyed MAC of a client network, by which quotas count its requests whatever the account. No address can be read from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientDigest(pub [u8; 32]);

impl fmt::Display for ClientDigest {
    /// As it stands in the names of quotas.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&HEXLOWER.encode(&self.0))
    }
}

/// A client network as a challenge keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NetworkDigests {
    pub client: ClientDigest,
    /// Keyed MAC of account and network, by which the account knows it.
    pub known: [u8; 32],
}

impl ClientNetwork {
    #[must_use]
    pub fn client_digest(self, keyring: &Keyring) -> ClientDigest {
        ClientDigest(keyring.mac(Purpose::Quota, format!("client|{self}").as_bytes()))
    }

    /// [`NetworkDigests::known`] under each key of the ring, the active one first.
    #[must_use]
    pub fn known_digests(self, account: AccountId, keyring: &Keyring) -> Vec<[u8; 32]> {
        keyring.macs(Purpose::Quota, format!("known-network|{account}|{self}").as_bytes())
    }

    #[must_use]
    pub fn digests(self, account: AccountId, keyring: &Keyring) -> NetworkDigests {
        NetworkDigests {
            client: self.client_digest(keyring),
            known: self.known_digests(account, keyring).swap_remove(0),
        }
    }
}

/// A network that encloses clients: the leading bits of their addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct NetworkPrefix {
    is_v6: bool,
    /// Number of leading bits that count.
    length: u8,
    /// The leading bits, all others zero; the first 64 bits of an IPv6 address, an IPv4 address at the upper end.
    bits: u64,
}

/// Lengths of the prefixes that are under one control: what an operator announces, from the widest to one client. IPv6 sites
/// get a /48 or a /56 (RFC 6177), networks are a /64; an IPv4 /24 is the longest prefix that is routed between operators.
const V6_LENGTHS: [u8; 3] = [48, 56, 64];
const V4_LENGTHS: [u8; 2] = [24, 32];

impl ClientNetwork {
    /// The networks that enclose this one, from the widest to itself.
    pub fn enclosing(self) -> impl Iterator<Item = NetworkPrefix> {
        let (is_v6, address, lengths) = match self {
            Self::V4(address) => (false, u64::from(address.to_bits()) << 32, &V4_LENGTHS[..]),
            Self::V6(prefix) => (true, prefix, &V6_LENGTHS[..]),
        };
        lengths.iter().map(move |&length| NetworkPrefix { is_v6, length, bits: address & (u64::MAX << (64 - length)) })
    }
}

/// Places that client networks share, so that none can take them all.
///
/// A network gets a place while those inside a wider network hold less than that network has left, and the widest hold less
/// than is free ("dynamic queue length thresholds", Choudhury and Hahne 1998, at each level of the address). So one IPv4
/// address holds at most a third of all places and a /24 half of them; one IPv6 /64 holds a quarter, a /56 a third and a /48
/// half. Several wide networks share evenly, and what equals the share of one more stays free for those that hold none.
#[derive(Debug)]
pub struct Shares {
    capacity: usize,
    taken: usize,
    /// Places held by the clients inside a network; no entry is zero.
    held: HashMap<NetworkPrefix, usize>,
}

impl Shares {
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self { capacity, taken: 0, held: HashMap::new() }
    }

    /// Takes a place for a client of `network`; `false` when its share is used up.
    #[must_use]
    pub fn take(&mut self, network: ClientNetwork) -> bool {
        let mut left = self.capacity - self.taken;
        for prefix in network.enclosing() {
            let held = self.held.get(&prefix).copied().unwrap_or(0);
            if held >= left {
                return false;
            }
            left -= held;
        }
        self.taken += 1;
        for prefix in network.enclosing() {
            *self.held.entry(prefix).or_insert(0) += 1;
        }
        true
    }

    /// Returns a place that was taken for `network`.
    pub fn give_back(&mut self, network: ClientNetwork) {
        self.taken -= 1;
        for prefix in network.enclosing() {
            if let Some(held) = self.held.get_mut(&prefix) {
                *held -= 1;
                if *held == 0 {
                    self.held.remove(&prefix);
                }
            }
        }
    }

    /// Number of places taken.
    #[must_use]
    pub fn taken(&self) -> usize {
        self.taken
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

    fn network(text: &str) -> ClientNetwork {
        ClientNetwork::from(text.parse::<IpAddr>().expect("an address"))
    }

    #[test]
    fn neighbours_have_their_wide_networks_in_common() {
        let common = |one: &str, other: &str| {
            network(one).enclosing().zip(network(other).enclosing()).filter(|(one, other)| one == other).count()
        };
        for (one, other, expected) in [
            ("2001:db8:1:2::1", "2001:db8:1:2::9", 3),
            ("2001:db8:1:2::1", "2001:db8:1:ff::1", 2),
            ("2001:db8:1:2::1", "2001:db8:1:100::1", 1),
            ("2001:db8:1:2::1", "2001:db8:2:2::1", 0),
            ("192.0.2.1", "192.0.2.1", 2),
            ("192.0.2.1", "192.0.2.2", 1),
            ("192.0.2.1", "192.0.3.1", 0),
            ("0.0.0.1", "::1", 0),
        ] {
            assert_eq!(common(one, other), expected, "{one} {other}");
        }
    }

    /// How many of `capacity` places these clients take, each trying as often as there are places.
    fn greedy(shares: &mut Shares, clients: impl IntoIterator<Item = String>) -> usize {
        let clients: Vec<_> = clients.into_iter().map(|client| network(&client)).collect();
        let before = shares.taken();
        for _ in 0..shares.capacity {
            for &client in &clients {
                let _ = shares.take(client);
            }
        }
        shares.taken() - before
    }

    #[test]
    fn no_network_takes_more_than_its_share() {
        // Many clients stop a little short of the share of their network, since each needs a place left for one more.
        for (clients, share) in [
            (vec!["192.0.2.1".to_owned()], 400),
            ((0..=255).map(|last| format!("192.0.2.{last}")).collect(), 600),
            (vec!["2001:db8::1".to_owned()], 300),
            ((0..256).map(|last| format!("2001:db8:0:{last:x}::1")).collect(), 400),
            ((0..2_048).map(|last| format!("2001:db8:0:{last:x}::1")).collect(), 600),
        ] {
            let taken = greedy(&mut Shares::new(1_200), clients.clone());
            assert!((share - 5..=share).contains(&taken), "{taken} of {share}: {} and others", clients[0]);
        }
        let wide = |count: usize| (0..count).map(|number| format!("2001:db8:{number:x}::1"));
        let mut shares = Shares::new(1_200);
        assert!(greedy(&mut shares, wide(100)) < 1_200, "room is left while networks are fewer than places");
        assert!(shares.take(network("192.0.2.1")) && shares.take(network("192.0.2.1")));
    }

    #[test]
    fn neighbours_of_a_greedy_client_have_places_too() {
        let mut shares = Shares::new(1_200);
        greedy(&mut shares, ["2001:db8::1".to_owned()]);
        for neighbour in ["2001:db8:0:1::1", "2001:db8:0:ff00::1", "2001:db8:1::1", "192.0.2.1"] {
            assert!((0..10).all(|_| shares.take(network(neighbour))), "{neighbour}");
        }
    }

    #[test]
    fn a_place_that_was_given_back_can_be_taken_again() {
        let mut shares = Shares::new(1);
        let (one, other) = (network("192.0.2.1"), network("2001:db8::1"));
        assert!(shares.take(one) && !shares.take(one) && !shares.take(other));
        shares.give_back(one);
        assert!(shares.take(other) && !shares.take(one));
        shares.give_back(other);
        assert!(shares.held.is_empty() && shares.taken() == 0);
    }
}
