//! What ends with a change to credentials: each event, with everything that was opened before it in either dialect.
//!
//! What is expected is the table of the domain ([`endings`]); what is seen is seen from outside.

use crate::harness::service::APPLICATION;
use crate::harness::world::refresh_tokens_are;
use crate::harness::{
    App, Authenticator, Caller, FusionAuthUser, PASSWORD, Response, Service, User, World, cheap_passwords,
};
use crate::passkeys::register;
use crate::password_reset::reset_token;
use countersign_domain::decisions::endings::{self, Ending, Event, Grant};
use countersign_domain::tenant::RefreshTokenUsage;
use countersign_test_postgres::{DatabaseKind, on_each_database};
use serde_json::{Value, json};

pub(crate) const NEW: &str = "a longer horse, a better battery";

/// Who has opened everything that there is to open, and holds the app that completes what waits.
pub(crate) struct Opened {
    pub(crate) service: Service,
    pub(crate) user: User,
    pub(crate) app: App,
    pub(crate) named: FusionAuthUser,
    /// Another session than the one that acts, which has passed a second factor too.
    pub(crate) other: Caller,
    pub(crate) challenged: Caller,
    pub(crate) trusted: Caller,
    /// The trust of the other dialect.
    pub(crate) trust_id: String,
    access_token: String,
    refresh_token: String,
    pub(crate) two_factor_id: String,
    trust_token: String,
    /// Of a forgotten password, of the address, and of a login without a password.
    forgotten_id: String,
    verification_id: String,
    passwordless_code: String,
    /// For the session of `other`.
    session_code: String,
    /// For [`NUMBER`], to become a method.
    number_code: String,
}

pub(crate) const NUMBER: &str = "+15550111";

pub(crate) fn login(user: &User, password: &str) -> Value {
    json!({"loginId": user.email, "password": password, "applicationId": APPLICATION})
}

pub(crate) async fn open(world: &World) -> Opened {
    let user = world.user("ada").await;
    let app = user.enrol().await;
    open_for(world, world.service().await, user, app).await
}

/// The same for a user with an app, whose address need not be the first one.
pub(crate) async fn open_for(world: &World, service: Service, user: User, app: App) -> Opened {
    let id = service.get(&format!("/user?loginId={}", user.email)).await.ok().text("/user/id");
    let named = FusionAuthUser { id: id.clone(), email: user.email.clone() };
    let other = user.challenged().await;
    let code = json!({"code": app.backup_codes[0]});
    other.post("/two-factor/verify-backup-code").json(code).await.ok();
    let trusted = user.challenged().await;
    let code = json!({"code": app.backup_codes[1], "trustDevice": true});
    trusted.post("/two-factor/verify-backup-code").json(code).await.ok();
    let challenge = service.post("/login", login(&user, PASSWORD)).await.is(242).text("/twoFactorId");
    let body = json!({"twoFactorId": challenge, "code": app.backup_codes[2], "trustComputer": true});
    let done = service.open("/two-factor/login", body).await.is(202);
    let two_factor_id = service.post("/login", login(&user, PASSWORD)).await.is(242).text("/twoFactorId");
    let begun = service.post("/two-factor/start", json!({"userId": id})).await.ok();
    let stepped_up = service.complete(&begun.text("/twoFactorId"), &begun.text("/code")).await.ok();
    service.post("/two-factor/send", json!({"userId": id, "method": "sms", "mobilePhone": NUMBER})).await.ok();
    other.post("/two-factor/send-otp").await.ok();
    let unmailed = json!({"loginId": user.email, "sendForgotPasswordEmail": false, "applicationId": APPLICATION});
    let forgotten = service.post("/user/forgot-password", unmailed.clone()).await.ok();
    let path = format!("/user/verify-email?email={}&sendVerifyEmail=false", user.email);
    let verification = service.call("PUT", &path).await.ok();
    let passwordless = service.post("/passwordless/start", unmailed).await.ok();
    Opened {
        forgotten_id: forgotten.text("/changePasswordId"),
        verification_id: verification.text("/verificationId"),
        passwordless_code: passwordless.text("/code"),
        session_code: world.last_code_for(&user.email),
        number_code: world.last_code_for(NUMBER),
        challenged: user.challenged().await,
        trust_id: done.text("/twoFactorTrustId"),
        access_token: done.text("/token"),
        refresh_token: done.text("/refreshToken"),
        trust_token: stepped_up.text("/trustToken"),
        service,
        user,
        app,
        named,
        other,
        trusted,
        two_factor_id,
    }
}

fn ends(has_ended: bool) -> Ending {
    if has_ended { Ending::Ends } else { Ending::Survives }
}

impl Opened {
    pub(crate) async fn session(&self) -> Ending {
        let shown = self.other.get("/get-session").await.ok().body;
        match (&shown["session"], &shown["session"]["secondFactorAt"]) {
            (Value::Null, _) => Ending::Ends,
            (_, Value::Null) => Ending::LosesSecondFactor,
            (_, _) => Ending::Survives,
        }
    }

    pub(crate) async fn refresh_token(&self, world: &World) -> Ending {
        let body = json!({"refreshToken": self.refresh_token});
        let refreshed = self.service.open("/jwt/refresh", body).await;
        if refreshed.status == 404 {
            return Ending::Ends;
        }
        let token = refreshed.ok().text("/token");
        let shown = world.bearer(&token).call("GET", "/api/jwt/validate").await.ok();
        match shown.text("/jwt/amr/0").as_str() {
            "mfa" => Ending::Survives,
            _ => Ending::LosesSecondFactor,
        }
    }

    pub(crate) async fn access_token(&self) -> Ending {
        let shown = self.service.with_token(&self.access_token, "GET", "/jwt/validate").await;
        if shown.status == 401 {
            return Ending::Ends;
        }
        shown.ok();
        // A token whose second factor counts is refused for the wrong code, any other for itself.
        let body = json!({"method": "email", "email": "other@example.com", "code": "000000"});
        match self.service.with_token(&self.access_token, "POST", "/user/two-factor").json(body).await.status {
            421 => Ending::Survives,
            400 | 401 => Ending::LosesSecondFactor,
            other => panic!("{other}"),
        }
    }

    /// Of both dialects, which must agree.
    pub(crate) async fn trust(&self, password: &str) -> Ending {
        let with_trust = json!({"loginId": self.user.email, "password": password, "twoFactorTrustId": self.trust_id});
        let asked = self.service.post("/login", with_trust).await.status == 242;
        let body = json!({"email": self.user.email, "password": password});
        let response = self.trusted.post("/sign-in/email").json(body).await.ok();
        assert_eq!(response.body["twoFactorRedirect"] == true, asked, "{response}");
        ends(asked)
    }

    /// Of both dialects, which must agree, with codes of the app that the account has now.
    pub(crate) async fn challenge(&self, mut code: impl FnMut() -> String) -> Ending {
        let response = self.challenged.post("/two-factor/verify-totp").json(json!({"code": code()})).await;
        let ended = response.status == 401 && response.code() == "INVALID_TWO_FACTOR_COOKIE";
        let completed: Response = self.service.complete(&self.two_factor_id, &code()).await;
        assert_eq!(completed.status == 404, ended, "{response} {completed}");
        ends(ended)
    }

    /// Of both dialects, which must agree as long as there is a session to present one in.
    pub(crate) async fn one_time_code(&self, session: Ending) -> Ending {
        let body = json!({"method": "sms", "mobilePhone": NUMBER, "code": self.number_code});
        let added = self.service.post(&format!("/user/two-factor/{}", self.named.id), body).await;
        assert!([200, 421].contains(&added.status), "{added}");
        if session != Ending::Ends {
            let passed = self.other.post("/two-factor/verify-otp").json(json!({"code": self.session_code})).await;
            assert_eq!(passed.status == 200, added.status == 200, "{passed} {added}");
        }
        ends(added.status == 421)
    }

    /// Of each kind, which must agree.
    pub(crate) async fn ticket(&self, password: &str) -> Ending {
        let path = format!("/user/change-password/{}", self.forgotten_id);
        let forgotten = self.service.get(&path).await;
        assert!([400, 200, 404].contains(&forgotten.status), "{forgotten}");
        let code = self.service.open("/passwordless/send", json!({"code": self.passwordless_code})).await;
        let verified = self.service.open("/user/verify-email", json!({"verificationId": self.verification_id})).await;
        let body = json!({
            "loginId": self.user.email, "currentPassword": password, "password": "yet another horse",
            "trustToken": self.trust_token,
        });
        let response = self.service.post("/user/change-password", body).await;
        let ended = response.status == 400 && response.wrongs() == ["[TrustTokenExpired]"];
        assert!(ended || response.status == 200, "{response}");
        assert_eq!([forgotten.status == 404, code.status == 404, verified.status == 404], [ended; 3]);
        ends(ended)
    }

    /// What has become of everything, in the order in which looking at one does not change the next.
    pub(crate) async fn endings(
        &self,
        world: &World,
        password: &str,
        code: impl FnMut() -> String,
    ) -> Vec<(Grant, Ending)> {
        let session = self.session().await;
        vec![
            (Grant::AccessToken, self.access_token().await),
            (Grant::Session, session),
            // Before looking at the others takes longer than it lives.
            (Grant::OneTimeCode, self.one_time_code(session).await),
            (Grant::Challenge, self.challenge(code).await),
            (Grant::TrustedDevice, self.trust(password).await),
            (Grant::RefreshToken, self.refresh_token(world).await),
            (Grant::Ticket, self.ticket(password).await),
        ]
    }

    /// Lets the event happen; says the password, and the app, that the account has afterwards.
    pub(crate) async fn happen(&self, world: &World, event: Event) -> (&'static str, Option<App>) {
        let (own, service, id) = (&self.user.browser, &self.service, &self.named.id);
        let password = json!({"password": PASSWORD});
        let change =
            |revoke: bool| json!({"currentPassword": PASSWORD, "newPassword": NEW, "revokeOtherSessions": revoke});
        match event {
            Event::PasswordChanged => drop(own.post("/change-password").json(change(false)).await.ok()),
            Event::PasswordChangedEndingSessions => drop(own.post("/change-password").json(change(true)).await.ok()),
            Event::PasswordSetByService => {
                let body = json!({"user": {"password": NEW}});
                service.call("PATCH", &format!("/user/{id}")).json(body).await.ok();
            }
            Event::PasswordSetByTicket => {
                let due = |is_due: bool| json!({"user": {"passwordChangeRequired": is_due}});
                service.call("PATCH", &format!("/user/{id}")).json(due(true)).await.ok();
                let challenge = service.post("/login", login(&self.user, PASSWORD)).await.is(242);
                let code = &self.app.backup_codes[5];
                let ticket = service.complete(&challenge.text("/twoFactorId"), code).await.is(203);
                let path = format!("/user/change-password/{}", ticket.text("/changePasswordId"));
                service.open(&path, json!({"password": NEW})).await.ok();
            }
            Event::PasswordReset => {
                let stranger = world.stranger();
                stranger.post("/request-password-reset").json(json!({"email": self.user.email})).await.ok();
                let token = reset_token(world, &self.user.email, 1).await;
                stranger.post("/reset-password").json(json!({"newPassword": NEW, "token": token})).await.ok();
            }
            Event::Reactivated => {
                service.call("DELETE", &format!("/user/{id}")).await.ok();
                service.call("PUT", &format!("/user/{id}?reactivate=true")).await.ok();
                return (PASSWORD, None);
            }
            Event::SecondFactorOff => drop(own.post("/two-factor/disable").json(password).await.ok()),
            Event::MethodAdded => service.enrol_address(&self.named, "sms", "+15550100").await,
            Event::MethodRemoved => {
                let email = service.method_id(&self.named, "email").await;
                service.post("/two-factor/send", json!({"userId": id, "methodId": email})).await.ok();
                let code = world.last_code_for(&self.user.email);
                service.call("DELETE", &format!("/user/two-factor/{id}?code={code}&methodId={email}")).await.ok();
            }
            Event::PasskeyRemoved => {
                let passkey = register(own, &mut Authenticator::new()).await.ok().text("/id");
                own.post("/passkey/delete-passkey").json(json!({"id": passkey})).await.ok();
            }
            Event::AppReplaced => {
                let new = self.user.begin_enrolment().await;
                own.post("/two-factor/verify-totp").json(json!({"code": new.code()})).await.ok();
                return (PASSWORD, Some(new));
            }
            Event::BackupCodesReplaced => {
                own.post("/two-factor/generate-backup-codes").json(password).await.ok();
            }
            Event::SessionsRevoked => drop(own.post("/revoke-other-sessions").await.ok()),
            Event::TrustRevoked => drop(own.post("/two-factor/revoke-trusted-devices").json(password).await.ok()),
            Event::SecondFactorOn
            | Event::RequiredSecondFactorOn
            | Event::Deactivated
            | Event::AddressChanged
            | Event::AddressChangedByService
            | Event::AddressRestored => {
                panic!("these have tests of their own")
            }
        }
        let sets_password = matches!(
            event,
            Event::PasswordChanged
                | Event::PasswordChangedEndingSessions
                | Event::PasswordSetByService
                | Event::PasswordSetByTicket
                | Event::PasswordReset
        );
        (if sets_password { NEW } else { PASSWORD }, None)
    }
}

/// Whether the owner's own session goes on, perhaps as a new one.
fn keeps_own_session(event: Event) -> bool {
    use Event::{PasswordReset, PasswordSetByService, PasswordSetByTicket, Reactivated};
    !matches!(event, PasswordSetByService | PasswordSetByTicket | PasswordReset | Reactivated)
}

#[on_each_database]
async fn every_event_ends_in_both_dialects_what_the_table_says_28(database: DatabaseKind) {
    let tested = Event::ALL.into_iter().filter(|event| {
        // The first factor has no earlier one; after the last one, no trust and no code is asked for; a deactivated account
        // gets the same refusal for everything. After a change of address, other names sign in. See `endings_further`.
        use Event::{AddressChanged, AddressChangedByService, AddressRestored};
        use Event::{Deactivated, RequiredSecondFactorOn, SecondFactorOff, SecondFactorOn};
        let by_factors = matches!(event, SecondFactorOn | RequiredSecondFactorOn | SecondFactorOff | Deactivated);
        !by_factors && !matches!(event, AddressChanged | AddressChangedByService | AddressRestored)
    });
    for (event, usage) in tested.flat_map(|event| RefreshTokenUsage::ALL.map(|usage| (event, usage))) {
        let world = World::with(database, |settings| {
            cheap_passwords(settings);
            refresh_tokens_are(settings, usage);
        })
        .await;
        let opened = open(&world).await;
        let (password, new_app) = opened.happen(&world, event).await;
        let own = opened.user.browser.get("/get-session").await.ok().body;
        assert_eq!(own.is_object(), keeps_own_session(event), "{event:?}: {own}");
        let app = new_app.as_ref().unwrap_or(&opened.app);
        for (grant, ending) in opened.endings(&world, password, || app.fresh_code()).await {
            assert_eq!(ending, endings::decide(event, grant), "{event:?} {grant:?}");
        }
    }
}

#[on_each_database]
async fn a_forgotten_password_set_through_a_service_ends_everything_28(database: DatabaseKind) {
    let world = World::with(database, cheap_passwords).await;
    let opened = open(&world).await;
    let service = &opened.service;
    let begun = service.post("/two-factor/start", json!({"userId": opened.named.id})).await.ok();
    let passed = service.complete(&begun.text("/twoFactorId"), &begun.text("/code")).await.ok();
    let body = json!({"loginId": opened.user.email, "sendForgotPasswordEmail": false});
    let id = service.post("/user/forgot-password", body).await.ok().text("/changePasswordId");
    let body = json!({"password": NEW, "trustToken": passed.text("/trustToken")});
    service.open(&format!("/user/change-password/{id}"), body).await.ok();
    assert!(opened.user.browser.get("/get-session").await.ok().body.is_null());
    for (grant, ending) in opened.endings(&world, NEW, || opened.app.fresh_code()).await {
        assert_eq!(ending, Ending::Ends, "{grant:?}");
    }
}

#[on_each_database]
async fn a_password_changed_through_a_service_ends_everything_28(database: DatabaseKind) {
    let world = World::with(database, cheap_passwords).await;
    let opened = open(&world).await;
    let service = &opened.service;
    let begun = service.post("/two-factor/start", json!({"userId": opened.named.id})).await.ok();
    let passed = service.complete(&begun.text("/twoFactorId"), &begun.text("/code")).await.ok();
    let body = json!({
        "loginId": opened.user.email, "currentPassword": PASSWORD, "password": NEW, "trustToken": passed.text("/trustToken"),
    });
    service.post("/user/change-password", body).await.ok();
    assert!(opened.user.browser.get("/get-session").await.ok().body.is_null());
    for (grant, ending) in opened.endings(&world, NEW, || opened.app.fresh_code()).await {
        assert_eq!(ending, Ending::Ends, "{grant:?}");
    }
}

/// What stood in for a second factor before there was one: the token of a login, and what a service that vouched has opened. Whether
/// they live on is in the table of `endings_further`.
#[on_each_database]
async fn what_stood_in_for_the_first_second_factor_manages_no_factor_after_it_28(database: DatabaseKind) {
    for by_service in [false, true] {
        let world = World::with(database, cheap_passwords).await;
        let service = world.service().await;
        let user = world.user("ada").await;
        let id = service.get(&format!("/user?loginId={}", user.email)).await.ok().text("/user/id");
        let granted = service.post("/login", login(&user, PASSWORD)).await.is(202);
        let begun = service.post("/two-factor/start", json!({"userId": id})).await.ok();
        let body = json!({"twoFactorId": begun.text("/twoFactorId"), "code": begun.text("/code")});
        let stepped_up = service.open("/two-factor/login", body).await.ok();
        if by_service {
            service.enrol(&FusionAuthUser { id, email: user.email.clone() }).await;
        } else {
            user.enrol().await;
        }
        let add = json!({"method": "sms", "mobilePhone": "+15550199", "code": "000000", "password": PASSWORD});
        for login in [&granted, &stepped_up] {
            service.with_token(&login.text("/token"), "POST", "/user/two-factor").json(add.clone()).await.is(401);
        }
        let body = json!({
            "loginId": user.email, "currentPassword": PASSWORD, "password": NEW, "trustToken": stepped_up.text("/trustToken"),
        });
        service.post("/user/change-password", body).await.wrong("[TrustTokenExpired]");
    }
}

/// A password that was changed by a ticket gives one that signs in once, and that dies with the next change.
#[on_each_database]
async fn a_one_time_password_ends_with_an_enrolment_and_with_deactivation_28(database: DatabaseKind) {
    for enrols in [true, false] {
        let world = World::with(database, cheap_passwords).await;
        let service = world.service().await;
        let user = service.user_with(json!({"passwordChangeRequired": true})).await;
        let ticket = service.log_in(&user).await.is(203).text("/changePasswordId");
        let changed = service.open(&format!("/user/change-password/{ticket}"), json!({"password": NEW})).await.ok();
        if enrols {
            service.enrol_address(&user, "email", &user.email).await;
        } else {
            service.call("DELETE", &format!("/user/{}", user.id)).await.ok();
            service.call("PUT", &format!("/user/{}?reactivate=true", user.id)).await.ok();
        }
        service.post("/login", json!({"oneTimePassword": changed.text("/oneTimePassword")})).await.is(404);
    }
}

/// Two events within one second, in either order, are told apart.
#[on_each_database]
async fn an_access_token_of_before_a_change_ends_and_one_of_after_it_does_not_28(database: DatabaseKind) {
    let world = World::with(database, cheap_passwords).await;
    let service = world.service().await;
    let user = service.user().await;
    let before = service.log_in(&user).await.ok().text("/token");
    let change = json!({"loginId": user.email, "currentPassword": PASSWORD, "password": NEW});
    service.post("/user/change-password", change).await.ok();
    let login = json!({"loginId": user.email, "password": NEW, "applicationId": APPLICATION});
    let after = service.post("/login", login).await.ok().text("/token");
    service.with_token(&before, "GET", "/jwt/validate").await.is(401);
    let shown = service.with_token(&after, "GET", "/jwt/validate").await.ok();
    assert_eq!((&shown.body["jwt"]["cv"], &shown.body["jwt"]["fv"]), (&json!(1), &json!(0)), "{shown}");
}

/// Trust alone can be ended, with the checks of every change to second factors.
#[on_each_database]
async fn ending_trust_asks_for_password_and_second_factor_26_28(database: DatabaseKind) {
    let world = World::with(database, cheap_passwords).await;
    let user = world.user("ada").await;
    let older = user.signed_in().await;
    let app = user.enrol().await;
    let trusted = user.trusted_with(&app).await;
    let revoke = |caller: &Caller, password: &str| {
        caller.post("/two-factor/revoke-trusted-devices").json(json!({"password": password}))
    };
    revoke(&world.stranger(), PASSWORD).await.refused(401, "UNAUTHORIZED");
    revoke(&older, PASSWORD).await.refused(403, "SECOND_FACTOR_REQUIRED");
    revoke(&user.browser, "wrong").await.refused(400, "INVALID_PASSWORD");
    assert_eq!(user.sign_in_from(&trusted).await.ok().body["twoFactorRedirect"], Value::Null);
    let ended = revoke(&user.browser, PASSWORD).await.ok();
    assert_eq!(ended.body, json!({"status": true}));
    assert_eq!(user.sign_in_from(&trusted).await.ok().body["twoFactorRedirect"], true);
    assert!(user.browser.get("/get-session").await.ok().body.is_object(), "sessions stay");
    let events = world.database().number("SELECT count(*) AS number FROM audit_events WHERE kind = 'trust-revoked'");
    assert_eq!(events, 1);
}
