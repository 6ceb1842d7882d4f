//! What ends with the events that [`endings`](crate::endings) leaves out: after them there is no second factor that was there
//! before, nobody signs in, or the account has another name.

use crate::endings::{NEW as PASSWORD_AFTER, NUMBER, Opened, login, open, open_for};
use crate::harness::service::{APPLICATION, TotpApp};
use crate::harness::{FusionAuthUser, PASSWORD, World, cheap_passwords};
use countersign_domain::decisions::endings::{self, Ending, Event, Grant};
use countersign_domain::tenant::{Application, Directory, LoginPolicy, Tenant};
use countersign_test_postgres::{DatabaseKind, on_each_database};
use serde_json::{Value, json};

const ADDRESS: &str = "countess@example.com";

/// Without the page, so that errors are responses.
fn bare(link: &str) -> &str {
    link.split('&').next().unwrap()
}

/// Compares what has become of grants with the table.
fn assert_table(event: Event, found: &[(Grant, Ending)]) {
    for &(grant, ending) in found {
        assert_eq!(ending, endings::decide(event, grant), "{event:?} {grant:?}");
    }
}

fn ends(has_ended: bool) -> Ending {
    if has_ended { Ending::Ends } else { Ending::Survives }
}

/// A ticket that a login gives while the password has to be changed.
async fn change_password_id(opened: &Opened) -> String {
    let (service, path) = (&opened.service, format!("/user/{}", opened.named.id));
    let due = |is_due: bool| json!({"user": {"passwordChangeRequired": is_due}});
    service.call("PATCH", &path).json(due(true)).await.ok();
    let challenge = service.post("/login", login(&opened.user, PASSWORD)).await.is(242).text("/twoFactorId");
    let ticket = service.complete(&challenge, &opened.app.backup_codes[5]).await.is(203).text("/changePasswordId");
    service.call("PATCH", &path).json(due(false)).await.ok();
    opened.service.get(&format!("/user/change-password/{ticket}")).await.ok();
    ticket
}

impl Opened {
    /// Trust as a service sees it, which needs no password.
    async fn trust_by_status(&self) -> Ending {
        let body = json!({"userId": self.named.id, "twoFactorTrustId": self.trust_id});
        let status = self.service.post("/two-factor/status", body).await;
        assert!([200, 242].contains(&status.status), "{status}");
        ends(status.body["trusts"].is_null())
    }

    /// A ticket of [`change_password_id`], which needs no password either.
    async fn change_password_id(&self, id: &str) -> Ending {
        let shown = self.service.get(&format!("/user/change-password/{id}")).await;
        assert!([200, 404].contains(&shown.status), "{shown}");
        ends(shown.status == 404)
    }
}

/// Everything that an account without a second factor can have open; then it gets one, in either dialect, of its own will or
/// because the tenant has begun to require it.
#[on_each_database]
async fn the_first_second_factor_ends_what_the_table_says_28(database: DatabaseKind) {
    for (login_policy, by_service) in
        [LoginPolicy::Enabled, LoginPolicy::Required].into_iter().flat_map(|policy| [(policy, false), (policy, true)])
    {
        let world = World::with(database, cheap_passwords).await;
        let service = world.service().await;
        let user = world.user("ada").await;
        let id = service.get(&format!("/user?loginId={}", user.email)).await.ok().text("/user/id");
        let named = FusionAuthUser { id: id.clone(), email: user.email.clone() };
        let other = user.signed_in().await;
        let granted = service.post("/login", login(&user, PASSWORD)).await.is(202);
        let due = |is_due: bool| json!({"user": {"passwordChangeRequired": is_due}});
        service.call("PATCH", &format!("/user/{id}")).json(due(true)).await.ok();
        let ticket = service.post("/login", login(&user, PASSWORD)).await.is(203).text("/changePasswordId");
        service.call("PATCH", &format!("/user/{id}")).json(due(false)).await.ok();
        let begun = service.post("/two-factor/start", json!({"userId": id})).await.ok();
        let body =
            json!({"twoFactorId": begun.text("/twoFactorId"), "code": begun.text("/code"), "trustComputer": true});
        let trust = service.open("/two-factor/login", body).await.ok().text("/twoFactorTrustId");
        let waiting = service.post("/two-factor/start", json!({"userId": id})).await.ok().text("/twoFactorId");
        service.post("/two-factor/send", json!({"userId": id, "method": "sms", "mobilePhone": NUMBER})).await.ok();
        let code = world.last_code_for(NUMBER);
        let world = world
            .restarted_with(|settings| {
                let tenant = Tenant { login_policy, ..Tenant::default() };
                settings.directory = Directory::new(vec![tenant], vec![Application::default()]).unwrap();
            })
            .await;

        let app = if by_service {
            service.enrol(&named).await
        } else {
            let app = user.enrol().await;
            TotpApp::new(&app.base32, &world.clock)
        };
        let add = json!({"method": "sms", "mobilePhone": NUMBER, "code": code});
        let added = service.post(&format!("/user/two-factor/{id}"), add).await;
        let session = other.get("/get-session").await.ok().body;
        let session = match (&session["session"], &session["session"]["secondFactorAt"]) {
            (Value::Null, _) => Ending::Ends,
            (_, Value::Null) => Ending::LosesSecondFactor,
            (_, _) => Ending::Survives,
        };
        let token = granted.text("/token");
        let access_token = match service.with_token(&token, "GET", "/jwt/validate").await.status {
            401 => Ending::Ends,
            _ => Ending::LosesSecondFactor,
        };
        let refreshed = service.open("/jwt/refresh", json!({"refreshToken": granted.text("/refreshToken")})).await;
        let refresh_token = if refreshed.status == 404 {
            Ending::Ends
        } else {
            let refreshed = refreshed.ok().text("/token");
            let shown = service.with_token(&refreshed, "GET", "/jwt/validate").await.ok();
            if shown.text("/jwt/amr/0") == "pwd" { Ending::LosesSecondFactor } else { Ending::Survives }
        };
        let with_trust = json!({
            "loginId": user.email, "password": PASSWORD, "applicationId": APPLICATION, "twoFactorTrustId": trust,
        });
        let asked = service.post("/login", with_trust).await.status == 242;
        let completed = service.complete(&waiting, &app.fresh_code()).await;
        let ticket = service.get(&format!("/user/change-password/{ticket}")).await;
        let found = [
            (Grant::OneTimeCode, ends(added.status == 421)),
            (Grant::Session, session),
            (Grant::AccessToken, access_token),
            (Grant::RefreshToken, refresh_token),
            (Grant::TrustedDevice, ends(asked)),
            (Grant::Challenge, ends(completed.status == 404)),
            (Grant::Ticket, ends(ticket.status == 404)),
        ];
        assert_table(Event::second_factor_on(login_policy), &found);
    }
}

#[on_each_database]
async fn the_last_second_factor_ends_what_the_table_says_28(database: DatabaseKind) {
    for by_service in [false, true] {
        let world = World::with(database, cheap_passwords).await;
        let opened = open(&world).await;
        if by_service {
            let path = format!("/user/two-factor/{}?code={}", opened.named.id, opened.app.backup_codes[6]);
            opened.service.call("DELETE", &path).await.ok();
        } else {
            opened.happen(&world, Event::SecondFactorOff).await;
        }
        let session = opened.session().await;
        let mut found = vec![
            (Grant::Session, session),
            (Grant::AccessToken, opened.access_token().await),
            (Grant::OneTimeCode, opened.one_time_code(session).await),
            (Grant::Challenge, opened.challenge(|| opened.app.fresh_code()).await),
        ];
        // Nothing is asked for before another second factor is set up. Nothing of the old one counts for it.
        opened.service.enrol(&opened.named).await;
        let managing = opened.other.post("/two-factor/generate-backup-codes").json(json!({"password": PASSWORD}));
        managing.await.refused(403, "SECOND_FACTOR_REQUIRED");
        found.extend([
            (Grant::AccessToken, opened.access_token().await),
            (Grant::TrustedDevice, opened.trust(PASSWORD).await),
            (Grant::RefreshToken, opened.refresh_token(&world).await),
            (Grant::Ticket, opened.ticket(PASSWORD).await),
        ]);
        assert_table(Event::SecondFactorOff, &found);
    }
}

/// A challenge survives, and says why it opens nothing; reactivating the account ends it.
#[on_each_database]
async fn a_deactivated_account_ends_what_the_table_says_28_a_7_4_2(database: DatabaseKind) {
    let world = World::with(database, cheap_passwords).await;
    let opened = open(&world).await;
    let ticket = change_password_id(&opened).await;
    assert_eq!(opened.trust_by_status().await, Ending::Survives);
    opened.service.call("DELETE", &format!("/user/{}", opened.named.id)).await.ok();
    let code = json!({"code": opened.app.backup_codes[6]});
    let banned = opened.challenged.post("/two-factor/verify-backup-code").json(code).await;
    banned.refused(403, "BANNED_USER");
    opened.service.complete(&opened.two_factor_id, &opened.app.backup_codes[7]).await.is(423);
    let found = [
        (Grant::Session, opened.session().await),
        (Grant::AccessToken, opened.access_token().await),
        (Grant::OneTimeCode, opened.one_time_code(Ending::Ends).await),
        (Grant::TrustedDevice, opened.trust_by_status().await),
        (Grant::RefreshToken, opened.refresh_token(&world).await),
        (Grant::Ticket, opened.change_password_id(&ticket).await),
    ];
    assert_table(Event::Deactivated, &found);
    // The Better Auth cookie is of the same table as the trust id.
    assert_eq!(world.database().number("SELECT count(*) AS number FROM trusted_devices"), 0);
}

async fn change_address(world: &World, opened: &Opened, address: &str) {
    opened.user.browser.post("/change-email").json(json!({"newEmail": address})).await.ok();
    opened.user.browser.call("GET", bare(&world.link_for(address, 1).await)).await.ok();
}

#[on_each_database]
async fn another_address_ends_what_the_table_says_28(database: DatabaseKind) {
    for event in [Event::AddressChanged, Event::AddressChangedByService] {
        let world = World::with(database, cheap_passwords).await;
        let mut opened = open(&world).await;
        if event == Event::AddressChanged {
            change_address(&world, &opened, ADDRESS).await;
        } else {
            let body = json!({"user": {"email": ADDRESS}});
            opened.service.call("PATCH", &format!("/user/{}", opened.named.id)).json(body).await.ok();
        }
        opened.user.email = ADDRESS.to_owned();
        let found = opened.endings(&world, PASSWORD, || opened.app.fresh_code()).await;
        assert_table(event, &found);
    }
}

/// The account has no password afterwards, so that what would need one is looked at otherwise.
#[on_each_database]
async fn an_address_that_is_given_back_ends_what_the_table_says_28(database: DatabaseKind) {
    let world = World::with(database, cheap_passwords).await;
    let service = world.service().await;
    let mut user = world.user("ada").await;
    let app = user.enrol().await;
    let former = std::mem::replace(&mut user.email, ADDRESS.to_owned());
    let own = &user.browser;
    own.post("/send-verification-email").json(json!({"email": former})).await.ok();
    own.call("GET", bare(&world.link_for(&former, 1).await)).await.ok();
    own.post("/change-email").json(json!({"newEmail": ADDRESS})).await.ok();
    own.call("GET", bare(&world.link_for(ADDRESS, 1).await)).await.ok();
    let back = world.link_for(&former, 2).await;
    // An id to verify an address is given for one that is not verified.
    world.database().execute("UPDATE accounts SET email_verified = FALSE");
    let opened = open_for(&world, service, user, app).await;
    let ticket = change_password_id(&opened).await;
    assert_eq!(opened.trust_by_status().await, Ending::Survives);
    world.stranger().call("GET", bare(&back)).await.ok();
    let session = opened.session().await;
    let found = [
        (Grant::Session, session),
        (Grant::AccessToken, opened.access_token().await),
        (Grant::OneTimeCode, opened.one_time_code(session).await),
        (Grant::Challenge, opened.challenge(|| opened.app.fresh_code()).await),
        (Grant::TrustedDevice, opened.trust_by_status().await),
        (Grant::RefreshToken, opened.refresh_token(&world).await),
        (Grant::Ticket, opened.change_password_id(&ticket).await),
    ];
    assert_table(Event::AddressRestored, &found);
    assert_eq!(world.database().number("SELECT count(*) AS number FROM trusted_devices"), 0);
    // With a new password, which ends no more than was over already, the other dialect asks for the second factor, too.
    let body = json!({"user": {"password": PASSWORD_AFTER}});
    opened.service.call("PATCH", &format!("/user/{}", opened.named.id)).json(body).await.ok();
    let sign_in = json!({"email": former, "password": PASSWORD_AFTER});
    assert_eq!(opened.trusted.post("/sign-in/email").json(sign_in).await.ok().body["twoFactorRedirect"], true);
}
