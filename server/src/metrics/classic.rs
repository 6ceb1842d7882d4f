//! The text format of Prometheus before OpenMetrics, version 0.0.4, for those who do not ask for the newer one.
//!
//! Samples look alike in both. In the older one a counter is described under the name of its samples, with `_total`, and there
//! are neither units nor an end.

use std::fmt::Write as _;

/// A text of OpenMetrics in the older format.
#[must_use]
pub fn to_classic(text: &str) -> String {
    let counters: Vec<&str> =
        text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.strip_suffix(" counter")).collect();
    let mut classic = String::with_capacity(text.len());
    for line in text.lines() {
        let Some(comment) = line.strip_prefix("# ") else {
            classic.push_str(line);
            classic.push('\n');
            continue;
        };
        let mut words = comment.splitn(3, ' ');
        let (keyword, name, rest) = (words.next(), words.next(), words.next());
        if let (Some(keyword @ ("HELP" | "TYPE")), Some(name), Some(rest)) = (keyword, name, rest) {
            let suffix = if counters.contains(&name) { "_total" } else { "" };
            // Writing to a string does not fail.
            let _ = writeln!(classic, "# {keyword} {name}{suffix} {rest}");
        }
    }
    classic
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_are_described_as_their_samples_are_named() {
        let text = "# HELP a Something a.\n# TYPE a counter\na_total{b=\"c d\"} 1\n# HELP e_seconds F.\n\
                    # TYPE e_seconds gauge\n# UNIT e_seconds seconds\ne_seconds 2\n# EOF\n";
        let expected = "# HELP a_total Something a.\n# TYPE a_total counter\na_total{b=\"c d\"} 1\n\
                        # HELP e_seconds F.\n# TYPE e_seconds gauge\ne_seconds 2\n";
        assert_eq!(to_classic(text), expected);
    }
}
