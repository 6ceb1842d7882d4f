//! A run on one database: start, enrol, time, stop.

use crate::durability;
use crate::flood::{self, Flood};
use crate::growth;
use crate::limits::{self, Limit, Limits};
use crate::measure::{Measurement, SLICES, Timing};
use crate::mixed::{self, Load, Mixed};
use crate::operation::Operation;
use crate::place::{Kind, Place};
use crate::plan::Plan;
use crate::process;
use crate::progress::say;
use crate::report::OnDatabase;
use crate::round_trips;
use crate::subject::Subject;
use crate::users;
use crate::world::World;
use anyhow::{Context as _, Result};
use std::time::Duration;

/// How long a server is left alone before its idle memory is looked at.
const REST: Duration = Duration::from_secs(1);

/// Measures everything on one database.
pub(crate) async fn on(place: &Place, plan: &Plan) -> Result<OnDatabase> {
    say(&format!("== {}", place.kind()));
    let world = plan.launcher.start(place).await?;
    let measured = on_world(&world, place, plan).await;
    let mut run = world.end(measured).await?;
    // What was timed before is reported even if one of these fails.
    match growth::grow(plan, place).await {
        Ok(growth) => run.growth = growth,
        Err(error) => run.failures.push(format!("growth was not measured: {error:#}")),
    }
    if place.kind() == Kind::Postgres {
        match round_trips::count(plan, place).await {
            Ok(round_trips) => run.round_trips = round_trips,
            Err(error) => run.failures.push(format!("round trips were not counted: {error:#}")),
        }
    }
    Ok(run)
}

async fn on_world(world: &World, place: &Place, plan: &Plan) -> Result<OnDatabase> {
    tokio::time::sleep(REST).await;
    let idle_bytes = process::memory(world.server.pid())?.resident;
    let mut subject = world.subject().await?;
    subject.users = users::enrol(world.server.address, plan.users, plan.effort.connections).await?;
    let more = subject.seeder.populate(&mut subject.database, plan.sample(), plan.sample()).await?;
    subject.users.plain.extend(more.plain);
    subject.users.enrolled.extend(more.enrolled);

    let doubts = durability::doubts(place, &world.address, world.directory.path()).await?;
    let mut limits = Limits::default();
    let operations = time(world, place, plan, &mut subject, &mut limits).await?;
    let mixed = match plan.mixed {
        Some(percent) => Some(mix(percent, &operations, world, plan, &mut subject).await?),
        None => None,
    };
    let flood = if plan.floods { Some(flood(world, plan, &mut subject).await?) } else { None };
    let peak_bytes = operations.iter().map(|measured| measured.peak_bytes).max().unwrap_or(idle_bytes);
    Ok(OnDatabase {
        database: place.kind(),
        doubts,
        argon2: Limit::of(&limits.argon2),
        commits: Limit::of(&limits.commits),
        plain: Limit::of(&limits.plain.iter().map(|single| single.per_second).collect::<Vec<_>>()),
        plain_cpu_ms: limits.plain.first().map(|single| single.server_cpu_ms),
        idle_bytes,
        peak_bytes,
        operations,
        mixed,
        flood,
        round_trips: Vec::new(),
        growth: Vec::new(),
        failures: Vec::new(),
    })
}

/// Times each class, in turns with the limit that bounds it.
async fn time(
    world: &World,
    place: &Place,
    plan: &Plan,
    subject: &mut Subject,
    limits: &mut Limits,
) -> Result<Vec<Measurement>> {
    let bytes = world.session_bytes(subject).await?;
    let mut operations = Vec::new();
    for operation in &plan.operations {
        say(&format!("timing {}", operation.name()));
        let mut timing = Timing::new(*operation);
        limits.measure(*operation, place, world, bytes, plan.effort.slice()).await?;
        for _ in 0..SLICES {
            let timed = timing.slice(&world.server, place, subject, plan.effort.slice()).await;
            timed.with_context(|| format!("failed to time {}", operation.name()))?;
            limits.measure(*operation, place, world, bytes, plan.effort.slice()).await?;
        }
        operations.push(timing.finish());
    }
    Ok(operations)
}

async fn mix(
    percent: u32,
    operations: &[Measurement],
    world: &World,
    plan: &Plan,
    subject: &mut Subject,
) -> Result<Mixed> {
    let hashes_per_second = match mixed::hashes_per_second(operations) {
        Some(measured) => measured,
        None => limits::argon2(plan.effort.duration)?,
    };
    let load = Load { percent, hashes_per_second };
    say(&format!("sending a mixed load of {:.0} requests a second", load.per_second()));
    mixed::send_mixed_load(world.server.address, load, plan.effort.duration, subject).await
}

async fn flood(world: &World, plan: &Plan, subject: &mut Subject) -> Result<Flood> {
    say("flooding the server with sign-ins");
    let hashes = limits::argon2(plan.effort.duration)?;
    let reads = subject.prepare_one(Operation::GetSession).await?;
    let codes = subject.prepare_one(Operation::VerifyTotp).await?;
    Ok(flood::flood(world.server.address, hashes, reads, codes, plan.effort.duration).await)
}
