//! Paths: one spelling each, and everything else is not found.

use crate::harness::World;
use crate::harness::contract::better_auth as operations;
use countersign::operations::{BETTER_AUTH, FUSIONAUTH};
use countersign_test_postgres::{DatabaseKind, on_each_database};
use serde_json::{Value, json};

const METHODS: [&str; 9] = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "QUERY"];

#[on_each_database]
async fn other_methods_are_not_found_and_never_405_a_4_1_4(database: DatabaseKind) {
    let world = World::start(database).await;
    for entry in operations() {
        for method in METHODS {
            if operations().any(|other| other.method == method && other.path == entry.path) {
                continue;
            }
            let response = world.stranger().call(method, entry.path).undocumented().await;
            assert_eq!(response.status, 404, "{response}");
            if method != "HEAD" {
                assert_eq!((response.code(), response.header("content-type")), ("NOT_FOUND", Some("application/json")));
            }
        }
    }
}

/// Whether a path may be meant by a template, which has variables in braces.
fn fits(template: &str, path: &str) -> bool {
    let (template, path): (Vec<&str>, Vec<&str>) = (template.split('/').collect(), path.split('/').collect());
    let is_same = |(segment, given): (&&str, &&str)| segment == given || segment.starts_with('{');
    template.len() == path.len() && template.iter().zip(&path).all(is_same)
}

/// Where the path of one operation is a value in the path of another, `fusionauth::user_paths` says which one is meant.
#[on_each_database]
async fn other_methods_are_not_found_in_fusionauths_dialect_either_a_4_1_4(database: DatabaseKind) {
    let world = World::start(database).await;
    for entry in FUSIONAUTH {
        let segments = entry.path.split('/').map(|segment| match segment.starts_with('{') {
            true => "01a1fd04-be02-75f5-bdbd-868b7959e05d",
            false => segment,
        });
        let path = segments.collect::<Vec<_>>().join("/");
        for method in METHODS {
            if FUSIONAUTH.iter().any(|other| other.method == method && fits(other.path, &path)) {
                continue;
            }
            world.stranger().call(method, &path).undocumented().await.is(404);
        }
    }
}

#[on_each_database]
async fn other_spellings_of_a_path_are_not_found_32(database: DatabaseKind) {
    let world = World::start(database).await;
    for entry in BETTER_AUTH {
        let path = &entry.path.replace("{token}", "sometoken");
        let relative = path.trim_start_matches("/api/auth");
        let mut spellings = vec![
            format!("{path}/"),
            format!("/{path}"),
            format!("/api/auth/{relative}"),
            format!("/api//auth{relative}"),
            format!("/api/auth/.{relative}"),
            format!("/api/auth/x/..{relative}"),
            format!("/api/./auth{relative}"),
            path.to_uppercase(),
            path.replacen("auth", "Auth", 1),
            path.replacen("/auth/", "/auth%2F", 1),
            path.replacen("/auth/", "/auth%2f", 1),
            path.replacen('a', "%61", 1),
        ];
        // A variable at the end takes them for its value.
        if !entry.path.ends_with('}') {
            spellings.extend([";x=1", "%00", "."].map(|more| format!("{path}{more}")));
        }
        for spelling in spellings {
            let (status, text) = world.raw().await.call(entry.method, &spelling).await;
            assert_eq!(status, 404, "{spelling}: {text}");
        }
    }
}

#[on_each_database]
async fn what_the_real_server_does_not_offer_over_http_is_not_found_a_6_1_3(database: DatabaseKind) {
    let world = World::start(database).await;
    for path in [
        "/api/auth/two-factor/view-backup-codes",
        "/api/auth/two-factor/generate-totp",
        "/api/auth/two-factor",
        "/api/auth",
        "/api",
        "/metrics",
    ] {
        for method in ["GET", "POST"] {
            let response = world.stranger().call(method, path).undocumented().await;
            assert_eq!(response.status, 404, "{response}");
        }
    }
}

/// Whatever is refused before an operation is found: each dialect's own 404, also for escapes in a path and for methods that no
/// operation has, or that HTTP does not know.
#[on_each_database]
async fn what_reaches_no_operation_is_refused_in_the_shape_of_the_dialect(database: DatabaseKind) {
    let world = World::start(database).await;
    let call = async |method: &str, path: &str| {
        let (status, text) = world.raw().await.call(method, path).await;
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert_eq!(status, 404, "{method} {path}: {text}");
        assert!(head.contains("cache-control: no-store") && head.contains("x-content-type-options: nosniff"), "{head}");
        body.to_owned()
    };
    for (path, is_empty) in [("/api/auth", false), ("/api/user", true)] {
        for (method, more) in [
            ("GET", "/%41"),
            ("GET", "/%2F"),
            ("GET", "/%2e%2e"),
            ("GET", "/%zz"),
            ("GET", "/%"),
            ("GET", "/a%00"),
            ("POST", "//x"),
            ("QUERY", "/x"),
            ("TRACE", "/x"),
            ("GET", "/%ff"),
            ("GET", "/./x"),
            ("POST", "/../x"),
            ("PROPFIND", "/x"),
        ] {
            let body = call(method, &format!("{path}{more}")).await;
            if is_empty {
                assert_eq!(body, "", "{method} {path}{more}");
            } else {
                let body: Value = serde_json::from_str(&body).unwrap();
                assert_eq!(body, json!({"message": "Not found", "code": "NOT_FOUND"}), "{method} {path}{more}");
            }
        }
    }
}
