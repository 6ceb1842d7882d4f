//! What is measured, as the command line says.

use crate::child;
use crate::measure::Effort;
use crate::operation::Operation;
use crate::options::Options;
use crate::world::Launcher;
use anyhow::Result;

/// Users who are written into the database beside those enrolled over HTTP, so that there are enough for codes that
/// can be used once; and how many of more users take part.
const SAMPLE: u64 = 4096;
/// Written users for each connection, of whom one in ten has no second factor.
const USERS_PER_CONNECTION: u64 = 16;
/// The smallest number of users that is compared with a larger one.
const FEW_USERS: u64 = 1_000;

/// What all databases have in common.
pub(crate) struct Plan {
    /// How servers are started.
    pub(crate) launcher: Launcher,
    /// The classes that are timed.
    pub(crate) operations: Vec<Operation>,
    /// Users enrolled over HTTP.
    pub(crate) users: u32,
    /// How each class is timed.
    pub(crate) effort: Effort,
    /// The mixed load, as a part of what the server can hash in percent, if there is one.
    pub(crate) mixed: Option<u32>,
    /// Whether there is a flood.
    pub(crate) floods: bool,
    /// Numbers of users that are compared, in ascending order; none if they are not.
    pub(crate) growth: Vec<u64>,
}

impl Plan {
    /// As the options say.
    pub(crate) fn new(options: &Options) -> Result<Self> {
        Ok(Self {
            launcher: Launcher {
                program: child::program(options.server.as_deref())?,
                settings: options.settings.clone(),
            },
            operations: options.operations(),
            users: options.users,
            effort: Effort { connections: options.connections, duration: options.duration() },
            mixed: options.mixed,
            floods: options.flood,
            growth: options.growth.map(sizes_up_to).unwrap_or_default(),
        })
    }

    /// How many users take part.
    pub(crate) fn sample(&self) -> u64 {
        SAMPLE.max(USERS_PER_CONNECTION * u64::from(self.effort.connections))
    }
}

/// Few users, and a tenth of the most if that is more, and the most.
fn sizes_up_to(most: u64) -> Vec<u64> {
    let tenth = Some(most / 10).filter(|tenth| *tenth > FEW_USERS);
    [FEW_USERS].into_iter().chain(tenth).chain([most]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_grow_to_the_most_users() {
        assert_eq!(sizes_up_to(1_000_000), [1_000, 100_000, 1_000_000]);
        assert_eq!(sizes_up_to(10_000), [1_000, 10_000]);
    }
}
