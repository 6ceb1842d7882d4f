//! The queue of stored messages, as one process sees it.

use super::{Carrier, Outgoing};
use crate::random::Randomness;
use countersign_domain::decisions::redelivery::{self, Attempt};
use countersign_domain::error_chain;
use countersign_domain::ids::MessageId;
use countersign_domain::message::{Opened, Sealer, StoredMessage};
use countersign_domain::observer::{DeliveryResult, Observer, Unobserved};
use countersign_domain::time::{Clock, Timestamp};
use countersign_store::work::{FinishMessage, TakeMessages, WhichMessages};
use countersign_store::{Store, StoreError};
use data_encoding::HEXLOWER;
use slog::{Logger, error, info, warn};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::task::{JoinHandle, JoinSet};

/// Messages that one process delivers at once: as many as a small mail server takes from one client.
pub const AT_ONCE: usize = 8;

/// The longest that an attempt may take, because a user may wait for it.
pub const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a message is a process's own. Longer than an attempt and the note of how it ended; after the death of the process
/// the message waits for the rest of it.
const LEASE: Duration = Duration::from_secs(20);

/// How long a stored message is left to the process that stored it.
pub const HAND_OVER: Duration = Duration::from_secs(2);

/// How often messages are looked for that this process has not stored itself, or that failed.
const POLL: Duration = Duration::from_secs(1);

/// How the first attempt to deliver a message ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FirstAttempt {
    Delivered,
    /// It is tried again while it is of use.
    Failed,
    Refused,
    /// It takes longer than anybody waits, or another process has taken it.
    Unknown,
}

/// What a queue works with.
pub struct DeliveryQueue {
    store: Arc<Store>,
    sealer: Sealer,
    carrier: Arc<dyn Carrier>,
    clock: Arc<dyn Clock>,
    log: Logger,
    observer: Arc<dyn Observer>,
    /// Name of this process in leases.
    owner: String,
    stored: UnboundedSender<MessageId>,
    /// Taken by the worker.
    to_deliver: Mutex<Option<UnboundedReceiver<MessageId>>>,
    waiting: Mutex<HashMap<MessageId, oneshot::Sender<FirstAttempt>>>,
}

/// Delivers messages until it is stopped; a worker that is dropped stops in the middle of its attempts.
#[derive(Debug)]
pub struct Worker {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Worker {
    /// Takes no more messages, and waits for the attempts that are under way.
    pub async fn stop(self) {
        let _ = self.stop.send(());
        let _ = self.task.await;
    }
}

enum Next {
    Stop,
    Stored(MessageId),
    Due,
}

impl DeliveryQueue {
    #[must_use]
    pub fn new(
        store: Arc<Store>,
        sealer: Sealer,
        carrier: Arc<dyn Carrier>,
        clock: Arc<dyn Clock>,
        random: &Randomness,
        log: Logger,
    ) -> Self {
        let mut name = [0; 16];
        random.draw(|random| random.fill_bytes(&mut name));
        let (stored, to_deliver) = unbounded_channel();
        Self {
            store,
            sealer,
            carrier,
            clock,
            log,
            observer: Arc::new(Unobserved),
            owner: HEXLOWER.encode(&name),
            stored,
            to_deliver: Mutex::new(Some(to_deliver)),
            waiting: Mutex::default(),
        }
    }

    /// The same, with the ends of attempts reported.
    #[must_use]
    pub fn observed_by(self, observer: Arc<dyn Observer>) -> Self {
        Self { observer, ..self }
    }

    /// Starts to deliver. A queue has one worker: `None` if it was started before.
    #[must_use]
    pub fn start(self: &Arc<Self>) -> Option<Worker> {
        let stored = lock(&self.to_deliver).take()?;
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(Arc::clone(self).run(stored, stopped));
        Some(Worker { stop, task })
    }

    pub(crate) fn sealer(&self) -> &Sealer {
        &self.sealer
    }

    /// Delivers a message that was stored just now, and waits for the first attempt, at most for [`ATTEMPT_TIMEOUT`].
    pub(crate) async fn deliver(&self, id: MessageId) -> FirstAttempt {
        let (ends, ended) = oneshot::channel();
        lock(&self.waiting).insert(id, ends);
        // Without a worker it is left to other processes.
        let _ = self.stored.send(id);
        let outcome = tokio::time::timeout(ATTEMPT_TIMEOUT, ended).await;
        lock(&self.waiting).remove(&id);
        outcome.ok().and_then(Result::ok).unwrap_or(FirstAttempt::Unknown)
    }

    async fn run(self: Arc<Self>, mut stored: UnboundedReceiver<MessageId>, mut stopped: oneshot::Receiver<()>) {
        let slots = Arc::new(Semaphore::new(AT_ONCE));
        let mut attempts = JoinSet::new();
        let mut poll = tokio::time::interval(POLL);
        poll.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let (mut more_are_due, mut is_failing) = (false, false);
        loop {
            while attempts.try_join_next().is_some() {}
            let slot = tokio::select! {
                biased;
                _ = &mut stopped => break,
                slot = Arc::clone(&slots).acquire_owned() => slot.expect("it is never closed"),
            };
            let next = tokio::select! {
                biased;
                _ = &mut stopped => Next::Stop,
                Some(id) = stored.recv() => Next::Stored(id),
                () = std::future::ready(()), if more_are_due => Next::Due,
                _ = poll.tick() => Next::Due,
            };
            match next {
                Next::Stop => break,
                Next::Stored(id) => drop(attempts.spawn(Arc::clone(&self).deliver_stored(id, slot))),
                Next::Due => {
                    let mut free = vec![slot];
                    free.extend(std::iter::from_fn(|| Arc::clone(&slots).try_acquire_owned().ok()));
                    let taken = self.take_due(free.len()).await;
                    if let Err(error) = &taken
                        && !is_failing
                    {
                        warn!(self.log, "failed to look for messages"; "cause" => error_chain(error));
                    }
                    is_failing = taken.is_err();
                    let taken = taken.unwrap_or_default();
                    more_are_due = taken.len() >= free.len();
                    for (message, slot) in taken.into_iter().zip(free) {
                        attempts.spawn(Arc::clone(&self).attempt(message, slot));
                    }
                }
            }
        }
        while attempts.join_next().await.is_some() {}
    }

    fn take(&self, which: WhichMessages) -> TakeMessages {
        let now = self.clock.now();
        TakeMessages { which, owner: self.owner.clone(), now, lease_ends_at: now + LEASE }
    }

    /// Looks before it takes, because looking disturbs nobody.
    async fn take_due(&self, free: usize) -> Result<Vec<StoredMessage>, StoreError> {
        if self.store.next_message(()).await?.is_none_or(|next| next > self.clock.now()) {
            return Ok(Vec::new());
        }
        let limit = u32::try_from(free).unwrap_or(u32::MAX);
        self.store.take_messages(self.take(WhichMessages::Due { limit })).await
    }

    async fn deliver_stored(self: Arc<Self>, id: MessageId, slot: OwnedSemaphorePermit) {
        match self.store.take_messages(self.take(WhichMessages::Stored(id))).await {
            Ok(taken) => match taken.into_iter().next() {
                Some(message) => self.attempt(message, slot).await,
                None => self.note_first(id, FirstAttempt::Unknown),
            },
            // It is due soon, and found then.
            Err(error) => {
                warn!(self.log, "failed to take a stored message"; "cause" => error_chain(&error));
                self.note_first(id, FirstAttempt::Unknown);
            }
        }
    }

    async fn attempt(self: Arc<Self>, stored: StoredMessage, _slot: OwnedSemaphorePermit) {
        let (kind, account) = (stored.kind.clone(), stored.account_id);
        let begun = self.observer.elapsed();
        let is_late = self.clock.now() >= stored.dead_at;
        let (attempt, taken) = match self.sealer.open(&stored) {
            Ok(opened) if is_late => (Attempt::Late, opened.taken),
            Ok(Opened { to, message, languages, taken }) => {
                let (id, created_at) = (stored.id, stored.created_at);
                (self.carry(Outgoing { id, to, message, languages, created_at }, &stored).await, taken)
            }
            Err(_) if is_late => (Attempt::Late, Vec::new()),
            // A node with the key, or of the version that knows the kind, may come by.
            Err(error) => {
                let cause = error_chain(&error);
                error!(self.log, "failed to read a message"; "kind" => &kind, "account" => account.to_hyphenated(), "cause" => cause);
                (Attempt::Failed, Vec::new())
            }
        };
        self.note_first(
            stored.id,
            match attempt {
                Attempt::Delivered => FirstAttempt::Delivered,
                Attempt::Refused => FirstAttempt::Refused,
                Attempt::Failed | Attempt::Late => FirstAttempt::Failed,
            },
        );
        let now = self.clock.now();
        let decision = redelivery::decide(attempt, stored.attempts, stored.dead_at, now);
        self.observer.delivery_ended(
            stored.channel,
            match decision {
                redelivery::Redelivery::Delivered => DeliveryResult::Delivered,
                redelivery::Redelivery::RetryAt(_) => DeliveryResult::Failed,
                redelivery::Redelivery::Refused => DeliveryResult::Refused,
                redelivery::Redelivery::Dead => DeliveryResult::Dead,
            },
            self.observer.elapsed().saturating_sub(begun),
        );
        if decision == redelivery::Redelivery::Dead {
            info!(self.log, "a message was never delivered"; "kind" => &kind, "account" => account.to_hyphenated());
        }
        let owner = self.owner.clone();
        let finish = FinishMessage { id: stored.id, account_id: account, owner, decision, taken, now };
        self.finish(finish, now + LEASE).await;
    }

    async fn carry(&self, message: Outgoing, stored: &StoredMessage) -> Attempt {
        let carried = tokio::time::timeout(ATTEMPT_TIMEOUT, self.carrier.carry(message)).await;
        let (attempt, cause) = match carried {
            Ok(Ok(())) => return Attempt::Delivered,
            Ok(Err(error @ super::CarryError::Refused(_))) => (Attempt::Refused, error_chain(&error)),
            Ok(Err(error @ super::CarryError::Failed(_))) => (Attempt::Failed, error_chain(&error)),
            Err(_) => (Attempt::Failed, format!("no response within {} s", ATTEMPT_TIMEOUT.as_secs())),
        };
        error!(
            self.log, "failed to deliver a message";
            "kind" => &stored.kind, "account" => stored.account_id.to_hyphenated(), "attempt" => stored.attempts, "cause" => cause
        );
        attempt
    }

    /// Notes the end of an attempt, again and again while the message is this process's: otherwise it is sent once more.
    async fn finish(&self, finish: FinishMessage, until: Timestamp) {
        loop {
            match self.store.finish_message(finish.clone()).await {
                Ok(true) => return,
                Ok(false) => {
                    return warn!(self.log, "another process has taken a message"; "account" => finish.account_id.to_hyphenated());
                }
                Err(error) if self.clock.now() >= until => {
                    let cause = error_chain(&error);
                    return error!(self.log, "failed to note the end of a message, which may be sent again"; "cause" => cause);
                }
                Err(_) => tokio::time::sleep(POLL).await,
            }
        }
    }

    fn note_first(&self, id: MessageId, outcome: FirstAttempt) {
        if let Some(waiting) = lock(&self.waiting).remove(&id) {
            let _ = waiting.send(outcome);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
