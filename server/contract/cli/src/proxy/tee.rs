//! Copies a body while it is forwarded.

use hyper::body::{Body, Bytes, Frame, SizeHint};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

/// Most bytes of a body that are kept. Longer ones are forwarded and not validated.
const LONGEST: usize = 4 << 20;

/// The copy of a body.
#[derive(Debug, Clone, Default)]
pub(super) struct BodyCopy(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    bytes: Vec<u8>,
    is_too_long: bool,
    has_ended: bool,
    /// Length by the headers. Who knows it does not ask for the end of a body.
    length: Option<u64>,
}

impl BodyCopy {
    /// The whole body; `None` if it did not come to its end, or is too long.
    pub(super) fn whole(&self) -> Option<Vec<u8>> {
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_whole = state.has_ended || state.length == u64::try_from(state.bytes.len()).ok();
        (is_whole && !state.is_too_long).then(|| state.bytes.clone())
    }

    fn update(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

impl State {
    fn append(&mut self, bytes: &[u8]) {
        self.is_too_long |= self.bytes.len() + bytes.len() > LONGEST;
        if self.is_too_long {
            self.bytes = Vec::new();
        } else {
            self.bytes.extend_from_slice(bytes);
        }
    }
}

/// A body that is copied.
pub(super) struct Tee<B> {
    body: B,
    copy: BodyCopy,
    /// Dropped with the body, whether or not it came to its end.
    _at_end: Option<AtEnd>,
}

/// Calls a function when it is dropped.
struct AtEnd(Option<Box<dyn FnOnce() + Send + Sync>>);

impl Drop for AtEnd {
    fn drop(&mut self) {
        if let Some(call) = self.0.take() {
            call();
        }
    }
}

impl<B: Body> Tee<B> {
    pub(super) fn new(body: B, copy: &BodyCopy) -> Self {
        let (is_empty, length) = (body.is_end_stream(), body.size_hint().exact());
        copy.update(|state| (state.has_ended, state.length) = (is_empty, length));
        Self { body, copy: copy.clone(), _at_end: None }
    }

    /// Calls a function when nothing more is read from the body.
    pub(super) fn at_end(self, call: impl FnOnce() + Send + Sync + 'static) -> Self {
        Self { _at_end: Some(AtEnd(Some(Box::new(call)))), ..self }
    }
}

impl<B: Body<Data = Bytes> + Unpin> Body for Tee<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        match &polled {
            Poll::Ready(Some(Ok(frame))) => {
                let data = frame.data_ref().map(Bytes::as_ref).unwrap_or_default();
                let has_ended = self.body.is_end_stream();
                self.copy.update(|state| {
                    state.append(data);
                    state.has_ended = has_ended;
                });
            }
            Poll::Ready(None) => self.copy.update(|state| state.has_ended = true),
            Poll::Ready(Some(Err(_))) | Poll::Pending => {}
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
