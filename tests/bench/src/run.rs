//! A run on one database: start, enrol, time, stop.

use crate::child::{self, Server};
use crate::client::Connection;
use crate::durability;
use crate::limits::{self, Limit};
use crate::measure::{self, Effort, Measurement, Single};
use crate::operation::Operation;
use crate::options::Options;
use crate::people;
use crate::place::{Address, Place};
use crate::process;
use crate::progress::say;
use crate::report::{Grown, OnDatabase};
use crate::seed::Seeder;
use crate::source::Subject;
use anyhow::{Context as _, Result};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;

/// People who are written into the database beside those enrolled over HTTP, so that there are enough for codes that
/// can be used once; and how many of more people take part.
const SAMPLE: u64 = 4096;
/// Written people for each connection, of whom one in ten has no second factor.
const PEOPLE_PER_CONNECTION: u64 = 16;
/// How long a server is left alone before its idle memory is looked at.
const REST: Duration = Duration::from_secs(1);

/// What all runs have in common.
pub(crate) struct Bench {
    program: PathBuf,
    settings: Vec<(String, String)>,
    operations: Vec<Operation>,
    users: u32,
    sample: u64,
    effort: Effort,
    growth: Vec<u64>,
}

/// A server on a fresh database.
struct World {
    // Fields are dropped in this order: the directory goes last.
    server: Server,
    address: Address,
    directory: TempDir,
}

impl Bench {
    /// As the options say.
    pub(crate) fn new(options: &Options) -> Result<Self> {
        Ok(Self {
            program: child::program(options.server.as_deref())?,
            settings: options.settings.clone(),
            operations: options.operations(),
            users: options.users,
            sample: SAMPLE.max(PEOPLE_PER_CONNECTION * u64::from(options.connections)),
            effort: Effort { connections: options.connections, duration: options.duration() },
            growth: options.growth.clone(),
        })
    }

    /// Times everything on one database.
    pub(crate) async fn on(&self, place: &Place) -> Result<OnDatabase> {
        say(&format!("== {}", place.kind()));
        let world = self.start(place).await?;
        let measured = self.on_world(place, &world).await;
        let mut run = world.end(measured).await?;
        for users in &self.growth {
            say(&format!("== {}, {users} users", place.kind()));
            let world = self.start(place).await?;
            let measured = self.among(place, &world, *users).await;
            run.growth.push(world.end(measured).await?);
        }
        Ok(run)
    }

    async fn start(&self, place: &Place) -> Result<World> {
        let directory = tempfile::tempdir().context("failed to make a temporary directory")?;
        let address = place.create(directory.path()).await?;
        let server = Server::countersign(&self.program, directory.path(), &address.url(), &self.settings)?;
        Ok(World { server, address, directory })
    }

    async fn on_world(&self, place: &Place, world: &World) -> Result<OnDatabase> {
        tokio::time::sleep(REST).await;
        let idle_bytes = process::memory(world.server.pid())?.resident;
        let mut subject = world.subject().await?;
        subject.people = people::enrol(world.server.address, self.users, self.effort.connections).await?;
        let more = subject.seeder.populate(&mut subject.database, self.sample, self.sample).await?;
        subject.people.plain.extend(more.plain);
        subject.people.enrolled.extend(more.enrolled);

        let doubts = durability::doubts(place, &world.address, world.directory.path()).await?;
        let bytes = world.session_bytes(&subject).await?;
        let (mut operations, mut limits) = (Vec::new(), Limits::default());
        for operation in &self.operations {
            limits.measure(*operation, place, world, bytes, self.effort).await?;
            operations.push(self.one(*operation, place, world, &mut subject).await?);
            limits.measure(*operation, place, world, bytes, self.effort).await?;
        }
        let peak_bytes = operations.iter().map(|measured| measured.peak_bytes).max().unwrap_or(idle_bytes);
        Ok(OnDatabase {
            database: place.kind(),
            doubts,
            argon2: both(&limits.argon2),
            commits: both(&limits.commits),
            plain: both(&limits.plain.iter().map(|single| single.per_second).collect::<Vec<_>>()),
            plain_cpu_ms: limits.plain.first().map(|single| single.server_cpu_ms),
            idle_bytes,
            peak_bytes,
            operations,
            growth: Vec::new(),
        })
    }

    async fn among(&self, place: &Place, world: &World, users: u64) -> Result<Grown> {
        let mut subject = world.subject().await?;
        subject.people = subject.seeder.populate(&mut subject.database, users, self.sample.min(users)).await?;
        let before = limits::argon2(self.effort.duration)?;
        let operations = self.operations(place, world, &mut subject).await?;
        let argon2 = Limit { before, after: limits::argon2(self.effort.duration)? };
        Ok(Grown { users, argon2, operations })
    }

    async fn operations(&self, place: &Place, world: &World, subject: &mut Subject) -> Result<Vec<Measurement>> {
        let mut measurements = Vec::new();
        for operation in &self.operations {
            measurements.push(self.one(*operation, place, world, subject).await?);
        }
        Ok(measurements)
    }

    async fn one(
        &self,
        operation: Operation,
        place: &Place,
        world: &World,
        subject: &mut Subject,
    ) -> Result<Measurement> {
        say(&format!("timing {}", operation.name()));
        let measured = measure::operation(operation, &world.server, place, subject, self.effort).await;
        measured.with_context(|| format!("failed to time {}", operation.name()))
    }
}

/// What the machine did, before and after the operations that it bounds.
#[derive(Default)]
struct Limits {
    argon2: Vec<f64>,
    commits: Vec<f64>,
    plain: Vec<Single>,
}

impl Limits {
    /// Measures what bounds `operation`, if it is one that is held against a limit.
    async fn measure(
        &mut self,
        operation: Operation,
        place: &Place,
        world: &World,
        bytes: usize,
        effort: Effort,
    ) -> Result<()> {
        let directory = world.directory.path();
        match operation {
            Operation::SignIn => self.argon2.push(limits::argon2(effort.duration)?),
            Operation::VerifyTotp => {
                self.commits.push(limits::commits(place, &world.address.url(), directory, effort).await?);
            }
            Operation::GetSession => self.plain.push(limits::plain_requests(directory, bytes, effort).await?),
            _ => {}
        }
        Ok(())
    }
}

fn both(measured: &[f64]) -> Option<Limit> {
    match measured {
        [before, after] => Some(Limit { before: *before, after: *after }),
        _ => None,
    }
}

impl World {
    async fn subject(&self) -> Result<Subject> {
        let seeder = Seeder::new(&child::data_dir(self.directory.path()))?;
        Ok(Subject { people: people::People::default(), database: self.address.open().await?, seeder, rounds: 0 })
    }

    /// How long the answer to get-session is.
    async fn session_bytes(&self, subject: &Subject) -> Result<usize> {
        let request = subject.a_session().context("nobody has a session")?;
        let mut connection = Connection::open(self.server.address).await?;
        let answer = connection.send(&request).await?;
        answer.json()?;
        Ok(answer.body.len())
    }

    /// Stops the server and removes its database. If something went wrong, the server's log says more.
    async fn end<T>(self, result: Result<T>) -> Result<T> {
        let Self { server, address, directory } = self;
        drop(server);
        let log = log_of(directory.path());
        let dropped = address.drop_database().await;
        if !log.is_empty() {
            say(&format!("the server logged:\n{log}"));
        }
        let value = result?;
        dropped?;
        Ok(value)
    }
}

/// The end of the server's log.
fn log_of(directory: &Path) -> String {
    let log = std::fs::read_to_string(directory.join("log")).unwrap_or_default();
    let lines: Vec<&str> = log.lines().collect();
    lines[lines.len().saturating_sub(20)..].join("\n")
}
