//! How operations slow down as users become more: databases of several sizes, each with its server, timed in turns.

use crate::clock::Stopwatch;
use crate::measure::{Measurement, SLICES, Timing};
use crate::place::Place;
use crate::plan::Plan;
use crate::progress::say;
use crate::subject::Subject;
use crate::world::World;
use anyhow::{Context as _, Result};
use serde::Serialize;

/// The operations among so many users.
#[derive(Debug, Serialize)]
pub(crate) struct Grown {
    /// Users in the database.
    pub(crate) users: u64,
    /// How long it took to write them.
    pub(crate) seconds: f64,
    /// What the database takes on disk with them, its log aside.
    pub(crate) bytes: u64,
    /// The operations.
    pub(crate) operations: Vec<Measurement>,
}

/// A database of some size, and what was measured on it.
struct Size {
    world: World,
    subject: Subject,
    grown: Grown,
}

/// Times all classes of the plan on databases of all its sizes.
pub(crate) async fn grow(plan: &Plan, place: &Place) -> Result<Vec<Grown>> {
    let mut sizes = Vec::new();
    let timed = time(plan, place, &mut sizes).await;
    let mut grown = Vec::new();
    // All servers end and all databases go, whatever has failed.
    let mut ended = timed;
    for Size { world, subject, grown: of_size } in sizes {
        drop(subject);
        ended = ended.and(world.end(Ok(())).await);
        grown.push(of_size);
    }
    ended.map(|()| grown)
}

async fn time(plan: &Plan, place: &Place, sizes: &mut Vec<Size>) -> Result<()> {
    for users in &plan.growth {
        say(&format!("== {}, {users} users", place.kind()));
        let world = plan.launcher.start(place).await?;
        let subject = world.subject().await?;
        let grown = Grown { users: *users, seconds: 0.0, bytes: 0, operations: Vec::new() };
        // Kept before it is filled, so that it is removed if that fails.
        sizes.push(Size { world, subject, grown });
        let Some(Size { subject, grown, .. }) = sizes.last_mut() else { continue };
        let stopwatch = Stopwatch::start();
        subject.users = subject.seeder.populate(&mut subject.database, *users, plan.sample().min(*users)).await?;
        grown.seconds = stopwatch.elapsed().as_secs_f64();
        grown.bytes = subject.database.bytes().await?;
    }
    let operations = if sizes.is_empty() { &[] } else { plan.operations.as_slice() };
    for operation in operations {
        say(&format!("timing {} on each", operation.name()));
        let mut timings: Vec<Timing> = sizes.iter().map(|_| Timing::new(*operation)).collect();
        for _ in 0..SLICES {
            for (timing, Size { world, subject, .. }) in timings.iter_mut().zip(&mut *sizes) {
                let timed = timing.slice(&world.server, place, subject, plan.effort.slice()).await;
                timed.with_context(|| format!("failed to time {}", operation.name()))?;
            }
        }
        for (timing, size) in timings.into_iter().zip(&mut *sizes) {
            size.grown.operations.push(timing.finish());
        }
    }
    Ok(())
}
