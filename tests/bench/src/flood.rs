//! What others notice while passwords arrive ten times faster than they can be hashed.
//!
//! An open loop: requests are sent when they are due, whether or not earlier ones were answered, and their latency counts from
//! then. The flood comes from another network than the others.

use crate::client::Connection;
use crate::clock::Stopwatch;
use crate::latency::{Latencies, Percentiles};
use crate::request::{Sender, post};
use crate::source::Source;
use crate::users::PASSWORD;
use anyhow::{Result, ensure};
use serde::Serialize;
use serde_json::json;
use std::cell::{Cell, RefCell};
use std::net::{Ipv4Addr, SocketAddr};
use std::rc::Rc;
use std::time::Duration;
use tokio::task::LocalSet;

/// Sign-ins that arrive, as a multiple of the hashes that the machine makes.
const OVERLOAD: f64 = 10.0;
/// Requests of others that arrive in a second.
const READS_PER_SECOND: f64 = 50.0;
const CODES_PER_SECOND: f64 = 10.0;
/// Requests that are under way at once, at most; those that are due beyond are not sent.
const MOST_CONNECTIONS: usize = 2_000;
/// Networks of their own: a server may treat what comes from one network alike.
const FLOOD: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 1);
const OTHERS: Ipv4Addr = Ipv4Addr::new(127, 0, 77, 1);

/// What came of a flood.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Flood {
    /// Sign-ins that were due in a second.
    pub(crate) per_second: f64,
    /// Sign-ins whose password was looked at.
    pub(crate) judged: Answered,
    /// Sign-ins that were refused because too many wait.
    pub(crate) shed: Answered,
    /// Those of them that did not say when to try again.
    pub(crate) without_retry_after: usize,
    /// Other answers to sign-ins, or none.
    pub(crate) failed: usize,
    /// Reading a session, by others.
    pub(crate) get_session: Answered,
    /// Completing a challenge, by others.
    pub(crate) verify_totp: Answered,
    /// Requests of others that were not answered as they should be.
    pub(crate) others_failed: usize,
}

/// Requests with the same kind of answer.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Answered {
    pub(crate) count: usize,
    #[serde(flatten)]
    pub(crate) latency: Percentiles,
}

impl Answered {
    fn of(latencies: &RefCell<Latencies>) -> Self {
        let latencies = latencies.take();
        Self { count: latencies.count(), latency: latencies.percentiles() }
    }
}

/// Connections of one network to the server, used again and again.
struct Clients {
    from: Ipv4Addr,
    address: SocketAddr,
    idle: RefCell<Vec<Connection>>,
    open: Cell<usize>,
}

impl Clients {
    fn new(from: Ipv4Addr, address: SocketAddr) -> Rc<Self> {
        Rc::new(Self { from, address, idle: RefCell::default(), open: Cell::new(0) })
    }

    /// Sends a request; returns the status, and whether the response says when to try again.
    async fn send(&self, request: &[u8]) -> Result<(u16, bool)> {
        let idle = self.idle.borrow_mut().pop();
        let mut connection = match idle {
            Some(connection) => connection,
            None => {
                ensure!(self.open.get() < MOST_CONNECTIONS, "too many requests are under way");
                self.open.set(self.open.get() + 1);
                Connection::open_from(self.from, self.address).await?
            }
        };
        let response = connection.send(request).await;
        let answered = response.map(|response| (response.status, response.header("retry-after").next().is_some()));
        self.idle.borrow_mut().push(connection);
        answered
    }
}

/// Begins `request` so many times a second, for some time, without waiting for any.
async fn arrive<F: Future<Output = ()> + 'static>(
    per_second: f64,
    duration: Duration,
    mut request: impl FnMut(Stopwatch) -> Option<F>,
) {
    let mut due = tokio::time::interval(Duration::from_secs_f64(1.0 / per_second));
    let stopwatch = Stopwatch::start();
    while stopwatch.elapsed() < duration {
        due.tick().await;
        if let Some(request) = request(Stopwatch::start()) {
            tokio::task::spawn_local(request);
        }
    }
}

#[derive(Default)]
struct Tally {
    judged: RefCell<Latencies>,
    shed: RefCell<Latencies>,
    without_retry_after: Cell<usize>,
    failed: Cell<usize>,
    get_session: RefCell<Latencies>,
    verify_totp: RefCell<Latencies>,
    others_failed: Cell<usize>,
}

fn count(cell: &Cell<usize>) {
    cell.set(cell.get() + 1);
}

/// Sends what a source holds next, if there is anything.
fn of_others(
    source: &mut Source,
    clients: &Rc<Clients>,
    tally: &Rc<Tally>,
    latencies: fn(&Tally) -> &RefCell<Latencies>,
    due: Stopwatch,
) -> Option<impl Future<Output = ()> + 'static + use<>> {
    let mut request = Vec::new();
    if !source.next(&mut request) {
        return None;
    }
    let (clients, tally) = (Rc::clone(clients), Rc::clone(tally));
    Some(async move {
        match clients.send(&request).await {
            Ok((200, _)) => latencies(&tally).borrow_mut().add(due.elapsed()),
            Ok(_) | Err(_) => count(&tally.others_failed),
        }
    })
}

/// Sends the sign-in of somebody who has no account: a hash is made for it as for any other.
fn of_stranger(
    number: u64,
    clients: &Rc<Clients>,
    tally: &Rc<Tally>,
    due: Stopwatch,
) -> impl Future<Output = ()> + use<> {
    let body = json!({"email": format!("stranger-{number}@example.com"), "password": PASSWORD});
    let request = post("sign-in/email", Sender::Nobody, &body);
    let (clients, tally) = (Rc::clone(clients), Rc::clone(tally));
    async move {
        match clients.send(&request).await {
            Ok((401, _)) => tally.judged.borrow_mut().add(due.elapsed()),
            Ok((503, says_when)) => {
                tally.shed.borrow_mut().add(due.elapsed());
                if !says_when {
                    count(&tally.without_retry_after);
                }
            }
            Ok(_) | Err(_) => count(&tally.failed),
        }
    }
}

/// Floods a server on a machine that makes so many hashes a second with sign-ins of strangers, and sends what the sources hold
/// meanwhile.
pub(crate) async fn flood(
    address: SocketAddr,
    hashes_per_second: f64,
    mut get_session: Source,
    mut verify_totp: Source,
    duration: Duration,
) -> Flood {
    let (attackers, others) = (Clients::new(FLOOD, address), Clients::new(OTHERS, address));
    let (tally, mut strangers) = (Rc::new(Tally::default()), 0);
    let per_second = hashes_per_second * OVERLOAD;
    let sign_ins = arrive(per_second, duration, |due| {
        strangers += 1;
        Some(of_stranger(strangers, &attackers, &tally, due))
    });
    let reads = arrive(READS_PER_SECOND, duration, |due| {
        of_others(&mut get_session, &others, &tally, |tally| &tally.get_session, due)
    });
    let codes = arrive(CODES_PER_SECOND, duration, |due| {
        of_others(&mut verify_totp, &others, &tally, |tally| &tally.verify_totp, due)
    });
    let tasks = LocalSet::new();
    tasks.run_until(async { futures::join!(sign_ins, reads, codes) }).await;
    // Until all are answered.
    tasks.await;
    Flood {
        per_second,
        judged: Answered::of(&tally.judged),
        shed: Answered::of(&tally.shed),
        without_retry_after: tally.without_retry_after.get(),
        failed: tally.failed.get(),
        get_session: Answered::of(&tally.get_session),
        verify_totp: Answered::of(&tally.verify_totp),
        others_failed: tally.others_failed.get(),
    }
}
