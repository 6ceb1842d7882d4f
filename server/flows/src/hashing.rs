//! Password hashing on a bounded number of threads, each with memory of its own.
//!
//! Argon2id is made to be expensive, so a flood of sign-ins would exhaust the machine here. At most `threads` hashes run at
//! once, and a bounded number of requests waits, in the order that `queue` describes; further ones are shed with a time to
//! retry. The threads have a lower priority than those that serve requests. A thread keeps its memory from one hash to the next: allocating 19 MiB per hash on changing threads made the
//! allocator keep all of it, gigabytes when measured.

mod queue;

pub use queue::Lane;

use argon2::Block;
use countersign_domain::network::ClientNetwork;
use countersign_domain::observer::{Observer, Unobserved};
use queue::Queue;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::Duration;
use tokio::sync::oneshot;

/// The memory of one hash: 19456 blocks of 1 KiB, which is the `m` of the work factor (OWASP Password Storage).
pub const BLOCKS: usize = 19_456;

/// Refused because too many are waiting already, of all clients or of this client's network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many passwords are waiting to be hashed")]
pub struct Overloaded {
    /// When it is worth trying again.
    pub retry_after: Duration,
}

/// A hash takes a fiftieth of a second, so a full queue is shorter in a second.
const OVERLOADED: Overloaded = Overloaded { retry_after: Duration::from_secs(1) };

/// Requests that may be counted and undecided at once, for each thread: one that it hashes, and others whose counting waits for
/// the disk, which now and then takes as long as a hash or two.
const SLOTS_PER_THREAD: usize = 4;

/// What a thread does next.
type Job = Box<dyn FnOnce(&mut Vec<Block>) + Send>;

/// Runs password hashes.
#[derive(Clone)]
pub struct PasswordHasher {
    shared: Arc<Shared>,
    observer: Arc<dyn Observer>,
    /// To the threads, which end when nobody can send any more.
    jobs: mpsc::Sender<Job>,
}

/// Nobody hashes, or waits for anything, while they hold the lock.
struct Shared(Mutex<State>);

struct State {
    queue: Queue<oneshot::Sender<Slot>>,
    /// Slots that nobody has. While there are any, nobody waits.
    free_slots: usize,
    /// Threads that hash.
    busy: usize,
}

/// Passwords at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Load {
    /// Threads that hash, of all.
    pub busy: usize,
    /// Places taken, by lane: requests that wait for a password to be hashed.
    pub queued: [(Lane, usize); 3],
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl PasswordHasher {
    /// Starts `threads` threads, each of which hashes one password at a time; in each lane `queue` more may wait.
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
        let state = State { queue: Queue::new(queue), free_slots: threads * SLOTS_PER_THREAD, busy: 0 };
        Ok(Self { shared: Arc::new(Shared(Mutex::new(state))), observer: Arc::new(Unobserved), jobs })
    }

    /// The same, with waits and requests that are shed reported.
    #[must_use]
    pub fn observed_by(self, observer: Arc<dyn Observer>) -> Self {
        Self { observer, ..self }
    }

    /// What there is to do.
    #[must_use]
    pub fn load(&self) -> Load {
        let state = self.shared.lock();
        Load {
            busy: state.busy,
            queued: [Lane::Known, Lane::Unknown, Lane::NewAccount].map(|lane| (lane, state.queue.taken(lane))),
        }
    }

    /// Takes a place among those that wait. Ask for it before anything is counted against an account: a request that is shed
    /// must not have spent a try.
    ///
    /// # Errors
    /// When the lane is full, or the network has used up its share of it.
    pub fn admit(&self, lane: Lane, network: ClientNetwork) -> Result<Permit, Overloaded> {
        if !self.shared.lock().queue.admit(lane, network) {
            self.observer.hash_shed(lane);
            return Err(OVERLOADED);
        }
        let place = Place { shared: Arc::clone(&self.shared), lane, network };
        Ok(Permit { place, observer: Arc::clone(&self.observer), jobs: self.jobs.clone() })
    }
}

/// How much lower the priority of the threads is than that of the others, as a nice value: what takes no hash is not to wait for a
/// core that is hashing.
const NICENESS: i32 = 5;

/// One of the threads.
fn hash(waiting: &Mutex<mpsc::Receiver<Job>>) {
    // Of this thread alone on Linux (setpriority(2), "C library/kernel differences"). Without it, hashing works as well.
    if cfg!(target_os = "linux")
        && let Ok(own) = rustix::process::getpriority_process(None)
    {
        let _ = rustix::process::setpriority_process(None, own.saturating_add(NICENESS));
    }
    let mut memory = Vec::new();
    loop {
        let job = waiting.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = job else { return };
        // Not before it is needed: an idle server is small.
        memory.resize(BLOCKS, Block::default());
        job(&mut memory);
    }
}

/// A place in the queue, which dropping it returns.
struct Place {
    shared: Arc<Shared>,
    lane: Lane,
    network: ClientNetwork,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.shared.lock().queue.leave(self.lane, self.network);
    }
}

/// The right to be hashed, or to be the next of a thread. Dropping it gives it to the next that waits.
struct Slot(Option<Arc<Shared>>);

impl Drop for Slot {
    fn drop(&mut self) {
        let Some(shared) = self.0.take() else { return };
        loop {
            let mut state = shared.lock();
            let Some(waiter) = state.queue.pop() else {
                state.free_slots += 1;
                return;
            };
            drop(state);
            match waiter.send(Slot(Some(Arc::clone(&shared)))) {
                Ok(()) => return,
                // It waits no more. The slot is disarmed, because this one goes on to the next.
                Err(mut slot) => drop(slot.0.take()),
            }
        }
    }
}

/// A place in the queue. Dropping it unused gives it back.
pub struct Permit {
    place: Place,
    observer: Arc<dyn Observer>,
    jobs: mpsc::Sender<Job>,
}

/// The right to hash as soon as a thread is free. Dropping it unused gives it back.
pub struct ReadyPermit {
    slot: Slot,
    shared: Arc<Shared>,
    observer: Arc<dyn Observer>,
    jobs: mpsc::Sender<Job>,
}

impl Permit {
    /// Waits until it is this one's turn. What is counted before a hash is counted here, so that little is counted and
    /// undecided at once: four for each thread.
    ///
    /// # Errors
    /// When the server is stopping.
    pub async fn ready(self) -> Result<ReadyPermit, Overloaded> {
        let Self { place, observer, jobs } = self;
        let begun = observer.elapsed();
        let turn = {
            let mut state = place.shared.lock();
            if state.free_slots > 0 {
                state.free_slots -= 1;
                Ok(Slot(Some(Arc::clone(&place.shared))))
            } else {
                let (sender, turn) = oneshot::channel();
                state.queue.push(place.lane, place.network, sender);
                Err(turn)
            }
        };
        let slot = match turn {
            Ok(slot) => slot,
            Err(turn) => turn.await.map_err(|_| OVERLOADED)?,
        };
        observer.hash_waited(place.lane, observer.elapsed().saturating_sub(begun));
        Ok(ReadyPermit { slot, shared: Arc::clone(&place.shared), observer, jobs })
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
        let Self { slot, shared, observer, jobs } = self;
        let begun = observer.elapsed();
        let (reply, outcome) = oneshot::channel();
        let job: Job = Box::new(move |memory| {
            shared.lock().busy += 1;
            let result = std::panic::catch_unwind(AssertUnwindSafe(|| work(memory)));
            shared.lock().busy -= 1;
            // It stays taken until here, even when nobody waits for the result any more.
            drop(slot);
            let _ = reply.send(result);
        });
        jobs.send(job).map_err(|_| OVERLOADED)?;
        let outcome = outcome.await;
        observer.hashed(observer.elapsed().saturating_sub(begun));
        match outcome {
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
        hasher.admit(Lane::Unknown, client(1))?.run(work).await
    }

    fn client(number: u8) -> ClientNetwork {
        ClientNetwork::V4([192, 0, number, 1].into())
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

    /// Takes all slots of a hasher with one thread, until the sender is used or dropped.
    async fn busy(hasher: &PasswordHasher) -> (mpsc::Sender<()>, tokio::task::JoinHandle<()>) {
        let (finish, wait) = mpsc::channel::<()>();
        let running = tokio::spawn({
            let hasher = hasher.clone();
            async move {
                let mut others = Vec::new();
                for _ in 1..SLOTS_PER_THREAD {
                    let admitted = hasher.admit(Lane::Unknown, client(1)).expect("room");
                    others.push(admitted.ready().await.expect("a slot"));
                }
                let _ = run(hasher, move |_| wait.recv()).await;
                drop(others);
            }
        });
        while hasher.shared.lock().free_slots > 0 {
            tokio::task::yield_now().await;
        }
        (finish, running)
    }

    #[tokio::test]
    async fn a_full_queue_refuses_at_once_and_places_of_callers_that_left_are_free() {
        let hasher = PasswordHasher::start(1, 3).expect("threads");
        let (finish, running) = busy(&hasher).await;
        let waiting = tokio::spawn(run(hasher.clone(), |_| 7));
        while hasher.admit(Lane::Unknown, client(1)).is_ok() {
            tokio::task::yield_now().await;
        }
        assert_eq!(hasher.admit(Lane::Unknown, client(1)).err(), Some(OVERLOADED));
        assert!(hasher.admit(Lane::Unknown, client(2)).is_ok(), "another network");
        assert!(hasher.admit(Lane::Known, client(1)).is_ok(), "another lane");

        waiting.abort();
        assert!(waiting.await.expect_err("aborted").is_cancelled());
        let waiting = tokio::spawn(run(hasher.clone(), |_| 8));
        tokio::task::yield_now().await;
        finish.send(()).expect("the first hash still runs");
        assert_eq!(waiting.await.expect("no panic"), Ok(8));
        running.await.expect("no panic");
        assert_eq!(hasher.shared.lock().free_slots, SLOTS_PER_THREAD);
    }

    #[tokio::test]
    async fn the_turn_of_a_caller_that_left_goes_to_the_next() {
        let hasher = PasswordHasher::start(1, 100).expect("threads");
        let (finish, running) = busy(&hasher).await;
        let left: Vec<_> = (0..10).map(|_| tokio::spawn(run(hasher.clone(), |_| ()))).collect();
        tokio::task::yield_now().await;
        let stays = tokio::spawn(run(hasher.clone(), |_| 7));
        tokio::task::yield_now().await;
        left.iter().for_each(tokio::task::JoinHandle::abort);
        drop(finish);
        assert_eq!(stays.await.expect("no panic"), Ok(7));
        running.await.expect("no panic");
        assert_eq!(hasher.shared.lock().free_slots, SLOTS_PER_THREAD);
    }

    #[tokio::test]
    async fn a_caller_that_leaves_while_its_hash_runs_keeps_its_slot_until_done() {
        let hasher = PasswordHasher::start(1, 3).expect("threads");
        let (finish, wait) = mpsc::channel::<()>();
        let running = tokio::spawn(run(hasher.clone(), move |_| wait.recv()));
        while hasher.shared.lock().free_slots > SLOTS_PER_THREAD - 1 {
            tokio::task::yield_now().await;
        }
        running.abort();
        let next = tokio::spawn(run(hasher.clone(), |_| 7));
        while hasher.shared.lock().free_slots > SLOTS_PER_THREAD - 2 {
            tokio::task::yield_now().await;
        }
        finish.send(()).expect("the first hash still runs");
        assert_eq!(next.await.expect("no panic"), Ok(7));
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
