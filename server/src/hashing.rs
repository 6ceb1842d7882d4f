//! Where passwords are hashed: a bounded pool of memory and threads.
//!
//! Argon2id is made to be expensive, so this is where a flood of sign-ins would take the machine down. At most
//! `threads` hashes run at once, at most `queue` wait, and everybody else is told at once to come back. Memory is
//! handed from one hash to the next: allocating 19 MiB per hash on changing threads makes the allocator keep all of
//! it, and grew to gigabytes when measured.

use argon2::Block;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The memory of one hash: 19456 blocks of 1 KiB, which is the `m` of the work factor (OWASP Password Storage).
pub const BLOCKS: usize = 19_456;

/// Refused because too many are waiting already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many passwords are waiting to be hashed")]
pub struct Overloaded {
    /// When it is worth trying again.
    pub retry_after: Duration,
}

/// A hash takes a fiftieth of a second, so a full queue is shorter in a second.
const OVERLOADED: Overloaded = Overloaded { retry_after: Duration::from_secs(1) };

/// Runs password hashes.
#[derive(Clone)]
pub struct PasswordHasher {
    shared: Arc<Shared>,
}

struct Shared {
    /// One permit for each hash that runs or waits.
    admitted: Arc<Semaphore>,
    /// One permit for each hash that runs.
    running: Arc<Semaphore>,
    /// Memory that no hash is using.
    idle: Mutex<Vec<Vec<Block>>>,
}

impl PasswordHasher {
    /// A pool in which `threads` hashes run at once and `queue` more may wait.
    #[must_use]
    pub fn new(threads: usize, queue: usize) -> Self {
        let shared = Shared {
            admitted: Arc::new(Semaphore::new(threads + queue)),
            running: Arc::new(Semaphore::new(threads)),
            idle: Mutex::new(Vec::with_capacity(threads)),
        };
        Self { shared: Arc::new(shared) }
    }

    /// Takes a place among those that run or wait. Ask for it before anything is counted against somebody: whoever is
    /// sent away must not have spent a try.
    ///
    /// # Errors
    /// When all places are taken.
    pub fn admit(&self) -> Result<Place, Overloaded> {
        match Arc::clone(&self.shared.admitted).try_acquire_owned() {
            Ok(admission) => Ok(Place { admission, shared: Arc::clone(&self.shared) }),
            Err(_) => Err(OVERLOADED),
        }
    }
}

/// A place in the pool. Dropping it unused gives it back.
pub struct Place {
    admission: OwnedSemaphorePermit,
    shared: Arc<Shared>,
}

/// The right to hash now. Dropping it unused gives it back.
pub struct Turn {
    running: OwnedSemaphorePermit,
    admission: OwnedSemaphorePermit,
    shared: Arc<Shared>,
}

impl Place {
    /// Waits until it is this one's turn. What is counted before a hash is counted here, so that no more is counted and
    /// undecided at once than hashes can run.
    ///
    /// # Errors
    /// When the server is stopping.
    pub async fn turn(self) -> Result<Turn, Overloaded> {
        let running = Arc::clone(&self.shared.running).acquire_owned().await.map_err(|_| OVERLOADED)?;
        Ok(Turn { running, admission: self.admission, shared: self.shared })
    }

    /// Waits for its turn and runs `work`; see [`Turn::run`].
    ///
    /// # Errors
    /// When the server is stopping.
    ///
    /// # Panics
    /// When `work` does.
    pub async fn run<T: Send + 'static>(
        self,
        work: impl FnOnce(&mut Vec<Block>) -> T + Send + 'static,
    ) -> Result<T, Overloaded> {
        self.turn().await?.run(work).await
    }
}

impl Turn {
    /// Runs `work` on a thread of its own with [`BLOCKS`] blocks of memory, whose content is left over from whoever
    /// used them before. A caller that goes away does not stop it, nor free its place early.
    ///
    /// # Errors
    /// When the server is stopping.
    ///
    /// # Panics
    /// When `work` does.
    pub async fn run<T: Send + 'static>(
        self,
        work: impl FnOnce(&mut Vec<Block>) -> T + Send + 'static,
    ) -> Result<T, Overloaded> {
        let Self { running, admission, shared } = self;
        let finished = tokio::task::spawn_blocking(move || {
            let mut memory = shared.take_memory();
            let result = work(&mut memory);
            shared.give_back(memory);
            // Both stay taken until here, even when nobody waits for the result any more.
            drop((running, admission));
            result
        })
        .await;
        match finished {
            Ok(result) => Ok(result),
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            // The runtime is shutting down.
            Err(_) => Err(OVERLOADED),
        }
    }
}

impl Shared {
    fn take_memory(&self) -> Vec<Block> {
        let pooled = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        pooled.unwrap_or_else(|| vec![Block::default(); BLOCKS])
    }

    fn give_back(&self, memory: Vec<Block>) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(memory);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc;

    async fn run<T: Send + 'static>(
        hasher: PasswordHasher,
        work: impl FnOnce(&mut Vec<Block>) -> T + Send + 'static,
    ) -> Result<T, Overloaded> {
        hasher.admit()?.run(work).await
    }

    #[tokio::test]
    async fn memory_is_reused() {
        let hasher = PasswordHasher::new(1, 1);
        let first = run(hasher.clone(), |memory| (memory.len(), memory.as_ptr() as usize)).await.expect("room");
        let second = run(hasher.clone(), |memory| (memory.len(), memory.as_ptr() as usize)).await.expect("room");
        assert_eq!(first.0, BLOCKS);
        assert_eq!(first, second);
    }

    #[tokio::test]
    async fn at_most_so_many_run_at_once() {
        let hasher = PasswordHasher::new(2, 100);
        let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let runs = (0..20).map(|_| {
            let (running, most) = (Arc::clone(&running), Arc::clone(&most));
            run(hasher.clone(), move |_| {
                most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                std::thread::sleep(Duration::from_millis(2));
                running.fetch_sub(1, Ordering::SeqCst);
            })
        });
        assert!(futures::future::join_all(runs).await.iter().all(Result::is_ok));
        assert!(most.load(Ordering::SeqCst) <= 2);
    }

    #[tokio::test]
    async fn a_full_queue_refuses_at_once_and_a_caller_that_left_keeps_its_place_until_done() {
        let hasher = PasswordHasher::new(1, 1);
        let (finish, wait) = mpsc::channel::<()>();
        let running = tokio::spawn({
            let hasher = hasher.clone();
            run(hasher, move |_| wait.recv())
        });
        while hasher.shared.running.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        running.abort();
        let waiting = tokio::spawn({
            let hasher = hasher.clone();
            run(hasher, |_| 7)
        });
        while hasher.shared.admitted.available_permits() > 0 {
            tokio::task::yield_now().await;
        }

        assert_eq!(hasher.admit().err(), Some(OVERLOADED));

        finish.send(()).expect("the first hash still runs");
        assert_eq!(waiting.await.expect("no panic"), Ok(7));
    }

    #[tokio::test]
    async fn a_panic_frees_its_place() {
        let hasher = PasswordHasher::new(1, 1);
        let panicked = tokio::spawn({
            let hasher = hasher.clone();
            run(hasher, |_| -> u8 { panic!("on purpose") })
        });
        assert!(panicked.await.is_err());
        assert_eq!(run(hasher, |_| 1).await, Ok(1));
    }
}
