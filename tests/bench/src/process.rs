//! What Linux tells about processes: CPU time and memory.

use anyhow::{Context as _, Result};
use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

/// The unit of times in `/proc/PID/stat`: USER_HZ, which is 100 on every architecture that Rust runs on.
const TICK: Duration = Duration::from_millis(10);

/// What `/proc/PID/stat` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stat {
    parent: u32,
    /// What it used itself.
    own: Duration,
    /// What its children used that have ended.
    ended_children: Duration,
}

fn parse_stat(text: &str) -> Option<Stat> {
    // The name stands in parentheses and may hold anything, spaces and parentheses too.
    let fields: Vec<&str> = text.get(text.rfind(')')? + 1..)?.split_whitespace().collect();
    // Counted from the state, which is field 3 of proc(5).
    let ticks = |field: usize| fields.get(field - 3)?.parse::<u32>().ok();
    Some(Stat {
        parent: fields.get(1)?.parse().ok()?,
        own: TICK * (ticks(14)? + ticks(15)?),
        ended_children: TICK * (ticks(16)? + ticks(17)?),
    })
}

fn stat(pid: u32) -> Option<Stat> {
    parse_stat(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// CPU time that a process has used.
pub(crate) fn cpu(pid: u32) -> Result<Duration> {
    Ok(stat(pid).context("failed to read a process's CPU time from /proc; it may have ended")?.own)
}

/// CPU time that a process and all it started have used.
pub(crate) fn tree_cpu(root: u32) -> Result<Duration> {
    let processes = fs::read_dir("/proc").context("failed to list /proc")?.filter_map(|entry| {
        let pid: u32 = entry.ok()?.file_name().to_str()?.parse().ok()?;
        Some((pid, stat(pid)?))
    });
    Ok(sum_tree(root, &processes.collect()))
}

fn sum_tree(root: u32, processes: &BTreeMap<u32, Stat>) -> Duration {
    let Some(stat) = processes.get(&root) else { return Duration::ZERO };
    let children = processes.iter().filter(|(pid, child)| child.parent == root && **pid != root);
    stat.own + stat.ended_children + children.map(|(pid, _)| sum_tree(*pid, processes)).sum::<Duration>()
}

/// Memory of a process, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Memory {
    /// What it holds now.
    pub(crate) resident: u64,
    /// The most it held since it started, or since [`forget_peak`].
    pub(crate) peak: u64,
}

/// Memory of a process.
pub(crate) fn memory(pid: u32) -> Result<Memory> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok();
    status.as_deref().and_then(parse_status).context("failed to read a process's memory from /proc; it may have ended")
}

fn parse_status(text: &str) -> Option<Memory> {
    let bytes = |name: &str| {
        let value = text.lines().find_map(|line| line.strip_prefix(name))?;
        Some(value.trim().strip_suffix(" kB")?.parse::<u64>().ok()? * 1024)
    };
    Some(Memory { resident: bytes("VmRSS:")?, peak: bytes("VmHWM:")? })
}

/// Makes [`Memory::peak`] start anew from what is held now. Where the kernel does not allow it, peaks are those since
/// the process started.
pub(crate) fn forget_peak(pid: u32) {
    let _ = fs::write(format!("/proc/{pid}/clear_refs"), "5");
}

/// How many processes wanted to run in the last minute, on average.
pub(crate) fn load() -> Option<f64> {
    fs::read_to_string("/proc/loadavg").ok()?.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_found_after_any_name() {
        let line = "42 (a) b (c) S 7 42 42 0 -1 4194560 100 200 0 0 250 50 30 20 20 0 1 0 12345 1000 200";
        let expected = Stat { parent: 7, own: Duration::from_secs(3), ended_children: Duration::from_millis(500) };
        assert_eq!(parse_stat(line), Some(expected));
        assert_eq!(parse_stat("42 (short) S 7"), None);
        assert_eq!(parse_stat(""), None);
    }

    #[test]
    fn a_tree_is_its_root_all_below_and_what_has_ended() {
        let stat = |parent, own, ended| Stat {
            parent,
            own: Duration::from_secs(own),
            ended_children: Duration::from_secs(ended),
        };
        let processes = [(1, stat(0, 100, 100)), (5, stat(1, 1, 2)), (6, stat(5, 4, 0)), (7, stat(6, 8, 0))].into();
        assert_eq!(sum_tree(5, &processes), Duration::from_secs(15));
        assert_eq!(sum_tree(9, &processes), Duration::ZERO);
    }

    #[test]
    fn memory_is_read_in_bytes() {
        let status = "Name:\tx\nVmPeak:\t  9000 kB\nVmHWM:\t    40 kB\nVmRSS:\t    30 kB\n";
        assert_eq!(parse_status(status), Some(Memory { resident: 30 * 1024, peak: 40 * 1024 }));
        assert_eq!(parse_status("Name:\tkernel thread\n"), None);
    }

    #[test]
    fn this_process_has_used_some() {
        let pid = std::process::id();
        assert!(memory(pid).expect("it runs").resident > 0);
        // The other tests run in this process, too, and use more meanwhile.
        let before = cpu(pid).expect("it runs");
        assert!(tree_cpu(pid).expect("it runs") >= before);
    }
}
