//! Stands between a server and PostgreSQL, and counts.

use std::collections::HashSet;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// What the database says is kept until it has answered everything, and nothing more was sent for this long: so that all that a client
/// sends without waiting is one round trip, however fast the database is.
const PAUSE: Duration = Duration::from_millis(20);

/// What a client did, but for the delivery of messages, which begins before the operation that has stored one has responded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counted {
    /// How often it sent something and then waited.
    pub(super) round_trips: u32,
    pub(super) commits: u32,
}

/// Passes on what both sides say. Its threads end with their connections, and the last one with the process.
pub(super) struct Proxy {
    address: SocketAddr,
    counted: Arc<Mutex<Counted>>,
}

impl Proxy {
    /// A proxy of the database at this host and port.
    pub(super) fn start(database: String) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let (address, counted) = (listener.local_addr().unwrap(), Arc::default());
        let shared = Arc::clone(&counted);
        thread::spawn(move || {
            for client in listener.incoming() {
                pass(&client.unwrap(), &TcpStream::connect(&database).unwrap(), &shared);
            }
        });
        Self { address, counted }
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// What was counted since the last time.
    pub(super) fn take(&self) -> Counted {
        std::mem::take(&mut self.counted.lock().unwrap())
    }
}

fn pass(client: &TcpStream, database: &TcpStream, counted: &Arc<Mutex<Counted>>) {
    // Requests that the client has not heard the end of.
    let pending = Arc::new(Mutex::new(0_usize));
    let (waiting, counted) = (Arc::clone(&pending), Arc::clone(counted));
    let (from_client, to_database) = (client.try_clone().unwrap(), database.try_clone().unwrap());
    thread::spawn(move || pass_requests(from_client, to_database, &waiting, &counted));
    let (from_database, to_client) = (database.try_clone().unwrap(), client.try_clone().unwrap());
    thread::spawn(move || pass_replies(from_database, to_client, &pending));
}

fn pass_requests(mut client: TcpStream, mut database: TcpStream, pending: &Mutex<usize>, counted: &Mutex<Counted>) {
    let mut requests = Messages { unread: Vec::new(), is_startup: true };
    let mut of_delivery = HashSet::new();
    let (mut is_delivering, mut is_in_transaction, mut is_counted) = (false, false, false);
    let mut buffer = vec![0; 1 << 16];
    while let Ok(length @ 1..) = client.read(&mut buffer) {
        for (kind, content) in requests.read(&buffer[..length]) {
            let mut texts = content.split(|byte| *byte == 0).map(|text| String::from_utf8_lossy(text).into_owned());
            match kind {
                // A name and a statement (54.7).
                b'P' => {
                    let name = texts.next().unwrap_or_default();
                    if texts.next().is_some_and(|sql| delivers(&sql)) {
                        of_delivery.insert(name);
                    }
                }
                // The name of a portal, and of a statement that is bound to it.
                b'B' if texts.nth(1).is_some_and(|name| of_delivery.contains(&name)) => {
                    is_delivering = true;
                    let mut counted = counted.lock().unwrap();
                    // Its `BEGIN` was counted, unless what was counted has been taken since.
                    let is_counted = std::mem::take(&mut is_counted) && *pending.lock().unwrap() > 0;
                    counted.round_trips = counted.round_trips.saturating_sub(u32::from(is_counted));
                }
                // Each simple query, and each end of prepared ones, gets a `ReadyForQuery` (54.2).
                b'Q' | b'S' => {
                    let (mut counted, mut pending) = (counted.lock().unwrap(), pending.lock().unwrap());
                    let (begins, commits) = (content.starts_with(b"BEGIN"), content.starts_with(b"COMMIT"));
                    is_in_transaction |= begins;
                    if *pending == 0 {
                        is_counted = !is_delivering;
                        counted.round_trips += u32::from(is_counted);
                    }
                    counted.commits += u32::from(commits && !is_delivering);
                    is_in_transaction &= !commits && !content.starts_with(b"ROLLBACK");
                    is_delivering &= is_in_transaction;
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
    database.set_read_timeout(Some(PAUSE)).unwrap();
    loop {
        match database.read(&mut buffer) {
            Ok(0) => break,
            Ok(length) => {
                kept.extend_from_slice(&buffer[..length]);
                answered += replies.read(&buffer[..length]).iter().filter(|(kind, _)| *kind == b'Z').count();
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                let mut pending = pending.lock().unwrap();
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
struct Messages {
    unread: Vec<u8>,
    /// Whether the next message is the first of a client, which has no type.
    is_startup: bool,
}

impl Messages {
    /// The types and contents of the messages that are complete with these bytes.
    fn read(&mut self, bytes: &[u8]) -> Vec<(u8, Vec<u8>)> {
        self.unread.extend_from_slice(bytes);
        let mut messages = Vec::new();
        loop {
            let kind_length = usize::from(!self.is_startup);
            let Some(length) = self.unread.get(kind_length..kind_length + 4) else { return messages };
            let length = usize::try_from(u32::from_be_bytes(length.try_into().unwrap())).unwrap();
            let end = kind_length + length;
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
