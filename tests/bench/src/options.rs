//! The command line.

use crate::operation::Operation;
use clap::{Parser, Subcommand, ValueEnum};
use std::path::PathBuf;
use std::time::Duration;

/// Measures a Countersign server next to the limits of the machine it runs on.
///
/// Starts the server as a process of its own on a fresh database, enrols users in it, and times one class of
/// operations after the other over keep-alive connections. In the same run it measures what the machine could do at
/// best (argon2id hashes, commits of that database, requests to an empty dropshot server), and prints how close the
/// server comes. On PostgreSQL it then counts the round trips and commits of each operation. Run it on a machine that
/// does nothing else.
///
/// Tables go to standard output, progress to standard error. The exit status is 1 when an operation was answered with
/// anything but 200, and 0 when all were, whether or not the targets were met.
#[derive(Debug, Parser)]
#[command(name = "countersign-bench", version, max_term_width = 110)]
pub(crate) struct Options {
    /// The database to run on
    #[arg(long, value_enum, default_value_t = Choice::Sqlite)]
    pub(crate) database: Choice,

    /// A PostgreSQL server that may be used, as postgres://user:password@host:port/database
    ///
    /// A database is made there and dropped again. Without it a temporary cluster is started from the PostgreSQL that
    /// is installed, which is also the only way to learn the database's CPU time.
    #[arg(long, value_name = "URL", env = "COUNTERSIGN_TEST_POSTGRES", hide_env_values = true)]
    pub(crate) postgres_url: Option<String>,

    /// Users with a second factor who are enrolled over HTTP before anything is timed
    #[arg(long, value_name = "COUNT", default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) users: u32,

    /// Keep-alive connections that send requests at once
    #[arg(long, value_name = "COUNT", default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) connections: u32,

    /// How long each class of operations, and each limit of the machine, is timed
    #[arg(long, value_name = "SECONDS", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) seconds: u32,

    /// The classes of operations to time [default: all]
    #[arg(long, value_name = "NAME,...", value_enum, value_delimiter = ',')]
    pub(crate) operations: Vec<Operation>,

    /// Sends requests of all kinds at once at last, each when it is due, and times each kind
    ///
    /// PERCENT sets the rate: together the requests need this share of the password hashes per second that the timed
    /// operations reached, or that the machine makes if none of them hashes.
    #[arg(
        long,
        value_name = "PERCENT",
        num_args = 0..=1,
        default_missing_value = "50",
        value_parser = clap::value_parser!(u32).range(1..=100)
    )]
    pub(crate) mixed: Option<u32>,

    /// Times the operations again on databases that hold up to this many users, and compares a thousand with the most
    /// [without a number: 1000000]
    ///
    /// The users are written into the database in bulk, in the form that the server itself writes. The operations are
    /// timed on a sample of at most 4096 of them, spread over all. Above 10000 users, a tenth of them is timed, too.
    #[arg(
        long,
        value_name = "USERS",
        num_args = 0..=1,
        default_missing_value = "1000000",
        value_parser = clap::value_parser!(u64).range(2000..=100_000_000)
    )]
    pub(crate) growth: Option<u64>,

    /// Floods the server at last with ten times the sign-ins that the machine can hash, and times others meanwhile
    #[arg(long)]
    pub(crate) flood: bool,

    /// Writes everything that was measured to this file, as JSON
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,

    /// The server's program [default: `countersign` beside this one]
    #[arg(long, value_name = "PATH")]
    pub(crate) server: Option<PathBuf>,

    /// A setting of the server, as COUNTERSIGN_NAME=VALUE; can be repeated
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = setting)]
    pub(crate) settings: Vec<(String, String)>,

    /// What else this program can be
    #[command(subcommand)]
    pub(crate) role: Option<Role>,
}

/// Which databases.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Choice {
    /// The embedded one.
    Sqlite,
    /// The server.
    Postgres,
    /// One after the other.
    Both,
}

/// What this program is when it starts itself.
#[derive(Debug, Subcommand)]
pub(crate) enum Role {
    /// A dropshot server with one endpoint and nothing behind it; ends when its standard input does
    #[command(hide = true)]
    PlainServer {
        /// Length of its responses' bodies
        #[arg(long)]
        bytes: usize,
    },
}

impl Options {
    /// The operations to time, in the order of [`Operation::ALL`].
    pub(crate) fn operations(&self) -> Vec<Operation> {
        let is_asked_for = |operation: &Operation| self.operations.is_empty() || self.operations.contains(operation);
        Operation::ALL.into_iter().filter(is_asked_for).collect()
    }

    /// How long each is timed.
    pub(crate) fn duration(&self) -> Duration {
        Duration::from_secs(self.seconds.into())
    }
}

fn setting(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if name.starts_with("COUNTERSIGN_") => Ok((name.to_owned(), value.to_owned())),
        _ => Err("expected COUNTERSIGN_NAME=VALUE".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_sound() {
        Options::command().debug_assert();
        let options = Options::parse_from(["bench", "--operations", "get-session,sign-up", "--growth", "--mixed"]);
        assert_eq!(options.operations(), [Operation::SignUp, Operation::GetSession]);
        assert_eq!(options.growth, Some(1_000_000));
        assert_eq!(options.mixed, Some(50));
        let options =
            Options::parse_from(["bench", "--growth", "5000", "--mixed", "7", "--set", "COUNTERSIGN_LOG=info"]);
        assert_eq!(options.growth, Some(5_000));
        assert_eq!(options.mixed, Some(7));
        assert_eq!(options.operations(), Operation::ALL);
        assert_eq!(options.settings, [("COUNTERSIGN_LOG".to_owned(), "info".to_owned())]);
        let options = Options::parse_from(["bench"]);
        assert_eq!((options.growth, options.mixed), (None, None));
    }
}
