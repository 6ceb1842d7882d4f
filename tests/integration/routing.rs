//! Paths: one spelling each, and everything else is not found.

use crate::harness::World;
use crate::harness::contract::better_auth as operations;
use countersign::operations::BETTER_AUTH;
use countersign_test_postgres::{DatabaseKind, on_each_database};

#[on_each_database]
async fn other_methods_are_not_found_and_never_405(database: DatabaseKind) {
    let world = World::start(database).await;
    for entry in operations() {
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "QUERY"] {
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

#[on_each_database]
async fn other_spellings_of_a_path_are_not_found_32(database: DatabaseKind) {
    let world = World::start(database).await;
    for entry in BETTER_AUTH {
        let path = entry.path;
        let relative = path.trim_start_matches("/api/auth");
        for spelling in [
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
            format!("{path};x=1"),
            format!("{path}%00"),
            format!("{path}."),
        ] {
            let (status, text) = world.raw().await.call(entry.method, &spelling).await;
            assert_eq!(status, 404, "{spelling}: {text}");
        }
    }
}

#[on_each_database]
async fn what_the_real_server_does_not_offer_over_http_is_not_found(database: DatabaseKind) {
    let world = World::start(database).await;
    for path in [
        "/api/auth/two-factor/view-backup-codes",
        "/api/auth/two-factor/generate-totp",
        "/api/auth/two-factor",
        "/api/auth",
        "/api/auth/error",
        "/api",
        "/metrics",
    ] {
        for method in ["GET", "POST"] {
            let response = world.stranger().call(method, path).undocumented().await;
            assert_eq!(response.status, 404, "{response}");
        }
    }
}
