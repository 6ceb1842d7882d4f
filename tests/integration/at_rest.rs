//! What somebody can do who can write to the database and has no keyring; and a server whose keyring is not the one that the
//! database was used with.

use crate::harness::database::Database;
use crate::harness::service::APPLICATION;
use crate::harness::world::{START, Time};
use crate::harness::{Authenticator, FusionAuthUser, PASSWORD, Service, User, World};
use crate::passkeys::{SIGN_IN_OPTIONS, options, register, send_assertion};
use countersign::clock::{Clock as _, ManualClock};
use countersign::config::Settings;
use countersign::config::secret::SecretText;
use countersign::config::values::KeyringSource;
use countersign_domain::ids::{AccountId, MethodId};
use countersign_domain::keyring::{Keyring, Sealed};
use countersign_domain::stored_secret::{self, Binding};
use countersign_domain::totp::TotpSecret;
use countersign_test_postgres::{DatabaseKind, on_each_database};
use data_encoding::HEXLOWER_PERMISSIVE;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn log_in(email: &str) -> Value {
    json!({"loginId": email, "password": PASSWORD, "applicationId": APPLICATION})
}

/// A code for a login of this user through the FusionAuth dialect: the status that it gets.
async fn status_of_login(service: &Service, user: &User, code: &str) -> u16 {
    let id = service.post("/login", log_in(&user.email)).await.is(242).text("/twoFactorId");
    service.complete(&id, code).await.status
}

fn account_of(user: &User) -> String {
    format!("(SELECT id FROM accounts WHERE email = '{}')", user.email)
}

#[on_each_database]
async fn an_app_that_is_moved_to_another_account_opens_nothing_there_43(database: DatabaseKind) {
    let world = World::start(database).await;
    let service = world.service().await;
    let (victim, thief) = (world.user("victim").await, world.user("thief").await);
    let (app, stolen) = (victim.enrol().await, thief.enrol().await);
    let (mine, theirs) = (account_of(&thief), account_of(&victim));
    let of_thief = format!("account_id = {mine} AND kind = 'authenticator'");
    world.database().execute(&format!("UPDATE methods SET account_id = {theirs}, handle = 'MINE' WHERE {of_thief}"));

    let browser = victim.challenged().await;
    let attempt = |code: &str| browser.post("/two-factor/verify-totp").json(json!({"code": code}));
    attempt(&stolen.fresh_code()).await.refused(401, "INVALID_CODE");
    assert_eq!(status_of_login(&service, &victim, &stolen.fresh_code()).await, 421);
    // Those were guesses, and the victim's own app is as good as before.
    let failures = format!("SELECT failed_attempts AS number FROM accounts WHERE id = {theirs}");
    assert_eq!(world.database().number(&failures), 2);
    assert_eq!(status_of_login(&service, &victim, &app.fresh_code()).await, 202);

    // Nor does it if it is the only one, as it came from a version without fingerprints.
    let others = format!("account_id = {theirs} AND kind = 'authenticator' AND handle <> 'MINE'");
    world.database().execute(&format!("DELETE FROM methods WHERE {others}"));
    world.database().execute("UPDATE methods SET secret_fingerprint = NULL, last_step = NULL");
    assert_ne!(attempt(&stolen.fresh_code()).await.status, 200);
    assert_ne!(status_of_login(&service, &victim, &stolen.fresh_code()).await, 202);
}

#[on_each_database]
async fn a_sent_code_that_is_moved_to_another_account_opens_nothing_there_43(database: DatabaseKind) {
    let world = World::start(database).await;
    let service = world.service().await;
    let (victim, thief) = (world.user("victim").await, world.user("thief").await);
    victim.enrol().await;
    thief.enrol().await;
    let browser = thief.challenged().await;
    browser.post("/two-factor/send-otp").await.ok();
    let code = world.last_code_for(&thief.email);
    let begin = json!({"loginId": thief.email, "code": "chosen by the service"});
    let begun = service.post("/two-factor/start", begin).await.ok().text("/twoFactorId");
    for table in ["challenges", "mailed_codes"] {
        let (mine, theirs) = (account_of(&thief), account_of(&victim));
        let and = if table == "mailed_codes" { ", method_id = NULL" } else { "" };
        world.database().execute(&format!("UPDATE {table} SET account_id = {theirs}{and} WHERE account_id = {mine}"));
    }
    browser.post("/two-factor/verify-otp").json(json!({"code": code})).await.refused(401, "INVALID_CODE");
    service.complete(&begun, "chosen by the service").await.is(421);
    let failures = format!("SELECT failed_attempts AS number FROM accounts WHERE id = {}", account_of(&victim));
    assert_eq!(world.database().number(&failures), 2, "they were judged");
}

#[on_each_database]
async fn trust_that_is_moved_to_another_account_counts_for_nothing_there_43(database: DatabaseKind) {
    let world = World::start(database).await;
    let service = world.service().await;
    let (victim, thief) = (world.user("victim").await, world.user("thief").await);
    let (_, app) = (victim.enrol().await, thief.enrol().await);
    let browser = thief.trusted_with(&app).await;
    let id = service.post("/login", log_in(&thief.email)).await.is(242).text("/twoFactorId");
    let body = json!({"twoFactorId": id, "code": app.fresh_code(), "trustComputer": true});
    let trust = service.open("/two-factor/login", body).await.is(202).text("/twoFactorTrustId");
    let log_in_with = |email: &str| {
        let mut body = log_in(email);
        body["twoFactorTrustId"] = json!(trust);
        service.post("/login", body)
    };
    log_in_with(&thief.email).await.is(202);

    world.database().execute(&format!("UPDATE trusted_devices SET account_id = {}", account_of(&victim)));

    log_in_with(&victim.email).await.is(242);
    let response = victim.sign_in_from(&browser).await.ok();
    assert_eq!(response.body["twoFactorRedirect"], true, "{response}");
    // Nor can a row be made for a token of one's own: what is stored is no plain digest of it.
    let digest = countersign_domain::secret::TwoFactorTrustId::parse(&trust).unwrap().digest();
    let digest = literal(world.database(), digest.as_bytes());
    let values = format!("{digest}, {}, 0, {}", account_of(&victim), world.clock_millis() * 2);
    let columns = "digest, account_id, created_at, expires_at";
    world.database().execute(&format!("INSERT INTO trusted_devices ({columns}) VALUES ({values})"));
    log_in_with(&victim.email).await.is(242);
}

#[on_each_database]
async fn a_passkeys_ceremony_that_is_moved_to_another_account_opens_nothing_there_43(database: DatabaseKind) {
    let world = World::start(database).await;
    let (victim, thief) = (world.user("victim").await, world.user("thief").await);
    let (mut own, mut stolen) = (Authenticator::new(), Authenticator::new());
    for (user, authenticator) in [(&victim, &mut own), (&thief, &mut stolen)] {
        user.enrol().await;
        register(&user.browser, authenticator).await.ok();
    }
    let browser = thief.challenged().await;
    let request = options(&browser, SIGN_IN_OPTIONS).await;
    for table in ["challenges", "passkey_ceremonies"] {
        let (mine, theirs) = (account_of(&thief), account_of(&victim));
        world.database().execute(&format!("UPDATE {table} SET account_id = {theirs} WHERE account_id = {mine}"));
    }
    let response = stolen.assert_as(&request, |data| data.user_handle = None);
    send_assertion(&browser, response).await.refused(400, "AUTHENTICATION_FAILED");
    let failures = format!("SELECT failed_attempts AS number FROM accounts WHERE id = {}", account_of(&victim));
    assert_eq!(world.database().number(&failures), 1, "it was judged");
    let browser = victim.challenged().await;
    let request = options(&browser, SIGN_IN_OPTIONS).await;
    send_assertion(&browser, own.assert(&request)).await.ok();
}

#[on_each_database]
async fn a_trust_challenge_that_is_moved_or_made_is_refused_43(database: DatabaseKind) {
    let world = World::start(database).await;
    let service = world.service().await;
    let (victim, thief) = (service.user().await, service.user().await);
    let (app, own) = (service.enrol(&victim).await, service.enrol(&thief).await);
    let step_up = async |id: &str, code: &str| {
        let begun = service.post("/two-factor/start", json!({"userId": id, "trustChallenge": "mine"})).await.ok();
        service.complete(&begun.text("/twoFactorId"), code).await.ok().text("/trustToken")
    };
    let change = |user: &FusionAuthUser, token: &str, trust_challenge: &str| {
        let body = json!({
            "loginId": user.email, "currentPassword": PASSWORD, "password": PASSWORD, "trustToken": token,
            "trustChallenge": trust_challenge,
        });
        service.post("/user/change-password", body)
    };
    // The thief's ticket, as the victim's: what it was proven with is the thief's.
    let token = step_up(&thief.id, &own.fresh_code()).await;
    let account = |user: &FusionAuthUser| format!("(SELECT id FROM accounts WHERE email = '{}')", user.email);
    let move_to = |user| world.database().execute(&format!("UPDATE tickets SET account_id = {}", account(user)));
    move_to(&victim);
    change(&victim, &token, "mine").await.wrong("[TrustTokenExpired]");
    move_to(&thief);
    change(&thief, &token, "another").await.wrong("[TrustTokenExpired]");
    // A digest that can be made without the keyring takes the place of the MAC of a ticket of the victim's.
    let token = step_up(&victim.id, &app.fresh_code()).await;
    let sha256 =
        HEXLOWER_PERMISSIVE.decode(b"3fd30542fe3f61b14bd4a4b2dc0b6fb30fa6f63ebce52dd1778aaa8c4dc02cff").unwrap();
    let made = literal(world.database(), &sha256);
    let of_victim = format!("account_id = {}", account(&victim));
    let hex = if world.database().file().is_some() { "hex(trust_challenge)" } else { "encode(trust_challenge, 'hex')" };
    let stored = world.database().text(&format!("SELECT {hex} AS text FROM tickets WHERE {of_victim}"));
    world.database().execute(&format!("UPDATE tickets SET trust_challenge = {made} WHERE {of_victim}"));
    change(&victim, &token, "mine").await.wrong("[TrustTokenExpired]");
    // As it was, it is good.
    let stored = literal(world.database(), &HEXLOWER_PERMISSIVE.decode(stored.as_bytes()).unwrap());
    world.database().execute(&format!("UPDATE tickets SET trust_challenge = {stored} WHERE {of_victim}"));
    change(&victim, &token, "mine").await.ok();
}

/// Bytes as SQL has them.
fn literal(database: &Database, bytes: &[u8]) -> String {
    let digits = data_encoding::HEXLOWER.encode(bytes);
    if database.file().is_some() { format!("x'{digits}'") } else { format!("'\\x{digits}'::bytea") }
}

/// Seals a user's secret as earlier versions did.
fn seal_as_before(world: &World, user: &User, base32: &str) {
    let keyring = world.keyring();
    let secret = TotpSecret::from_base32(base32).unwrap();
    let of_user = format!("account_id = {} AND kind = 'authenticator'", account_of(user));
    let id =
        MethodId::parse(&world.database().text(&format!("SELECT id AS text FROM methods WHERE {of_user}"))).unwrap();
    let account = AccountId::parse(&world.database().text(&format!("SELECT {} AS text", account_of(user)))).unwrap();
    let Sealed { key_id, bytes } = countersign::random::system()
        .draw(|random| stored_secret::seal(&secret, account, id, Binding::Method, &keyring, random));
    let bytes = literal(world.database(), &bytes);
    world.database().execute(&format!(
        "UPDATE methods SET secret_fingerprint = NULL, key_id = '{key_id}', sealed_secret = {bytes} WHERE {of_user}"
    ));
}

#[on_each_database]
async fn an_app_of_an_earlier_version_works_and_is_bound_to_its_account_when_it_is_used_43(database: DatabaseKind) {
    let world = World::start(database).await;
    let service = world.service().await;
    let (user, thief) = (world.user("ada").await, world.user("thief").await);
    let (app, stolen) = (user.enrol().await, thief.enrol().await);
    seal_as_before(&world, &user, &app.base32);
    seal_as_before(&world, &thief, &stolen.base32);
    for one in [(&user, &app), (&thief, &stolen)] {
        assert_eq!(status_of_login(&service, one.0, &one.1.fresh_code()).await, 202);
    }
    let lacking = "SELECT count(*) AS number FROM methods WHERE kind = 'authenticator' AND secret_fingerprint IS NULL";
    assert_eq!(world.database().number(lacking), 0);
    // From then on it cannot be moved.
    let of_thief = format!("account_id = {} AND kind = 'authenticator'", account_of(&thief));
    let moved = format!("UPDATE methods SET account_id = {}, handle = 'MINE' WHERE {of_thief}", account_of(&user));
    world.database().execute(&moved);
    assert_eq!(status_of_login(&service, &user, &stolen.fresh_code()).await, 421);
    assert_eq!(status_of_login(&service, &user, &app.fresh_code()).await, 202);
}

#[on_each_database]
async fn for_a_day_after_an_upgrade_nothing_is_sealed_that_the_version_before_cannot_open(database: DatabaseKind) {
    let mut world = World::start(database).await;
    let service = world.service().await;
    let user = world.user("ada").await;
    // As a database is that the version before has left.
    world.database().execute("DELETE FROM keyring_canaries");
    world.restart().await;
    let app = user.enrol().await;
    let row = format!("FROM methods WHERE account_id = {} AND kind = 'authenticator'", account_of(&user));
    let sealed = || {
        let hex = if world.database().file().is_some() { "hex(sealed_secret)" } else { "encode(sealed_secret, 'hex')" };
        world.database().text(&format!("SELECT {hex} AS text {row}"))
    };
    let opens = |text: &str, associated: &str| {
        let bytes = HEXLOWER_PERMISSIVE.decode(text.as_bytes()).unwrap();
        let key_id = world.keyring().active_id().to_owned();
        let sealed = Sealed { key_id, bytes };
        world.keyring().open(countersign_domain::keyring::Purpose::TotpSecret, associated.as_bytes(), &sealed).is_ok()
    };
    let id = world.database().text(&format!("SELECT id AS text {row}"));
    assert!(opens(&sealed(), &id), "the version before opens it");
    assert_eq!(status_of_login(&service, &user, &app.fresh_code()).await, 202);
    assert!(opens(&sealed(), &id), "a use changes nothing yet");
    world.clock.advance(DAY);
    assert_eq!(status_of_login(&service, &user, &app.fresh_code()).await, 202);
    assert!(!opens(&sealed(), &id), "it is bound to its account");
    assert_eq!(status_of_login(&service, &user, &app.fresh_code()).await, 202);
}

/// The message with which a start on the settings of `world` is refused.
async fn refusal(settings: Settings) -> Option<String> {
    let clock = Arc::new(ManualClock::at(START));
    match countersign::server::start(Arc::new(settings), clock).await {
        Ok(server) => {
            server.close().await;
            None
        }
        Err(error) => Some(countersign_domain::error_chain(&error)),
    }
}

/// What `check-config` says of these settings.
async fn checked(settings: &Settings, database: &Database, keyring: &str) -> (bool, String) {
    let data = settings.data_dir.to_str().unwrap().to_owned();
    let environment = vec![
        ("COUNTERSIGN_KEYS".to_owned(), keyring.to_owned()),
        ("COUNTERSIGN_DATABASE_URL".to_owned(), database.url()),
    ];
    let check = move || {
        let mut output = Vec::new();
        let arguments = ["countersign", "check-config", "--data-dir", &data].map(std::ffi::OsString::from);
        let result = countersign::cli::run(arguments, environment, &mut output);
        (result.is_ok(), String::from_utf8(output).unwrap())
    };
    tokio::task::spawn_blocking(check).await.unwrap()
}

#[on_each_database]
async fn a_keyring_that_the_database_was_not_used_with_is_refused_at_start(database: DatabaseKind) {
    let world = World::start(database).await;
    let user = world.user("ada").await;
    user.enrol().await;
    let mine = world.keyring().to_text().to_string();
    let other = countersign::random::system().draw(Keyring::generate).to_text().to_string();
    let both = format!("{other}{mine}");
    let database = world.database().clone();
    let settings = |keyring: &str| {
        let mut settings = world.settings();
        settings.keyring = KeyringSource::Text(SecretText::new(keyring));
        settings
    };
    let words = "the keyring does not belong to this database";
    // With a canary, and in a database that a version without canaries has used.
    for statement in ["SELECT 1", "DELETE FROM keyring_canaries"] {
        database.execute(statement);
        let refused = refusal(settings(&other)).await.expect("another keyring");
        assert!(refused.contains(words) && refused.contains("lacks the key"), "{refused}");
        let (is_valid, output) = checked(&settings(&other), &database, &other).await;
        assert!(!is_valid && output.contains(words), "{output}");
        let (is_valid, output) = checked(&settings(&mine), &database, &mine).await;
        assert!(is_valid, "{output}");
        assert_eq!(refusal(settings(&mine)).await, None);
    }
    let id = |text: &str| Keyring::parse(text).unwrap().active_id().to_owned();
    let forged = other.replace(&id(&other), &id(&mine));
    let refused = refusal(settings(&forged)).await.expect("another key of the same id");
    assert!(refused.contains(words) && refused.contains("is another one"), "{refused}");

    // A rotation: the new key on top. From then on the new key is needed, and the old one only for what it has sealed.
    assert_eq!(refusal(settings(&both)).await, None);
    assert_eq!(refusal(settings(&both)).await, None);
    assert_eq!(
        refusal(settings(&format!("{mine}{other}"))).await,
        None,
        "a node that has the keys in the order before"
    );
    assert!(refusal(settings(&mine)).await.expect("the new key is missing").contains("lacks the key"));
    let sealed = refusal(settings(&other)).await.expect("the app is sealed with the old key");
    assert!(sealed.contains(&format!("the keyring lacks the key {}", id(&mine))), "{sealed}");
    database.execute("DELETE FROM methods WHERE key_id IS NOT NULL");
    assert_eq!(refusal(settings(&other)).await, None);
}

#[on_each_database]
async fn nodes_that_start_at_once_on_an_empty_database_agree_on_one_keyring(database: DatabaseKind) {
    // Two starts create an SQLite file and its keyring; here they have keyrings of their own.
    let first = World::start(database).await;
    let shared = first.database().clone();
    shared.execute("DELETE FROM keyring_canaries");
    let start = |seed: u8| {
        let mut settings = first.settings();
        let keyring = countersign::random::system().draw(Keyring::generate).to_text().to_string();
        settings.keyring = KeyringSource::Text(SecretText::new(keyring));
        settings.outbox = settings.data_dir.join(format!("outbox-{seed}"));
        tokio::spawn(refusal(settings))
    };
    let starts: Vec<_> = (0..6).map(start).collect();
    let mut refused = 0;
    for start in starts {
        refused += usize::from(start.await.unwrap().is_some());
    }
    assert_eq!(refused, 5, "one keyring is the database's, whichever was first");
    assert_eq!(shared.number("SELECT count(*) AS number FROM keyring_canaries"), 1);
}

/// A secret that cannot be opened is a failure of the server, and no guess of the user.
#[on_each_database]
async fn a_code_that_could_not_be_judged_costs_no_try_n4(database: DatabaseKind) {
    let world = World::on(database, Time::Manual, |_| {}).await;
    let service = world.service().await;
    let user = world.user("ada").await;
    let app = user.enrol().await;
    let key = world.keyring().active_id().to_owned();
    let browser = user.challenged().await;
    let id = service.post("/login", log_in(&user.email)).await.is(242).text("/twoFactorId");
    world.database().execute("UPDATE methods SET key_id = '00000000' WHERE kind = 'authenticator'");
    for _ in 0..12 {
        let code = app.code();
        browser.post("/two-factor/verify-totp").json(json!({"code": code})).await.is(500);
        service.complete(&id, &code).await.is(500);
    }
    let counted = "SELECT failed_attempts AS number FROM accounts";
    assert_eq!(world.database().number(counted), 0);
    assert_eq!(world.database().number("SELECT sum(tries) AS number FROM challenges"), 0);
    let events = "SELECT count(*) AS number FROM audit_events WHERE kind = 'second-factor-not-judged'";
    assert_eq!(world.database().number(events), 24);
    world.database().execute(&format!("UPDATE methods SET key_id = '{key}' WHERE kind = 'authenticator'"));
    // The challenges and the account are as they were: not locked, and with all their tries.
    for _ in 0..4 {
        let wrong = json!({"code": app.wrong_code()});
        browser.post("/two-factor/verify-totp").json(wrong).await.refused(401, "INVALID_CODE");
    }
    browser.post("/two-factor/verify-totp").json(json!({"code": app.fresh_code()})).await.ok();
    service.complete(&id, &app.fresh_code()).await.is(202);
    assert!(world.clock.now() > START);
}
