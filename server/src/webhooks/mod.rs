//! Sends events to receivers of webhooks (see [`countersign_domain::webhook`]).
//!
//! Each receiver has a task of its own, so that one that is slow or gone delays no other, and no request: events wait in the
//! database, where the transaction that caused them has put them. A task takes events with a lease, and deletes them once the
//! receiver has taken them. A node that dies in between leaves them to be sent again, with the same id. A receiver that fails
//! is tried with one event at a time, after growing pauses.

mod sender;

use crate::clock::Clock;
use crate::config::webhooks::Receiver;
use countersign_domain::decisions::redelivery::{self, Attempt, Redelivery};
use countersign_domain::error_chain;
use countersign_domain::observer::{DeliveryResult, Observer};
use countersign_domain::time::Timestamp;
use countersign_store::Store;
use countersign_store::work::{FinishWebhookEvent, StoredWebhookEvent, TakeWebhookEvents};
use data_encoding::HEXLOWER;
use futures::future::join_all;
use sender::Sender;
use slog::{Logger, error, warn};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Events that one process sends to one receiver at once.
const AT_ONCE: u32 = 8;

/// The longest that an attempt may take.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long an event is a process's own. Longer than an attempt and the note of how it ended.
const LEASE: Duration = Duration::from_secs(30);

/// How often events are looked for.
const POLL: Duration = Duration::from_secs(1);

/// How long a stop waits for attempts that are under way.
const STOP_TIMEOUT: Duration = Duration::from_secs(2);

/// What the tasks work with.
#[derive(Clone)]
pub struct Parts {
    pub store: Arc<Store>,
    pub clock: Arc<dyn Clock>,
    pub observer: Arc<dyn Observer>,
    pub log: Logger,
}

/// The tasks of all receivers. They end in the middle of their attempts when this is dropped.
pub struct WebhookDelivery {
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

impl WebhookDelivery {
    /// # Errors
    /// When there are no root certificates.
    pub fn start(receivers: &[Receiver], parts: &Parts) -> Result<Self, reqwest::Error> {
        let mut name = [0; 16];
        crate::random::system().draw(|random| random.fill_bytes(&mut name));
        let owner = HEXLOWER.encode(&name);
        let (stop, stopped) = watch::channel(false);
        let mut tasks = Vec::new();
        for receiver in receivers {
            let sender = Sender::new(receiver)?;
            let name = receiver.subscription.receiver.clone();
            let queue = Queue { parts: parts.clone(), sender, receiver: name, owner: owner.clone() };
            tasks.push(tokio::spawn(queue.run(stopped.clone())));
        }
        Ok(Self { stop, tasks })
    }

    /// Takes no more events, and waits a while for the attempts that are under way.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        let _ = tokio::time::timeout(STOP_TIMEOUT, join_all(&mut self.tasks)).await;
    }
}

impl Drop for WebhookDelivery {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

/// The events for one receiver, as one process sees them.
struct Queue {
    parts: Parts,
    sender: Sender,
    /// Its name.
    receiver: String,
    /// Name of this process in leases.
    owner: String,
}

/// How a round ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Round {
    /// Nothing is due.
    Idle,
    /// At least one event was delivered.
    Delivered { more_are_due: bool },
    /// No event was.
    Failed,
}

impl Queue {
    async fn run(self, mut stopped: watch::Receiver<bool>) {
        let (mut failures, mut pause) = (0_u32, Duration::ZERO);
        loop {
            tokio::select! {
                biased;
                _ = stopped.wait_for(|stops| *stops) => return,
                () = tokio::time::sleep(pause) => {}
            }
            match self.round(if failures > 0 { 1 } else { AT_ONCE }).await {
                Round::Idle => pause = POLL,
                Round::Delivered { more_are_due } => {
                    failures = 0;
                    pause = if more_are_due { Duration::ZERO } else { POLL };
                }
                Round::Failed => {
                    failures = failures.saturating_add(1);
                    pause = redelivery::pause(failures);
                }
            }
        }
    }

    /// Looks before it takes, because a look waits for no other transaction.
    async fn round(&self, limit: u32) -> Round {
        let Parts { store, clock, log, .. } = &self.parts;
        let failed = |error: &dyn std::error::Error| {
            warn!(log, "failed to look for webhook events"; "receiver" => &self.receiver, "cause" => error_chain(error));
            Round::Failed
        };
        match store.next_webhook_event(self.receiver.clone()).await {
            Ok(Some(next)) if next <= clock.now() => {}
            Ok(_) => return Round::Idle,
            Err(error) => return failed(&error),
        }
        let now = clock.now();
        let (receiver, owner) = (self.receiver.clone(), self.owner.clone());
        let take = TakeWebhookEvents { receiver, owner, now, lease_ends_at: now + LEASE, limit };
        let taken = match store.take_webhook_events(take).await {
            Ok(taken) => taken,
            Err(error) => return failed(&error),
        };
        if taken.is_empty() {
            return Round::Idle;
        }
        let more_are_due = u32::try_from(taken.len()).is_ok_and(|count| count >= limit);
        let delivered = join_all(taken.iter().map(|event| self.attempt(event))).await;
        if delivered.contains(&true) { Round::Delivered { more_are_due } } else { Round::Failed }
    }

    /// Says whether the event was delivered.
    async fn attempt(&self, event: &StoredWebhookEvent) -> bool {
        let Parts { clock, observer, log, .. } = &self.parts;
        let begun = observer.elapsed();
        let attempt = if clock.now() >= event.dead_at { Attempt::Late } else { self.send(event).await };
        let now = clock.now();
        let decision = redelivery::decide(attempt, event.attempts, event.dead_at, now);
        let result = match decision {
            Redelivery::Delivered => DeliveryResult::Delivered,
            Redelivery::RetryAt(_) => DeliveryResult::Failed,
            Redelivery::Refused => DeliveryResult::Refused,
            Redelivery::Dead => DeliveryResult::Dead,
        };
        observer.webhook_event_ended(&self.receiver, result, observer.elapsed().saturating_sub(begun));
        if decision == Redelivery::Dead {
            error!(
                log, "gave up a webhook event, which the receiver has never taken";
                "receiver" => &self.receiver, "type" => &event.event_type, "event" => event.id.to_hyphenated(),
                "account" => event.account_id.to_hyphenated(), "attempts" => event.attempts
            );
        }
        self.finish(event, decision, now + LEASE).await;
        decision == Redelivery::Delivered
    }

    async fn send(&self, event: &StoredWebhookEvent) -> Attempt {
        let Err(error) = self.sender.send(&event.body, self.parts.clock.now()).await else { return Attempt::Delivered };
        warn!(
            self.parts.log, "failed to send a webhook event, and will try again";
            "receiver" => &self.receiver, "type" => &event.event_type, "event" => event.id.to_hyphenated(),
            "attempt" => event.attempts, "cause" => error_chain(&error)
        );
        Attempt::Failed
    }

    /// Notes the end of an attempt, again and again while the event is this process's: otherwise it is sent once more.
    async fn finish(&self, event: &StoredWebhookEvent, decision: Redelivery, until: Timestamp) {
        let Parts { store, clock, log, .. } = &self.parts;
        let (id, receiver, owner) = (event.id, self.receiver.clone(), self.owner.clone());
        let finish = FinishWebhookEvent { id, receiver, owner, decision };
        loop {
            match store.finish_webhook_event(finish.clone()).await {
                Ok(true) => return,
                Ok(false) => {
                    return warn!(log, "another process has taken a webhook event"; "receiver" => &self.receiver);
                }
                Err(error) if clock.now() >= until => {
                    let cause = error_chain(&error);
                    return error!(
                        log, "failed to note the end of a webhook event, which may be sent again";
                        "receiver" => &self.receiver, "cause" => cause
                    );
                }
                Err(_) => tokio::time::sleep(POLL).await,
            }
        }
    }
}
