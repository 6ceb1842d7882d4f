//! Planted deviations are found, and nothing else is.

use super::users::{CREDENTIALS, DOCUMENT, serve_users};
use super::{check, findings};
use std::sync::Mutex;
use std::thread;

/// Deviations of [`serve_users`], and the rule that each violates.
const DEVIATIONS: [(&str, &str); 41] = [
    ("text for boolean", "body-schema"),
    ("beyond the maximum", "body-schema"),
    ("undocumented property", "property-undocumented"),
    ("empty body", "body-missing"),
    ("cut JSON", "body-not-json"),
    ("no content type", "content-type-missing"),
    ("undocumented header", "header-undocumented"),
    ("200 for 201", "status-undocumented"),
    ("no location", "header-missing"),
    ("text for number", "body-schema"),
    ("null for text", "body-schema"),
    ("undocumented property of a closed object", "body-schema"),
    ("unlisted value", "body-schema"),
    ("no date", "body-schema"),
    ("too many items", "body-schema"),
    ("number in a list of texts", "body-schema"),
    ("no id", "body-schema"),
    ("no createdAt in lists", "body-schema"),
    ("text in a header", "header-schema"),
    ("another media type", "content-type-undocumented"),
    ("410 for 404", "status-undocumented"),
    ("other id when read", "body-schema"),
    ("fails on deletion", "server-error"),
    ("body for none", "body-unexpected"),
    ("needs no credentials", "credentials-not-needed"),
    ("fails on malformed paths", "server-error"),
    ("fails on paths of another type", "server-error"),
    ("takes any media type", "forbidden-request-accepted"),
    ("takes what is not JSON", "forbidden-request-accepted"),
    ("fails beyond the Basic Multilingual Plane", "server-error"),
    ("closes on NUL", "no-answer"),
    ("fails on zero", "server-error"),
    ("fails on the longest name", "server-error"),
    ("takes long names", "forbidden-request-accepted"),
    ("takes any role", "forbidden-request-accepted"),
    ("takes texts for numbers", "forbidden-request-accepted"),
    ("takes long lists", "forbidden-request-accepted"),
    ("takes undocumented properties", "forbidden-request-accepted"),
    ("takes users without role", "forbidden-request-accepted"),
    ("takes no role", "forbidden-request-accepted"),
    ("takes any limit", "forbidden-request-accepted"),
];

const HEADER: &str = "Authorization: Bearer 5ecret";

#[test]
fn a_server_that_follows_its_document_has_no_findings_and_every_operation_succeeds() {
    assert!(HEADER.ends_with(CREDENTIALS));
    for seed in ["1", "2", "3"] {
        let arguments = ["--header", HEADER, "--max-requests", "500", "--seed", seed];
        let (status, output, error) = check(serve_users("none"), DOCUMENT, &arguments);
        assert_eq!(status, Some(0), "{output}{error}");
        assert!(output.starts_with("no findings in 500 responses"), "{output}");
        assert!(output.ends_with("6 operations succeeded)\n"), "{output}");
    }
}

#[test]
fn each_planted_deviation_is_found() {
    let ahead = Mutex::new(DEVIATIONS.into_iter());
    let missed = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                loop {
                    let next = ahead.lock().unwrap().next();
                    let Some((deviation, rule)) = next else { break };
                    let arguments = ["--header", HEADER, "--max-requests", "400"];
                    let found = findings(serve_users(deviation), DOCUMENT, &arguments);
                    if !found.iter().any(|finding| finding["rule"] == rule) {
                        missed.lock().unwrap().push(format!("{deviation} ({rule}): {found:?}"));
                    }
                }
            });
        }
    });
    assert_eq!(missed.into_inner().unwrap(), Vec::<String>::new());
}

#[test]
fn equal_deviations_of_list_items_are_one_finding() {
    let found =
        findings(serve_users("no createdAt in lists"), DOCUMENT, &["--header", HEADER, "--max-requests", "100"]);
    let messages: Vec<&str> = found.iter().filter_map(|finding| finding["message"].as_str()).collect();
    assert_eq!(messages, ["200: items[*]: \"createdAt\" is a required property"]);
}
