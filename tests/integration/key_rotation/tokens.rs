//! Rotation of the keys that sign access tokens, and of what waits to be delivered meanwhile: for ES256 the key is derived from the
//! root key, as for EdDSA, which `super` rotates; for RS256 there is a key pair of its own.

use super::{Deployment, PROGRAM, keyring_of};
use crate::harness::service::APPLICATION;
use crate::harness::{MailServer, PASSWORD, Process, Service};
use countersign_test_postgres::{DatabaseKind, on_each_database};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;
use tempfile::tempdir;
use tokio::task::JoinSet;

/// Ids of the keys that a node publishes.
async fn published(node: &Process) -> BTreeSet<String> {
    let keys = node.stranger().call("GET", "/.well-known/jwks.json").await.ok();
    let ids = keys.body["keys"].as_array().cloned().unwrap_or_default();
    ids.iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

/// The id of the key that has signed a token.
fn signer(token: &str) -> String {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let head = token.split('.').next().unwrap().bytes();
    let bits: Vec<usize> = head
        .map(|letter| DIGITS.iter().position(|digit| *digit == letter).unwrap())
        .flat_map(|value| (0..6).rev().map(move |bit| (value >> bit) & 1))
        .collect();
    let byte = |bits: &[usize]| u8::try_from(bits.iter().fold(0, |byte, bit| byte << 1 | bit)).unwrap();
    let bytes: Vec<u8> = bits.chunks_exact(8).map(byte).collect();
    let head: Value = serde_json::from_slice(&bytes).unwrap();
    head["kid"].as_str().unwrap().to_owned()
}

/// Users who log in, have their tokens validated and refresh them, each at another node. A node that is being killed breaks
/// connections; every response has to be right.
struct Tokens {
    stop: Arc<AtomicBool>,
    done: Arc<AtomicUsize>,
    running: JoinSet<()>,
}

impl Tokens {
    /// `held` are tokens that are valid all the while.
    fn start(services: &[Service], email: &str, held: &[String]) -> Self {
        let (stop, done) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let mut running = JoinSet::new();
        for worker in 0..2 {
            let (services, held, email) = (services.to_vec(), held.to_vec(), email.to_owned());
            let (stop, done) = (Arc::clone(&stop), Arc::clone(&done));
            running.spawn(async move {
                let log_in = json!({"loginId": email, "password": PASSWORD, "applicationId": APPLICATION});
                for number in worker.. {
                    if stop.load(Ordering::Relaxed) {
                        return;
                    }
                    let at = |offset: usize| &services[(number + offset) % services.len()];
                    for token in &held {
                        if let Ok(validated) = at(0).with_token(token, "GET", "/jwt/validate").try_send().await {
                            validated.ok();
                        }
                    }
                    let Ok(granted) = at(0).post("/login", log_in.clone()).try_send().await else { continue };
                    let granted = granted.ok();
                    let (token, refresh) = (granted.text("/token"), granted.text("/refreshToken"));
                    if let Ok(validated) = at(1).with_token(&token, "GET", "/jwt/validate").try_send().await {
                        validated.ok();
                    }
                    let body = json!({"refreshToken": refresh});
                    let Ok(refreshed) = at(1).open("/jwt/refresh", body).try_send().await else { continue };
                    let token = refreshed.ok().text("/token");
                    if let Ok(validated) = at(0).with_token(&token, "GET", "/jwt/validate").try_send().await {
                        validated.ok();
                        done.fetch_add(1, Ordering::Relaxed);
                    }
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            });
        }
        Self { stop, done, running }
    }

    async fn stop(self) {
        for _ in 0..400 {
            if self.done.load(Ordering::Relaxed) > 3 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        self.stop.store(true, Ordering::Relaxed);
        self.running.join_all().await;
        assert!(self.done.load(Ordering::Relaxed) > 3, "too little was done meanwhile");
    }
}

async fn token_of(service: &Service, email: &str) -> String {
    let body = json!({"loginId": email, "password": PASSWORD, "applicationId": APPLICATION});
    service.post("/login", body).await.ok().text("/token")
}

async fn rotate(kind: DatabaseKind, algorithm: &str) {
    let is_rsa = algorithm == "RS256";
    let mut mail = MailServer::start().await;
    mail.kill();
    let first = tempdir().unwrap();
    let data = first.path().join("data");
    std::fs::create_dir(&data).unwrap();
    let rsa: &[&str] = if is_rsa { &["--rs256"] } else { &[] };
    let made = Command::new(PROGRAM).arg("generate-keyring").args(rsa).output().unwrap();
    assert!(made.status.success());
    std::fs::write(data.join("keyring"), made.stdout).unwrap();
    assert!(Command::new("chmod").arg("600").arg(data.join("keyring")).status().unwrap().success());
    let (from, url) = ("Two <two@example.com>", mail.url());
    let environment = [
        ("COUNTERSIGN_JWT_ALGORITHM", algorithm),
        ("COUNTERSIGN_SMTP_URL", url.as_str()),
        ("COUNTERSIGN_SMTP_FROM", from),
    ];
    let mut deployment = Deployment::start_with(kind, first, &environment);
    let services: Vec<Service> = {
        let first = deployment.nodes[0].service();
        deployment.nodes.iter().map(|node| Service::new(node, &first.key, None)).collect()
    };
    let old = deployment.ring().entries().into_iter().rfind(|entry| entry.is_active).unwrap().id;
    let user = services[0].user().await;
    let earlier = token_of(&services[0], &user.email).await;
    let old_signer = signer(&earlier);
    // A message that waits, and a backup, both of the old key.
    deployment.nodes[0].stranger().post("/request-password-reset").json(json!({"email": user.email})).await.ok();
    let waiting = |key: &str| format!("messages WHERE key_id = '{key}' AND next_attempt_at IS NOT NULL");
    assert!(is_rsa || deployment.number(&waiting(&old)) > 0, "no message waits");
    let backup = data.join("before.backup");
    let is_embedded = matches!(kind, DatabaseKind::Sqlite);
    let of_backup = |deployment: &Deployment, arguments: &[&str]| {
        let output = deployment.nodes[0].beside(PROGRAM).arg("backup").args(arguments).arg(&backup).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    if is_embedded {
        of_backup(&deployment, &[]);
    }

    // The new key is published and verifies before it signs; nodes are killed and come back with it.
    deployment.keys_are_changed(&[&["rotate"], rsa].concat());
    let is_new = |entry: &countersign_domain::keyring::rotation::RingEntry| {
        !entry.is_active && (entry.kind == countersign_domain::keyring::rotation::KeyKind::Rsa) == is_rsa
    };
    let new = deployment.ring().entries().into_iter().find(is_new).unwrap().id;
    let load = Tokens::start(&services, &user.email, std::slice::from_ref(&earlier));
    deployment.keys_are_refused(&["activate", &new], "have not loaded the key");
    deployment.keys_are_refused(&["retire", &old], "is the active one");
    deployment.hand_out();
    deployment.restart().await;
    load.stop().await;
    for (node, service) in deployment.nodes.iter().zip(&services) {
        assert_eq!(published(node).await.len(), 2, "the new key is published before it signs");
        assert_eq!(signer(&token_of(service, &user.email).await), old_signer);
    }

    // One node signs with it and is killed; the other signs with the old one.
    let load = Tokens::start(&services, &user.email, std::slice::from_ref(&earlier));
    deployment.keys_are_changed(&["activate", &new]);
    deployment.nodes[0].kill_9();
    deployment.nodes[0].restart();
    let between = token_of(&services[0], &user.email).await;
    let new_signer = signer(&between);
    assert_ne!(new_signer, old_signer);
    for (node, service) in deployment.nodes.iter().zip(&services) {
        assert!(published(node).await.contains(&new_signer));
        service.with_token(&between, "GET", "/jwt/validate").await.ok();
        service.with_token(&earlier, "GET", "/jwt/validate").await.ok();
    }
    deployment.hand_out();
    deployment.reload().await;
    load.stop().await;
    deployment.forget_killed();
    for service in &services {
        assert_eq!(signer(&token_of(service, &user.email).await), new_signer);
    }

    // Rows on the new key; what clients hold keeps the old one until it ends.
    let load = Tokens::start(&services, &user.email, &[earlier.clone(), between.clone()]);
    if !is_rsa {
        deployment.keys_are_changed(&["reseal"]);
        assert_eq!(deployment.number(&waiting(&old)), 0);
        assert!(deployment.number(&waiting(&new)) > 0);
    }
    deployment.keys_are_refused(&["retire", &old], "access tokens depend on it until 20");
    if is_rsa {
        // The nodes sign by RS256, although the configuration of the command says EdDSA.
        let changed = |id: &str| {
            let mut command = deployment.nodes[0].beside(PROGRAM);
            let output =
                command.env("COUNTERSIGN_JWT_ALGORITHM", "EdDSA").args(["keys", "retire", id]).output().unwrap();
            (output.status.code(), String::from_utf8(output.stderr).unwrap())
        };
        for (id, reason) in [(&old, "access tokens depend on it until 20"), (&new, "sign")] {
            let (status, error) = changed(id);
            assert!(status == Some(1) && error.contains(reason), "{id}: {error}");
        }
    }
    if is_embedded {
        of_backup(&deployment, &["--check"]);
    }
    load.stop().await;
    deployment.age(&old);
    if !is_rsa {
        // Grants live for weeks; here they end at once.
        for table in ["sessions", "refresh_tokens", "tickets", "challenges", "trusted_devices"] {
            deployment.database.execute(&format!("DELETE FROM {table}"));
        }
    }
    let load = Tokens::start(&services, &user.email, std::slice::from_ref(&between));
    deployment.keys_are_changed(&["retire", &old]);
    deployment.hand_out();
    deployment.restart().await;
    load.stop().await;
    let text = std::fs::read_to_string(keyring_of(&deployment.nodes[0])).unwrap();
    assert!(!text.contains(&old), "the old key is in the keyring");
    for (node, service) in deployment.nodes.iter().zip(&services) {
        assert_eq!(published(node).await, BTreeSet::from([new_signer.clone()]));
        service.with_token(&earlier, "GET", "/jwt/validate").await.is(401);
        service.with_token(&between, "GET", "/jwt/validate").await.ok();
    }

    // The message that waited all the while can be read without the old key.
    mail.restart().await;
    deployment.database.execute("UPDATE messages SET next_attempt_at = 1 WHERE next_attempt_at IS NOT NULL");
    let mails = mail.has_taken(1, &user.email).await;
    assert!(mails.iter().any(|mail| mail.text.contains("http")), "{mails:#?}");
}

#[on_each_database]
async fn a_rotation_of_the_key_of_es256_under_load_loses_no_token_and_no_message_a_13_3_4(kind: DatabaseKind) {
    rotate(kind, "ES256").await;
}

#[on_each_database]
async fn a_rotation_of_the_key_of_rs256_under_load_loses_no_token_a_13_3_4(kind: DatabaseKind) {
    rotate(kind, "RS256").await;
}
