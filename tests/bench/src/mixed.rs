//! A load as a service has it: all kinds of requests at once, most of them reads of a session, each sent when it is due.
//!
//! The rate follows from the dearest of them: so many that their password hashes are a share of those that the server made while
//! nothing else was asked of it. Which comes next is drawn, so that each kind arrives now and then in bursts.

use crate::clock::with_random;
use crate::errors::Errors;
use crate::measure::Measurement;
use crate::open_loop::{Answered, Clients, Tally, arrive, send_next};
use crate::operation::Operation;
use crate::subject::Subject;
use anyhow::Result;
use serde::Serialize;
use std::net::{Ipv4Addr, SocketAddr};
use std::rc::Rc;
use std::time::Duration;
use tokio::task::LocalSet;

/// How many of a hundred requests are of each class.
const SHARES: [(Operation, u32); 6] = [
    (Operation::GetSession, 85),
    (Operation::SignInToChallenge, 6),
    (Operation::VerifyTotp, 4),
    (Operation::SignOut, 3),
    (Operation::VerifyBackupCode, 1),
    (Operation::SignUp, 1),
];
/// The sum of all shares.
const WHOLE: u32 = 100;
/// What can be sent once is made for so long at most, because challenges expire.
const ROUND: Duration = Duration::from_secs(60);
/// Addresses that clients have: one alone gets no more than a third of the places where passwords wait.
const CLIENTS: u8 = 200;

/// How much is asked of the server.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Load {
    /// Part of the hashes that the server can make, in percent.
    pub(crate) percent: u32,
    /// Password hashes that it can make in a second.
    pub(crate) hashes_per_second: f64,
}

impl Load {
    /// Requests of all classes that are due in a second.
    pub(crate) fn per_second(self) -> f64 {
        let hashes: u32 = SHARES.iter().map(|(operation, share)| operation.password_hashes() * share).sum();
        let hashes_per_request = f64::from(hashes) / f64::from(WHOLE);
        self.hashes_per_second * f64::from(self.percent) / 100.0 / hashes_per_request
    }
}

/// The most password hashes in a second that any class made; `None` if none was timed that makes them.
pub(crate) fn hashes_per_second(measurements: &[Measurement]) -> Option<f64> {
    let rates = measurements.iter().map(|timed| timed.per_second * f64::from(timed.operation.password_hashes()));
    rates.filter(|rate| *rate > 0.0).reduce(f64::max)
}

/// What came of a mixed load.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Mixed {
    /// How much was asked.
    pub(crate) load: Load,
    /// Requests that were due in a second.
    pub(crate) per_second: f64,
    /// For how long.
    pub(crate) seconds: f64,
    /// What came of each class.
    pub(crate) operations: Vec<Share>,
}

/// What came of one class.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Share {
    pub(crate) operation: Operation,
    /// Its part of all requests.
    pub(crate) percent: u32,
    /// Requests that were answered as they should be.
    #[serde(flatten)]
    pub(crate) answered: Answered,
    /// Other requests.
    pub(crate) errors: Errors,
}

/// Sends a mixed load for some time.
pub(crate) async fn send_mixed_load(
    address: SocketAddr,
    load: Load,
    duration: Duration,
    subject: &mut Subject,
) -> Result<Mixed> {
    let clients = Clients::new((1..=CLIENTS).map(|number| Ipv4Addr::new(127, 0, 88, number)), address);
    let tallies = SHARES.map(|_| Rc::<Tally>::default());
    let mut elapsed = Duration::ZERO;
    // In rounds, because what can be sent once runs out.
    while elapsed < duration {
        let mut sources = Vec::new();
        for (operation, _) in SHARES {
            sources.push(subject.prepare_one(operation).await?);
        }
        let tasks = LocalSet::new();
        let arrivals = arrive(load.per_second(), ROUND.min(duration - elapsed), |due| {
            let class = class_index(with_random(|random| random.next_u32()));
            send_next(&mut sources[class], &clients, &tallies[class], due)
        });
        elapsed += tasks.run_until(arrivals).await;
        // Until all are answered.
        tasks.await;
    }
    let share = |((operation, percent), tally): ((Operation, u32), &Rc<Tally>)| Share {
        operation,
        percent,
        answered: tally.answered(),
        errors: tally.errors(),
    };
    Ok(Mixed {
        load,
        per_second: load.per_second(),
        seconds: elapsed.as_secs_f64(),
        operations: SHARES.into_iter().zip(&tallies).map(share).collect(),
    })
}

/// The index of the class that a random number selects.
fn class_index(number: u32) -> usize {
    let mut left = number % WHOLE;
    let is_it = |(_, share): &(Operation, u32)| match left.checked_sub(*share) {
        Some(rest) => {
            left = rest;
            false
        }
        None => true,
    };
    SHARES.iter().position(is_it).expect("the shares sum up to the whole")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_is_drawn_as_often_as_its_share_says() {
        let mut counts = [0; SHARES.len()];
        (0..WHOLE).for_each(|number| counts[class_index(number)] += 1);
        assert_eq!(counts, SHARES.map(|(_, share)| share));
    }

    #[test]
    fn the_rate_follows_from_the_hashes() {
        // Seven of a hundred requests make a hash.
        let load = Load { percent: 50, hashes_per_second: 140.0 };
        assert!((load.per_second() - 1_000.0).abs() < 1e-9);
    }
}
