//! Writes the log on a thread of its own, so that a slow reader never delays a request.
//!
//! Lines wait in one buffer, which the thread takes and writes whole: one call to the system for all lines of a few milliseconds.

use std::io::Write;
use std::mem;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Bytes that may wait, at least 10,000 lines. Further lines are dropped and counted in a later one, because a blocked standard
/// error must not stop the server.
pub(super) const CAPACITY: usize = 4 << 20;

/// Largest capacity of a buffer that is reused. One that a burst made larger is freed.
const KEPT_CAPACITY: usize = 64 << 10;

/// How long the thread gathers lines before it writes them.
const GATHERING: Duration = Duration::from_millis(5);

/// Makes the line that says how many lines were dropped.
pub(super) type DropNotice = Box<dyn Fn(u64) -> Vec<u8> + Send>;

/// Takes lines from all threads.
#[derive(Clone)]
pub(super) struct Queue(Arc<Shared>);

struct Shared {
    state: Mutex<State>,
    /// Signalled when a line is added while the writer waits, and when the queue is closed.
    changed: Condvar,
}

#[derive(Default)]
struct State {
    lines: Vec<u8>,
    dropped: u64,
    is_writer_waiting: bool,
    is_closed: bool,
}

/// The writing thread. Dropping this writes the lines that wait, and ends the thread.
pub(super) struct Writer {
    queue: Queue,
    thread: Option<JoinHandle<()>>,
}

impl Queue {
    /// Adds a line for the writing thread. Blocks only while another thread adds a line, or the writer takes all.
    pub(super) fn add(&self, line: &[u8]) {
        let mut state = self.state();
        if state.lines.len() + line.len() > CAPACITY {
            state.dropped += 1;
            return;
        }
        state.lines.extend_from_slice(line);
        if mem::take(&mut state.is_writer_waiting) {
            drop(state);
            self.0.changed.notify_one();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for lines and takes them, with the number of those that were dropped after them; `None` at the end.
    fn take(&self, buffer: Vec<u8>) -> Option<(Vec<u8>, u64)> {
        let mut state = self.state();
        while state.lines.is_empty() && !state.is_closed {
            state.is_writer_waiting = true;
            state = self.0.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        if state.is_closed && state.lines.is_empty() {
            return None;
        }
        if !state.is_closed {
            drop(state);
            thread::sleep(GATHERING);
            state = self.state();
        }
        Some((mem::replace(&mut state.lines, buffer), mem::take(&mut state.dropped)))
    }
}

impl Writer {
    /// Starts the thread. It goes on after an error of `output`: the next lines may get through.
    pub(super) fn start(mut output: impl Write + Send + 'static, notice: DropNotice) -> std::io::Result<Self> {
        let queue = Queue(Arc::new(Shared { state: Mutex::default(), changed: Condvar::new() }));
        let lines = queue.clone();
        let write = move || {
            let mut buffer = Vec::new();
            while let Some((mut lines, dropped)) = lines.take(mem::take(&mut buffer)) {
                if dropped > 0 {
                    lines.extend(notice(dropped));
                }
                // There is no place left to report it.
                let _ = output.write_all(&lines).and_then(|()| output.flush());
                if lines.capacity() <= KEPT_CAPACITY {
                    lines.clear();
                    buffer = lines;
                }
            }
        };
        let thread = thread::Builder::new().name("log".to_owned()).spawn(write)?;
        Ok(Self { queue, thread: Some(thread) })
    }

    pub(super) fn queue(&self) -> Queue {
        self.queue.clone()
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.queue.state().is_closed = true;
        self.queue.0.changed.notify_one();
        if let Some(thread) = self.thread.take() {
            // A panic there was reported by its thread.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

    /// Hands each write over, and goes on when that is taken.
    struct Slow(SyncSender<String>);

    impl Write for Slow {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            let text = String::from_utf8(bytes.to_vec()).expect("UTF-8");
            self.0.send(text).map_err(|_| std::io::ErrorKind::BrokenPipe)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn slow() -> (Writer, Receiver<String>) {
        let (sender, receiver) = sync_channel(0);
        let notice: DropNotice = Box::new(|count| format!("{count} dropped\n").into_bytes());
        (Writer::start(Slow(sender), notice).expect("a thread"), receiver)
    }

    #[test]
    fn lines_that_wait_are_written_at_once_and_in_order() {
        let (writer, written) = slow();
        let queue = writer.queue();
        queue.add(b"first\n");
        assert_eq!(written.recv().expect("written"), "first\n");
        // Of these, the first may be written alone.
        for number in 0..1_000 {
            queue.add(format!("{number}\n").as_bytes());
        }
        let end = thread::spawn(move || drop(writer));
        let writes: Vec<String> = written.iter().collect();
        end.join().expect("no panic");
        let expected: String = (0..1_000).map(|number| format!("{number}\n")).collect();
        assert!(writes.len() <= 3 && writes.concat() == expected, "{writes:?}");
    }

    #[test]
    fn lines_beyond_the_capacity_are_dropped_and_counted() {
        let (writer, written) = slow();
        let queue = writer.queue();
        let line = [b'x'; 1_024];
        queue.add(b"blocks\n");
        // The thread holds the first line now, and waits for its reader.
        while !queue.state().lines.is_empty() {
            thread::yield_now();
        }
        for _ in 0..CAPACITY / 1_024 {
            queue.add(&line);
        }
        let waiting = |queue: &Queue| {
            let state = queue.state();
            (state.lines.len(), state.dropped)
        };
        assert_eq!(waiting(&queue), (CAPACITY, 0));
        queue.add(b"y");
        queue.add(b"z");
        assert_eq!(written.recv().expect("written"), "blocks\n");
        let rest = written.recv().expect("written");
        assert!(rest.starts_with("xxx") && rest.ends_with("x2 dropped\n") && rest.len() == CAPACITY + 10);
        queue.add(b"after\n");
        assert_eq!(written.recv().expect("written"), "after\n");
        drop(written);
        queue.add(b"to nobody\n");
        drop(writer);
    }

    #[test]
    fn what_waits_at_the_end_is_written() {
        let (writer, written) = slow();
        let reader = thread::spawn(move || written.iter().collect::<String>());
        writer.queue().add(b"last\n");
        drop(writer);
        assert_eq!(reader.join().expect("no panic"), "last\n");
    }
}
