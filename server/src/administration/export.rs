//! Everything that is stored about a user, as JSON.

use super::{audit, time};
use countersign_api::admin::responses;
use countersign_flows::administration::{StoredAboutUser, StoredRows, StoredValue};
use countersign_flows::reports::AuditPage;
use serde_json::{Map, Value};

/// The table of the account itself, of which there is one row.
const ACCOUNT: &str = "account";

/// What is stored, with events of the audit trail, the oldest first.
#[must_use]
pub fn export(stored: &StoredAboutUser, events: &AuditPage) -> responses::UserExport {
    let (account, others): (Vec<_>, Vec<_>) = stored.tables.iter().partition(|table| table.table == ACCOUNT);
    let account = responses::ExportedAccount {
        account: account.into_iter().flat_map(objects).next().unwrap_or_default(),
        audit_events: events.events.iter().map(audit::event).collect(),
        next_cursor: events.next.map(audit::cursor),
    };
    responses::UserExport {
        account,
        tables: others.into_iter().map(|table| (table.table.to_owned(), objects(table).collect())).collect(),
    }
}

/// A table: the only row of the account itself as an object, those of others as a list.
#[must_use]
pub fn table(table: &StoredRows) -> Value {
    let mut rows = objects(table).map(Value::Object);
    match table.table {
        ACCOUNT => rows.next().unwrap_or(Value::Null),
        _ => Value::Array(rows.collect()),
    }
}

fn objects(table: &StoredRows) -> impl Iterator<Item = Map<String, Value>> {
    table.rows.iter().map(|row| row.iter().map(|(column, value)| (in_camel_case(column), shown(value))).collect())
}

fn in_camel_case(column: &str) -> String {
    let mut words = column.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |name, word| {
        let (initial, rest) = word.split_at(1);
        name + &initial.to_ascii_uppercase() + rest
    })
}

fn shown(value: &StoredValue) -> Value {
    match value {
        StoredValue::Nothing => Value::Null,
        StoredValue::Text(text) => Value::from(text.as_str()),
        // What cannot be read is shown as it is.
        StoredValue::Json(text) => serde_json::from_str(text).unwrap_or_else(|_| Value::from(text.as_str())),
        StoredValue::Number(number) => Value::from(*number),
        StoredValue::Flag(flag) => Value::from(*flag),
        StoredValue::Time(instant) => Value::from(time(*instant).to_string()),
    }
}
