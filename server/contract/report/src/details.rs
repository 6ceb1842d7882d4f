//! The changed values, the example and the request of a finding, each with a label. Every human-readable format shows all of them.

use super::{values, visible};
use countersign_contract_finding::{Example, Finding};
use serde_json::Value;

/// Labels and texts.
pub(super) fn details(finding: &Finding) -> Vec<(&'static str, String)> {
    let mut details = Vec::new();
    details.extend(values(finding).map(|values| ("changed", values)));
    details.extend(finding.example.as_ref().map(|example| match example {
        Example::Value(value) => ("example", visible(&shortened(value)).into_owned()),
        Example::Missing(why) => ("no example", (*why).to_owned()),
    }));
    details.extend(finding.request.as_ref().map(|request| ("request", visible(request).into_owned())));
    details
}

/// A value as JSON in one line, without the greater part of long texts and lists.
fn shortened(value: &Value) -> String {
    const LONGEST_TEXT: usize = 40;
    const MOST_ITEMS: usize = 6;
    match value {
        Value::String(text) if text.chars().count() > LONGEST_TEXT => {
            let begin: String = text.chars().take(LONGEST_TEXT / 4).collect();
            format!("{}… ({} characters)", Value::from(begin).to_string().trim_end_matches('"'), text.chars().count())
        }
        Value::Array(items) => {
            let mut list: Vec<String> = items.iter().take(MOST_ITEMS).map(shortened).collect();
            if items.len() > MOST_ITEMS {
                list.push(format!("… ({} items)", items.len()));
            }
            format!("[{}]", list.join(","))
        }
        Value::Object(entries) => {
            let entries =
                entries.iter().map(|(name, value)| format!("{}:{}", Value::from(name.as_str()), shortened(value)));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(","))
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::shortened;
    use serde_json::json;

    #[test]
    fn long_texts_and_lists_are_shortened() {
        for (value, expected) in [
            (json!({"name": "", "size": 1.5}), r#"{"name":"","size":1.5}"#.to_owned()),
            (json!("a".repeat(40)), format!("\"{}\"", "a".repeat(40))),
            (json!(["a".repeat(65)]), r#"["aaaaaaaaaa… (65 characters)]"#.to_owned()),
            (json!([1, 2, 3, 4, 5, 6, 7]), "[1,2,3,4,5,6,… (7 items)]".to_owned()),
        ] {
            assert_eq!(shortened(&value), expected);
        }
    }
}
