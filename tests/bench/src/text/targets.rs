//! Tables of what the figures are held against.

use super::section;
use crate::report::Report;
use crate::table::{number, table};
use crate::target::{Side, Target, Unit};

impl Report {
    /// Ratios, other targets, and how many of both were met.
    pub(super) fn verdicts(&self) -> String {
        // What growth costs is a percentage, too, with an upper limit.
        let is_ratio = |target: &&Target| target.unit == Unit::Percent && target.side == Side::AtLeast;
        let (ratios, others): (Vec<&Target>, Vec<&Target>) = self.targets.iter().partition(is_ratio);
        let mut text = String::new();
        for (title, targets) in [("Ratios", ratios), ("Other targets", others)] {
            if !targets.is_empty() {
                text.push_str(&section(title, &table_of(&targets)));
            }
        }
        let missed = self.targets.iter().filter(|target| !target.is_met).count();
        let unsteady = self.targets.iter().filter(|target| !target.is_steady).count();
        if unsteady > 0 {
            text.push_str(
                "  NOTE: the machine did more or less from one minute to the next; UNSTEADY verdicts prove nothing\n",
            );
        }
        let (of, errors) = (self.targets.len(), self.errors());
        text.push_str(&format!(
            "\n{} of {of} targets met, {missed} missed, {unsteady} of these verdicts unsteady, {errors} requests failed\n",
            of - missed
        ));
        text
    }
}

fn table_of(targets: &[&Target]) -> String {
    let row = |target: &&Target| {
        let unit = match target.unit {
            Unit::Percent => " %",
            Unit::Megabytes => " MB",
            Unit::PerSecond => "/s",
            Unit::Milliseconds => " ms",
            Unit::Count => "",
        };
        let side = match target.side {
            Side::AtLeast => "≥",
            Side::AtMost => "≤",
        };
        vec![
            target.figure.clone(),
            target.database.to_string(),
            format!("{}{unit}", number(target.measured)),
            format!("{side} {}{unit}", plain_number(target.limit)),
            format!(
                "{}{}",
                if target.is_met { "met" } else { "MISSED" },
                if target.is_steady { "" } else { ", UNSTEADY" }
            ),
        ]
    };
    table(&["figure", "database", "measured", "target", ""], &targets.iter().map(row).collect::<Vec<_>>())
}

/// Targets are whole numbers.
fn plain_number(value: f64) -> String {
    if value < 100.0 { format!("{value:.0}") } else { number(value) }
}
