//! The SQLite writer: a thread with its own connection and a queue.
//!
//! Most of the cost of a transaction is waiting for the disk when it commits. So all units of work that are in the queue
//! share the next transaction (group commit), each under its own savepoint, and their callers get the results after the
//! commit. Units of work still run one after the other, and if the commit fails none of them has taken effect.

use crate::error::StoreError;
use crate::sqlite_conn::Conn;
use crate::work::TxOutcome;
use diesel::ConnectionResult;
use diesel::result::{Error as DieselError, QueryResult};
use diesel_async::SimpleAsyncConnection as _;
use futures::executor::block_on;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, mpsc};
use std::time::Duration;
use tokio::sync::oneshot;

/// Maximum number of units of work per transaction.
const MAX_PER_TRANSACTION: usize = 64;

/// Handle of the thread, which ends when this is dropped.
pub(crate) struct Writer {
    queue: mpsc::Sender<Box<dyn Job>>,
    patience: Duration,
}

impl Writer {
    /// Starts the thread, which opens connections as needed. Callers wait for at most `patience`.
    pub(crate) fn start(
        open: impl Fn() -> ConnectionResult<Conn> + Send + 'static,
        patience: Duration,
    ) -> std::io::Result<Self> {
        let (queue, jobs) = mpsc::channel();
        std::thread::Builder::new().name("sqlite-writer".to_owned()).spawn(move || write(&jobs, &open))?;
        Ok(Self { queue, patience })
    }

    /// Carries out a unit of work. If the caller is dropped before it has begun, it is skipped; otherwise it is completed.
    pub(crate) async fn carry_out<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Conn) -> Result<TxOutcome<T>, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (reply, outcome) = oneshot::channel();
        let job = Box::new(Task { work: Some(work), outcome: None, reply });
        self.queue.send(job).map_err(|_| StoreError::unavailable(WriterGone))?;
        let outcome = tokio::time::timeout(self.patience, outcome).await.map_err(StoreError::unavailable)?;
        outcome.map_err(|_| StoreError::unavailable(WriterGone))?
    }
}

#[derive(Debug, thiserror::Error)]
#[error("SQLite writer thread stopped")]
struct WriterGone;

/// The transaction that the unit of work shared with others failed.
#[derive(Debug, thiserror::Error)]
#[error("the transaction failed")]
struct TransactionFailed(#[source] Arc<dyn std::error::Error + Send + Sync>);

/// A unit of work in the queue, whatever its result type.
trait Job: Send {
    /// Runs it under a savepoint. An error returned here is one of the transaction, not of the unit of work.
    fn run(&mut self, connection: &mut Conn) -> QueryResult<()>;
    /// Sends the result to the caller, after the transaction.
    fn settle(self: Box<Self>, transaction: Result<(), TransactionFailed>);
}

struct Task<T, W> {
    work: Option<W>,
    outcome: Option<Result<T, StoreError>>,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

impl<T, W> Job for Task<T, W>
where
    T: Send,
    W: FnOnce(&mut Conn) -> Result<TxOutcome<T>, StoreError> + Send,
{
    fn run(&mut self, connection: &mut Conn) -> QueryResult<()> {
        let Some(work) = self.work.take().filter(|_| !self.reply.is_closed()) else { return Ok(()) };
        block_on(connection.batch_execute("SAVEPOINT unit_of_work"))?;
        let (outcome, stays) = match work(connection) {
            Ok(TxOutcome::Commit(value)) => (Ok(value), true),
            Ok(TxOutcome::Rollback(value)) => (Ok(value), false),
            Err(error) => (Err(error), false),
        };
        self.outcome = Some(outcome);
        if !stays {
            block_on(connection.batch_execute("ROLLBACK TO unit_of_work"))?;
        }
        block_on(connection.batch_execute("RELEASE unit_of_work"))
    }

    fn settle(self: Box<Self>, transaction: Result<(), TransactionFailed>) {
        let outcome = match (transaction, self.outcome) {
            (Ok(()), Some(outcome)) => outcome,
            // The error of the work is the cause, and that of the transaction a consequence.
            (_, Some(Err(error))) => Err(error),
            (Err(failed), _) => Err(StoreError::unavailable(failed)),
            (Ok(()), None) => return,
        };
        // The caller may have been dropped.
        let _ = self.reply.send(outcome);
    }
}

/// The thread: one transaction after the other until the store is dropped.
fn write(jobs: &mpsc::Receiver<Box<dyn Job>>, open: &dyn Fn() -> ConnectionResult<Conn>) {
    let mut connection = None;
    while let Ok(first) = jobs.recv() {
        let mut together = vec![first];
        together.extend(jobs.try_iter().take(MAX_PER_TRANSACTION - 1));
        // A connection whose transaction failed is closed, which rolls back whatever is open; a full disk, for one, can
        // leave a transaction open that was to be committed. After a panic the callers see a closed reply channel.
        let _ = std::panic::catch_unwind(AssertUnwindSafe(|| {
            let result = connection.take().map_or_else(|| open().map_err(shared), Ok).and_then(|mut opened| {
                transaction(&mut opened, &mut together).map_err(shared)?;
                connection = Some(opened);
                Ok(())
            });
            for job in together.drain(..) {
                job.settle(result.as_ref().copied().map_err(|error| TransactionFailed(Arc::clone(error))));
            }
        }));
    }
}

fn shared(error: impl std::error::Error + Send + Sync + 'static) -> Arc<dyn std::error::Error + Send + Sync> {
    Arc::new(error)
}

/// One transaction. It takes the write lock at its beginning: a transaction that upgrades from reading fails if another
/// process has written in between.
fn transaction(connection: &mut Conn, jobs: &mut [Box<dyn Job>]) -> Result<(), DieselError> {
    block_on(connection.batch_execute("BEGIN IMMEDIATE"))?;
    jobs.iter_mut().try_for_each(|job| job.run(connection))?;
    block_on(connection.batch_execute("COMMIT"))
}
