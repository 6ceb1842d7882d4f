//! The [`RequestContext`]s that handlers are called with. Only dropshot can make them, and it makes one for each request that it
//! reads itself; connections of clients are not dropshot's, because it has no settings for them (see `server/api/DROPSHOT.md`).
//! So a dropshot server on a loopback port is asked for one after another, over one connection, and handlers leave theirs behind
//! ([`Lent`]) for the next request. All that is in a context but the application is replaced by what the client's request says.

use dropshot::{
    ApiDescription, ApiDescriptionRegisterError, ApiEndpoint, ApiEndpointVersions, Body, BuildError, ConfigDropshot,
    HandlerTaskMode, HttpError, HttpServer, RequestContext, RequestInfo, ServerBuilder, ServerContext,
};
use http::{Method, Request, Response};
use slog::{Logger, o, warn};
use std::any::Any;
use std::cell::RefCell;
use std::net::{Ipv4Addr, SocketAddr};
use std::ops::Deref;
use std::sync::{Mutex as SyncMutex, PoisonError};
use std::time::Duration;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpSocket;
use tokio::sync::{Mutex, mpsc, watch};
use tokio::task::JoinHandle;

/// Contexts that were used and are kept, at most: of so many requests at once, more are made new.
const SPARE: usize = 1024;

/// Contexts that are made ahead. While they are, nothing is read from the connection.
const READY: usize = 256;

/// Of the connection, in bytes: what is not read yet is kept by the system.
const SEND_BUFFER: u32 = 16 * 1024;

/// Requests that are written at once.
const BATCH: usize = 64;
const REQUEST: &str = "GET / HTTP/1.1\r\nhost: localhost\r\n\r\n";

/// Time before another connection, where one fails.
const AFTER_FAILURE: Duration = Duration::from_millis(100);

#[derive(Debug, thiserror::Error)]
pub enum ContextsError {
    #[error("failed to register an endpoint")]
    Register(#[from] ApiDescriptionRegisterError),
    #[error("failed to listen on a loopback port")]
    Listen(#[source] Box<BuildError>),
}

/// Contexts for handlers.
pub struct Contexts<C: ServerContext> {
    /// Those that were used before.
    spare: SyncMutex<Vec<RequestContext<C>>>,
    ready: Mutex<mpsc::Receiver<RequestContext<C>>>,
    asking: JoinHandle<()>,
    // Serves as long as it is there.
    _maker: HttpServer<C>,
}

impl<C: ServerContext> Contexts<C> {
    /// Contexts with this application.
    ///
    /// # Errors
    /// When no port can be had.
    pub fn start(application: C, log: Logger) -> Result<Self, ContextsError> {
        let (made, ready) = mpsc::channel(READY);
        // The server's own end of its connection: nothing is made for others.
        let (own, asked_by) = watch::channel(None);
        let make = move |context: RequestContext<C>| {
            let is_own = *asked_by.borrow() == Some(context.request.remote_addr());
            let made = made.clone();
            async move {
                if is_own {
                    // An error: the server has ended.
                    let _ = made.send(context).await;
                }
                Ok::<_, HttpError>(Response::new(Body::empty()))
            }
        };
        let (json, versions) = ("application/json", ApiEndpointVersions::All);
        let mut api = ApiDescription::new();
        api.register(ApiEndpoint::new("context".to_owned(), make, Method::GET, json, "/", versions))?;
        let config = ConfigDropshot {
            bind_address: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            default_handler_task_mode: HandlerTaskMode::CancelOnDisconnect,
            ..ConfigDropshot::default()
        };
        let silent = Logger::root(slog::Discard, o!());
        let maker = ServerBuilder::new(api, application, silent).config(config).start();
        let maker = maker.map_err(|error| ContextsError::Listen(Box::new(error)))?;
        let asking = tokio::spawn(ask_repeatedly(maker.local_addr(), own, log));
        Ok(Self { spare: SyncMutex::default(), ready: Mutex::new(ready), asking, _maker: maker })
    }

    /// A context; `None` if none can be had any more.
    pub(super) async fn take(&self) -> Option<RequestContext<C>> {
        let spare = self.spare.lock().unwrap_or_else(PoisonError::into_inner).pop();
        match spare {
            Some(context) => Some(context),
            None => self.ready.lock().await.recv().await,
        }
    }

    /// Runs a handler with a context that was taken, and keeps the context if the handler leaves it behind.
    pub(super) async fn keep<F: Future>(&self, handler: F) -> F::Output {
        let run = async {
            let output = handler.await;
            (output, LEFT.with(|left| left.borrow_mut().take()))
        };
        let (output, left) = LEFT.scope(RefCell::new(None), run).await;
        if let Some(mut context) = left.and_then(|left| left.downcast::<RequestContext<C>>().ok()) {
            // There may be credentials in the headers, and in variables of the path.
            context.endpoint.variables.clear();
            context.request = RequestInfo::new(&Request::new(()), SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)));
            let mut spare = self.spare.lock().unwrap_or_else(PoisonError::into_inner);
            if spare.len() < SPARE {
                spare.push(*context);
            }
        }
        output
    }
}

tokio::task_local! {
    static LEFT: RefCell<Option<Box<dyn Any + Send>>>;
}

/// The context of a request that a handler leaves behind for another one when it ends.
pub struct Lent<C: ServerContext>(Option<RequestContext<C>>);

impl<C: ServerContext> Lent<C> {
    #[must_use]
    pub fn new(context: RequestContext<C>) -> Self {
        Self(Some(context))
    }
}

impl<C: ServerContext> Deref for Lent<C> {
    type Target = RequestContext<C>;

    fn deref(&self) -> &RequestContext<C> {
        self.0.as_ref().expect("it is there until it is dropped")
    }
}

impl<C: ServerContext> Drop for Lent<C> {
    fn drop(&mut self) {
        let Some(context) = self.0.take() else { return };
        // Outside of `keep`, nothing takes it.
        let _ = LEFT.try_with(|left| left.borrow_mut().replace(Box::new(context)));
    }
}

impl<C: ServerContext> Drop for Contexts<C> {
    fn drop(&mut self) {
        self.asking.abort();
    }
}

async fn ask_repeatedly(maker: SocketAddr, own: watch::Sender<Option<SocketAddr>>, log: Logger) {
    loop {
        let Err(error) = ask(maker, &own).await;
        warn!(log, "requests wait, because a connection within the server failed"; "error" => error.to_string());
        tokio::time::sleep(AFTER_FAILURE).await;
    }
}

/// Writes requests as fast as they are read. Responses say nothing.
async fn ask(
    maker: SocketAddr,
    own: &watch::Sender<Option<SocketAddr>>,
) -> Result<std::convert::Infallible, std::io::Error> {
    let socket = TcpSocket::new_v4()?;
    socket.set_send_buffer_size(SEND_BUFFER)?;
    let stream = socket.connect(maker).await?;
    own.send_replace(Some(stream.local_addr()?));
    let (mut responses, mut requests) = stream.into_split();
    let batch = REQUEST.repeat(BATCH);
    let write = async {
        loop {
            requests.write_all(batch.as_bytes()).await?;
        }
    };
    let mut nowhere = tokio::io::sink();
    let read = tokio::io::copy(&mut responses, &mut nowhere);
    tokio::select! {
        written = write => written,
        read = read => Err(read.err().unwrap_or_else(|| std::io::ErrorKind::UnexpectedEof.into())),
    }
}
