//! How often the server waits for PostgreSQL, and how often it commits.
//!
//! Counted by a proxy, on a server and a database of its own after everything was timed: the proxy makes each round trip take
//! 20 ms. What the server does of itself, such as looking for what has expired, is counted along, and so is what it does again after a
//! conflict; the delivery of messages is not.

use crate::measure::{Effort, Measurement, Timing};
use crate::operation::Operation;
use crate::place::Place;
use crate::plan::Plan;
use crate::progress::say;
use crate::subject::Subject;
use crate::world::World;
use anyhow::{Context as _, Result};
use countersign_test_postgres::proxy::{Counted, Proxy};
use serde::Serialize;
use std::time::Duration;

/// Requests are sent for so long before any is counted, so that each of the server's connections has prepared its statements.
const WARM_UP: Duration = Duration::from_millis(500);
/// How long requests of a class are counted.
const COUNTED: Duration = Duration::from_secs(1);

/// What a class does, on average.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct RoundTrips {
    pub(crate) operation: Operation,
    /// Requests that were counted, whatever was answered.
    pub(crate) requests: u64,
    /// How often the server sent something to the database and waited, for each request.
    pub(crate) round_trips: f64,
    /// Transactions that it committed, for each request.
    pub(crate) commits: f64,
    /// Requests that were not answered as they should be.
    pub(crate) errors: u64,
}

/// Counts what each class of the plan does.
pub(crate) async fn count(plan: &Plan, place: &Place) -> Result<Vec<RoundTrips>> {
    let (world, proxy) = plan.launcher.start_with_proxy(place).await?;
    let counted = count_on(&world, &proxy, plan, place).await;
    world.end(counted).await
}

async fn count_on(world: &World, proxy: &Proxy, plan: &Plan, place: &Place) -> Result<Vec<RoundTrips>> {
    let mut subject = world.subject().await?;
    let users = plan.fewest_users();
    subject.users = subject.seeder.populate(&mut subject.database, users, users).await?;
    let mut counted = Vec::new();
    for operation in &plan.operations {
        say(&format!("counting round trips of {}", operation.name()));
        send(*operation, WARM_UP, world, &mut subject, plan, place).await?;
        let _ = proxy.take();
        let sent = send(*operation, COUNTED, world, &mut subject, plan, place).await?;
        counted.push(RoundTrips::of(&sent, proxy.take()));
    }
    Ok(counted)
}

async fn send(
    operation: Operation,
    duration: Duration,
    world: &World,
    subject: &mut Subject,
    plan: &Plan,
    place: &Place,
) -> Result<Measurement> {
    let mut timing = Timing::new(operation);
    let sent = timing.slice(&world.server, place, subject, Effort { duration, ..plan.effort }).await;
    sent.with_context(|| format!("failed to count {}", operation.name()))?;
    Ok(timing.finish())
}

impl RoundTrips {
    fn of(sent: &Measurement, counted: Counted) -> Self {
        let (answered, errors) = (u64::try_from(sent.requests).unwrap_or(u64::MAX), sent.errors.count());
        let requests = answered + errors;
        let for_each = |count: u32| f64::from(count) / requests as f64;
        Self {
            operation: sent.operation,
            requests,
            round_trips: for_each(counted.round_trips),
            commits: for_each(counted.commits),
            errors,
        }
    }
}
