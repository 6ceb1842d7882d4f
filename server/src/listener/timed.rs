//! When a connection ends because its client keeps the server waiting: for a request, for the rest of its head, or with taking
//! a response.

use http::Version;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

/// How long a client may keep the server waiting.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// For a request, from the last byte of the response to the one before; and for taking more of a response.
    pub(super) idle: Duration,
    /// For the rest of a head, from its first byte.
    pub(super) head: Duration,
}

/// What is going on in a connection, as its bytes and its requests say.
#[derive(Debug)]
pub(super) struct Activity {
    opened: Instant,
    /// Those that are being served, their bodies included, which have a deadline of their own; their responses are not.
    requests: AtomicUsize,
    is_http2: AtomicBool,
    /// Whether the rest of a head is waited for, and not a request.
    is_in_head: AtomicBool,
    /// Since when it is waited for, in milliseconds after the connection was opened.
    since: AtomicU64,
}

/// A request that is being served.
#[derive(Debug)]
pub(super) struct InProgress(Arc<Activity>);

impl Activity {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            opened: Instant::now(),
            requests: AtomicUsize::new(0),
            is_http2: AtomicBool::new(false),
            is_in_head: AtomicBool::new(false),
            since: AtomicU64::new(0),
        })
    }

    /// A request has been read.
    pub(super) fn begin(self: &Arc<Self>, version: Version) -> InProgress {
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.is_http2.fetch_or(version == Version::HTTP_2, Ordering::Relaxed);
        InProgress(Arc::clone(self))
    }

    fn has_read(&self, bytes: &[u8]) {
        // The client knows that the server speaks HTTP/2 (RFC 9113, 3.4).
        if bytes.starts_with(b"PRI * HTTP/2") {
            self.is_http2.store(true, Ordering::Relaxed);
        }
        // In HTTP/2, what comes between requests is not the beginning of one.
        let is_of_request = self.requests.load(Ordering::Acquire) > 0 || self.is_http2.load(Ordering::Relaxed);
        if !is_of_request && !self.is_in_head.load(Ordering::Relaxed) {
            self.wait_from_now(true);
        }
    }

    /// Some of a response was taken.
    fn has_written(&self) {
        if !self.is_in_head.load(Ordering::Relaxed) {
            self.wait_from_now(false);
        }
    }

    fn wait_from_now(&self, is_in_head: bool) {
        let since = u64::try_from(self.opened.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.since.store(since, Ordering::Relaxed);
        self.is_in_head.store(is_in_head, Ordering::Relaxed);
    }

    /// When the client will have kept the server waiting for too long; `None` while a request is being served.
    pub(super) fn deadline(&self, limits: Limits) -> Option<Instant> {
        if self.requests.load(Ordering::Acquire) > 0 {
            return None;
        }
        let limit = if self.is_in_head.load(Ordering::Relaxed) { limits.head } else { limits.idle };
        Some(self.opened + Duration::from_millis(self.since.load(Ordering::Relaxed)) + limit)
    }

    /// Waits until the client has kept the server waiting for too long.
    pub(super) async fn until_too_long(&self, limits: Limits) {
        loop {
            let now = Instant::now();
            let deadline = self.deadline(limits);
            if deadline.is_some_and(|deadline| deadline <= now) {
                return;
            }
            // What begins from now on ends no earlier than that.
            let next = now + limits.head.min(limits.idle);
            tokio::time::sleep_until(deadline.map_or(next, |deadline| deadline.min(next))).await;
        }
    }
}

impl Drop for InProgress {
    fn drop(&mut self) {
        // In this order: without requests, the time counts.
        self.0.wait_from_now(false);
        self.0.requests.fetch_sub(1, Ordering::Release);
    }
}

/// The stream of a connection, which says when bytes are read and written.
pub(super) struct Timed<S> {
    pub(super) stream: S,
    pub(super) activity: Arc<Activity>,
}

impl<S: AsyncRead + Unpin> AsyncRead for Timed<S> {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        let read = Pin::new(&mut this.stream).poll_read(context, buffer);
        let new = buffer.filled().get(before..).unwrap_or_default();
        if !new.is_empty() {
            this.activity.has_read(new);
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Timed<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.noted(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.noted(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

impl<S> Timed<S> {
    fn noted(&self, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if matches!(written, Poll::Ready(Ok(count)) if count > 0) {
            self.activity.has_written();
        }
        written
    }
}
