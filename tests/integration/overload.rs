//! More work than the machine can do: it is shed, nothing hangs, memory stays bounded, and clients in other networks notice
//! nothing (API4).

use crate::harness::service::APPLICATION;
use crate::harness::world::Time;
use crate::harness::{PASSWORD, Process, World};
use countersign::config::Settings;
use countersign_test_postgres::{DatabaseKind, on_each_database};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tempfile::tempdir;
use tokio::task::JoinSet;

#[on_each_database]
async fn two_hundred_parallel_sign_ins_are_answered_or_shed_within_150_megabytes(database: DatabaseKind) {
    let directory = tempdir().unwrap();
    let server = Process::start(database, directory.path(), &[]);
    let mut users = Vec::new();
    for number in 0..20 {
        users.push(server.user(&format!("user{number}")).await);
    }
    let mut running = JoinSet::new();
    for number in 0..200 {
        let user = &users[number % users.len()];
        let caller = server.stranger();
        let body = json!({"email": user.email, "password": user.password});
        running.spawn(async move {
            let response = caller.post("/sign-in/email").json(body);
            tokio::time::timeout(Duration::from_secs(60), response.send()).await.expect("a response, not silence")
        });
    }
    let responses = running.join_all().await;
    let served = responses.iter().filter(|response| response.status == 200).count();
    let shed: Vec<_> = responses.iter().filter(|response| response.status == 503).collect();
    assert_eq!(served + shed.len(), responses.len(), "nothing but 200 and 503");
    assert!(served >= 60, "{served} were served; the queue alone holds that many of one address");
    assert!(!shed.is_empty(), "200 at once do not fit into the queue");
    assert!(shed.iter().all(|response| response.retry_after() >= 1 && response.code() == "SERVICE_UNAVAILABLE"));
    let memory = server.memory();
    assert!(memory.peak < 150 << 20, "{memory:?}");

    // It is well again at once.
    let user = &users[0];
    user.signed_in().await;
}

fn behind_a_proxy(settings: &mut Settings) {
    settings.rate_limits_are_on = true;
    settings.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()];
}

/// One address holds 1,100 requests whose bodies never end. Both dialects serve others meanwhile, and it is free again when
/// the time for bodies is over.
#[on_each_database]
async fn endless_bodies_of_one_address_stop_nobody_else(database: DatabaseKind) {
    for rate_limits in [true, false] {
        let world = World::on(database, Time::System, |settings| {
            behind_a_proxy(settings);
            settings.rate_limits_are_on = rate_limits;
            // Longer than it takes to make the connections, also on a busy machine.
            settings.limits.body_timeout = Duration::from_secs(15);
        })
        .await;
        let user = world.user("ada").await;
        let service = world.service().await;
        let mut connections = Vec::new();
        for number in 0..1_100 {
            let mut connection = world.raw().await;
            let path = match number % 3 {
                0 => format!("/api/two-factor/send/{number}"),
                1 => "/api/two-factor/login".to_owned(),
                _ => "/api/auth/sign-out".to_owned(),
            };
            connection
                .send(&format!(
                    "POST {path} HTTP/1.1\r\nhost: x\r\nx-forwarded-for: 192.0.2.1\r\nconnection: close\r\n\
                     content-type: application/json\r\ncontent-length: 9\r\n\r\n{{"
                ))
                .await;
            connections.push(connection);
        }
        for number in 0..20 {
            let other = format!("198.51.100.{number}");
            user.browser.get("/get-session").header("x-forwarded-for", &other).await.ok();
            service.get("/status").header("x-forwarded-for", &other).await.ok();
        }
        let shed = world.stranger().post("/sign-out").header("x-forwarded-for", "192.0.2.1").await;
        assert!([503, 429].contains(&shed.status), "its own share is used up: {}", shed.status);

        // Each gets a response: those that hold a place when the time is over, the others at once.
        let mut statuses = BTreeMap::new();
        for connection in connections {
            let (status, _) = tokio::time::timeout(Duration::from_secs(25), connection.read()).await.unwrap();
            *statuses.entry(status).or_insert(0) += 1;
        }
        assert!(statuses.keys().all(|status| [503, 429].contains(status)), "{statuses:?}");
        let again = world.raw().await.call("GET", "/api/status").await;
        assert_eq!(again.0, 200);
    }
}

/// 256 /64 networks of one /56 sign in and sign up as fast as they can. Somebody elsewhere signs in, with and
/// without cookies, and through a service.
#[on_each_database]
async fn a_flood_from_a_56_refuses_no_sign_in_of_others(database: DatabaseKind) {
    let world = World::on(database, Time::System, |settings| {
        behind_a_proxy(settings);
        settings.limits.hash_threads = 1;
        // How fast this machine makes connections is not the subject.
        settings.database.timeout = Duration::from_secs(30);
    })
    .await;
    let user = world.user("ada").await;
    let service = world.service().await;
    let customer = service.user().await;
    let end = Arc::new(AtomicBool::new(false));
    let mut flood = JoinSet::new();
    for number in 0..256_u64 {
        let stranger = world.stranger().with_header("x-forwarded-for", &format!("2001:db8:0:{number:x}::1"));
        let end = Arc::clone(&end);
        flood.spawn(async move {
            // All that the limits allow, spread over the ten seconds of their windows: 154 requests in a second.
            tokio::time::sleep(Duration::from_millis(number * 39)).await;
            let mut statuses = Vec::new();
            while !end.load(Ordering::Relaxed) {
                let mut calls = Vec::new();
                for round in 0..3 {
                    let email = format!("user{number}x{round}@example.com");
                    let sign_in = json!({"email": email, "password": "correct horse"});
                    let sign_up = json!({"name": "a", "email": email, "password": "correct horse"});
                    calls.push(stranger.post("/sign-in/email").json(sign_in).send());
                    calls.push(stranger.post("/sign-up/email").json(sign_up).send());
                }
                let responses = futures::future::join_all(calls).await;
                statuses.extend(responses.into_iter().map(|response| response.status));
                for _ in 0..20 {
                    if !end.load(Ordering::Relaxed) {
                        tokio::time::sleep(Duration::from_millis(500)).await;
                    }
                }
            }
            statuses
        });
    }
    tokio::time::sleep(Duration::from_secs(5)).await;
    let body = json!({"email": user.email, "password": user.password});
    for number in 0..12 {
        let address = format!("198.51.100.{number}");
        let response = world.stranger().post("/sign-in/email").header("x-forwarded-for", &address).json(body.clone());
        response.await.ok();
        let known = user.browser.copy().post("/sign-in/email").header("x-forwarded-for", &address).json(body.clone());
        known.await.ok();
        let body = json!({
            "loginId": customer.email, "password": PASSWORD, "applicationId": APPLICATION, "ipAddress": address,
        });
        service.post("/login", body).await.ok();
    }
    end.store(true, Ordering::Relaxed);
    let statuses: Vec<_> = flood.join_all().await.into_iter().flatten().collect();
    assert!(statuses.contains(&503), "it was a flood");
}

/// Strangers use up the share of their network. A browser with a valid cookie still signs in from that network, and so does a
/// device with a trust id through a service that names no address, which is one network with all its users.
#[on_each_database]
async fn a_known_device_signs_in_from_a_network_that_is_flooded(database: DatabaseKind) {
    let world = World::on(database, Time::System, |settings| {
        settings.limits.hash_threads = 1;
        settings.limits.hash_queue = 3;
        settings.database.timeout = Duration::from_secs(30);
    })
    .await;
    let user = world.user("ada").await;
    let service = world.service().await;
    let customer = service.user().await;
    let begun = service.post("/two-factor/start", json!({"userId": customer.id})).await.ok();
    let code = json!({"twoFactorId": begun.text("/twoFactorId"), "code": begun.text("/code"), "trustComputer": true});
    let trust = service.open("/two-factor/login", code).await.ok().text("/twoFactorTrustId");
    let end = Arc::new(AtomicBool::new(false));
    let mut flood = JoinSet::new();
    for number in 0..12 {
        let (stranger, service, end) = (world.stranger(), service.clone(), Arc::clone(&end));
        let name = format!("user{number}@example.com");
        flood.spawn(async move {
            let mut statuses = Vec::new();
            while !end.load(Ordering::Relaxed) {
                let response = match number % 2 {
                    0 => {
                        stranger.post("/sign-in/email").json(json!({"email": name, "password": "correct horse"})).await
                    }
                    _ => service.post("/login", json!({"loginId": name, "password": "correct horse"})).await,
                };
                statuses.push(response.status);
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            statuses
        });
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    let body = json!({"email": user.email, "password": user.password});
    let login = json!({
        "loginId": customer.email, "password": PASSWORD, "applicationId": APPLICATION, "twoFactorTrustId": trust,
    });
    for _ in 0..10 {
        user.browser.copy().post("/sign-in/email").json(body.clone()).await.ok();
        service.post("/login", login.clone()).await.ok();
    }
    end.store(true, Ordering::Relaxed);
    let statuses: Vec<_> = flood.join_all().await.into_iter().flatten().collect();
    let shed = statuses.iter().filter(|status| **status == 503).count();
    assert!(shed * 2 > statuses.len(), "{shed} of {} strangers were shed", statuses.len());
}
