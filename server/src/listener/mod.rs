//! Connections of clients: accepted, timed, and closed in order at the end.
//!
//! HTTP/1.1, and HTTP/2 of clients that begin with it (RFC 9113, 3.3), in clear text: TLS is a proxy's.

mod detached;
mod timed;

use detached::Detached;
use dropshot::Body;
use http::{Request, Response};
use hyper::body::{Body as _, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulConnection;
use slog::{Logger, warn};
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use timed::{Activity, Limits, Timed};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio_util::task::TaskTracker;

/// The largest head of a request that is read, in bytes: so much memory is held for one that does not end. Heads are mostly
/// cookies, of which browsers send 4 KiB each.
const LARGEST_HEAD: usize = 32 * 1024;

/// How long a client may take for the head of a request, from its first byte.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);

/// How long a client may take to see that its connection ends, which nothing is served on any more.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Requests of one connection at once, in HTTP/2: responses that a client does not take are held. Proxies open more connections.
const STREAMS: u32 = 32;

/// Of a response in HTTP/2 that is not taken yet, in bytes.
const SEND_BUFFER: usize = 64 * 1024;

/// Time before connections are accepted again, when the process or the system has no more of what they take.
const AFTER_EXHAUSTION: Duration = Duration::from_millis(100);

/// Connections that wait to be accepted; the system may allow fewer (`net.core.somaxconn`).
const BACKLOG: u32 = 4096;

/// Serves a request. What has begun is not stopped when the client hangs up.
pub trait Serve: Send + Sync + 'static {
    /// The response for a request of this peer.
    fn serve(&self, peer: SocketAddr, request: Request<Body>) -> impl Future<Output = Response<Body>> + Send;
}

/// A port that is listened on.
pub struct Listener {
    local_addr: SocketAddr,
    /// True once it stops.
    stop: watch::Sender<bool>,
    accepting: tokio::task::JoinHandle<()>,
    /// Closed once no more connections are accepted.
    is_accepting: watch::Receiver<()>,
    connections: TaskTracker,
    requests: TaskTracker,
}

impl Listener {
    /// Begins to listen on an address, and to serve. Connections without a request are closed after `idle`.
    ///
    /// # Errors
    /// When the address cannot be had.
    pub fn start(address: SocketAddr, idle: Duration, server: Arc<impl Serve>, log: Logger) -> io::Result<Self> {
        let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        // A server that starts again does not wait for connections of the one before to be forgotten.
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        let listener = socket.listen(BACKLOG)?;
        let local_addr = listener.local_addr()?;
        let (stop, stopping) = watch::channel(false);
        let (guard, is_accepting) = watch::channel(());
        let (connections, requests) = (TaskTracker::new(), TaskTracker::new());
        let limits = Limits { idle, head: HEAD_TIMEOUT };
        let (open, served) = (connections.clone(), requests.clone());
        let acceptor = Acceptor { server, limits, connections: open, requests: served, stopping, log };
        let accepting = tokio::spawn(async move {
            acceptor.accept(listener).await;
            drop(guard);
        });
        Ok(Self { local_addr, stop, accepting, is_accepting, connections, requests })
    }

    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// Waits until no more connections are accepted, which happens without [`Listener::close`] by a defect only.
    pub async fn ended(&self) {
        // An error: nothing is sent.
        let _ = self.is_accepting.clone().changed().await;
    }

    /// Accepts no more connections, closes those without a request, and waits for all requests.
    ///
    /// # Errors
    /// When connections could not be accepted to the end: a defect.
    pub async fn close(self) -> Result<(), tokio::task::JoinError> {
        self.stop.send_replace(true);
        let closed = self.accepting.await;
        for tasks in [&self.connections, &self.requests] {
            tasks.close();
            tasks.wait().await;
        }
        closed
    }
}

struct Acceptor<S> {
    server: Arc<S>,
    limits: Limits,
    connections: TaskTracker,
    requests: TaskTracker,
    stopping: watch::Receiver<bool>,
    log: Logger,
}

impl<S: Serve> Acceptor<S> {
    /// Accepts connections until it stops.
    async fn accept(self, listener: TcpListener) {
        let mut builder = auto::Builder::new(TokioExecutor::new());
        // Times are those of `timed`: hyper has one for heads and idle connections together.
        builder.http1().header_read_timeout(None).max_buf_size(LARGEST_HEAD).half_close(true);
        builder.http2().timer(TokioTimer::new()).max_header_list_size(LARGEST_HEAD as u32);
        builder.http2().max_concurrent_streams(STREAMS).max_send_buf_size(SEND_BUFFER);
        let mut stopping = self.stopping.clone();
        let mut is_exhausted = false;
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                _ = stopping.wait_for(|stops| *stops) => return,
            };
            match accepted {
                Ok((stream, peer)) => {
                    is_exhausted = false;
                    let activity = Activity::new();
                    let connection = self.connection(&builder, stream, peer, &activity);
                    self.connections.spawn(drive(connection, activity, self.limits, self.stopping.clone()));
                }
                Err(error) if is_of_one_connection(&error) => {}
                Err(error) => {
                    // Once, and not ten times a second for as long as it lasts.
                    if !is_exhausted {
                        warn!(self.log, "failed to accept connections; they wait"; "error" => error.to_string());
                    }
                    is_exhausted = true;
                    tokio::time::sleep(AFTER_EXHAUSTION).await;
                }
            }
        }
    }

    fn connection(
        &self,
        builder: &auto::Builder<TokioExecutor>,
        stream: TcpStream,
        peer: SocketAddr,
        activity: &Arc<Activity>,
    ) -> impl GracefulConnection<Error: Send> + Send + 'static {
        // Responses are small, and written at once. Without the option they are late, which is no reason not to send them.
        let _ = stream.set_nodelay(true);
        let (server, requests, seen) = (Arc::clone(&self.server), self.requests.clone(), Arc::clone(activity));
        let service = service_fn(move |request: Request<Incoming>| {
            let (server, in_progress) = (Arc::clone(&server), seen.begin(request.version()));
            let has_body = !request.body().is_end_stream();
            let serving = async move { server.serve(peer, request.map(Body::wrap)).await };
            // The request does not end with the connection.
            let serving = Detached::new(serving, requests.clone());
            async move {
                let response = serving.await;
                if has_body {
                    // The handler may not have read the body to its end. hyper notices that when it polls the connection again, and
                    // only if it does so before it writes the response does the response say `Connection: close`.
                    tokio::task::yield_now().await;
                }
                drop(in_progress);
                Ok::<_, Infallible>(response)
            }
        });
        let stream = Timed { stream, activity: Arc::clone(activity) };
        builder.serve_connection(TokioIo::new(stream), service).into_owned()
    }
}

/// Serves a connection until its client or the server ends it.
async fn drive(
    connection: impl GracefulConnection<Error: Send>,
    activity: Arc<Activity>,
    limits: Limits,
    mut stopping: watch::Receiver<bool>,
) {
    let mut connection = std::pin::pin!(connection);
    tokio::select! {
        // An error is the client's: it has hung up, or what it sends is not HTTP.
        _ = connection.as_mut() => return,
        () = activity.until_too_long(limits) => {}
        _ = stopping.wait_for(|stops| *stops) => {}
    }
    // In HTTP/2, the client is informed which of its requests were not looked at, so that it may send them again.
    connection.as_mut().graceful_shutdown();
    let last = Limits { idle: LAST_WORDS, head: LAST_WORDS };
    tokio::select! {
        biased;
        _ = connection => {}
        () = activity.until_too_long(last) => {}
    }
}

/// Whether an error is about a connection that its client has given up.
fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

#[cfg(test)]
mod tests;
