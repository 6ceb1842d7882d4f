//! No response and no time says who has an account (attack 44).
//!
//! Requests about accounts that exist and about ones that do not are made in turns, in each round in another order, so that whatever
//! else the machine does falls on all alike. Responses must be equal but for the date and the id of the request. The times of two
//! kinds are compared by Mann-Whitney's U, which asks only which of two is longer and so is indifferent to outliers: 40 of each
//! kind must be within five standard deviations of what equal distributions give (chance of a false alarm below one in a million;
//! 7.7 is the most there can be, if every time of one kind is longer). All tests together make some 80 such comparisons, so one run
//! in 20,000 fails by chance. What they find is a difference by which five of six times of one kind are longer, some 1.3 times the
//! spread of single requests: a hash that is left out, not a query.

use crate::harness::{PASSWORD, Response, Service, User, World};
use crate::limits::{challenge_by_service, id_of, wrong_codes};
use crate::password_limits::{from_everywhere, log_in, seen, sign_in};
use countersign::config::Settings;
use countersign_domain::ids::TenantId;
use countersign_domain::password::Cost;
use countersign_domain::tenant::{Application, Directory, Tenant};
use countersign_test_postgres::{DatabaseKind, on_each_database};
use serde_json::json;
use std::time::Duration;
use tokio::time::Instant;

/// Requests of each kind.
const ROUNDS: usize = 40;
/// Standard deviations.
const BOUND: f64 = 5.0;

/// Passwords cost half of what they do by default, so that one that is not hashed shows on a busy machine, too; and requests say
/// what network they come from.
fn timed(settings: &mut Settings) {
    from_everywhere(settings);
    settings.password_cost = Cost { memory: 19 * 1024, passes: 1 };
}

/// Mann-Whitney's U of two samples, as standard deviations from what equal distributions give.
fn rank_difference(left: &[Duration], right: &[Duration]) -> f64 {
    let wins: usize = left.iter().map(|own| right.iter().filter(|other| own > *other).count()).sum();
    let count = |sample: &[Duration]| f64::from(u32::try_from(sample.len()).unwrap());
    let (n, m) = (count(left), count(right));
    let wins = f64::from(u32::try_from(wins).unwrap());
    (wins - n * m / 2.0) / (n * m * (n + m + 1.0) / 12.0).sqrt()
}

/// Makes requests of each kind in turns, by the number of the kind and of the round, and holds responses and times against those of the
/// last kind, which is the one that does not exist.
async fn assert_alike(kinds: &[&str], request: impl AsyncFn(usize, usize) -> Response) {
    let mut times = vec![Vec::new(); kinds.len()];
    for round in 0..ROUNDS {
        let mut responses = Vec::new();
        for turn in 0..kinds.len() {
            let kind = (turn + round) % kinds.len();
            let begun = Instant::now();
            let response = request(kind, round).await;
            times[kind].push(begun.elapsed());
            responses.push((kind, seen(&response)));
        }
        responses.sort_by_key(|(kind, _)| *kind);
        let (_, unknown) = responses.last().unwrap();
        for (kind, response) in &responses {
            assert_eq!(response, unknown, "{} in round {round}", kinds[*kind]);
        }
    }
    let unknown = times.last().unwrap();
    for (kind, sample) in kinds.iter().zip(&times) {
        let difference = rank_difference(sample, unknown);
        assert!(difference.abs() < BOUND, "{kind}: {difference} standard deviations");
    }
}

/// Login names: of an account without and with a second factor, of one that is locked, of one whose password limit another of its
/// names has used up, and of nobody.
const KINDS: [&str; 5] = ["plain", "with a second factor", "locked", "exhausted", "unknown"];

async fn accounts(world: &World, service: &Service) -> [String; 5] {
    let plain = world.user("plain").await;
    let enrolled = world.user("enrolled").await;
    enrolled.enrol().await;
    let locked: User = world.user("locked").await;
    let app = locked.enrol().await;
    wrong_codes(&locked, &app, 10).await;
    let exhausted = service.user_with(json!({"username": "exhausted"})).await;
    for _ in 0..50 {
        log_in(service, "exhausted", "wrong", None).await.is(404);
    }
    [plain.email, enrolled.email, locked.email, exhausted.email, "nobody@example.com".to_owned()]
}

#[on_each_database]
async fn a_sign_in_does_not_say_who_exists_44(database: DatabaseKind) {
    let world = World::with(database, timed).await;
    let service = world.service().await;
    let names = accounts(&world, &service).await;
    let stranger = world.stranger();
    let request =
        async |kind: usize, round: usize| sign_in(&stranger, &names[kind], "wrong", &format!("192.0.2.{round}")).await;
    assert_alike(&KINDS, async |kind, round| request(kind, round).await.refused(401, "INVALID_EMAIL_OR_PASSWORD"))
        .await;
    // Until what was typed has used up its limit.
    for round in 40..50 {
        for kind in 0..KINDS.len() {
            request(kind, round).await;
        }
    }
    assert_alike(&KINDS, async |kind, round| request(kind, 60 + round).await.refused(429, "TOO_MANY_REQUESTS")).await;
}

#[on_each_database]
async fn a_login_does_not_say_who_exists_44(database: DatabaseKind) {
    let world = World::with(database, timed).await;
    let service = world.service().await;
    let names = accounts(&world, &service).await;
    let request = async |kind: usize, round: usize| {
        log_in(&service, &names[kind], "wrong", Some(&format!("192.0.2.{round}"))).await
    };
    assert_alike(&KINDS, async |kind, round| request(kind, round).await.is(404)).await;
    for round in 40..50 {
        for kind in 0..KINDS.len() {
            request(kind, round).await;
        }
    }
    assert_alike(&KINDS, async |kind, round| request(kind, 60 + round).await.is(429)).await;
}

/// Another tenant, whose service must not learn who is in the first.
fn two_tenants(settings: &mut Settings) {
    timed(settings);
    let other = Tenant { id: other_tenant(), name: "Other".to_owned(), ..Tenant::default() };
    settings.directory = Directory::new(vec![Tenant::default(), other], vec![Application::default()]).unwrap();
}

fn other_tenant() -> TenantId {
    TenantId::parse("c0de0000-0000-4000-8000-00000000000b").unwrap()
}

/// Beginning a challenge, and sending a code to enable or disable a method, take an API key, whose service knows its own users. Of those of
/// another tenant it learns nothing, whether they have a second factor, are locked, or have used up the codes of the hour.
#[on_each_database]
async fn a_service_does_not_learn_who_exists_in_another_tenant_44(database: DatabaseKind) {
    let world = World::with(database, two_tenants).await;
    let service = world.service_that(Some(TenantId::DEFAULT), None).await;
    let names = accounts(&world, &service).await;
    let foreign = world.service_that(Some(other_tenant()), None).await;
    let sent = id_of(&service, &names[1]).await;
    let send = |id: &str| json!({"userId": id, "method": "email", "email": "new@example.com"});
    for _ in 0..10 {
        service.post("/two-factor/send", send(&sent)).await.ok();
    }
    service.post("/two-factor/send", send(&sent)).await.is(429);
    let mut ids = Vec::new();
    for name in &names[..4] {
        ids.push(id_of(&service, name).await);
    }
    ids.push("01a1fd04-be02-75f5-bdbd-868b7959e05d".to_owned());
    assert_alike(&KINDS, async |kind, _| {
        foreign.post("/two-factor/start", json!({"loginId": names[kind]})).await.is(404)
    })
    .await;
    assert_alike(&KINDS, async |kind, _| foreign.post("/two-factor/start", json!({"userId": ids[kind]})).await.is(404))
        .await;
    assert_alike(&KINDS, async |kind, _| foreign.post("/two-factor/send", send(&ids[kind])).await.is(404)).await;
}

/// Sending a code to complete a sign-in takes a challenge, which only a right password gives. One that is over, one that was used, one
/// that a new password has ended, and one that never was are alike, whatever the account is.
#[on_each_database]
async fn sending_a_code_does_not_say_whether_a_challenge_was_ever_there_44(database: DatabaseKind) {
    const KINDS: [&str; 5] = ["over", "used", "of an older password", "of a locked account", "unknown"];
    let world = World::with(database, timed).await;
    let service = world.service().await;
    let used = world.user("used").await;
    let app = used.enrol().await;
    let stale = world.user("stale").await;
    stale.enrol().await;
    let locked = world.user("locked").await;
    let locked_app = locked.enrol().await;
    let over = world.user("over").await;
    over.enrol().await;
    let mut challenges = Vec::new();
    let mut tokens = Vec::new();
    for user in [&over, &used, &stale, &locked] {
        challenges.push(challenge_by_service(&service, &user.email).await);
        tokens.push(user.challenge_token(&world.browser()).await);
    }
    service.complete(&challenges[1], &app.fresh_code()).await.ok();
    let code = json!({"code": app.fresh_code()});
    world.bearer(&tokens[1]).post("/two-factor/verify-totp").json(code).await.ok();
    let patch = json!({"user": {"password": "another correct horse battery"}});
    service.call("PATCH", &format!("/user/{}", id_of(&service, &stale.email).await)).json(patch).await.ok();
    wrong_codes(&locked, &locked_app, 10).await;
    // The lock of a quarter of an hour is still there when the challenges are over.
    world.clock.advance(Duration::from_secs(11 * 60));
    let other_than = |text: &String| {
        let (rest, last) = text.split_at(text.len() - 1);
        format!("{rest}{}", if last == "A" { "B" } else { "A" })
    };
    challenges.push(other_than(&challenges[0]));
    tokens.push(other_than(&tokens[0]));
    assert_alike(&KINDS, async |kind, _| {
        service.open(&format!("/two-factor/send/{}", challenges[kind]), json!({"methodId": "AAAA"})).await.is(404)
    })
    .await;
    assert_alike(&KINDS, async |kind, _| {
        world.bearer(&tokens[kind]).post("/two-factor/send-otp").await.refused(401, "INVALID_TWO_FACTOR_COOKIE")
    })
    .await;
    sign_in(&world.stranger(), &locked.email, PASSWORD, "192.0.2.1").await.ok();
}

/// Addresses: of an account whose address is not verified, of one whose is, of one that is locked, of one that is deactivated, and
/// of nobody.
const ADDRESSES: [&str; 5] = ["unverified", "verified", "locked", "deactivated", "unknown"];

async fn addresses(world: &World, service: &Service) -> [String; 5] {
    let unverified = world.user("unverified").await;
    let verified = world.user("verified").await;
    world.database().execute(&format!("UPDATE accounts SET email_verified = true WHERE id = '{}'", verified.id));
    let locked: User = world.user("locked").await;
    let app = locked.enrol().await;
    wrong_codes(&locked, &app, 10).await;
    let deactivated = world.user("deactivated").await;
    let id = id_of(service, &deactivated.email).await;
    service.call("DELETE", &format!("/user/{id}")).await.ok();
    [unverified.email, verified.email, locked.email, deactivated.email, "nobody@example.com".to_owned()]
}

#[on_each_database]
async fn asking_for_a_link_does_not_say_who_exists_44(database: DatabaseKind) {
    let world = World::with(database, |settings| {
        timed(settings);
        settings.limits.codes_per_hour = 10_000;
    });
    let world = world.await;
    let service = world.service().await;
    let emails = addresses(&world, &service).await;
    let stranger = world.stranger();
    for path in ["/request-password-reset", "/send-verification-email"] {
        let request = async |kind: usize, _: usize| stranger.post(path).json(json!({"email": emails[kind]})).await.ok();
        assert_alike(&ADDRESSES, request).await;
    }
}

/// The same of ids and codes in FusionAuth's dialect, for everybody but services.
#[on_each_database]
async fn asking_for_an_id_does_not_say_who_exists_44(database: DatabaseKind) {
    let world = World::with(database, |settings| {
        timed(settings);
        settings.limits.codes_per_hour = 10_000;
    });
    let world = world.await;
    let service = world.service().await;
    let emails = addresses(&world, &service).await;
    assert_alike(&ADDRESSES, async |kind, _| {
        service.open("/user/forgot-password", json!({"loginId": emails[kind]})).await.ok()
    })
    .await;
    assert_alike(&ADDRESSES, async |kind, _| {
        let path = format!("/api/user/verify-email?email={}", emails[kind]);
        world.stranger().call("PUT", &path).await.ok()
    })
    .await;
    assert_alike(&ADDRESSES, async |kind, _| {
        let body = json!({"loginId": emails[kind], "applicationId": Application::default().id.to_hyphenated()});
        service.open("/passwordless/send", body).await.ok()
    })
    .await;
}

/// A user name that leads to an address is limited like one that nobody has.
#[on_each_database]
async fn the_limit_of_ids_does_not_say_who_exists_44(database: DatabaseKind) {
    let world = World::with(database, timed).await;
    let service = world.service().await;
    let user = service.user_with(json!({"username": "somebody"})).await;
    let names = ["somebody", user.email.as_str(), "nobody@example.com", "nobody"];
    let ask = async |name: &str| service.open("/user/forgot-password", json!({"loginId": name})).await;
    for name in names {
        for _ in 0..10 {
            ask(name).await.ok();
        }
    }
    assert_alike(&names, async |kind, _| ask(names[kind]).await.is(429)).await;
}

/// The limit of an address is the same whether somebody has it or not.
#[on_each_database]
async fn the_limit_of_links_does_not_say_who_exists_44(database: DatabaseKind) {
    let world = World::with(database, timed).await;
    let service = world.service().await;
    let emails = addresses(&world, &service).await;
    let stranger = world.stranger();
    let ask = async |email: &str| stranger.post("/request-password-reset").json(json!({"email": email})).await;
    for email in &emails {
        for _ in 0..10 {
            ask(email).await.ok();
        }
    }
    assert_alike(&ADDRESSES, async |kind, _| ask(&emails[kind]).await.refused(429, "TOO_MANY_REQUESTS")).await;
}

#[on_each_database]
async fn a_sign_up_that_waits_for_verification_does_not_say_who_exists_44(database: DatabaseKind) {
    let world = World::with(database, |settings| {
        timed(settings);
        let tenant = Tenant { requires_verified_email: true, ..Tenant::default() };
        settings.directory = Directory::new(vec![tenant], Vec::new()).unwrap();
    });
    let world = world.await;
    let stranger = world.stranger();
    let sign_up = async |email: String| {
        let body = json!({"name": "Ada", "email": email, "password": PASSWORD});
        let mut response = stranger.post("/sign-up/email").json(body).await.is(202);
        // Each response has another id and another address.
        let mut fields: Vec<_> = response.body["user"].as_object().unwrap().keys().cloned().collect();
        fields.sort();
        response.body = fields.into();
        response.headers.remove("content-length");
        response
    };
    sign_up("taken@example.com".to_owned()).await;
    let kinds = ["taken", "free"];
    assert_alike(&kinds, async |kind, round| match kind {
        0 => sign_up("taken@example.com".to_owned()).await,
        _ => sign_up(format!("free{round:02}@example.com")).await,
    })
    .await;
}
