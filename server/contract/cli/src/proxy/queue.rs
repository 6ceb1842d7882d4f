//! Events that were forwarded and are not validated yet. Their bytes are limited; events beyond the limit are dropped and counted,
//! so that clients that are faster than the validation cannot exhaust the memory.

use super::Event;
use countersign_contract_check::exchange::{Exchange, Request, Response};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Most bytes that wait.
const MOST_BYTES: usize = 256 << 20;

/// Upper estimate of the bytes of an event without its texts.
const OVERHEAD: usize = 1 << 10;

/// An event with its share of the bytes, which is free again when the event has been taken.
type Waiting = (Event, OwnedSemaphorePermit);

/// A queue of events.
pub(super) fn queue() -> (Sender, Receiver) {
    queue_of(MOST_BYTES)
}

fn queue_of(bytes: usize) -> (Sender, Receiver) {
    let (events, waiting) = mpsc::unbounded_channel();
    let dropped = Arc::new(AtomicUsize::new(0));
    let sender = Sender { events, room: Arc::new(Semaphore::new(bytes)), dropped: Arc::clone(&dropped) };
    (sender, Receiver { waiting, dropped })
}

#[derive(Clone)]
pub(super) struct Sender {
    events: UnboundedSender<Waiting>,
    room: Arc<Semaphore>,
    dropped: Arc<AtomicUsize>,
}

impl Sender {
    /// Adds an event, or drops it if too many wait.
    pub(super) fn send(&self, event: Event) {
        let size = u32::try_from(size(&event)).ok();
        match size.and_then(|size| Arc::clone(&self.room).try_acquire_many_owned(size).ok()) {
            // Once nobody listens any more, the proxy is about to end.
            Some(permit) => drop(self.events.send((event, permit))),
            None => drop(self.dropped.fetch_add(1, Ordering::Relaxed)),
        }
    }
}

pub(super) struct Receiver {
    waiting: UnboundedReceiver<Waiting>,
    dropped: Arc<AtomicUsize>,
}

impl Receiver {
    /// The next event, as soon as there is one.
    pub(super) async fn next(&mut self) -> Option<Event> {
        self.waiting.recv().await.map(|(event, _)| event)
    }

    /// The next event, if there is one.
    pub(super) fn next_waiting(&mut self) -> Option<Event> {
        self.waiting.try_recv().ok().map(|(event, _)| event)
    }

    /// Number of events that were dropped.
    pub(super) fn dropped(&self) -> usize {
        self.dropped.load(Ordering::Relaxed)
    }
}

fn size(event: &Event) -> usize {
    let of_headers = |headers: &[(String, String)]| -> usize {
        headers.iter().map(|(name, value)| name.len() + value.len() + 2 * size_of::<String>()).sum()
    };
    let of_body = |body: &Option<Vec<u8>>| body.as_ref().map_or(0, Vec::len);
    let of_request = |Request { method, target, headers, body }: &Request| {
        method.len() + target.len() + of_headers(headers) + of_body(body)
    };
    OVERHEAD
        + match event {
            Event::Answered(Exchange { request, response: Response { headers, body, .. } }) => {
                of_request(request) + of_headers(headers) + of_body(body)
            }
            Event::Unanswered(request, why) => of_request(request) + why.len(),
        }
}

#[cfg(test)]
mod tests {
    use super::{OVERHEAD, queue_of};
    use crate::proxy::Event;
    use countersign_contract_check::exchange::Request;

    #[test]
    fn what_does_not_fit_is_dropped_and_counted_until_there_is_room_again() {
        let event = |bytes: usize| {
            Event::Unanswered(Request { body: Some(vec![0; bytes]), ..Request::default() }, String::new())
        };
        let (sender, mut receiver) = queue_of(3 * OVERHEAD);
        for (bytes, dropped) in [(OVERHEAD, 0), (0, 0), (0, 1), (5 * OVERHEAD, 2)] {
            sender.send(event(bytes));
            assert_eq!(receiver.dropped(), dropped, "{bytes}");
        }
        assert!(receiver.next_waiting().is_some());
        sender.send(event(OVERHEAD));
        assert_eq!(receiver.dropped(), 2);
        assert_eq!(std::iter::from_fn(|| receiver.next_waiting()).count(), 2);
    }
}
