//! Open-loop load: requests are sent when they are due, whether or not earlier ones have responses, and latency counts from then.

use crate::client::Connection;
use crate::clock::Stopwatch;
use crate::errors::Errors;
use crate::latency::{Latencies, Percentiles};
use crate::source::Source;
use anyhow::{Result, ensure};
use serde::Serialize;
use std::cell::{Cell, RefCell};
use std::net::{Ipv4Addr, SocketAddr};
use std::rc::Rc;
use std::time::Duration;

/// Requests that are under way at once, at most; those that are due beyond are not sent.
const MOST_CONNECTIONS: usize = 2_000;

/// Requests with the same kind of response.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Answered {
    pub(crate) count: usize,
    #[serde(flatten)]
    pub(crate) latency: Percentiles,
}

impl Answered {
    pub(crate) fn of(latencies: &RefCell<Latencies>) -> Self {
        let latencies = latencies.take();
        Self { count: latencies.count(), latency: latencies.percentiles() }
    }
}

/// What came of the requests of a source.
#[derive(Default)]
pub(crate) struct Tally {
    latencies: RefCell<Latencies>,
    errors: RefCell<Errors>,
}

impl Tally {
    /// Those that were answered as they should be.
    pub(crate) fn answered(&self) -> Answered {
        Answered::of(&self.latencies)
    }

    /// The others.
    pub(crate) fn errors(&self) -> Errors {
        self.errors.borrow().clone()
    }

    fn note(&self, due: Stopwatch, sent: Result<Response>) {
        match sent {
            Ok(Response { status: 200, has_session: true, .. }) => self.latencies.borrow_mut().add(due.elapsed()),
            Ok(Response { status, .. }) => self.errors.borrow_mut().add(status, || format!("{status}")),
            Err(error) => self.errors.borrow_mut().add(0, || format!("{error:#}")),
        }
    }
}

/// What is looked at in a response.
#[derive(Clone, Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    /// Whether it says when to try again.
    pub(crate) has_retry_after: bool,
    /// [`client::Response::has_session`](crate::client::Response::has_session)
    has_session: bool,
}

/// Connections of some clients to the server, used again and again.
pub(crate) struct Clients {
    networks: Vec<Ipv4Addr>,
    address: SocketAddr,
    idle: RefCell<Vec<Connection>>,
    open: Cell<usize>,
}

impl Clients {
    /// Clients whose connections come from these addresses in turns: a server may treat what comes from one network alike.
    pub(crate) fn new(networks: impl IntoIterator<Item = Ipv4Addr>, address: SocketAddr) -> Rc<Self> {
        let networks = networks.into_iter().collect();
        Rc::new(Self { networks, address, idle: RefCell::default(), open: Cell::new(0) })
    }

    /// Sends a request.
    pub(crate) async fn send(&self, request: &[u8]) -> Result<Response> {
        let idle = self.idle.borrow_mut().pop();
        let mut connection = match idle {
            Some(connection) => connection,
            None => {
                let open = self.open.get();
                ensure!(open < MOST_CONNECTIONS, "too many requests are under way");
                self.open.set(open + 1);
                Connection::open_from(self.networks[open % self.networks.len()], self.address).await?
            }
        };
        let response = connection.send(request).await.map(|response| Response {
            status: response.status,
            has_retry_after: response.header("retry-after").next().is_some(),
            has_session: response.has_session(),
        });
        self.idle.borrow_mut().push(connection);
        response
    }
}

/// Sends what a source holds next, if there is anything. Not for sources whose next request depends on the last response.
pub(crate) fn send_next(
    source: &mut Source,
    clients: &Rc<Clients>,
    tally: &Rc<Tally>,
    due: Stopwatch,
) -> Option<impl Future<Output = ()> + 'static + use<>> {
    debug_assert!(!matches!(source, Source::TrustedDevices { .. } | Source::Sessions { .. }));
    let mut request = Vec::new();
    if !source.next(&mut request) {
        return None;
    }
    let (clients, tally) = (Rc::clone(clients), Rc::clone(tally));
    Some(async move { tally.note(due, clients.send(&request).await) })
}

/// Begins `request` so many times a second without waiting for any, for some time or until there is none. Returns for how long.
pub(crate) async fn arrive<F: Future<Output = ()> + 'static>(
    per_second: f64,
    duration: Duration,
    mut request: impl FnMut(Stopwatch) -> Option<F>,
) -> Duration {
    let mut timer = tokio::time::interval(Duration::from_secs_f64(1.0 / per_second));
    let first = timer.tick().await;
    let mut due = first;
    while due - first < duration {
        let Some(request) = request(Stopwatch::since(due)) else { break };
        tokio::task::spawn_local(request);
        due = timer.tick().await;
    }
    due - first
}
