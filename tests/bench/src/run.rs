//! A run on one database: start, enrol, time, stop.

use crate::child::{self, Server};
use crate::client::Connection;
use crate::durability;
use crate::flood::{self, Flood};
use crate::limits::{self, Limit};
use crate::measure::{Effort, Measurement, Single, Timing};
use crate::operation::Operation;
use crate::options::Options;
use crate::place::{Address, Place};
use crate::process;
use crate::progress::say;
use crate::report::{Grown, OnDatabase};
use crate::seed::Seeder;
use crate::source::{Source, Subject};
use crate::users;
use anyhow::{Context as _, Result};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;

/// Users who are written into the database beside those enrolled over HTTP, so that there are enough for codes that
/// can be used once; and how many of more users take part.
const SAMPLE: u64 = 4096;
/// Written users for each connection, of whom one in ten has no second factor.
const USERS_PER_CONNECTION: u64 = 16;
/// Slices that each class of operations is timed in. Between them the limit that bounds it is measured, or the same class
/// on databases of other sizes: what else goes on in the machine changes from minute to minute, and is not to be taken
/// for a difference between the two.
const SLICES: u32 = 5;
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
    floods: bool,
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
            sample: SAMPLE.max(USERS_PER_CONNECTION * u64::from(options.connections)),
            effort: Effort { connections: options.connections, duration: options.duration() },
            growth: options.growth.clone(),
            floods: options.flood,
        })
    }

    /// Times everything on one database.
    pub(crate) async fn on(&self, place: &Place) -> Result<OnDatabase> {
        say(&format!("== {}", place.kind()));
        let world = self.start(place).await?;
        let measured = self.on_world(place, &world).await;
        let mut run = world.end(measured).await?;
        let mut sizes = Vec::new();
        let grown = self.grow(place, &mut sizes).await;
        for size in sizes {
            size.world.end(Ok(())).await?;
        }
        run.growth = grown?;
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
        subject.users = users::enrol(world.server.address, self.users, self.effort.connections).await?;
        let more = subject.seeder.populate(&mut subject.database, self.sample, self.sample).await?;
        subject.users.plain.extend(more.plain);
        subject.users.enrolled.extend(more.enrolled);

        let doubts = durability::doubts(place, &world.address, world.directory.path()).await?;
        let bytes = world.session_bytes(&subject).await?;
        let (mut operations, mut limits) = (Vec::new(), Limits::default());
        let slice = self.effort.slice();
        for operation in &self.operations {
            say(&format!("timing {}", operation.name()));
            let mut timing = Timing::new(*operation);
            limits.measure(*operation, place, world, bytes, slice).await?;
            for _ in 0..SLICES {
                let timed = timing.slice(&world.server, place, &mut subject, slice).await;
                timed.with_context(|| format!("failed to time {}", operation.name()))?;
                limits.measure(*operation, place, world, bytes, slice).await?;
            }
            operations.push(timing.finish());
        }
        let flood = if self.floods { Some(self.flood(world, &mut subject).await?) } else { None };
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
            flood,
            growth: Vec::new(),
        })
    }

    async fn flood(&self, world: &World, subject: &mut Subject) -> Result<Flood> {
        say("flooding the server with sign-ins");
        let hashes = limits::argon2(self.effort.duration)?;
        let reads = one(subject.prepare(Operation::GetSession, 1).await?)?;
        let codes = one(subject.prepare(Operation::VerifyTotp, 1).await?)?;
        Ok(flood::flood(world.server.address, hashes, reads, codes, self.effort.duration).await)
    }

    /// Times everything on databases that hold more and more users, on all of them in turns.
    async fn grow(&self, place: &Place, sizes: &mut Vec<Size>) -> Result<Vec<Grown>> {
        for users in &self.growth {
            say(&format!("== {}, {users} users", place.kind()));
            let world = self.start(place).await?;
            let subject = world.subject().await?;
            sizes.push(Size { world, subject, users: *users, operations: Vec::new() });
            let Some(Size { subject, .. }) = sizes.last_mut() else { continue };
            subject.users = subject.seeder.populate(&mut subject.database, *users, self.sample.min(*users)).await?;
        }
        let operations = if sizes.is_empty() { &[] } else { self.operations.as_slice() };
        for operation in operations {
            say(&format!("timing {} on each", operation.name()));
            let mut timings: Vec<Timing> = sizes.iter().map(|_| Timing::new(*operation)).collect();
            for _ in 0..SLICES {
                for (timing, Size { world, subject, .. }) in timings.iter_mut().zip(&mut *sizes) {
                    let timed = timing.slice(&world.server, place, subject, self.effort.slice()).await;
                    timed.with_context(|| format!("failed to time {}", operation.name()))?;
                }
            }
            for (timing, size) in timings.into_iter().zip(&mut *sizes) {
                size.operations.push(timing.finish());
            }
        }
        let grown = |size: &mut Size| Grown { users: size.users, operations: std::mem::take(&mut size.operations) };
        Ok(sizes.iter_mut().map(grown).collect())
    }
}

fn one(sources: Vec<Source>) -> Result<Source> {
    sources.into_iter().next().context("no requests were made for the only connection")
}

/// A database of some size, and what was measured on it.
struct Size {
    world: World,
    subject: Subject,
    users: u64,
    operations: Vec<Measurement>,
}

impl Effort {
    /// One slice of it.
    fn slice(self) -> Self {
        Self { duration: self.duration / SLICES, ..self }
    }
}

/// What the machine did, before, between and after the slices of the operations that it bounds.
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

impl World {
    async fn subject(&self) -> Result<Subject> {
        let seeder = Seeder::new(&child::data_dir(self.directory.path()))?;
        Ok(Subject { users: users::Users::default(), database: self.address.open().await?, seeder, rounds: 0 })
    }

    /// How long the response to get-session is.
    async fn session_bytes(&self, subject: &Subject) -> Result<usize> {
        let request = subject.a_session().context("nobody has a session")?;
        let mut connection = Connection::open(self.server.address).await?;
        let response = connection.send(&request).await?;
        response.json()?;
        Ok(response.body.len())
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
