//! A code is accepted once, whatever the routes; `one_time` adds that it is so at the same moment, too.

use crate::harness::{Caller, User, World, cheap_passwords};
use crate::limits::challenge_by_service;
use countersign_test_postgres::{DatabaseKind, on_each_database};
use serde_json::json;
use std::time::Duration;

/// A way to present a code of an app.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Route {
    Enrolment,
    SignIn,
    StepUp,
    ReEnrolment,
}

impl Route {
    /// A client that stands where this route asks for a code.
    async fn ready(self, user: &User) -> Caller {
        match self {
            Self::Enrolment => user.browser.clone(),
            Self::SignIn => user.challenged().await,
            Self::StepUp => user.browser.copy(),
            Self::ReEnrolment => {
                user.begin_enrolment().await;
                user.browser.copy()
            }
        }
    }
}

/// Each route first, each route after it, with the same code; and with the code of a step before it (3).
#[on_each_database]
async fn a_code_used_on_one_route_is_dead_on_every_other_1_3_4_5(database: DatabaseKind) {
    for first in [Route::Enrolment, Route::SignIn, Route::StepUp] {
        for second in [Route::SignIn, Route::StepUp, Route::ReEnrolment] {
            for is_older in [false, true] {
                let world = World::with(database, cheap_passwords).await;
                let user = world.user("ada").await;
                let app = if first == Route::Enrolment { user.begin_enrolment().await } else { user.enrol().await };
                if first != Route::Enrolment {
                    app.fresh_code();
                    app.fresh_code();
                }
                let (older, code) = (app.code_in(-1), app.code());
                let body = json!({"code": code});
                first.ready(&user).await.post("/two-factor/verify-totp").json(body).await.ok();
                let again = json!({"code": if is_older { older } else { code }});
                let response = second.ready(&user).await.post("/two-factor/verify-totp").json(again).await;
                assert_eq!(
                    (response.status, response.code()),
                    (401, "INVALID_CODE"),
                    "{first:?} then {second:?}: {response}"
                );
            }
        }
    }
}

#[on_each_database]
async fn codes_of_the_neighbouring_steps_are_right_and_others_are_not(database: DatabaseKind) {
    let world = World::start(database).await;
    let user = world.user("ada").await;
    let app = user.enrol().await;
    for _ in 0..4 {
        app.fresh_code();
    }
    for steps in [-2, 2] {
        let call = user.browser.post("/two-factor/verify-totp").json(json!({"code": app.code_in(steps)}));
        call.await.refused(401, "INVALID_CODE");
    }
    for steps in [-1, 0, 1] {
        user.browser.post("/two-factor/verify-totp").json(json!({"code": app.code_in(steps)})).await.ok();
    }
}

/// The time is the server's, whatever a request says about its own.
#[on_each_database]
async fn a_code_is_right_by_the_time_of_the_server_a_6_5_8(database: DatabaseKind) {
    let world = World::start(database).await;
    let service = world.service().await;
    let user = world.user("ada").await;
    let app = user.enrol().await;
    let ahead = app.code_in(20);
    for (name, in_ten_minutes) in [
        ("date", "Sun, 01 Mar 2026 12:10:00 GMT"),
        ("x-timestamp", "1772367000"),
        ("x-request-start", "t=1772367000000"),
    ] {
        let call = user.browser.post("/two-factor/verify-totp").header(name, in_ten_minutes);
        call.json(json!({"code": ahead})).await.refused(401, "INVALID_CODE");
        let challenge = challenge_by_service(&service, &user.email).await;
        service.complete(&challenge, &ahead).header(name, in_ten_minutes).await.is(421);
    }
    world.clock.advance(Duration::from_secs(600));
    let call = user.browser.post("/two-factor/verify-totp").header("date", "Sun, 01 Mar 2026 12:00:00 GMT");
    call.json(json!({"code": ahead})).await.ok();
}

/// Sends the same request from all of these clients at once; says how many succeeded, and that nobody got anything
/// but one of these refusals.
async fn successes(callers: Vec<Caller>, path: &str, code: &str, refusals: &[&str]) -> usize {
    let calls = callers.iter().map(|caller| tokio::spawn(caller.post(path).json(json!({"code": code})).send()));
    let calls: Vec<_> = calls.collect();
    let mut count = 0;
    for call in calls {
        let response = call.await.unwrap();
        match response.status {
            200 => count += 1,
            _ => assert!(refusals.contains(&response.code()), "{response}"),
        }
    }
    count
}

/// Presenting a right code more than once is no guess: it must not lock its holder out.
#[on_each_database]
async fn a_double_click_locks_nobody_out(database: DatabaseKind) {
    let world = World::start(database).await;
    let user = world.user("ada").await;
    let app = user.enrol().await;
    for _ in 0..15 {
        let call = user.browser.post("/two-factor/verify-totp").json(json!({"code": app.code()}));
        call.await.refused(401, "INVALID_CODE");
    }
    for round in 0..2 {
        let backup = json!({"code": app.backup_codes[0]});
        for _ in 0..8 {
            let response = user.browser.post("/two-factor/verify-backup-code").json(backup.clone()).await;
            assert!(response.status == 401 || round == 0, "{response}");
        }
    }
    user.signed_in_with(&app).await;
}

#[on_each_database]
async fn two_challenges_and_one_code_open_one_session_1(database: DatabaseKind) {
    let world = World::start(database).await;
    let user = world.user("ada").await;
    let app = user.enrol().await;
    let callers = vec![user.challenged().await, user.challenged().await, user.challenged().await];
    let count = successes(callers, "/two-factor/verify-totp", &app.fresh_code(), &["INVALID_CODE"]).await;
    assert_eq!(count, 1);
    let callers = vec![user.challenged().await, user.challenged().await, user.challenged().await];
    let refusals = ["INVALID_BACKUP_CODE", "BACKUP_CODE_CONFLICT"];
    let count = successes(callers, "/two-factor/verify-backup-code", &app.backup_codes[0], &refusals).await;
    assert_eq!(count, 1);
}
