//! Reads of the same kind that are asked for at the same time, gathered into one statement.
//!
//! A call that finds few statements under way leads: it takes all calls that wait, reads for them and itself, and answers them. So a
//! call without company reads at once, and under load one statement serves many calls. A statement is sent after the calls
//! that it serves began, so that none of them sees less than it would alone.
//!
//! A call may be dropped at any time. Calls that wait for one that led learn of it, and read alone.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::oneshot;

/// Statements under way, at most: a second one uses the time in which the first one's results travel.
const LEADERS: usize = 2;

/// Calls that one statement serves, at most.
const BATCH: usize = 64;

/// Calls that are gathered, by what they ask for.
pub(crate) struct Gathering<K, V>(Arc<Mutex<Calls<K, V>>>);

struct Calls<K, V> {
    leaders: usize,
    waiting: VecDeque<Call<K, V>>,
}

struct Call<K, V> {
    key: K,
    answer: oneshot::Sender<Turn<K, V>>,
}

enum Turn<K, V> {
    Answer(V),
    /// Of a call with this key.
    Lead(K, Leader<K, V>),
}

/// The right to read for others; passed on to a call that waits when it is dropped.
struct Leader<K, V>(Option<Gathering<K, V>>);

/// How a call goes on.
pub(crate) enum Joined<K, V> {
    Answered(V),
    /// It reads for others too.
    Leading(Batch<K, V>),
    /// The call that was to read for it has failed.
    Alone,
}

/// Calls that are to be answered, that of its holder first.
pub(crate) struct Batch<K, V> {
    keys: Vec<K>,
    answers: Vec<oneshot::Sender<Turn<K, V>>>,
    /// Dropped last: the next leader takes calls that came meanwhile.
    _leader: Leader<K, V>,
}

impl<K, V> Clone for Gathering<K, V> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<K, V> Default for Gathering<K, V> {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Calls { leaders: 0, waiting: VecDeque::new() })))
    }
}

impl<K, V> Gathering<K, V> {
    /// Waits for an answer, or for the turn to read.
    pub(crate) async fn join(&self, key: K) -> Joined<K, V> {
        let waiting = {
            let mut calls = self.calls();
            if calls.leaders < LEADERS {
                calls.leaders += 1;
                drop(calls);
                return Joined::Leading(self.batch(key, Leader(Some(self.clone()))));
            }
            let (answer, waiting) = oneshot::channel();
            calls.waiting.push_back(Call { key, answer });
            waiting
        };
        match waiting.await {
            Ok(Turn::Answer(value)) => Joined::Answered(value),
            Ok(Turn::Lead(key, leader)) => Joined::Leading(self.batch(key, leader)),
            Err(_) => Joined::Alone,
        }
    }

    fn batch(&self, key: K, leader: Leader<K, V>) -> Batch<K, V> {
        let mut calls = self.calls();
        let others = calls.waiting.len().min(BATCH - 1);
        let (mut keys, mut answers) = (Vec::with_capacity(others + 1), Vec::with_capacity(others));
        keys.push(key);
        for call in calls.waiting.drain(..others) {
            keys.push(call.key);
            answers.push(call.answer);
        }
        Batch { keys, answers, _leader: leader }
    }

    fn calls(&self) -> MutexGuard<'_, Calls<K, V>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K, V> Batch<K, V> {
    pub(crate) fn keys(&self) -> &[K] {
        &self.keys
    }

    /// Gives all calls their answers; returns that of the holder.
    pub(crate) fn answer(self, mut answer: impl FnMut(&K) -> V) -> V {
        let Self { keys, answers, _leader } = self;
        let (own, others) = keys.split_first().expect("a batch begins with the call of its holder");
        let own = answer(own);
        for (key, waiting) in others.iter().zip(answers) {
            // An error: that call was dropped.
            let _ = waiting.send(Turn::Answer(answer(key)));
        }
        own
    }
}

impl<K, V> Drop for Leader<K, V> {
    fn drop(&mut self) {
        while let Some(gathering) = self.0.take() {
            let mut calls = gathering.calls();
            let Some(Call { key, answer }) = calls.waiting.pop_front() else {
                calls.leaders -= 1;
                return;
            };
            drop(calls);
            if let Err(Turn::Lead(_, mut leader)) = answer.send(Turn::Lead(key, Self(Some(gathering)))) {
                // That call was dropped: on to the next one.
                self.0 = leader.0.take();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt as _;
    use futures::future::BoxFuture;

    type Numbers = Gathering<u32, u32>;
    type Waiting<'a> = BoxFuture<'a, Joined<u32, u32>>;

    fn leading(joined: Joined<u32, u32>) -> Batch<u32, u32> {
        match joined {
            Joined::Leading(batch) => batch,
            Joined::Answered(_) | Joined::Alone => panic!("it leads"),
        }
    }

    fn lead(gathering: &Numbers, key: u32) -> Batch<u32, u32> {
        leading(gathering.join(key).now_or_never().expect("there is no need to wait"))
    }

    /// Calls that wait.
    fn wait(gathering: &Numbers, keys: std::ops::Range<u32>) -> Vec<Waiting<'_>> {
        let mut waiting: Vec<Waiting<'_>> = keys.map(|key| gathering.join(key).boxed()).collect();
        for call in &mut waiting {
            assert!(call.as_mut().now_or_never().is_none(), "it waits");
        }
        waiting
    }

    fn next(waiting: &mut Vec<Waiting<'_>>) -> Joined<u32, u32> {
        waiting.remove(0).now_or_never().expect("it is its turn")
    }

    #[test]
    fn calls_beyond_those_under_way_are_read_together() {
        let gathering = Numbers::default();
        let (first, second) = (lead(&gathering, 1), lead(&gathering, 2));
        assert_eq!((first.keys(), second.keys()), ([1].as_slice(), [2].as_slice()), "calls without company");
        let mut waiting = wait(&gathering, 3..7);
        assert_eq!(first.answer(|key| key * 10), 10);
        let batch = leading(next(&mut waiting));
        assert_eq!(batch.keys(), [3, 4, 5, 6]);
        assert_eq!(batch.answer(|key| key * 10), 30);
        for expected in [40, 50, 60] {
            assert!(matches!(next(&mut waiting), Joined::Answered(value) if value == expected));
        }
        assert_eq!(second.answer(|key| key * 10), 20);
        let (third, fourth) = (lead(&gathering, 8), lead(&gathering, 9));
        assert_eq!((third.keys(), fourth.keys()), ([8].as_slice(), [9].as_slice()), "all turns are back");
    }

    #[test]
    fn one_statement_serves_so_many_calls_and_the_next_one_the_rest() {
        let gathering = Numbers::default();
        let (first, _second) = (lead(&gathering, 0), lead(&gathering, 0));
        let mut waiting = wait(&gathering, 1..101);
        drop(first);
        let batch = leading(next(&mut waiting));
        assert_eq!(batch.keys(), (1..65).collect::<Vec<u32>>());
        assert_eq!(batch.answer(|key| *key), 1);
        for expected in 2..65 {
            assert!(matches!(next(&mut waiting), Joined::Answered(value) if value == expected));
        }
        let batch = leading(next(&mut waiting));
        assert_eq!(batch.keys(), (65..101).collect::<Vec<u32>>());
    }

    #[test]
    fn calls_of_a_leader_that_fails_read_alone() {
        let gathering = Numbers::default();
        let (first, _second) = (lead(&gathering, 0), lead(&gathering, 0));
        let mut waiting = wait(&gathering, 1..4);
        drop(first);
        drop(leading(next(&mut waiting)));
        for _ in 0..2 {
            assert!(matches!(next(&mut waiting), Joined::Alone));
        }
        assert_eq!(lead(&gathering, 5).keys(), [5], "its turn is back");
    }

    #[test]
    fn calls_that_are_dropped_stop_nobody() {
        let gathering = Numbers::default();
        let (first, _second) = (lead(&gathering, 0), lead(&gathering, 0));
        let mut waiting = wait(&gathering, 1..6);
        // Before its turn, with its turn, and with a leader that reads for it.
        drop(waiting.remove(0));
        drop(first);
        drop(waiting.remove(0));
        let batch = leading(next(&mut waiting));
        assert_eq!(batch.keys(), [3, 4, 5]);
        drop(waiting.remove(0));
        assert_eq!(batch.answer(|key| *key), 3);
        assert!(matches!(next(&mut waiting), Joined::Answered(5)));
        assert_eq!(lead(&gathering, 6).keys(), [6]);
    }
}
