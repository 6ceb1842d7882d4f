//! Measures a Countersign server next to the limits of the machine it runs on: `countersign-bench --help`.
//!
//! | module | what it holds |
//! |---|---|
//! | [`options`], [`plan`], [`operation`] | the command line, what is measured, the classes of operations |
//! | [`child`], [`plain`], [`cluster`], [`place`], [`world`] | what is measured: the server, a plain dropshot server, the databases |
//! | [`client`], [`request`], [`source`], [`subject`] | how requests are made and sent |
//! | [`users`], [`seed`], [`tables`], [`rows`], [`database`] | who is in the database, and how they get there |
//! | [`run`], [`mod@measure`], [`limits`], [`durability`] | one class after the other, in turns with the machine's limits, and whether that can be believed |
//! | [`open_loop`], [`mixed`], [`flood`] | requests that do not wait for each other |
//! | [`growth`], [`round_trips`] | more and more users; how often the server waits for the database |
//! | [`process`], [`latency`], [`errors`], [`clock`] | what is read off the machine and the responses |
//! | [`target`], [`report`], [`text`], [`table`], [`progress`] | targets, report, progress |

mod child;
mod client;
mod clock;
mod cluster;
mod database;
mod durability;
mod errors;
mod flood;
mod growth;
mod latency;
mod limits;
mod measure;
mod mixed;
mod open_loop;
mod operation;
mod options;
mod place;
mod plain;
mod plan;
mod process;
mod progress;
mod report;
mod request;
mod round_trips;
mod rows;
mod run;
mod seed;
mod source;
mod subject;
mod table;
mod tables;
mod target;
mod text;
mod users;
mod world;

use crate::options::{Choice, Options, Role};
use crate::place::Place;
use crate::plan::Plan;
use crate::progress::say;
use crate::report::{Machine, Report, Settings};
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
    let plan = Plan::new(options)?;
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
        let run = run::on(place, &plan).await?;
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
