//! A request goes on when its connection ends.
//!
//! What its handler has begun is finished, so that a client that hangs up stops nothing halfway. While the connection is there,
//! the request runs in the connection's task: a task of its own for each would cost more than most requests.

use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::runtime::Handle;
use tokio_util::task::TaskTracker;

/// Runs a future. If this is dropped before the future is ready, a task runs the rest of it.
pub(super) struct Detached<F: Future<Output: Send> + Send + 'static> {
    /// `None` while it is polled, so that a future that has panicked is not polled again, and once it is ready.
    future: Option<Pin<Box<F>>>,
    tasks: TaskTracker,
    runtime: Handle,
}

impl<F: Future<Output: Send> + Send> Detached<F> {
    /// Wraps a future. What is left of it is spawned on the current runtime and tracked in `tasks`.
    pub(super) fn new(future: F, tasks: TaskTracker) -> Self {
        Self { future: Some(Box::pin(future)), tasks, runtime: Handle::current() }
    }
}

impl<F: Future<Output: Send> + Send> Future for Detached<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let Some(mut future) = self.future.take() else { return Poll::Pending };
        let polled = future.as_mut().poll(context);
        if polled.is_pending() {
            self.future = Some(future);
        }
        polled
    }
}

impl<F: Future<Output: Send> + Send> Drop for Detached<F> {
    fn drop(&mut self) {
        if let Some(future) = self.future.take() {
            self.tasks.spawn_on(future, &self.runtime);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt as _;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use tokio::sync::oneshot;

    #[tokio::test]
    async fn a_future_runs_where_it_is_awaited() {
        let tasks = TaskTracker::new();
        let here = tokio::task::try_id();
        assert_eq!(Detached::new(async { tokio::task::try_id() }, tasks.clone()).await, here);
        assert_eq!(tasks.len(), 0);
    }

    #[tokio::test]
    async fn one_that_is_dropped_goes_on_in_a_task() {
        let (tasks, count) = (TaskTracker::new(), Arc::new(AtomicUsize::new(0)));
        for is_polled in [false, true] {
            let (go_on, wait) = oneshot::channel::<()>();
            let counter = Arc::clone(&count);
            let mut detached = Detached::new(
                async move {
                    wait.await.expect("told to go on");
                    counter.fetch_add(1, Ordering::SeqCst);
                },
                tasks.clone(),
            );
            if is_polled {
                assert!((&mut detached).now_or_never().is_none());
            }
            drop(detached);
            assert_eq!(tasks.len(), 1);
            go_on.send(()).expect("it waits");
            tasks.close();
            tasks.wait().await;
        }
        assert_eq!(count.load(Ordering::SeqCst), 2);
    }

    #[tokio::test]
    async fn one_that_has_panicked_is_not_run_again() {
        let tasks = TaskTracker::new();
        let panicked = Detached::new(async { panic!("on purpose") }, tasks.clone());
        let outcome = std::panic::AssertUnwindSafe(panicked).catch_unwind().await;
        assert!(outcome.is_err() && tasks.is_empty());
    }
}
