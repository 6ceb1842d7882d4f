//! Timing one class of operations.

use crate::child::Server;
use crate::client::Connection;
use crate::clock::Stopwatch;
use crate::errors::Errors;
use crate::latency::{Latencies, Percentiles};
use crate::operation::Operation;
use crate::place::Place;
use crate::process;
use crate::source::Source;
use crate::subject::Subject;
use anyhow::Result;
use futures::future::{join_all, try_join_all};
use serde::Serialize;
use std::net::SocketAddr;
use std::time::Duration;

/// Slices that each class of operations is timed in. Between them the limit that bounds it is measured, or the same class
/// on databases of other sizes: what else goes on in the machine changes from minute to minute, and is not to be taken
/// for a difference between the two.
pub(crate) const SLICES: u32 = 5;

/// How a class is timed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Effort {
    /// Connections that send at once.
    pub(crate) connections: u32,
    /// For how long.
    pub(crate) duration: Duration,
}

impl Effort {
    /// One slice of it.
    pub(crate) fn slice(self) -> Self {
        Self { duration: self.duration / SLICES, ..self }
    }
}

/// Problems in a row after which a connection gives up.
const HOPELESS: u64 = 20;

/// What came of one class of operations.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Measurement {
    /// The class.
    pub(crate) operation: Operation,
    /// Requests that were answered as they should be.
    pub(crate) requests: usize,
    /// For how long they were sent, preparations not counted.
    pub(crate) seconds: f64,
    /// Requests answered as they should be, in a second.
    pub(crate) per_second: f64,
    /// How long they took.
    #[serde(flatten)]
    pub(crate) latency: Percentiles,
    /// The server's CPU time for a request.
    pub(crate) server_cpu_ms: f64,
    /// The database's CPU time for a request, where it has processes of its own that can be seen.
    pub(crate) database_cpu_ms: Option<f64>,
    /// This program's part of the CPU time of all cores.
    pub(crate) client_cpu_share: f64,
    /// The most memory that the server held.
    pub(crate) peak_bytes: u64,
    /// The memory that it held at the end.
    pub(crate) resident_bytes: u64,
    /// What went wrong.
    pub(crate) errors: Errors,
}

/// What came of the requests of one connection, or of all.
#[derive(Default)]
struct Tally {
    latencies: Latencies,
    errors: Errors,
}

/// CPU time used so far.
#[derive(Clone, Copy)]
struct Cpu {
    server: Duration,
    database: Option<Duration>,
    client: Duration,
}

impl Cpu {
    fn read(server: u32, place: &Place) -> Result<Self> {
        Ok(Self { server: process::cpu(server)?, database: place.cpu()?, client: process::cpu(std::process::id())? })
    }

    /// Adds what was used between two readings.
    fn add(&mut self, before: Self, after: Self) {
        self.server += after.server.saturating_sub(before.server);
        self.client += after.client.saturating_sub(before.client);
        let difference = after.database.zip(before.database).map(|(after, before)| after.saturating_sub(before));
        self.database = difference.map(|difference| self.database.unwrap_or_default() + difference);
    }
}

/// The timing of a class of operations, slice by slice: between two slices something else can be timed, so that both
/// meet the same machine.
pub(crate) struct Timing {
    operation: Operation,
    timed: Timed,
    memory: Option<process::Memory>,
}

impl Timing {
    pub(crate) fn new(operation: Operation) -> Self {
        Self { operation, timed: Timed::new(), memory: None }
    }

    /// Times the class for `effort.duration` more, in as many rounds as it takes.
    pub(crate) async fn slice(
        &mut self,
        server: &Server,
        place: &Place,
        subject: &mut Subject,
        effort: Effort,
    ) -> Result<()> {
        if self.memory.is_none() {
            process::forget_peak(server.pid());
        }
        let timed = &mut self.timed;
        let end = timed.elapsed + effort.duration;
        while timed.elapsed < end && timed.tally.errors.count() < HOPELESS * u64::from(effort.connections) {
            let sources = subject.prepare(self.operation, effort.connections).await?;
            let before = Cpu::read(server.pid(), place)?;
            let was_sent = timed.round(server.address, sources, end - timed.elapsed).await?;
            timed.cpu.add(before, Cpu::read(server.pid(), place)?);
            if !was_sent {
                break;
            }
        }
        self.memory = Some(process::memory(server.pid())?);
        Ok(())
    }

    /// What came of all slices.
    pub(crate) fn finish(self) -> Measurement {
        let memory = self.memory.unwrap_or(process::Memory { resident: 0, peak: 0 });
        self.timed.measurement(self.operation, memory)
    }
}

/// What came of one and the same request.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Single {
    /// Requests answered in a second.
    pub(crate) per_second: f64,
    /// The server's CPU time for a request.
    pub(crate) server_cpu_ms: f64,
}

/// Times one and the same request.
pub(crate) async fn single_request(server: &Server, request: &[u8], effort: Effort) -> Result<Single> {
    let source = || Source::Cycle { requests: vec![request.to_vec()], next: 0 };
    let mut timed = Timed::new();
    let sources = (0..effort.connections).map(|_| source()).collect();
    let before = process::cpu(server.pid())?;
    timed.round(server.address, sources, effort.duration).await?;
    let used = process::cpu(server.pid())?.saturating_sub(before);
    let count = timed.tally.latencies.count();
    Ok(Single {
        per_second: per_second(count, timed.elapsed),
        server_cpu_ms: used.as_secs_f64() * 1000.0 / as_f64(count).max(1.0),
    })
}

/// Rounds so far.
struct Timed {
    elapsed: Duration,
    tally: Tally,
    cpu: Cpu,
}

impl Timed {
    fn new() -> Self {
        let cpu = Cpu { server: Duration::ZERO, database: None, client: Duration::ZERO };
        Self { elapsed: Duration::ZERO, tally: Tally::default(), cpu }
    }

    /// Sends what the sources hold, each over a connection of its own, until one is empty or the time is over. Says
    /// whether anything was sent.
    async fn round(&mut self, address: SocketAddr, sources: Vec<Source>, limit: Duration) -> Result<bool> {
        let mut connections = try_join_all(sources.iter().map(|_| Connection::open(address))).await?;
        let stopwatch = Stopwatch::start();
        let lanes = connections.iter_mut().zip(sources);
        let tallies = join_all(lanes.map(|(connection, source)| drive(connection, source, stopwatch, limit))).await;
        self.elapsed += stopwatch.elapsed();
        let sent = |tally: &Tally| tally.latencies.count() > 0 || tally.errors.count() > 0;
        let was_sent = tallies.iter().any(sent);
        for tally in tallies {
            self.tally.latencies.append(tally.latencies);
            self.tally.errors.append(tally.errors);
        }
        Ok(was_sent)
    }

    fn measurement(self, operation: Operation, memory: process::Memory) -> Measurement {
        let requests = self.tally.latencies.count();
        let responses = as_f64(requests) + as_f64(usize::try_from(self.tally.errors.count()).unwrap_or(usize::MAX));
        let per_request = |cpu: Duration| cpu.as_secs_f64() * 1000.0 / responses.max(1.0);
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Measurement {
            operation,
            requests,
            seconds: self.elapsed.as_secs_f64(),
            per_second: per_second(requests, self.elapsed),
            latency: self.tally.latencies.percentiles(),
            server_cpu_ms: per_request(self.cpu.server),
            database_cpu_ms: self.cpu.database.map(per_request),
            client_cpu_share: self.cpu.client.as_secs_f64() / self.elapsed.as_secs_f64() / as_f64(cores),
            peak_bytes: memory.peak,
            resident_bytes: memory.resident,
            errors: self.tally.errors,
        }
    }
}

async fn drive(connection: &mut Connection, mut source: Source, stopwatch: Stopwatch, limit: Duration) -> Tally {
    let mut tally = Tally::default();
    let mut request = Vec::new();
    let mut problems = 0;
    while stopwatch.elapsed() < limit && problems < HOPELESS && source.next(&mut request) {
        let sent = Stopwatch::start();
        match connection.send(&request).await {
            Ok(response) if response.status == 200 && source.accept(&response) => {
                tally.latencies.add(sent.elapsed());
                problems = 0;
            }
            Ok(response) => {
                let text = || format!("{}: {}", response.status, String::from_utf8_lossy(response.body));
                tally.errors.add(response.status, text);
                problems += 1;
            }
            Err(error) => {
                tally.errors.add(0, || format!("{error:#}"));
                problems += 1;
            }
        }
    }
    tally
}

fn per_second(count: usize, elapsed: Duration) -> f64 {
    as_f64(count) / elapsed.as_secs_f64()
}

/// Counts stay far below 2^52, where this begins to round.
fn as_f64(count: usize) -> f64 {
    count as f64
}
