//! Measures a Countersign server next to the limits of the machine it runs on: `countersign-bench --help`.
//!
//! | module | what it holds |
//! |---|---|
//! | [`options`], [`operation`] | the command line, the classes of operations |
//! | [`child`], [`plain`], [`cluster`], [`place`] | what is measured: the server, a plain dropshot server, the databases |
//! | [`client`], [`request`], [`source`] | how requests are made and sent |
//! | [`users`], [`seed`], [`tables`], [`rows`], [`database`] | who is in the database, and how they get there |
//! | [`run`], [`mod@measure`], [`flood`], [`limits`], [`durability`] | timing, and whether it can be believed |
//! | [`process`], [`latency`], [`clock`] | what is read off the machine |
//! | [`target`], [`report`], [`table`], [`progress`] | what is told |

mod child;
mod client;
mod clock;
mod cluster;
mod database;
mod durability;
mod flood;
mod latency;
mod limits;
mod measure;
mod operation;
mod options;
mod place;
mod plain;
mod process;
mod progress;
mod report;
mod request;
mod rows;
mod run;
mod seed;
mod source;
mod table;
mod tables;
mod target;
mod users;

use crate::options::{Choice, Options, Role};
use crate::place::Place;
use crate::progress::say;
use crate::report::{Machine, Report, Settings};
use crate::run::Bench;
use anyhow::{Context as _, Result};
use clap::Parser as _;
use std::io::Write as _;
use std::process::ExitCode;

fn main() -> ExitCode {
    let options = Options::parse();
    let ended = match options.role {
        Some(Role::PlainServer { bytes }) => plain::serve(bytes).map(|()| 0),
        None => bench(&options),
    };
    match ended {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            say(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// Runs it all and tells what came of it; says how many requests failed.
fn bench(options: &Options) -> Result<u64> {
    // One thread: the server needs the others.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let report = runtime.context("failed to start a runtime")?.block_on(measure(options))?;
    std::io::stdout().write_all(report.to_text().as_bytes()).context("failed to print the report")?;
    if let Some(path) = &options.json {
        let json = serde_json::to_vec_pretty(&report).context("failed to write the report as JSON")?;
        std::fs::write(path, json).with_context(|| format!("failed to write {}", path.display()))?;
    }
    Ok(report.errors())
}

async fn measure(options: &Options) -> Result<Report> {
    let load_before = process::load();
    let bench = Bench::new(options)?;
    let mut places = Vec::new();
    if options.database != Choice::Postgres {
        places.push(Place::Sqlite);
    }
    if options.database != Choice::Sqlite {
        places.push(match &options.postgres_url {
            Some(url) => Place::Server(url.clone()),
            None => Place::start_cluster(options.connections).await?,
        });
    }
    let (mut databases, mut targets) = (Vec::new(), Vec::new());
    for place in &places {
        let run = bench.on(place).await?;
        targets.extend(target::of(&run, options.connections));
        databases.push(run);
    }
    Ok(Report {
        machine: Machine {
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            load_before,
            is_debug_build: cfg!(debug_assertions),
        },
        settings: Settings {
            users: options.users,
            connections: options.connections,
            seconds: options.seconds,
            server: options.settings.clone(),
        },
        databases,
        targets,
    })
}
