//! What the command line and the administration API have in common: the JSON that both show, and the names of a new user.
//!
//! | module | what it holds |
//! |---|---|
//! | [`users`] | users, what is counted against them, what they have opened |
//! | [`audit`] | events |
//! | [`export`] | everything that is stored about a user |
//! | [`statistics`] | counts |
//! | [`new_user`] | what a new user can be called |

pub mod audit;
pub mod export;
pub mod new_user;
pub mod statistics;
pub mod users;

use countersign_api::time::WireTime;
use countersign_domain::time::Timestamp;

fn time(instant: Timestamp) -> WireTime {
    WireTime::from_millis(instant.as_millis())
}

fn maybe_time(instant: Option<Timestamp>) -> Option<WireTime> {
    instant.map(time)
}

/// A count; the wire has signed numbers, which every language has.
fn number(count: impl TryInto<i64>) -> i64 {
    count.try_into().unwrap_or(i64::MAX)
}
