//! Accepts connections until the program is told to stop.

use super::ContractError;
use super::forward::{Event, Forwarder};
use super::queue::queue;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use reqwest::Url;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpListener;

/// Longest wait for the responses that are on their way when the program is told to stop.
const GRACE: Duration = Duration::from_secs(5);

/// Forwards requests to a server, and reports what was forwarded, until SIGINT or SIGTERM. `started` gets the address. Returns
/// the number of requests that were forwarded and not reported, because too many were waiting.
pub(in super::super) async fn serve(
    address: SocketAddr,
    server: &Url,
    started: impl FnOnce(SocketAddr),
    mut report: impl FnMut(Event) -> Result<(), ContractError>,
) -> Result<usize, ContractError> {
    let failed = |source| ContractError::Listen { address, source };
    let mut stop = std::pin::pin!(Stop::new().map_err(failed)?.wait());
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let (sender, mut events) = queue();
    let forwarder = Forwarder::new(server, sender)?;
    let graceful = GracefulShutdown::new();
    started(listener.local_addr().map_err(failed)?);
    loop {
        tokio::select! {
            () = &mut stop => break,
            Some(event) = events.next() => report(event)?,
            accepted = listener.accept() => {
                // A connection that ended before it was accepted concerns nobody else.
                let Ok((stream, _)) = accepted else { continue };
                let forwarder = forwarder.clone();
                let service = service_fn(move |request| {
                    let forwarded = forwarder.clone().forward(request);
                    async { Ok::<_, Infallible>(forwarded.await) }
                });
                let mut builder = http1::Builder::new();
                let connection = builder.timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), service);
                tokio::spawn(graceful.watch(connection));
            }
        }
    }
    drop((listener, forwarder));
    // What is not done by then is given up.
    let _ = tokio::time::timeout(GRACE, graceful.shutdown()).await;
    while let Some(event) = events.next_waiting() {
        report(event)?;
    }
    Ok(events.dropped())
}

/// The signals that end the program.
struct Stop {
    #[cfg(unix)]
    signals: [tokio::signal::unix::Signal; 2],
}

impl Stop {
    /// From here on, the signals are waited for.
    #[cfg(unix)]
    fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { signals: [signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?] })
    }

    #[cfg(unix)]
    async fn wait(mut self) {
        let [interrupt, terminate] = &mut self.signals;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    }

    #[cfg(not(unix))]
    fn new() -> std::io::Result<Self> {
        Ok(Self {})
    }

    #[cfg(not(unix))]
    async fn wait(self) {
        // Without a handler, Ctrl-C ends the program at once.
        let _ = tokio::signal::ctrl_c().await;
    }
}
