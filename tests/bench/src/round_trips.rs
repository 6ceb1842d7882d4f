//! How often the server waits for PostgreSQL, and how often it commits.
//!
//! Counted by a proxy, on a server and a database of its own after everything was timed: the proxy makes each round trip take
//! 20 ms. One client sends one request after the other, because the server lets reads that are asked for at the same time share a
//! round trip, and would find more of them the slower the database is. What the server does of itself, such as looking for what has
//! expired, is counted along; the least of all requests is an operation's own.

use crate::client::Connection;
use crate::operation::Operation;
use crate::place::Place;
use crate::plan::Plan;
use crate::progress::say;
use crate::source::Source;
use crate::subject::Subject;
use crate::world::World;
use anyhow::{Context as _, Result, ensure};
use countersign_test_postgres::proxy::{Counted, Proxy};
use serde::Serialize;

/// Requests of each class before any is counted: a connection prepares each statement when it first needs it.
const WARM_UP: usize = 2;
/// Requests of each class that are counted.
const COUNTED: usize = 10;
/// Users who take part, of whom one in ten has no second factor.
const USERS: u64 = 100;

/// What a class does for a request.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct RoundTrips {
    pub(crate) operation: Operation,
    /// How often the server sends something to the database and waits.
    pub(crate) round_trips: Figures,
    /// Transactions that it commits.
    pub(crate) commits: Figures,
}

/// A count of several requests.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Figures {
    /// Of all of them.
    pub(crate) average: f64,
    /// Of any of them.
    pub(crate) least: u32,
}

impl Figures {
    fn of<const COUNT: usize>(counts: [u32; COUNT]) -> Self {
        let sum: u32 = counts.iter().sum();
        Self { average: f64::from(sum) / COUNT as f64, least: counts.into_iter().min().unwrap_or_default() }
    }
}

/// Counts what each class of the plan does.
pub(crate) async fn count(plan: &Plan, place: &Place) -> Result<Vec<RoundTrips>> {
    let (world, proxy) = plan.launcher.start_with_proxy(place).await?;
    let counted = count_all(&world, &proxy, &plan.operations).await;
    world.end(counted).await
}

async fn count_all(world: &World, proxy: &Proxy, operations: &[Operation]) -> Result<Vec<RoundTrips>> {
    let mut subject = world.subject().await?;
    subject.users = subject.seeder.populate(&mut subject.database, USERS, USERS).await?;
    let mut counted = Vec::new();
    for operation in operations {
        say(&format!("counting round trips of {}", operation.name()));
        let each = count_one(*operation, world, proxy, &mut subject).await;
        let each = each.with_context(|| format!("failed to count round trips of {}", operation.name()))?;
        counted.push(RoundTrips {
            operation: *operation,
            round_trips: Figures::of(each.map(|counted| counted.round_trips)),
            commits: Figures::of(each.map(|counted| counted.commits)),
        });
    }
    Ok(counted)
}

/// What was counted of each request.
async fn count_one(
    operation: Operation,
    world: &World,
    proxy: &Proxy,
    subject: &mut Subject,
) -> Result<[Counted; COUNTED]> {
    let mut source = subject.prepare_one(operation).await?;
    let mut connection = Connection::open(world.server.address).await?;
    for _ in 0..WARM_UP {
        send_next(&mut source, &mut connection).await?;
    }
    let mut each = [Counted::default(); COUNTED];
    for counted in &mut each {
        let _ = proxy.take();
        send_next(&mut source, &mut connection).await?;
        *counted = proxy.take();
    }
    Ok(each)
}

async fn send_next(source: &mut Source, connection: &mut Connection) -> Result<()> {
    let mut request = Vec::new();
    ensure!(source.next(&mut request), "there are no more requests");
    let response = connection.send(&request).await?;
    response.json()?;
    ensure!(source.accept(&response), "the server's response is not what was asked for");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_is_apart_from_the_average() {
        assert_eq!(Figures::of([3, 3, 6]), Figures { average: 4.0, least: 3 });
    }
}
