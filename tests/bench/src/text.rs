//! The report as text: ratios to what the machine can do first, then rates and latencies.

mod open_loop;
mod operations;
mod targets;

use crate::report::{Machine, OnDatabase, Report, Settings};
use crate::table::{number, table};

impl Report {
    /// All of it, as text.
    pub(crate) fn to_text(&self) -> String {
        let mut text = self.head();
        text.push_str(&self.verdicts());
        for run in &self.databases {
            text.push_str(&self.on_database(run));
        }
        text.push_str(&section("Limits of this machine", &self.limits()));
        text
    }

    fn on_database(&self, run: &OnDatabase) -> String {
        let database = run.database;
        let title = format!("{database}, {} users enrolled over HTTP", self.settings.users);
        let mut text = section(&title, &operations::timing_table(&run.operations));
        if let Some(mixed) = &run.mixed {
            let requests = number(mixed.per_second);
            let (percent, hashes) = (mixed.load.percent, number(mixed.load.hashes_per_second));
            let title =
                format!("{database}, {requests} mixed requests are due in a second: {percent} % of {hashes} hashes");
            text.push_str(&section(&title, &open_loop::mixed_table(mixed)));
        }
        if let Some(flood) = &run.flood {
            let title = format!("{database}, {} sign-ins of strangers arrive in a second", number(flood.per_second));
            text.push_str(&section(&title, &open_loop::flood_table(flood)));
        }
        if !run.round_trips.is_empty() {
            let title =
                format!("{database}, how often the server waits for it for one request, on average and at least");
            text.push_str(&section(&title, &operations::round_trip_table(&run.round_trips)));
        }
        for grown in &run.growth {
            let (users, gigabytes) = (number(grown.users as f64), number(grown.bytes as f64 / 1e9));
            let seconds = number(grown.seconds);
            let title = format!("{database}, {users} users in the database: {gigabytes} GB, written in {seconds} s");
            text.push_str(&section(&title, &operations::timing_table(&grown.operations)));
        }
        for failure in &run.failures {
            text.push_str(&format!("\nFAILED: on {database}, {failure}\n"));
        }
        text
    }

    fn head(&self) -> String {
        let Machine { cores, load_before, is_debug_build, .. } = &self.machine;
        let Settings { connections, seconds, server, .. } = &self.settings;
        let mut text = format!("{cores} cores, {connections} connections, {seconds} s for each class\n");
        for (name, value) in server {
            text.push_str(&format!("{name}={value}\n"));
        }
        if let Some(load) = load_before.filter(|load| *load > 0.5) {
            text.push_str(&format!("NOTE: the machine was busy before (load {load:.2}); figures are too low\n"));
        }
        if *is_debug_build {
            text.push_str("NOTE: this is a debug build; figures mean nothing\n");
        }
        text
    }

    fn limits(&self) -> String {
        let mut rows = Vec::new();
        for run in &self.databases {
            let limits = [
                ("argon2id hashes on all cores, around sign-in", run.argon2),
                ("commits of one changed row, around verify-totp", run.commits),
                ("requests to plain dropshot, around get-session", run.plain),
            ];
            for (name, limit) in limits {
                let Some(limit) = limit else { continue };
                let steady = if limit.is_steady() { "" } else { "UNSTEADY" };
                let figures = [number(limit.mean), number(limit.least), number(limit.most), steady.to_owned()];
                rows.push([name.to_owned(), run.database.to_string()].into_iter().chain(figures).collect());
            }
        }
        let mut text = table(&["limit", "database", "/s", "least", "most", ""], &rows);
        for cpu in self.databases.iter().filter_map(|run| run.plain_cpu_ms) {
            text.push_str(&format!("  CPU of a request to plain dropshot: {cpu:.3} ms\n"));
        }
        for run in &self.databases {
            for doubt in &run.doubts {
                text.push_str(&format!("  NOTE: on {}, {doubt}; figures about writing are too good\n", run.database));
            }
        }
        text
    }
}

fn section(title: &str, content: &str) -> String {
    format!("\n{title}\n\n{content}")
}
