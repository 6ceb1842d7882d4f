//! How long requests took.

use serde::Serialize;
use std::time::Duration;

/// Every latency of a class of operations, in microseconds.
#[derive(Debug, Default)]
pub(crate) struct Latencies(Vec<u32>);

impl Latencies {
    /// Adds one.
    pub(crate) fn add(&mut self, latency: Duration) {
        self.0.push(u32::try_from(latency.as_micros()).unwrap_or(u32::MAX));
    }

    /// Adds all of another.
    pub(crate) fn append(&mut self, mut other: Self) {
        self.0.append(&mut other.0);
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    /// The percentiles; zero when there are no latencies.
    pub(crate) fn percentiles(mut self) -> Percentiles {
        self.0.sort_unstable();
        let at = |percent| milliseconds(self.at(percent));
        Percentiles { p50_ms: at(50), p95_ms: at(95), p99_ms: at(99) }
    }

    /// The smallest latency that at least `percent` of all do not exceed (nearest rank), if they are sorted.
    fn at(&self, percent: usize) -> u32 {
        let rank = (self.0.len() * percent).div_ceil(100);
        self.0.get(rank.saturating_sub(1)).copied().unwrap_or(0)
    }
}

fn milliseconds(micros: u32) -> f64 {
    f64::from(micros) / 1000.0
}

/// Exact percentiles, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Percentiles {
    /// Half of the requests took no longer.
    pub(crate) p50_ms: f64,
    /// 95 of 100 took no longer.
    pub(crate) p95_ms: f64,
    /// 99 of 100 took no longer.
    pub(crate) p99_ms: f64,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(micros: impl IntoIterator<Item = u64>) -> Percentiles {
        let mut latencies = Latencies::default();
        micros.into_iter().for_each(|micros| latencies.add(Duration::from_micros(micros)));
        latencies.percentiles()
    }

    #[test]
    fn percentiles_are_exact_nearest_ranks() {
        let hundred = of((1..=100).rev().map(|n| n * 1000));
        assert_eq!(hundred, Percentiles { p50_ms: 50.0, p95_ms: 95.0, p99_ms: 99.0 });
        assert_eq!(of([7000]), Percentiles { p50_ms: 7.0, p95_ms: 7.0, p99_ms: 7.0 });
        assert_eq!(of([1000, 9000]), Percentiles { p50_ms: 1.0, p95_ms: 9.0, p99_ms: 9.0 });
        assert_eq!(of([]), Percentiles { p50_ms: 0.0, p95_ms: 0.0, p99_ms: 0.0 });
    }

    #[test]
    fn a_latency_beyond_an_hour_counts_as_the_longest() {
        assert_eq!(of([u64::MAX / 2]).p50_ms, f64::from(u32::MAX) / 1000.0);
    }
}
