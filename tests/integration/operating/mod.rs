//! Commands of operators beside a running server: the compiled program, on the server's database.

mod administration;
mod audit;
mod data;

use crate::fusionauth::actions::{LOCK, NOBODY};
use crate::harness::{App, Caller, PASSWORD, Process, User};
use crate::limits::{id_of, verify_totp, wrong_codes};
use countersign::clock::Clock as _;
use countersign_test_postgres::{DatabaseKind, on_each_database};
use serde_json::{Value, json};
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::Duration;

const NEW_PASSWORD: &str = "a longer horse, a better battery";

/// What a command printed, and how it ended.
#[derive(Debug)]
pub(crate) struct Ran {
    status: Option<i32>,
    output: String,
    error: String,
}

impl Ran {
    #[track_caller]
    fn ok(self) -> String {
        assert_eq!((self.status, self.error.as_str()), (Some(0), ""), "{self:?}");
        self.output
    }

    #[track_caller]
    fn json(self) -> Value {
        serde_json::from_str(&self.ok()).unwrap()
    }

    #[track_caller]
    fn lines(self) -> Vec<Value> {
        self.ok().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    #[track_caller]
    fn refused(self, text: &str) {
        assert_eq!((self.status, self.output.as_str()), (Some(2), ""), "{self:?}");
        assert!(self.error.contains(text), "{text}: {self:?}");
    }
}

/// The program beside this server, as started by `ada` with `sudo`.
fn program(server: &Process, arguments: &[&str]) -> Command {
    let mut command = server.beside(env!("CARGO_BIN_EXE_countersign"));
    command.args(arguments).env("USER", "root").env("SUDO_USER", "ada");
    command
}

fn run_with(server: &Process, arguments: &[&str], input: &str) -> Ran {
    let mut command = program(server, arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // A command that reads nothing may have closed it.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ran { status: output.status.code(), output: text(&output.stdout), error: text(&output.stderr) }
}

fn run(server: &Process, arguments: &[&str]) -> Ran {
    run_with(server, arguments, "")
}

async fn notified(server: &Process, kind: &str, to: &str) {
    let is_notice = |message: &Value| message["kind"] == kind && message["to"] == to;
    for _ in 0..200 {
        if server.outbox().messages().iter().any(is_notice) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("no notice `{kind}` to {to}");
}

/// The newest event of a kind, as the program shows it.
fn last_event(server: &Process, kind: &str, account: &str) -> Value {
    let events = run(server, &["audit", "query", "--kind", kind, "--account", account, "--limit", "1"]).lines();
    events.into_iter().next().unwrap_or_else(|| panic!("no event of the kind {kind}"))
}

/// The fields of an object, in alphabetical order.
fn fields(value: &Value) -> Vec<&str> {
    let mut fields: Vec<_> = value.as_object().unwrap().keys().map(String::as_str).collect();
    fields.sort_unstable();
    fields
}

async fn is_signed_in(browser: &Caller) -> bool {
    browser.get("/get-session").await.ok().body.is_object()
}

#[on_each_database]
async fn a_locked_user_is_unlocked_by_one_command_and_the_trail_names_the_operator(database: DatabaseKind) {
    let directory = tempfile::tempdir().unwrap();
    let server = Process::start(database, directory.path(), &[("COUNTERSIGN_NOTICES", "on")]);
    let user = server.user("ada").await;
    let app = user.enrol().await;
    wrong_codes(&user, &app, 10).await;
    verify_totp(&user.challenged().await, &app.code_in(1)).await.refused(429, "ACCOUNT_TEMPORARILY_LOCKED");
    assert_eq!(last_event(&server, "account-locked", &user.id)["actor"], json!({"kind": "server"}));
    let shown = run(&server, &["user", "show", "ADA@example.com"]).ok();
    assert!(shown.contains("locked: until 20") && shown.contains("that count: 10 of 100"), "{shown}");
    // What else keeps the user out is shown in words, and lifted as well.
    let change = json!({"currentPassword": "wrong", "newPassword": PASSWORD});
    for _ in 0..10 {
        user.browser.post("/change-password").json(change.clone()).await.refused(400, "INVALID_PASSWORD");
    }
    let right = json!({"currentPassword": PASSWORD, "newPassword": PASSWORD});
    user.browser.post("/change-password").json(right.clone()).await.refused(429, "TOO_MANY_REQUESTS");
    let shown = run(&server, &["user", "show", &user.id]).ok();
    assert!(shown.contains("wrong passwords from one client network: 10 of 10, refused until 20"), "{shown}");
    let shown = run(&server, &["user", "show", &user.id, "--json"]).json();
    let limits = &shown["limits"];
    assert_eq!((&limits["failedAttempts"], &limits["locks"]), (&json!(10), &json!(1)), "{shown}");
    let of_user = "active createdAt email emailVerified expiresAt hasPassword id lastSignInAt limits methods name \
        passwordChangeRequired passwordChangedAt phoneNumber registrations tenantId twoFactorEnabled updatedAt username";
    assert_eq!(fields(&shown).join(" "), of_user);
    let of_limits = "failedAttempts failedPasswordLimit failedPasswords guessLimit guesses lockedUntil locks \
        passwordsRefusedUntil quotas suspension";
    assert_eq!(fields(limits).join(" "), of_limits);
    assert_eq!(fields(&shown["methods"][0]).join(" "), "address id kind lastUsedAt name provedAt");
    assert_eq!(fields(&limits["quotas"][0]).join(" "), "counts limit refusedUntil used");
    let counts: Vec<_> = limits["quotas"].as_array().unwrap().iter().map(|quota| &quota["counts"]).collect();
    assert_eq!(counts, ["network-passwords", "session-passwords"], "{shown}");

    let unlocked = run(&server, &["user", "unlock", &user.email]).ok();
    assert!(unlocked.starts_with("Unlocked ada@example.com ("), "{unlocked}");
    assert_eq!(run(&server, &["user", "show", &user.id, "--json"]).json()["limits"]["quotas"], json!([]));
    user.browser.post("/change-password").json(right).await.ok();
    verify_totp(&user.challenged().await, &app.code_in(1)).await.ok();
    let event = last_event(&server, "account-unlocked", &user.email);
    assert_eq!(event["actor"], json!({"kind": "operator", "name": "cli:ada"}), "{event}");
    assert_eq!((&event["dialect"], &event["ipAddress"]), (&json!("operator"), &json!(null)), "{event}");
    notified(&server, "account-unlocked", &user.email).await;
    // So does a lock by a service end.
    let service = server.service();
    let expiry = server.clock().now().as_millis() + 3_600_000;
    let id = id_of(&service, &user.email).await;
    let lock = json!({"actioneeUserId": id, "actionerUserId": NOBODY, "userActionId": LOCK, "expiry": expiry});
    service.post("/user/action", json!({"action": lock})).await.ok();
    user.sign_in_from(&server.browser()).await.refused(429, "ACCOUNT_TEMPORARILY_LOCKED");
    run(&server, &["user", "unlock", "--operator", "bob", &user.email]).ok();
    user.challenged().await;
    assert_eq!(last_event(&server, "account-unlocked", &user.email)["actor"]["name"], "cli:bob");
}

#[on_each_database]
async fn a_lost_second_factor_is_reset_and_another_one_enrolled(database: DatabaseKind) {
    let directory = tempfile::tempdir().unwrap();
    let server = Process::start(database, directory.path(), &[("COUNTERSIGN_NOTICES", "on")]);
    let user = server.user("ada").await;
    let lost: App = user.enrol().await;
    let trusted = user.challenged().await;
    let trust = json!({"code": lost.backup_codes[0], "trustDevice": true});
    trusted.post("/two-factor/verify-backup-code").json(trust).await.ok();
    let challenged = user.challenged().await;
    run(&server, &["user", "reset-factors", &user.email]).refused("--yes confirms");
    let reset = run(&server, &["user", "reset-factors", "--yes", &user.email, "--json"]).json();
    assert_eq!(reset["done"], "factors-reset", "{reset}");
    // What the lost factor stood behind is over, and the password alone signs in.
    verify_totp(&challenged, &lost.code_in(1)).await.refused(401, "INVALID_TWO_FACTOR_COOKIE");
    let browser = user.signed_in().await;
    let counted = |table: &str| server.database().number(&format!("SELECT count(*) AS number FROM {table}"));
    assert_eq!((counted("methods"), counted("backup_codes"), counted("trusted_devices")), (0, 0, 0));
    assert!(is_signed_in(&user.browser).await, "sessions go on as opened by the password alone");
    let event = last_event(&server, "two-factor-disabled", &user.id);
    assert_eq!(event["actor"], json!({"kind": "operator", "name": "cli:ada"}), "{event}");
    notified(&server, "two-factor-disabled", &user.email).await;
    run(&server, &["user", "reset-factors", "--yes", &user.email]).refused("has no second factor");
    // Another one is enrolled.
    let begun = browser.post("/two-factor/enable").json(json!({"password": PASSWORD})).await.ok();
    let app = App::new(&begun, server.clock());
    verify_totp(&browser, &app.code()).await.ok();
    user.challenged().await;
}

#[on_each_database]
async fn a_deactivated_user_is_out_until_reactivated(database: DatabaseKind) {
    let directory = tempfile::tempdir().unwrap();
    let server = Process::start(database, directory.path(), &[]);
    let user = server.user("ada").await;
    run(&server, &["user", "deactivate", &user.email]).refused("--yes confirms");
    assert!(is_signed_in(&user.browser).await);
    run(&server, &["user", "reactivate", &user.email]).refused("is active");
    run(&server, &["user", "deactivate", "--yes", &user.email]).ok();
    assert!(!is_signed_in(&user.browser).await);
    user.sign_in_from(&server.browser()).await.refused(403, "BANNED_USER");
    run(&server, &["user", "deactivate", "--yes", &user.email]).refused("is deactivated already");
    run(&server, &["user", "reactivate", &user.email]).ok();
    user.signed_in().await;
    assert!(!is_signed_in(&user.browser).await, "what has ended does not come back");
    for kind in ["account-deactivated", "account-reactivated"] {
        assert_eq!(last_event(&server, kind, &user.id)["actor"]["name"], "cli:ada");
    }
}

#[on_each_database]
async fn a_password_that_an_operator_sets_obeys_the_rules_and_ends_what_the_old_one_opened_28(database: DatabaseKind) {
    let directory = tempfile::tempdir().unwrap();
    let server = Process::start(database, directory.path(), &[("COUNTERSIGN_NOTICES", "on")]);
    let mut user = server.user("ada").await;
    let set = |password: &str| run_with(&server, &["user", "set-password", "ada@example.com"], password);
    for (password, why) in [
        ("", "there is no password on standard input"),
        ("\n", "there is no password on standard input"),
        ("short\n", "the password is too short: it needs 8 characters"),
        ("ada@example.com\n", "the password is among those that attackers try first"),
    ] {
        set(password).refused(why);
    }
    set(&"x".repeat(129)).refused("the password is too long");
    assert!(is_signed_in(&user.browser).await);
    let done = set(&format!("{NEW_PASSWORD}\r\nmore\n")).ok();
    assert!(done.starts_with("Set the password of ada@example.com"), "{done}");
    assert!(!is_signed_in(&user.browser).await);
    user.sign_in_from(&server.browser()).await.is(401);
    user.password = NEW_PASSWORD.to_owned();
    user.signed_in().await;
    let event = last_event(&server, "password-changed", &user.id);
    assert_eq!(event["actor"]["name"], "cli:ada", "{event}");
    notified(&server, "password-changed", &user.email).await;
}

#[on_each_database]
async fn what_an_operator_cannot_mean_is_refused(database: DatabaseKind) {
    let directory = tempfile::tempdir().unwrap();
    let server = Process::start(database, directory.path(), &[]);
    let user: User = server.user("ada").await;
    for command in ["reset-factors", "deactivate", "delete", "revoke"] {
        let ran = run(&server, &["user", command, &user.email]);
        ran.refused("nothing was changed: there is no terminal to ask on; --yes confirms");
        run(&server, &["user", command, "--yes", "nobody@example.com"])
            .refused("there is no user `nobody@example.com`");
    }
    assert!(is_signed_in(&user.browser).await);
    run(&server, &["user", "show", &user.email, "--tenant", "nowhere"]).refused("is not the id of a configured tenant");
    run(&server, &["user", "unlock", &user.email, "--operator", "a b"]).refused("--operator: expected a name");
    run(&server, &["user", "revoke", "--yes", &user.email, "--only", &user.id]).refused("has no session");
    run(&server, &["user", "show", "--json"]).refused("<USER>");
    // One's user name is another one's telephone number.
    let service = server.service();
    let one = service.user_with(json!({"username": "5550100"})).await;
    let other = service.user_with(json!({"phoneNumber": "555-0100"})).await;
    let ran = run(&server, &["user", "delete", "--yes", "5550100"]);
    assert!(ran.error.contains(&one.id) && ran.error.contains(&other.id), "{ran:?}");
    ran.refused("`5550100` names several users: ");
    run(&server, &["user", "delete", "--yes", &one.id]).ok();
    assert_eq!(run(&server, &["user", "show", "5550100", "--json"]).json()["id"], *other.id);
    assert_eq!(server.database().number("SELECT count(*) AS number FROM audit_events WHERE operator IS NOT NULL"), 1);
}

#[on_each_database]
async fn users_are_created_by_the_rules_and_listed_page_by_page(database: DatabaseKind) {
    let directory = tempfile::tempdir().unwrap();
    let server = Process::start(database, directory.path(), &[]);
    let create = |arguments: &[&str], password: &str| {
        run_with(&server, &[&["user", "create"], arguments].concat(), &format!("{password}\n"))
    };
    for (arguments, password, why) in [
        (&[][..], PASSWORD, "a user needs --email or --username"),
        (&["--email", "nonsense"], PASSWORD, "--email: expected an e-mail address"),
        (&["--username", "\u{430}da"], PASSWORD, "--username: mixes letters of several scripts"),
        (&["--username", "eve@example.com"], PASSWORD, "--username: is an e-mail address or a telephone number"),
        (&["--email", "ada@example.com"], "short", "the password is too short"),
        (&["--email", "ada@example.com"], "", "there is no password on standard input"),
        (&["--email", "ada@example.com", "--tenant", "nowhere"], PASSWORD, "is not the id of a configured tenant"),
    ] {
        create(arguments, password).refused(why);
    }
    let shown = create(&["--email", "Ada@example.com", "--name", "Ada", "--verified", "--json"], PASSWORD).json();
    assert_eq!((&shown["email"], &shown["emailVerified"]), (&json!("ada@example.com"), &json!(true)), "{shown}");
    create(&["--email", "ADA@example.com"], PASSWORD).refused("another user has this e-mail address");
    create(&["--username", "adam"], PASSWORD).ok();
    create(&["--username", "ADAM"], PASSWORD).refused("another user has this user name");
    create(&["--username", "bob"], PASSWORD).ok();
    let body = json!({"email": "ada@example.com", "password": PASSWORD});
    server.browser().post("/sign-in/email").json(body).await.ok();
    assert_eq!(last_event(&server, "account-created", "ada@example.com")["actor"]["name"], "cli:ada");

    let list = |arguments: &[&str]| run(&server, &[&["user", "list", "--json"], arguments].concat()).json();
    let names = |page: &Value| -> Vec<String> {
        let name = |user: &Value| user["email"].as_str().or(user["username"].as_str()).unwrap().to_owned();
        page["users"].as_array().unwrap().iter().map(name).collect()
    };
    let all = list(&[]);
    assert_eq!(
        (names(&all).as_slice(), &all["nextCursor"]),
        (&["ada@example.com", "adam", "bob"].map(String::from)[..], &json!(null))
    );
    let first = list(&["--limit", "2"]);
    assert_eq!(names(&first), ["ada@example.com", "adam"]);
    let second = list(&["--limit", "2", "--after", first["nextCursor"].as_str().unwrap()]);
    assert_eq!((names(&second), &second["nextCursor"]), (vec!["bob".to_owned()], &json!(null)));
    let some = list(&["--starts-with", "AD", "--limit", "1"]);
    assert_eq!(names(&some), ["ada@example.com"]);
    let rest = list(&["--starts-with", "AD", "--limit", "1", "--after", some["nextCursor"].as_str().unwrap()]);
    assert_eq!((names(&rest), &rest["nextCursor"]), (vec!["adam".to_owned()], &json!(null)));
    let text = run(&server, &["user", "list", "--limit", "1"]).ok();
    assert!(text.contains("  ada@example.com\nThere are more: --after "), "{text}");
    run(&server, &["user", "list", "--limit", "501"]).refused("501 is not in 1..=500");
    run(&server, &["user", "list", "--after", "x"]).refused("--after: `x` is not the id of a user");
    run(&server, &["user", "list", "--tenant", "x"]).refused("is not the id of a configured tenant");
}

#[on_each_database]
async fn what_credentials_opened_is_listed_and_ended_one_by_one_or_at_once(database: DatabaseKind) {
    let directory = tempfile::tempdir().unwrap();
    let server = Process::start(database, directory.path(), &[]);
    let service = server.service();
    let user = server.user("ada").await;
    let app = user.enrol().await;
    let trusted = user.challenged().await;
    let trust = json!({"code": app.backup_codes[0], "trustDevice": true});
    trusted.post("/two-factor/verify-backup-code").json(trust).await.ok();
    let registration = json!({"registration": {"applicationId": crate::harness::service::APPLICATION}});
    let id = id_of(&service, &user.email).await;
    service.post(&format!("/user/registration/{id}"), registration).await.ok();
    let log_in =
        json!({"loginId": user.email, "password": PASSWORD, "applicationId": crate::harness::service::APPLICATION});
    let id = service.post("/login", log_in).await.is(242).text("/twoFactorId");
    service.complete(&id, &app.code_in(1)).await.ok();
    let sessions = || run(&server, &["user", "sessions", &user.email, "--json"]).json();
    let count = |grants: &Value| {
        ["sessions", "refreshTokens", "trustedDevices"].map(|kind| grants[kind].as_array().unwrap().len())
    };
    let before = sessions();
    assert_eq!(count(&before), [2, 1, 1], "{before}");
    for (kind, of_kind) in [
        ("sessions", "device expiresAt id ipAddress lastUsedAt secondFactorAt signedInAt userAgent"),
        ("refreshTokens", "applicationId device id ipAddress lastUsedAt signedInAt"),
        ("trustedDevices", "expiresAt id ipAddress lastUsedAt name trustedAt userAgent"),
    ] {
        assert_eq!(fields(&before[kind][0]).join(" "), of_kind);
    }
    let text = run(&server, &["user", "sessions", &user.email]).ok();
    assert!(text.contains("\nrefresh token   ") && text.contains("with a second factor"), "{text}");
    let mut left = [2, 1, 1];
    for (place, kind, done) in [
        (0, "sessions", "session-revoked"),
        (1, "refreshTokens", "refresh-token-revoked"),
        (2, "trustedDevices", "device-revoked"),
    ] {
        let id = before[kind][0]["id"].as_str().unwrap();
        let ended = run(&server, &["user", "revoke", "--yes", "--json", &user.email, "--only", id]).json();
        left[place] -= 1;
        assert_eq!((&ended["done"], count(&sessions())), (&json!(done), left), "{kind}");
        run(&server, &["user", "revoke", "--yes", &user.email, "--only", id]).refused("has no session");
    }
    assert!(!is_signed_in(&trusted).await && is_signed_in(&user.browser).await);
    run(&server, &["user", "revoke", "--yes", &user.email]).ok();
    assert!(!is_signed_in(&user.browser).await);
    assert_eq!(count(&sessions()), [0, 0, 0]);
    for kind in ["sessions-revoked", "refresh-tokens-revoked", "device-revoked"] {
        assert_eq!(last_event(&server, kind, &user.id)["actor"]["name"], "cli:ada");
    }
}
