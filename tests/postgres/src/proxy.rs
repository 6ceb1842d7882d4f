//! A proxy between a server and PostgreSQL, for tests and measurements of how often the server waits for its database.
//!
//! It reads the messages of both sides (PostgreSQL, 54.7, protocol 3), so that they have to be unencrypted: [`Proxy::url`] says so
//! to the server. A reply is held back until it is complete, for 20 ms: what is counted does not depend on the database's
//! speed, and what is timed through the proxy means nothing.

use std::collections::HashSet;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;
use std::time::Duration;

/// What the database says is kept until it has answered everything, and nothing more was sent for this long: so that all that a client
/// sends without waiting is one round trip, however fast the database is.
const PAUSE: Duration = Duration::from_millis(20);

/// What a server asks on a connection of its own, again and again.
const FOLLOWING: &str = "pg_postmaster_start_time";

/// Where PostgreSQL listens if its address does not say.
const DEFAULT_PORT: u16 = 5432;

/// What a server did on all of its connections, but for asking whether the database takes writes, and for the delivery of messages,
/// which begins before the operation that has stored one has responded. Statements that a connection prepares when it first needs them are counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// How often it sent something and then waited. Requests that it sent before it read the first reply are one.
    pub round_trips: u32,
    /// Transactions that it committed by a `COMMIT` of its own.
    pub commits: u32,
}

/// Passes on what both sides say, and counts. Its threads end with their connections, and the last one with the process.
pub struct Proxy {
    url: String,
    counted: Arc<Mutex<Counted>>,
}

impl Proxy {
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
        let counted = Arc::default();
        let shared = Arc::clone(&counted);
        thread::spawn(move || {
            for client in listener.incoming() {
                let client = client.expect("a connection to the proxy");
                let database = TcpStream::connect(&database).expect("the database takes connections");
                pass(&client, &database, &shared);
            }
        });
        Self { url, counted }
    }

    /// The database's address through the proxy, without encryption.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What was counted since the last time.
    ///
    /// # Panics
    /// When one of the proxy's threads has panicked.
    #[must_use]
    pub fn take(&self) -> Counted {
        std::mem::take(&mut lock(&self.counted))
    }
}

/// Host and port that an address names, and the same address with those of the proxy in their place.
pub(crate) fn redirect(url: &str, proxy: SocketAddr) -> Option<(String, String)> {
    let (scheme, rest) = url.split_once("://")?;
    let rest = rest.split_once('?').map_or(rest, |(rest, _)| rest);
    let (authority, name) = rest.split_once('/')?;
    let (user, host) = authority.rsplit_once('@').map_or(("", authority), |(user, host)| (user, host));
    let has_port = host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    let database = if has_port { host.to_owned() } else { format!("{host}:{DEFAULT_PORT}") };
    let at = if user.is_empty() { "" } else { "@" };
    Some((database, format!("{scheme}://{user}{at}{proxy}/{name}?sslmode=disable")))
}

fn pass(client: &TcpStream, database: &TcpStream, counted: &Arc<Mutex<Counted>>) {
    // Requests that the client has not heard the end of.
    let pending = Arc::new(Mutex::new(0_usize));
    let (waiting, counted) = (Arc::clone(&pending), Arc::clone(counted));
    let (from_client, to_database) = (clone(client), clone(database));
    thread::spawn(move || pass_requests(from_client, to_database, &waiting, &counted));
    let (from_database, to_client) = (clone(database), clone(client));
    thread::spawn(move || pass_replies(from_database, to_client, &pending));
}

pub(crate) fn clone(stream: &TcpStream) -> TcpStream {
    stream.try_clone().expect("this process may open more files")
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().expect("no thread of the proxy has panicked")
}

fn pass_requests(mut client: TcpStream, mut database: TcpStream, pending: &Mutex<usize>, counted: &Mutex<Counted>) {
    let mut requests = Messages { unread: Vec::new(), is_startup: true };
    let mut of_delivery = HashSet::new();
    // Whether the transaction, or the statement outside of one, is the delivery's.
    let (mut is_delivering, mut is_in_transaction) = (false, false);
    // Of the transaction under way, whose later statements say whose it is.
    let mut tentative = 0;
    let mut buffer = vec![0; 1 << 16];
    while let Ok(length @ 1..) = client.read(&mut buffer) {
        for (kind, content) in requests.read(&buffer[..length]) {
            let mut texts = content.split(|byte| *byte == 0).map(|text| String::from_utf8_lossy(text).into_owned());
            match kind {
                // A name and a statement (54.7).
                b'P' => {
                    let name = texts.next().unwrap_or_default();
                    // One without a name takes the place of the one before.
                    match texts.next().is_some_and(|sql| delivers(&sql)) {
                        true => of_delivery.insert(name),
                        false => of_delivery.remove(&name),
                    };
                }
                // The name of a portal, and of a statement that is bound to it.
                b'B' => is_delivering |= texts.nth(1).is_some_and(|name| of_delivery.contains(&name)),
                // Each simple query, and each end of prepared ones, gets a `ReadyForQuery` (54.2).
                b'Q' if String::from_utf8_lossy(&content).contains(FOLLOWING) => *lock(pending) += 1,
                b'Q' | b'S' => {
                    let (mut pending, mut counted) = (lock(pending), lock(counted));
                    let commits = content.starts_with(b"COMMIT");
                    is_in_transaction |= content.starts_with(b"BEGIN");
                    is_in_transaction &= !commits && !content.starts_with(b"ROLLBACK");
                    tentative += u32::from(*pending == 0);
                    if !is_in_transaction {
                        let round_trips = std::mem::take(&mut tentative);
                        if !std::mem::take(&mut is_delivering) {
                            counted.round_trips += round_trips;
                            counted.commits += u32::from(commits);
                        }
                    }
                    *pending += 1;
                }
                _ => {}
            }
        }
        if database.write_all(&buffer[..length]).is_err() {
            break;
        }
    }
    // It may be closed already.
    let _ = database.shutdown(Shutdown::Both);
}

/// Whether a statement takes, ends or looks for messages to deliver.
fn delivers(sql: &str) -> bool {
    let supersedes = sql.contains(r#""topic" = "#);
    sql.contains(r#""messages""#) && sql.contains("_attempt_at") && !supersedes && !sql.starts_with("INSERT")
}

fn pass_replies(mut database: TcpStream, mut client: TcpStream, pending: &Mutex<usize>) {
    let mut replies = Messages { unread: Vec::new(), is_startup: false };
    let (mut kept, mut answered, mut buffer) = (Vec::new(), 0, vec![0; 1 << 16]);
    database.set_read_timeout(Some(PAUSE)).expect("a pause is not zero");
    loop {
        match database.read(&mut buffer) {
            Ok(0) => break,
            Ok(length) => {
                kept.extend_from_slice(&buffer[..length]);
                answered += replies.read(&buffer[..length]).iter().filter(|(kind, _)| *kind == b'Z').count();
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                let mut pending = lock(pending);
                if answered >= *pending && !kept.is_empty() {
                    // The first one ends the startup, which was no request.
                    (*pending, answered) = (0, 0);
                    if client.write_all(&kept).is_err() {
                        break;
                    }
                    kept.clear();
                }
            }
            Err(_) => break,
        }
    }
    let _ = client.shutdown(Shutdown::Both);
}

/// Messages of the frontend/backend protocol 3 (PostgreSQL, 54.7): a type, a length that counts itself, and content.
pub(crate) struct Messages {
    pub(crate) unread: Vec<u8>,
    /// Whether the next message is the first of a client, which has no type.
    pub(crate) is_startup: bool,
}

impl Messages {
    /// The types and contents of the messages that are complete with these bytes.
    pub(crate) fn read(&mut self, bytes: &[u8]) -> Vec<(u8, Vec<u8>)> {
        self.unread.extend_from_slice(bytes);
        let mut messages = Vec::new();
        loop {
            let kind_length = usize::from(!self.is_startup);
            let Some(length) = self.unread[kind_length.min(self.unread.len())..].first_chunk() else { return messages };
            let end = kind_length + usize::try_from(u32::from_be_bytes(*length)).expect("32 bits fit");
            if self.unread.len() < end {
                return messages;
            }
            let message: Vec<u8> = self.unread.drain(..end).collect();
            if !std::mem::take(&mut self.is_startup) {
                messages.push((message[0], message[5..].to_vec()));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_leads_through_the_proxy() {
        let proxy = SocketAddr::from(([127, 0, 0, 1], 7));
        let redirect = |url| redirect(url, proxy);
        let expected = |database: &str, url: &str| Some((database.to_owned(), url.to_owned()));
        assert_eq!(
            redirect("postgres://u:p@h:1/name?sslmode=require"),
            expected("h:1", "postgres://u:p@127.0.0.1:7/name?sslmode=disable")
        );
        assert_eq!(redirect("postgres://h/name"), expected("h:5432", "postgres://127.0.0.1:7/name?sslmode=disable"));
        assert_eq!(
            redirect("postgres://u@[::1]/n"),
            expected("[::1]:5432", "postgres://u@127.0.0.1:7/n?sslmode=disable")
        );
        assert_eq!(redirect("sqlite:file"), None);
    }

    #[test]
    fn messages_are_read_from_pieces() {
        let mut messages = Messages { unread: Vec::new(), is_startup: true };
        assert_eq!(messages.read(&[0, 0, 0, 8, 0, 3]), []);
        assert_eq!(messages.read(&[0, 0, b'Q', 0, 0, 0]), []);
        let sync = (b'S', Vec::new());
        assert_eq!(messages.read(&[6, b'x', 0, b'S', 0, 0, 0, 4, b'S']), [(b'Q', b"x\0".to_vec()), sync]);
    }
}
