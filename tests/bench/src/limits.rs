//! What the machine can do at best, measured in the same run.

use crate::child::Server;
use crate::clock::{Stopwatch, with_random};
use crate::database::{Database, connect};
use crate::measure::{self, Effort, Single};
use crate::operation::Operation;
use crate::place::Place;
use crate::plain;
use crate::request::{Sender, get};
use crate::users::PASSWORD;
use crate::world::World;
use anyhow::{Context as _, Result};
use countersign_domain::password::{Cost, Password, PasswordHash};
use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, ExpressionMethods as _, QueryDsl as _, RunQueryDsl as _, SqliteConnection};
use futures::future::try_join_all;
use serde::Serialize;
use std::path::Path;
use std::time::Duration;

/// A limit, measured between the slices of the operation that it bounds.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Limit {
    /// In a second, on average.
    pub(crate) mean: f64,
    /// The least of any time.
    pub(crate) least: f64,
    /// The most of any time.
    pub(crate) most: f64,
}

impl Limit {
    /// Of what was measured; none if nothing was.
    pub(crate) fn of(measured: &[f64]) -> Option<Self> {
        let count = u32::try_from(measured.len()).ok().filter(|count| *count > 0)?;
        Some(Self {
            mean: measured.iter().sum::<f64>() / f64::from(count),
            least: measured.iter().copied().fold(f64::INFINITY, f64::min),
            most: measured.iter().copied().fold(0.0, f64::max),
        })
    }

    /// Whether it was about the same each time. If not, what was measured in between says little.
    pub(crate) fn is_steady(self) -> bool {
        self.most - self.least <= 0.4 * self.mean
    }
}

/// What the machine did, before, between and after the slices of the operations that it bounds.
#[derive(Default)]
pub(crate) struct Limits {
    pub(crate) argon2: Vec<f64>,
    pub(crate) commits: Vec<f64>,
    pub(crate) plain: Vec<Single>,
}

impl Limits {
    /// Measures what bounds `operation`, if it is one that is held against a limit.
    pub(crate) async fn measure(
        &mut self,
        operation: Operation,
        place: &Place,
        world: &World,
        bytes: usize,
        effort: Effort,
    ) -> Result<()> {
        let directory = world.directory.path();
        match operation {
            Operation::SignIn => self.argon2.push(argon2(effort.duration)?),
            Operation::VerifyTotp => {
                self.commits.push(commits(place, &world.address.url(), directory, effort).await?);
            }
            Operation::GetSession => self.plain.push(plain_requests(directory, bytes, effort).await?),
            _ => {}
        }
        Ok(())
    }
}

diesel::table! {
    counters (id) {
        id -> BigInt,
        value -> BigInt,
    }
}

/// The tables that commits are made in; one row for each who commits.
const COUNTERS: &str = "CREATE TABLE counters (id BIGINT NOT NULL PRIMARY KEY, value BIGINT NOT NULL);";

/// Argon2id hashes of passwords that all cores together make in a second. Memory is reused, as in the server.
pub(crate) fn argon2(duration: Duration) -> Result<f64> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let password = Password::presented(PASSWORD);
    let hash = with_random(|random| PasswordHash::make(&password, Cost::PASSWORD, random, &mut Vec::new()));
    let stopwatch = Stopwatch::start();
    let hash_on = || {
        let (mut memory, mut count) = (Vec::new(), 0_u32);
        while stopwatch.elapsed() < duration {
            assert!(hash.matches(&password, &mut memory), "a password matches its own hash");
            count += 1;
        }
        count
    };
    let counts: Option<Vec<u32>> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..cores).map(|_| scope.spawn(hash_on)).collect();
        threads.into_iter().map(|thread| thread.join().ok()).collect()
    });
    let total: u32 = counts.context("a thread that hashed has panicked")?.into_iter().sum();
    Ok(f64::from(total) / stopwatch.elapsed().as_secs_f64())
}

/// Commits of one changed row each, in a second: one after the other in SQLite, which has one writer, and over
/// `effort.connections` in PostgreSQL, which lets commits share a flush.
async fn commits(place: &Place, url: &str, directory: &Path, effort: Effort) -> Result<f64> {
    match place {
        Place::Sqlite => commits_to_sqlite(&directory.join("commits.db"), effort.duration),
        Place::Server(_) | Place::Cluster(_) => commits_to_postgres(url, effort).await,
    }
}

fn commits_to_sqlite(path: &Path, duration: Duration) -> Result<f64> {
    let mut connection = SqliteConnection::establish(&path.to_string_lossy()).context("failed to make a database")?;
    let settings = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;";
    let set_up = format!("{settings} DROP TABLE IF EXISTS counters; {COUNTERS} INSERT INTO counters VALUES (1, 0);");
    connection.batch_execute(&set_up).context("failed to set up a database")?;
    let stopwatch = Stopwatch::start();
    let mut count = 0_u32;
    while stopwatch.elapsed() < duration {
        let change = diesel::update(counters::table.find(1)).set(counters::value.eq(counters::value + 1));
        change.execute(&mut connection).context("failed to commit")?;
        count += 1;
    }
    Ok(f64::from(count) / stopwatch.elapsed().as_secs_f64())
}

async fn commits_to_postgres(url: &str, effort: Effort) -> Result<f64> {
    let mut database = Database::Postgres(connect(url).await?);
    let rows = format!("INSERT INTO counters SELECT n, 0 FROM generate_series(1, {}) n", effort.connections);
    database.execute(&format!("{COUNTERS} {rows}; ")).await?;
    let clients = try_join_all((0..effort.connections).map(|_| connect(url))).await?;
    let stopwatch = Stopwatch::start();
    let counts = try_join_all((1_i64..).zip(&clients).map(async |(id, client)| {
        let statement = client.prepare("UPDATE counters SET value = value + 1 WHERE id = $1").await?;
        let mut count = 0_u32;
        while stopwatch.elapsed() < effort.duration {
            client.execute(&statement, &[&id]).await?;
            count += 1;
        }
        Ok::<_, tokio_postgres::Error>(count)
    }));
    let total: u32 = counts.await.context("failed to commit")?.into_iter().sum();
    let per_second = f64::from(total) / stopwatch.elapsed().as_secs_f64();
    database.execute("DROP TABLE counters").await?;
    Ok(per_second)
}

/// Requests to a dropshot server with nothing behind it, whose responses' bodies have so many bytes.
async fn plain_requests(directory: &Path, bytes: usize, effort: Effort) -> Result<Single> {
    let server = Server::plain(directory, bytes)?;
    measure::single_request(&server, &get(plain::PATH, Sender::Nobody), effort).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_that_moved_is_not_steady() {
        assert!(Limit::of(&[]).is_none());
        let steady = Limit::of(&[100.0, 110.0, 90.0]).unwrap();
        assert!(steady.is_steady());
        assert!((steady.mean - 100.0).abs() < f64::EPSILON);
        assert!(!Limit::of(&[8_000.0, 1_200.0]).unwrap().is_steady());
    }
}
