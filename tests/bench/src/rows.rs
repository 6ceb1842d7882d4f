//! Rows on their way into either database, in bulk: as JSON for SQLite, as COPY text for PostgreSQL.

use data_encoding::HEXLOWER;
use serde::{Serialize, Serializer};
use std::fmt::Write as _;

/// A value of a column.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    /// No value.
    Null,
    /// A number; all of ours are 64 bits wide.
    Integer(i64),
    /// Yes or no.
    Boolean(bool),
    /// Text without control characters.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl Serialize for Value {
    /// As SQLite's JSON functions take it; bytes are hexadecimal.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_none(),
            Self::Integer(number) => serializer.serialize_i64(*number),
            Self::Boolean(truth) => serializer.serialize_bool(*truth),
            Self::Text(text) => serializer.serialize_str(text),
            Self::Bytes(bytes) => serializer.serialize_str(&HEXLOWER.encode(bytes)),
        }
    }
}

/// A column's name, and whether it holds bytes.
pub(crate) type Column = (&'static str, bool);

/// A table as rows are written into it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Table {
    /// Its name.
    pub(crate) name: &'static str,
    /// Its columns, in the order of the values of a row.
    pub(crate) columns: &'static [Column],
}

impl Table {
    fn names(&self) -> String {
        self.columns.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
    }

    /// The statement that takes the values of rows, as JSON, as its only parameter.
    pub(crate) fn insert_json(&self) -> String {
        let values = self.columns.iter().enumerate().map(|(index, (_, is_bytes))| {
            let value = format!("json_extract(value, '$[{index}]')");
            if *is_bytes { format!("unhex({value})") } else { value }
        });
        let values = values.collect::<Vec<_>>().join(", ");
        format!("INSERT INTO {} ({}) SELECT {values} FROM json_each(?)", self.name, self.names())
    }

    /// The statement that is followed by [`Rows::to_copy_text`].
    pub(crate) fn copy(&self) -> String {
        format!("COPY {} ({}) FROM STDIN", self.name, self.names())
    }
}

/// Rows of one table.
#[derive(Clone, Debug)]
pub(crate) struct Rows {
    /// The table.
    pub(crate) table: Table,
    /// A value for each column, for each row.
    pub(crate) values: Vec<Vec<Value>>,
}

impl Rows {
    /// None yet.
    pub(crate) fn of(table: Table) -> Self {
        Self { table, values: Vec::new() }
    }

    /// The text format of PostgreSQL's COPY.
    pub(crate) fn to_copy_text(&self) -> String {
        let mut text = String::with_capacity(self.values.len() * 200);
        for row in &self.values {
            for (index, value) in row.iter().enumerate() {
                if index > 0 {
                    text.push('\t');
                }
                match value {
                    Value::Null => text.push_str("\\N"),
                    Value::Integer(number) => write!(text, "{number}").expect("writing to a string cannot fail"),
                    Value::Boolean(truth) => text.push(if *truth { 't' } else { 'f' }),
                    Value::Text(plain) => text.push_str(&plain.replace('\\', "\\\\")),
                    Value::Bytes(bytes) => {
                        text.push_str("\\\\x");
                        HEXLOWER.encode_append(bytes, &mut text);
                    }
                }
            }
            text.push('\n');
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_take_both_forms() {
        let table = Table { name: "t", columns: &[("a", false), ("b", true), ("c", false)] };
        let mut rows = Rows::of(table);
        rows.values.push(vec![Value::from("x\\y"), Value::Bytes(vec![1, 255]), Value::Null]);
        rows.values.push(vec![Value::Integer(-1), Value::Null, Value::Boolean(true)]);
        let json = serde_json::to_string(&rows.values).expect("plain values");
        assert_eq!(json, r#"[["x\\y","01ff",null],[-1,null,true]]"#);
        assert_eq!(rows.to_copy_text(), "x\\\\y\t\\\\x01ff\t\\N\n-1\t\\N\tt\n");
        assert_eq!(table.copy(), "COPY t (a, b, c) FROM STDIN");
        assert!(table.insert_json().contains("unhex(json_extract(value, '$[1]'))"));
    }
}
