//! Messages that arrive: stored with what they are about, tried again while they are of use, and at nobody's cost until then.

use crate::harness::mail_server::Manner;
use crate::harness::process::command;
use crate::harness::{Caller, MailServer, User, World};
use countersign::config::settings::Settings;
use countersign::net::smtp::{SmtpServer, SmtpUrl, parse_sender};
use countersign_test_postgres::{DatabaseKind, on_each_database};
use serde_json::{Value, json};
use std::time::Duration;

/// A change to the settings: mail goes to this server, without notices.
fn by(server: &MailServer) -> impl FnOnce(&mut Settings) + use<> {
    let url = SmtpUrl::parse(&server.url()).unwrap();
    move |settings| {
        let from = parse_sender("Countersign <no-reply@example.com>").unwrap();
        settings.smtp = Some(SmtpServer { url, from, hello: None, ca: None });
    }
}

/// A user whose sign-in waits for the second factor, and so many codes in an hour.
async fn challenged(database: DatabaseKind, server: &MailServer, codes_per_hour: u32) -> (World, User, Caller) {
    let world = World::with(database, |settings| {
        by(server)(settings);
        settings.limits.codes_per_hour = codes_per_hour;
    })
    .await;
    let user = world.user("ada").await;
    user.enrol().await;
    let browser = user.challenged().await;
    (world, user, browser)
}

async fn with_mail(database: DatabaseKind, server: &MailServer) -> World {
    World::with(database, by(server)).await
}

fn count(world: &World, condition: &str) -> i64 {
    world.database().number(&format!("SELECT count(*) AS number FROM messages WHERE {condition}"))
}

/// Waits until so many messages meet a condition.
async fn settled(world: &World, wanted: i64, condition: &str) {
    for _ in 0..200 {
        if count(world, condition) == wanted {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{} instead of {wanted} messages with {condition}", count(world, condition));
}

async fn ready(world: &World) -> Value {
    let ready = world.stranger().call("GET", "/readyz").undocumented().await;
    assert_eq!(ready.status, 200, "{ready}");
    ready.body
}

#[on_each_database]
async fn a_code_is_mailed_before_the_response_in_words_that_fit(database: DatabaseKind) {
    let server = MailServer::start().await;
    let world = with_mail(database, &server).await;
    let user = world.user("ada").await;
    let subject_and_code = || {
        let mail = server.mails().pop().expect("a mail");
        (mail.subject.clone(), mail.code())
    };
    user.browser.post("/two-factor/send-otp").await.ok();
    assert_eq!(subject_and_code().0, "Confirm this address for Countersign", "enrolment");
    let app = user.enrol().await;
    let browser = user.challenged().await;
    browser.post("/two-factor/send-otp").await.ok();
    let (subject, code) = subject_and_code();
    assert_eq!(subject, "Your Countersign verification code");
    browser.post("/two-factor/verify-otp").json(json!({"code": code})).await.ok();
    user.browser.post("/two-factor/send-otp").await.ok();
    assert!(server.mails().pop().unwrap().text.contains("to show that it is still you"), "step-up");
    assert!(!app.backup_codes.is_empty());

    let service = world.service().await;
    let user = service.user().await;
    service.post("/two-factor/send", json!({"userId": user.id, "method": "email", "email": user.email})).await.ok();
    let mail = server.mails_to(&user.email).pop().expect("a mail");
    let body = json!({"method": "email", "email": user.email, "code": mail.code()});
    let enabled = service.post(&format!("/user/two-factor/{}", user.id), body).await.ok();
    let recovery = enabled.body["recoveryCodes"][0].as_str().unwrap().to_owned();
    let method = service.method_id(&user, "email").await;
    service.post("/two-factor/send", json!({"userId": user.id, "methodId": method})).await.ok();
    assert_eq!(server.mails().pop().unwrap().subject, "Remove a second factor from Countersign", "{recovery}");
    settled(&world, 5, "state = 'sent' AND length(sealed) = 0").await;
    assert_eq!(server.mails().len(), 5);
}

#[on_each_database]
async fn resends_while_mail_is_down_cost_nothing_and_one_code_arrives(database: DatabaseKind) {
    let mut server = MailServer::start().await;
    let (world, user, browser) = challenged(database, &server, 3).await;
    let service = world.service().await;
    let other = service.user().await;
    let send = json!({"userId": other.id, "method": "email", "email": other.email});
    server.kill();
    for _ in 0..10 {
        browser.post("/two-factor/send-otp").await.ok();
        service.post("/two-factor/send", send.clone()).await.ok();
    }
    settled(&world, 2, "next_attempt_at IS NOT NULL AND lease_owner IS NULL").await;
    server.restart().await;
    // Three can be sent, and the ten were none of them.
    for number in 1..=3 {
        browser.post("/two-factor/send-otp").await.ok();
        assert_eq!(server.mails_to(&user.email).len(), number);
        service.post("/two-factor/send", send.clone()).await.ok();
        assert_eq!(server.mails_to(&other.email).len(), number);
    }
    browser.post("/two-factor/send-otp").await.is(429);
    service.post("/two-factor/send", send).await.is(429);
    let code = server.mails_to(&user.email).pop().unwrap().code();
    browser.post("/two-factor/verify-otp").json(json!({"code": code})).await.ok();
    let body =
        json!({"method": "email", "email": other.email, "code": server.mails_to(&other.email).pop().unwrap().code()});
    service.post(&format!("/user/two-factor/{}", other.id), body).await.ok();
}

#[on_each_database]
async fn what_failed_is_tried_again_and_arrives_once(database: DatabaseKind) {
    let mut server = MailServer::start().await;
    let (world, user, browser) = challenged(database, &server, 10).await;
    server.kill();
    browser.post("/two-factor/send-otp").await.ok();
    settled(&world, 1, "state = 'queued' AND lease_owner IS NULL AND attempts = 1").await;
    server.restart().await;
    world.clock.advance(Duration::from_secs(1));
    let mails = server.has_taken(1, &user.email).await;
    settled(&world, 1, "state = 'sent' AND attempts = 2").await;
    world.clock.advance(Duration::from_secs(100));
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert_eq!(server.mails().len(), 1);
    browser.post("/two-factor/verify-otp").json(json!({"code": mails[0].code()})).await.ok();
}

#[on_each_database]
async fn what_is_of_no_use_any_more_is_not_sent_and_is_given_back(database: DatabaseKind) {
    let mut server = MailServer::start().await;
    let (world, user, browser) = challenged(database, &server, 1).await;
    server.kill();
    browser.post("/two-factor/send-otp").await.ok();
    settled(&world, 1, "state = 'queued' AND lease_owner IS NULL").await;
    assert_eq!(ready(&world).await, json!({"status": "ready"}));
    world.clock.advance(Duration::from_secs(61));
    settled(&world, 1, "state = 'queued' AND attempts = 2 AND lease_owner IS NULL").await;
    let stuck = json!({"status": "ready", "messages": {"waiting": 1, "longest_seconds": 61}});
    assert_eq!(ready(&world).await, stuck, "it is named, and the node gets traffic");
    world.clock.advance(Duration::from_secs(120));
    settled(&world, 1, "state = 'dead' AND length(sealed) = 0").await;
    server.restart().await;
    assert_eq!(ready(&world).await, json!({"status": "ready"}));
    // One code can be sent in this hour, and that was none.
    let later = user.challenged().await;
    later.post("/two-factor/send-otp").await.ok();
    assert_eq!(server.mails().len(), 1);
    later.post("/two-factor/send-otp").await.is(429);
}

#[on_each_database]
async fn only_a_service_is_told_that_an_address_takes_no_mail_44(database: DatabaseKind) {
    let server = MailServer::start().await;
    let (world, _, browser) = challenged(database, &server, 2).await;
    let service = world.service().await;
    let other = service.user().await;
    server.behaves(Manner::Refuses("550 no such mailbox"));
    assert_eq!(browser.post("/two-factor/send-otp").await.ok().body, json!({"status": true}));
    let send = json!({"userId": other.id, "method": "email", "email": other.email});
    let refused = service.post("/two-factor/send", send.clone()).await.is(400);
    assert_eq!(refused.body["fieldErrors"]["method"][0]["code"], "[undeliverable]method", "{refused}");
    settled(&world, 2, "state = 'dead'").await;
    // Asking for mail that is refused is not for free: somebody could have any address tried without end.
    browser.post("/two-factor/send-otp").await.ok();
    browser.post("/two-factor/send-otp").await.is(429);
    service.post("/two-factor/send", send.clone()).await.is(400);
    service.post("/two-factor/send", send).await.is(429);
    // A status that is about the servers' settings refuses no address.
    server.behaves(Manner::Refuses("530 encryption is needed"));
    let another = service.user().await;
    service
        .post("/two-factor/send", json!({"userId": another.id, "method": "email", "email": another.email}))
        .await
        .ok();
    settled(&world, 1, "state = 'queued'").await;
}

/// A server that hangs keeps a request for ten seconds at most, and nobody else's.
#[on_each_database]
async fn a_hanging_mail_server_keeps_a_request_for_seconds_only(database: DatabaseKind) {
    let server = MailServer::start().await;
    let (world, user, browser) = challenged(database, &server, 10).await;
    server.behaves(Manner::Hangs);
    let begun = tokio::time::Instant::now();
    let send = browser.post("/two-factor/send-otp");
    let (sent, ()) = futures::join!(send.send(), async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        let begun = tokio::time::Instant::now();
        user.challenged().await;
        assert!(begun.elapsed() < Duration::from_secs(8), "another request waited");
    });
    sent.ok();
    assert!((9..20).contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());
    settled(&world, 1, "state = 'queued' AND attempts = 1").await;
}

#[on_each_database]
async fn what_waits_is_not_readable_in_the_database_43(database: DatabaseKind) {
    let mut server = MailServer::start().await;
    let (world, user, browser) = challenged(database, &server, 10).await;
    server.kill();
    browser.post("/two-factor/send-otp").await.ok();
    settled(&world, 1, "state = 'queued' AND lease_owner IS NULL").await;
    let row = "SELECT id || ' ' || account_id || ' ' || kind || ' ' || channel || ' ' || key_id AS text FROM messages";
    assert!(!world.database().text(row).contains("ada@"));
    let dump = world.database().dump();
    server.restart().await;
    world.clock.advance(Duration::from_secs(1));
    let code = server.has_taken(1, &user.email).await[0].code();
    let found = dump.windows(code.len()).filter(|window| *window == code.as_bytes()).count();
    assert_eq!(found, 0, "the code is in the database");
}

#[on_each_database]
async fn a_deleted_account_gets_no_mail(database: DatabaseKind) {
    let mut server = MailServer::start().await;
    let world = with_mail(database, &server).await;
    let service = world.service().await;
    let user = service.user().await;
    server.kill();
    let send = json!({"userId": user.id, "method": "email", "email": user.email});
    service.post("/two-factor/send", send).await.ok();
    settled(&world, 1, "state = 'queued' AND lease_owner IS NULL").await;
    service.call("DELETE", &format!("/user/{}?hardDelete=true", user.id)).await.ok();
    assert_eq!(count(&world, "1 = 1"), 0);
    server.restart().await;
    world.clock.advance(Duration::from_secs(2));
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert_eq!(server.mails().len(), 0);
}

/// Runs `countersign send-test-mail` and returns whether it succeeded, and what it said.
fn send_test_mail(to: &str, environment: &[(&str, &str)]) -> (bool, String) {
    let directory = tempfile::tempdir().unwrap();
    let environment: Vec<_> =
        environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let mut program = command(env!("CARGO_BIN_EXE_countersign"), &environment);
    program.args(["send-test-mail", to]).current_dir(directory.path());
    let output = program.output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(said).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_mail_arrives_or_the_command_says_what_to_look_at() {
    let mut server = MailServer::start().await;
    let url = server.url().replace("smtp://", "smtp://ada:hunter2@");
    let plain = server.url();
    let from = ("COUNTERSIGN_SMTP_FROM", "no-reply@example.com");
    let by = |url: &str| send_test_mail("ada@example.org", &[("COUNTERSIGN_SMTP_URL", url), from]);
    let (is_sent, said) = by(&plain);
    assert!(
        is_sent && said.contains("127.0.0.1 has taken a mail from no-reply@example.com to ada@example.org"),
        "{said}"
    );
    assert_eq!(server.mails()[0].subject, "Test mail of Countersign");
    server.behaves(Manner::Refuses("550 no such mailbox"));
    let mut expected = vec![(by(&plain), "the server refuses this sender or recipient")];
    server.behaves(Manner::Refuses("535 wrong password"));
    expected.push((by(&plain), "look at user and password in smtp.url"));
    // This server offers neither a password's nor encryption's commands.
    expected.push((by(&url), "look at smtp.tls, user and password"));
    expected.push((by(&format!("{plain}?tls=required")), "look at smtp.tls"));
    server.kill();
    expected.push((by(&url), "look at host and port in smtp.url"));
    expected.push((send_test_mail("ada@example.org", &[]), "no mail server is configured: set smtp.url and smtp.from"));
    expected.push((send_test_mail("nobody", &[("COUNTERSIGN_SMTP_URL", &plain), from]), "look at the address"));
    for ((is_sent, said), hint) in expected {
        assert!(!is_sent && said.contains(hint) && !said.contains("hunter2"), "{hint}: {said}");
    }
}
