//! Stands between a server and PostgreSQL, and counts.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// How long it keeps what the database says: what a client sends without waiting for that has been sent by then.
const DELAY: Duration = Duration::from_millis(50);

/// What a client did.
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
    let pending = Arc::new(Mutex::new(0_u32));
    let (waiting, counted) = (Arc::clone(&pending), Arc::clone(counted));
    let mut requests = Messages { unread: Vec::new(), is_startup: true };
    copy(client, database, move |bytes| {
        for (kind, content) in requests.read(bytes) {
            // Each simple query, and each end of prepared ones, gets a `ReadyForQuery` (PostgreSQL, 54.2).
            if kind == b'Q' || kind == b'S' {
                let (mut waiting, mut counted) = (waiting.lock().unwrap(), counted.lock().unwrap());
                counted.round_trips += u32::from(*waiting == 0);
                counted.commits += u32::from(content.starts_with(b"COMMIT"));
                *waiting += 1;
            }
        }
    });
    let mut replies = Messages { unread: Vec::new(), is_startup: false };
    copy(database, client, move |bytes| {
        thread::sleep(DELAY);
        let ready = replies.read(bytes).iter().filter(|(kind, _)| *kind == b'Z').count();
        let mut pending = pending.lock().unwrap();
        // The first one ends the startup.
        *pending = pending.saturating_sub(u32::try_from(ready).unwrap());
    });
}

/// Shows what is read, and then passes it on.
fn copy(from: &TcpStream, to: &TcpStream, mut show: impl FnMut(&[u8]) + Send + 'static) {
    let (mut from, mut to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
    to.set_nodelay(true).unwrap();
    thread::spawn(move || {
        let mut buffer = vec![0; 1 << 16];
        while let Ok(length @ 1..) = from.read(&mut buffer) {
            show(&buffer[..length]);
            if to.write_all(&buffer[..length]).is_err() {
                break;
            }
        }
        // It may be closed already.
        let _ = to.shutdown(Shutdown::Both);
    });
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
