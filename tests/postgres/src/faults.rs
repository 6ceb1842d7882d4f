//! A proxy between a server and PostgreSQL that loses connections in the middle of a commit, and that freezes.

use crate::proxy::{Messages, clone, redirect};
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// How long the database has for a commit whose reply is lost.
const COMMITTING: Duration = Duration::from_millis(300);

/// What is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lost {
    /// The `COMMIT`, and what was sent with it: it does not reach the database.
    Commit,
    /// What the database says about it.
    Reply,
    /// The connection to the client alone, while the database is still busy with what was sent before.
    Client,
}

/// How long the database goes on after its client is lost.
const GOING_ON: Duration = Duration::from_secs(10);

/// How often a frozen proxy looks whether it still is.
const FROZEN: Duration = Duration::from_millis(10);

/// Passes on what both sides say, until it is told to lose something. Its threads end with their connections, and the last one with the
/// process.
pub struct FaultyProxy {
    url: String,
    to_lose: Arc<Mutex<Vec<Lost>>>,
    is_frozen: Arc<AtomicBool>,
}

impl FaultyProxy {
    /// Starts one on a port of the loopback address, in front of the database at `postgres://user:password@host:port/database`. The
    /// parameters of that address are left out.
    ///
    /// # Panics
    /// When that is no such address, or no port is free.
    #[must_use]
    pub fn in_front_of(url: &str) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let (database, url) = redirect(url, address).expect("postgres://user:password@host:port/database");
        let (to_lose, is_frozen) = (Arc::default(), Arc::default());
        let (shared, frozen) = (Arc::clone(&to_lose), Arc::clone(&is_frozen));
        thread::spawn(move || {
            for client in listener.incoming() {
                let client = client.expect("a connection to the proxy");
                let database = TcpStream::connect(&database).expect("the database takes connections");
                pass(&client, &database, &shared, &frozen);
            }
        });
        Self { url, to_lose, is_frozen }
    }

    /// The database's address through the proxy, without encryption.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Loses these with the next commits, the last one first; the connection is closed each time.
    ///
    /// # Panics
    /// When one of the proxy's threads has panicked.
    pub fn lose(&self, lost: &[Lost]) {
        self.to_lose.lock().expect("no thread has panicked").extend_from_slice(lost);
    }

    /// Passes nothing on from now on, or does so again. Connections are kept, and new ones are taken.
    pub fn freeze(&self, is_frozen: bool) {
        self.is_frozen.store(is_frozen, Ordering::SeqCst);
    }

    /// What was not lost yet.
    ///
    /// # Panics
    /// When one of the proxy's threads has panicked.
    #[must_use]
    pub fn left(&self) -> usize {
        self.to_lose.lock().expect("no thread has panicked").len()
    }
}

fn wait_until_thawed(is_frozen: &AtomicBool) {
    while is_frozen.load(Ordering::SeqCst) {
        thread::sleep(FROZEN);
    }
}

fn pass(client: &TcpStream, database: &TcpStream, to_lose: &Arc<Mutex<Vec<Lost>>>, is_frozen: &Arc<AtomicBool>) {
    let is_losing = Arc::new(AtomicBool::new(false));
    let (losing, to_lose, frozen) = (Arc::clone(&is_losing), Arc::clone(to_lose), Arc::clone(is_frozen));
    let (from_client, to_database) = (clone(client), clone(database));
    thread::spawn(move || pass_requests(from_client, to_database, &losing, &to_lose, &frozen));
    let (mut from_database, mut to_client, frozen) = (clone(database), clone(client), Arc::clone(is_frozen));
    thread::spawn(move || {
        let mut buffer = vec![0; 1 << 16];
        while let Ok(length @ 1..) = from_database.read(&mut buffer) {
            wait_until_thawed(&frozen);
            if !is_losing.load(Ordering::SeqCst) && to_client.write_all(&buffer[..length]).is_err() {
                break;
            }
        }
        let _ = to_client.shutdown(Shutdown::Both);
    });
}

fn pass_requests(
    mut client: TcpStream,
    mut database: TcpStream,
    is_losing: &AtomicBool,
    to_lose: &Mutex<Vec<Lost>>,
    is_frozen: &AtomicBool,
) {
    let mut requests = Messages { unread: Vec::new(), is_startup: true };
    let mut buffer = vec![0; 1 << 16];
    while let Ok(length @ 1..) = client.read(&mut buffer) {
        wait_until_thawed(is_frozen);
        let messages = requests.read(&buffer[..length]);
        let commits = messages.iter().any(|(kind, content)| *kind == b'Q' && content.starts_with(b"COMMIT"));
        let lost = if commits { to_lose.lock().expect("no thread has panicked").pop() } else { None };
        if lost == Some(Lost::Commit) {
            break;
        }
        is_losing.fetch_or(lost.is_some(), Ordering::SeqCst);
        if database.write_all(&buffer[..length]).is_err() {
            break;
        }
        match lost {
            None => {}
            Some(Lost::Client) => {
                let _ = client.shutdown(Shutdown::Both);
                thread::sleep(GOING_ON);
                break;
            }
            Some(_) => {
                thread::sleep(COMMITTING);
                break;
            }
        }
    }
    // They may be closed already.
    let _ = database.shutdown(Shutdown::Both);
    let _ = client.shutdown(Shutdown::Both);
}
