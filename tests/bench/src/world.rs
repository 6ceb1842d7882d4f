//! A server of its own on a fresh database.

use crate::child::{self, Server};
use crate::client::Connection;
use crate::place::{Address, Place};
use crate::progress::say;
use crate::seed::Seeder;
use crate::subject::Subject;
use crate::users::Users;
use anyhow::{Context as _, Result};
use countersign_test_postgres::proxy::Proxy;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// How servers are started.
pub(crate) struct Launcher {
    /// The server's program.
    pub(crate) program: PathBuf,
    /// Settings that differ from the defaults.
    pub(crate) settings: Vec<(String, String)>,
}

/// A server on a fresh database.
pub(crate) struct World {
    // Fields are dropped in this order: the directory goes last.
    pub(crate) server: Server,
    pub(crate) address: Address,
    pub(crate) directory: TempDir,
}

impl Launcher {
    /// Makes a database and starts a server on it.
    pub(crate) async fn start(&self, place: &Place) -> Result<World> {
        let (directory, address) = create_database(place).await?;
        let server = Server::countersign(&self.program, directory.path(), &address.url(), &self.settings)?;
        Ok(World { server, address, directory })
    }

    /// The same with a proxy between them, which counts; only PostgreSQL can have one.
    pub(crate) async fn start_with_proxy(&self, place: &Place) -> Result<(World, Proxy)> {
        let (directory, address) = create_database(place).await?;
        let proxy = Proxy::in_front_of(&address.url());
        let mut settings = self.settings.clone();
        // One, so that no statement is prepared for a second one later.
        settings.push(("COUNTERSIGN_DATABASE_CONNECTIONS".to_owned(), "1".to_owned()));
        let server = Server::countersign(&self.program, directory.path(), proxy.url(), &settings)?;
        Ok((World { server, address, directory }, proxy))
    }
}

async fn create_database(place: &Place) -> Result<(TempDir, Address)> {
    let directory = tempfile::tempdir().context("failed to make a temporary directory")?;
    let address = place.create(directory.path()).await?;
    Ok((directory, address))
}

impl World {
    /// No users yet, and a direct connection to the database.
    pub(crate) async fn subject(&self) -> Result<Subject> {
        let seeder = Seeder::new(&child::data_dir(self.directory.path()))?;
        Ok(Subject { users: Users::default(), database: self.address.open().await?, seeder, rounds: 0 })
    }

    /// How long the response to get-session is.
    pub(crate) async fn session_bytes(&self, subject: &Subject) -> Result<usize> {
        let request = subject.a_session().context("nobody has a session")?;
        let mut connection = Connection::open(self.server.address).await?;
        let response = connection.send(&request).await?;
        response.json()?;
        Ok(response.body.len())
    }

    /// Stops the server and removes its database. If something went wrong, the server's log says more.
    pub(crate) async fn end<T>(self, result: Result<T>) -> Result<T> {
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
