//! Metrics of the process, under the names that client libraries of Prometheus share. Linux only: elsewhere they stay 0, but
//! for the time of the start.

use countersign_domain::time::Timestamp;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};

#[derive(Debug, Default)]
pub(super) struct Process {
    resident_memory: Gauge,
    open_fds: Gauge,
    max_fds: Gauge,
}

impl Process {
    pub(super) fn register(registry: &mut Registry, started_at: Timestamp) -> Self {
        let process = Self::default();
        let start: Gauge = Gauge::default();
        start.set(started_at.as_millis() / 1_000);
        let help = "When the server was started, in seconds since 1970";
        registry.register_with_unit("process_start_time", help, Unit::Seconds, start);
        let help = "Memory that the process occupies";
        registry.register_with_unit("process_resident_memory", help, Unit::Bytes, process.resident_memory.clone());
        registry.register("process_open_fds", "File descriptors that are open", process.open_fds.clone());
        registry.register("process_max_fds", "File descriptors that may be open", process.max_fds.clone());
        process
    }

    /// Reads them anew.
    pub(super) fn read(&self) {
        if let Some(kibibytes) = read_number("/proc/self/status", "VmRSS:") {
            self.resident_memory.set(kibibytes.saturating_mul(1_024));
        }
        if let Some(most) = read_number("/proc/self/limits", "Max open files") {
            self.max_fds.set(most);
        }
        if let Ok(entries) = std::fs::read_dir("/proc/self/fd") {
            // One of them is the directory itself.
            self.open_fds.set(super::signed(entries.count().saturating_sub(1)));
        }
    }
}

/// The number that follows `label` in a file of the operating system.
fn read_number(file: &str, label: &str) -> Option<i64> {
    let text = std::fs::read_to_string(file).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(label))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_process_has_memory_and_open_files() {
        let process = Process::register(&mut Registry::default(), Timestamp::from_millis(1_999));
        process.read();
        assert!(process.resident_memory.get() > 1 << 20, "{process:?}");
        assert!(process.open_fds.get() > 2 && process.max_fds.get() >= process.open_fds.get(), "{process:?}");
    }
}
