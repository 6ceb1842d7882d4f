//! The order in which passwords are hashed.
//!
//! Requests wait in lanes, by what they are for, and each lane has places of its own, so that a flood in one takes none from
//! another. Within a lane client networks share the places ([`Shares`]) and take turns, first the widest networks, then the
//! networks inside them: a client that is alone in a network waits for one hash of each network that is busy, however many
//! requests those have waiting.

use countersign_domain::network::{ClientNetwork, NetworkPrefix, Shares};
use std::collections::{HashMap, VecDeque};

pub use countersign_domain::observer::HashLane as Lane;

/// The lanes in turn, empty ones left out. Of the work known devices get a half, which a stranger with an account can get,
/// too, so others keep three eighths; new accounts can wait.
const TURNS: [Lane; 8] =
    [Lane::Known, Lane::Unknown, Lane::Known, Lane::Unknown, Lane::Known, Lane::Unknown, Lane::Known, Lane::NewAccount];

/// Waiting requests: places, and those of them that are ready to go on.
pub(super) struct Queue<T> {
    known: LaneQueue<T>,
    unknown: LaneQueue<T>,
    new_account: LaneQueue<T>,
    /// Index of the next turn.
    turn: usize,
}

struct LaneQueue<T> {
    places: Shares,
    waiting: Rotation<T>,
}

impl<T> Queue<T> {
    /// With `capacity` places in each lane.
    pub(super) fn new(capacity: usize) -> Self {
        let lane = || LaneQueue { places: Shares::new(capacity), waiting: Rotation::default() };
        Self { known: lane(), unknown: lane(), new_account: lane(), turn: 0 }
    }

    fn lane(&mut self, lane: Lane) -> &mut LaneQueue<T> {
        match lane {
            Lane::Known => &mut self.known,
            Lane::Unknown => &mut self.unknown,
            Lane::NewAccount => &mut self.new_account,
        }
    }

    /// Takes a place; `false` when the network has used up its share of the lane.
    pub(super) fn admit(&mut self, lane: Lane, network: ClientNetwork) -> bool {
        self.lane(lane).places.take(network)
    }

    /// Places of a lane that are taken.
    pub(super) fn taken(&self, lane: Lane) -> usize {
        match lane {
            Lane::Known => self.known.places.taken(),
            Lane::Unknown => self.unknown.places.taken(),
            Lane::NewAccount => self.new_account.places.taken(),
        }
    }

    /// Returns a place.
    pub(super) fn leave(&mut self, lane: Lane, network: ClientNetwork) {
        self.lane(lane).places.give_back(network);
    }

    /// Lets a request that has a place wait for its turn.
    pub(super) fn push(&mut self, lane: Lane, network: ClientNetwork, waiter: T) {
        self.lane(lane).waiting.push(&mut network.enclosing(), waiter);
    }

    /// The request whose turn it is.
    pub(super) fn pop(&mut self) -> Option<T> {
        (0..TURNS.len()).find_map(|_| {
            let lane = TURNS[self.turn];
            self.turn = (self.turn + 1) % TURNS.len();
            self.lane(lane).waiting.pop()
        })
    }
}

/// Requests of a network, or of the networks inside it, which take turns.
struct Rotation<T> {
    /// Those of the narrowest network, in the order of their arrival.
    line: VecDeque<T>,
    /// The networks inside that have somebody waiting, the next one first.
    turns: VecDeque<NetworkPrefix>,
    inside: HashMap<NetworkPrefix, Rotation<T>>,
}

impl<T> Default for Rotation<T> {
    fn default() -> Self {
        Self { line: VecDeque::new(), turns: VecDeque::new(), inside: HashMap::new() }
    }
}

impl<T> Rotation<T> {
    fn push(&mut self, path: &mut dyn Iterator<Item = NetworkPrefix>, waiter: T) {
        match path.next() {
            None => self.line.push_back(waiter),
            Some(prefix) => {
                let turns = &mut self.turns;
                let inside = self.inside.entry(prefix).or_insert_with(|| {
                    turns.push_back(prefix);
                    Self::default()
                });
                inside.push(path, waiter);
            }
        }
    }

    fn pop(&mut self) -> Option<T> {
        if let Some(waiter) = self.line.pop_front() {
            return Some(waiter);
        }
        let prefix = self.turns.pop_front()?;
        let inside = self.inside.get_mut(&prefix)?;
        let waiter = inside.pop();
        if inside.line.is_empty() && inside.turns.is_empty() {
            self.inside.remove(&prefix);
        } else {
            self.turns.push_back(prefix);
        }
        waiter
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::IpAddr;

    fn network(text: &str) -> ClientNetwork {
        ClientNetwork::from(text.parse::<IpAddr>().expect("an address"))
    }

    /// Admits as many as there is room for, at most `count`.
    fn arrive(queue: &mut Queue<String>, lane: Lane, client: &str, count: usize) -> usize {
        let network = network(client);
        let admitted = (0..count).take_while(|_| queue.admit(lane, network)).count();
        for _ in 0..admitted {
            queue.push(lane, network, client.to_owned());
        }
        admitted
    }

    /// Positions at which the requests of `client` come, if nobody else arrives.
    fn positions(queue: &mut Queue<String>, client: &str) -> Vec<usize> {
        let order = std::iter::from_fn(|| queue.pop()).collect::<Vec<_>>();
        order.iter().enumerate().filter(|(_, other)| *other == client).map(|(position, _)| position).collect()
    }

    fn addresses_of_one_subnet() -> impl Iterator<Item = String> {
        (0..256).map(|number| format!("2001:db8:0:{number:x}::1"))
    }

    #[test]
    fn a_flood_from_a_56_leaves_places_and_turns_to_others() {
        for innocent in ["192.0.2.7", "2001:db8:ffff::1", "2001:db8:0:ff00::1"] {
            let mut queue = Queue::new(192);
            for client in addresses_of_one_subnet() {
                arrive(&mut queue, Lane::Unknown, &client, 6);
                arrive(&mut queue, Lane::NewAccount, &client, 6);
            }
            assert_eq!(arrive(&mut queue, Lane::Unknown, innocent, 3), 3, "{innocent}");
            let positions = positions(&mut queue, innocent);
            assert!(*positions.last().expect("three") <= 8, "{innocent}: {positions:?}");
        }
    }

    #[test]
    fn neighbours_in_a_64_wait_behind_its_other_requests_and_nobody_else_does() {
        let mut queue = Queue::new(192);
        assert_eq!(arrive(&mut queue, Lane::Unknown, "2001:db8::1", 192), 48, "a quarter");
        assert_eq!(arrive(&mut queue, Lane::Unknown, "2001:db8::2", 1), 0, "the same /64");
        assert_eq!(arrive(&mut queue, Lane::Unknown, "2001:db8:0:1::2", 1), 1, "the same /56");
        assert_eq!(positions(&mut queue, "2001:db8:0:1::2"), [1]);
    }

    #[test]
    fn a_flood_of_new_accounts_takes_no_place_and_little_time_from_sign_ins() {
        let mut queue = Queue::new(100);
        for number in 0..100 {
            arrive(&mut queue, Lane::NewAccount, &format!("198.51.{number}.1"), 100);
        }
        assert_eq!(arrive(&mut queue, Lane::Unknown, "192.0.2.7", 20), 20);
        let positions = positions(&mut queue, "192.0.2.7");
        assert!(*positions.last().expect("twenty") < 20 * 4 / 3 + 2, "{positions:?}");
    }

    #[test]
    fn known_devices_come_first_and_starve_nobody() {
        let mut queue = Queue::new(1_000);
        for number in 0..100 {
            arrive(&mut queue, Lane::Unknown, &format!("198.51.{number}.1"), 5);
        }
        assert_eq!(arrive(&mut queue, Lane::Known, "198.51.7.1", 4), 4);
        let order: Vec<_> = (0..8).filter_map(|_| queue.pop()).collect();
        assert_eq!(order.iter().filter(|client| *client == "198.51.7.1").count(), 4, "{order:?}");

        let mut queue = Queue::new(1_000);
        for number in 0..100 {
            arrive(&mut queue, Lane::Known, &format!("198.51.{number}.1"), 5);
        }
        arrive(&mut queue, Lane::Unknown, "192.0.2.7", 4);
        assert!(*positions(&mut queue, "192.0.2.7").last().expect("four") <= 8);
    }

    #[test]
    fn requests_of_one_network_keep_their_order_and_empty_networks_are_forgotten() {
        let mut queue = Queue::new(100);
        for number in 0..10 {
            queue.push(Lane::Unknown, network("192.0.2.7"), number);
        }
        assert_eq!(std::iter::from_fn(|| queue.pop()).collect::<Vec<_>>(), (0..10).collect::<Vec<_>>());
        assert!(queue.unknown.waiting.inside.is_empty() && queue.unknown.waiting.turns.is_empty());
        assert!(queue.pop().is_none());
    }
}
