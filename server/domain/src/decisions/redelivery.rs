//! What becomes of a message, or of an event for a receiver of webhooks, after an attempt to deliver it.

use crate::time::Timestamp;
use std::time::Duration;

/// The pause after the first failure; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// The longest pause: a mail server that is well again is noticed within a minute.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attempt {
    /// The next server has taken charge of the message.
    Delivered,
    /// The next server will never take it, as with status 5yz of SMTP.
    Refused,
    /// It was not delivered, as far as is known.
    Failed,
    /// It was not tried, because it was of no use any more.
    Late,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Redelivery {
    Delivered,
    RetryAt(Timestamp),
    /// It will not be delivered, and what it took from sending quotas is given back.
    Dead,
    /// It will not be delivered, and what it took stays taken: a server was asked and has said no, which somebody who makes up
    /// addresses could have it do without end.
    Refused,
}

/// The pause after so many failures in a row, the present one included.
#[must_use]
pub fn pause(failures: u32) -> Duration {
    let doublings = failures.saturating_sub(1).min(16);
    FIRST_PAUSE.saturating_mul(1 << doublings).min(LONGEST_PAUSE)
}

/// `attempts` counts the present one.
#[must_use]
pub fn decide(attempt: Attempt, attempts: u32, dead_at: Timestamp, now: Timestamp) -> Redelivery {
    let pause = pause(attempts);
    match attempt {
        Attempt::Delivered => Redelivery::Delivered,
        Attempt::Refused => Redelivery::Refused,
        Attempt::Late => Redelivery::Dead,
        Attempt::Failed if now + pause >= dead_at => Redelivery::Dead,
        Attempt::Failed => Redelivery::RetryAt(now + pause),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decisions::fixtures::NOW;

    #[test]
    fn every_end_of_an_attempt() {
        let in_seconds = |seconds| NOW + Duration::from_secs(seconds);
        let retry = |seconds| Redelivery::RetryAt(in_seconds(seconds));
        let dead_at = in_seconds(180);
        for (attempt, attempts, now, expected) in [
            (Attempt::Delivered, 1, NOW, Redelivery::Delivered),
            (Attempt::Delivered, 9, in_seconds(999), Redelivery::Delivered),
            (Attempt::Refused, 1, NOW, Redelivery::Refused),
            (Attempt::Late, 1, dead_at, Redelivery::Dead),
            (Attempt::Failed, 1, NOW, retry(1)),
            (Attempt::Failed, 2, NOW, retry(2)),
            (Attempt::Failed, 6, NOW, retry(32)),
            (Attempt::Failed, 7, NOW, retry(60)),
            (Attempt::Failed, u32::MAX, NOW, retry(60)),
            (Attempt::Failed, 1, in_seconds(178), retry(179)),
            (Attempt::Failed, 1, in_seconds(179), Redelivery::Dead),
        ] {
            assert_eq!(decide(attempt, attempts, dead_at, now), expected, "{attempt:?} {attempts} {now:?}");
        }
    }
}
