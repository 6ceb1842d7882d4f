//! Password hashing on a bounded number of threads, each with memory of its own.
//!
//! Argon2id is made to be expensive, so a flood of sign-ins would exhaust the machine here. At most `threads` hashes run at
//! once, at most `queue` wait, and further requests are shed with a time to retry. A thread keeps its memory from one hash to
//! the next: allocating 19 MiB per hash on changing threads made the allocator keep all of it, gigabytes when measured.

use argon2::Block;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

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

/// What a thread does next.
type Job = Box<dyn FnOnce(&mut Vec<Block>) + Send>;

/// Runs password hashes.
#[derive(Clone)]
pub struct PasswordHasher {
    /// One permit for each hash that runs or waits.
    admitted: Arc<Semaphore>,
    /// One permit for each hash that runs or is the next of its thread.
    ready: Arc<Semaphore>,
    /// To the threads, which end when nobody can send any more.
    jobs: mpsc::Sender<Job>,
}

impl PasswordHasher {
    /// Starts `threads` threads, each of which hashes one password at a time; `queue` more may wait.
    ///
    /// # Errors
    /// When the operating system gives no thread.
    pub fn start(threads: usize, queue: usize) -> std::io::Result<Self> {
        let (jobs, waiting) = mpsc::channel::<Job>();
        let waiting = Arc::new(Mutex::new(waiting));
        for _ in 0..threads {
            let waiting = Arc::clone(&waiting);
            std::thread::Builder::new().name("password-hash".to_owned()).spawn(move || hash(&waiting))?;
        }
        Ok(Self {
            admitted: Arc::new(Semaphore::new(threads + queue)),
            ready: Arc::new(Semaphore::new(threads * 2)),
            jobs,
        })
    }

    /// Takes a place among those that run or wait. Ask for it before anything is counted against somebody: whoever is
    /// sent away must not have spent a try.
    ///
    /// # Errors
    /// When all places are taken.
    pub fn admit(&self) -> Result<Permit, Overloaded> {
        match Arc::clone(&self.admitted).try_acquire_owned() {
            Ok(admission) => Ok(Permit { admission, hasher: self.clone() }),
            Err(_) => Err(OVERLOADED),
        }
    }
}

/// One of the threads.
fn hash(waiting: &Mutex<mpsc::Receiver<Job>>) {
    let mut memory = Vec::new();
    loop {
        let job = waiting.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = job else { return };
        // Not before it is needed: an idle server is small.
        memory.resize(BLOCKS, Block::default());
        job(&mut memory);
    }
}

/// A place in the queue. Dropping it unused gives it back.
pub struct Permit {
    admission: OwnedSemaphorePermit,
    hasher: PasswordHasher,
}

/// The right to hash as soon as a thread is free. Dropping it unused gives it back.
pub struct ReadyPermit {
    ready: OwnedSemaphorePermit,
    admission: OwnedSemaphorePermit,
    jobs: mpsc::Sender<Job>,
}

impl Permit {
    /// Waits until it is this one's turn. What is counted before a hash is counted here, so that no more is counted and
    /// undecided at once than two for each thread: one that it hashes and one to go on with.
    ///
    /// # Errors
    /// When the server is stopping.
    pub async fn ready(self) -> Result<ReadyPermit, Overloaded> {
        let ready = Arc::clone(&self.hasher.ready).acquire_owned().await.map_err(|_| OVERLOADED)?;
        Ok(ReadyPermit { ready, admission: self.admission, jobs: self.hasher.jobs })
    }

    /// Waits for its turn and runs `work`; see [`ReadyPermit::run`].
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
        self.ready().await?.run(work).await
    }
}

impl ReadyPermit {
    /// Runs `work` on one of the threads with [`BLOCKS`] blocks of memory, whose content is left over from whoever
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
        let Self { ready, admission, jobs } = self;
        let (reply, outcome) = oneshot::channel();
        let job: Job = Box::new(move |memory| {
            let result = std::panic::catch_unwind(AssertUnwindSafe(|| work(memory)));
            // Both stay taken until here, even when nobody waits for the result any more.
            drop((ready, admission));
            let _ = reply.send(result);
        });
        jobs.send(job).map_err(|_| OVERLOADED)?;
        match outcome.await {
            Ok(Ok(result)) => Ok(result),
            Ok(Err(panic)) => std::panic::resume_unwind(panic),
            Err(_) => Err(OVERLOADED),
        }
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
        let hasher = PasswordHasher::start(1, 1).expect("threads");
        let first = run(hasher.clone(), |memory| (memory.len(), memory.as_ptr() as usize)).await.expect("room");
        let second = run(hasher.clone(), |memory| (memory.len(), memory.as_ptr() as usize)).await.expect("room");
        assert_eq!(first.0, BLOCKS);
        assert_eq!(first, second);
    }

    #[tokio::test]
    async fn at_most_so_many_run_at_once() {
        let hasher = PasswordHasher::start(2, 100).expect("threads");
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
        let hasher = PasswordHasher::start(1, 1).expect("threads");
        let (finish, wait) = mpsc::channel::<()>();
        let running = tokio::spawn({
            let hasher = hasher.clone();
            run(hasher, move |_| wait.recv())
        });
        while hasher.ready.available_permits() > 1 {
            tokio::task::yield_now().await;
        }
        running.abort();
        let waiting = tokio::spawn({
            let hasher = hasher.clone();
            run(hasher, |_| 7)
        });
        while hasher.admitted.available_permits() > 0 {
            tokio::task::yield_now().await;
        }

        assert_eq!(hasher.admit().err(), Some(OVERLOADED));

        finish.send(()).expect("the first hash still runs");
        assert_eq!(waiting.await.expect("no panic"), Ok(7));
    }

    #[tokio::test]
    async fn a_panic_frees_its_place() {
        let hasher = PasswordHasher::start(1, 1).expect("threads");
        let panicked = tokio::spawn({
            let hasher = hasher.clone();
            run(hasher, |_| -> u8 { panic!("on purpose") })
        });
        assert!(panicked.await.is_err());
        assert_eq!(run(hasher, |_| 1).await, Ok(1));
    }
}
