//! A released version of the server, as far as its database shows it: its tables, and the transactions that it ran while users did
//! what users do. `tests/released/record.py` records them.
//!
//! Each replay is a journey of other users: ids, digests and names are made distinct by a number. Number 0 is as recorded, so that a
//! server with the recorded keyring knows what its users hold. Times move with the clock.

use crate::DatabaseKind;
use serde_json::Value;
use std::fmt::Write as _;

const POSTGRES: &str = include_str!("../../released/0.1.0/postgres.sql");
const SQLITE: &str = include_str!("../../released/0.1.0/sqlite.sql");
const TRANSACTIONS: &str = include_str!("../../released/0.1.0/transactions.ndjson");
const HELD: &str = include_str!("../../released/0.1.0/held.json");

/// Migrations that the newest released version, 0.1.0, has.
pub const MIGRATIONS: usize = 2;

/// The digits that ids of rows begin with that each database has: the home tenant, and its application.
const FIXED: &str = "c0de0000";

/// How far from the time of the recording a number is a time: a year of milliseconds.
const YEAR: i64 = 366 * 24 * 60 * 60 * 1000;

/// Milliseconds of a step of TOTP.
const STEP: i64 = 30_000;

/// A statement with its parameters, as PostgreSQL writes them.
#[derive(Clone, Debug)]
pub struct Statement {
    pub sql: String,
    pub parameters: Vec<Option<String>>,
}

/// What makes the tables of the released version in an empty database.
#[must_use]
pub fn tables(kind: DatabaseKind) -> &'static str {
    match kind {
        DatabaseKind::Sqlite => SQLITE,
        DatabaseKind::Postgres => POSTGRES,
    }
}

/// What a client holds at the end of journey 0, and the keyring of the recording.
///
/// # Panics
/// When the recording is no JSON.
#[must_use]
pub fn held() -> Value {
    serde_json::from_str(HELD).expect("held.json is JSON")
}

/// The transactions of a journey, as if it took place at `now`, in milliseconds since 1970.
///
/// # Panics
/// When the recording cannot be read.
#[must_use]
pub fn journey(number: u32, now: i64) -> Vec<Vec<Statement>> {
    let recorded_at = held()["recorded_at"].as_i64().expect("the time of the recording");
    let of_parameter = |value: &Value| value.as_str().map(|text| moved(text, number, recorded_at, now));
    let of_statement = |statement: &Value| Statement {
        sql: statement["sql"].as_str().expect("a statement").to_owned(),
        parameters: statement["parameters"].as_array().expect("parameters").iter().map(of_parameter).collect(),
    };
    let of_line = |line: &str| {
        let transaction: Vec<Value> = serde_json::from_str(line).expect("a transaction is a list");
        transaction.iter().map(of_statement).collect()
    };
    TRANSACTIONS.lines().map(of_line).collect()
}

/// A journey as one script.
#[must_use]
pub fn script(kind: DatabaseKind, number: u32, now: i64) -> String {
    let statements = journey(number, now).into_iter().flatten();
    statements.fold(String::new(), |text, statement| text + &statement.text(kind) + ";\n")
}

impl Statement {
    /// The statement with its parameters in it. PostgreSQL infers their types from the statement.
    #[must_use]
    pub fn text(&self, kind: DatabaseKind) -> String {
        match kind {
            DatabaseKind::Postgres if self.parameters.is_empty() => self.sql.clone(),
            DatabaseKind::Postgres => {
                let quote = |value: &Option<String>| match value {
                    None => "NULL".to_owned(),
                    Some(text) => format!("'{}'", text.replace('\'', "''")),
                };
                let values: Vec<String> = self.parameters.iter().map(quote).collect();
                format!(
                    "PREPARE released AS {}; EXECUTE released({}); DEALLOCATE released",
                    self.sql,
                    values.join(", ")
                )
            }
            // What differs in the released version's statements for SQLite.
            DatabaseKind::Sqlite => {
                let sql = self.sql.replace("= ANY(", "IN (");
                let (mut parts, mut text) = (sql.split('$'), String::new());
                text.push_str(parts.next().unwrap_or_default());
                for part in parts {
                    let digits = part.bytes().take_while(u8::is_ascii_digit).count();
                    let (number, behind) = part.split_at(digits);
                    let number: usize = number.parse().expect("a parameter is a number");
                    text.push_str(&in_sqlite(self.parameters[number - 1].as_deref()));
                    text.push_str(behind);
                }
                text
            }
        }
    }

    /// Whether it changes rows.
    #[must_use]
    pub fn writes(&self) -> bool {
        !self.sql.starts_with("SELECT")
    }
}

/// Columns turn numbers into text, and the reverse, as their types demand.
fn in_sqlite(value: Option<&str>) -> String {
    match value {
        None => "NULL".to_owned(),
        Some("t") => "1".to_owned(),
        Some("f") => "0".to_owned(),
        Some(text) => match text.strip_prefix("\\x") {
            Some(digits) => format!("X'{digits}'"),
            None if text.parse::<i64>().is_ok() => text.to_owned(),
            None => format!("'{}'", text.replace('\'', "''")),
        },
    }
}

fn moved(text: &str, number: u32, recorded_at: i64, now: i64) -> String {
    match text.parse::<i64>() {
        Ok(time) if (time - recorded_at).abs() < YEAR => return (time - recorded_at + now).to_string(),
        // Used steps of an app, too.
        Ok(step) if (step - recorded_at / STEP).abs() < 10 => {
            return (step - recorded_at / STEP + now / STEP).to_string();
        }
        Ok(_) => return text.to_owned(),
        Err(_) => {}
    }
    if number == 0 {
        return text.to_owned();
    }
    if text.ends_with("@example.com") || text == "bob" {
        return format!("n{number}{text}");
    }
    let mut moved = String::with_capacity(text.len());
    let mut rest = text;
    // Runs of 32 and more hexadecimal digits are ids and digests; they are random from the ninth digit on.
    while let Some(character) = rest.chars().next() {
        let digits = rest.bytes().take_while(u8::is_ascii_hexdigit).count();
        let (run, behind) = rest.split_at(digits.max(character.len_utf8()));
        match digits >= 32 && !run.starts_with(FIXED) {
            true => write!(moved, "{number:08x}{}", &run[8..]).expect("a string grows"),
            false => moved.push_str(run),
        }
        rest = behind;
    }
    moved
}
