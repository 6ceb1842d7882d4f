//! One-time things that are no codes of a sign-in: trust in a device, the second factor of a session, the code that confirms an
//! enrolment, the tickets of FusionAuth's dialect, and the codes that add and remove a method.

use super::{AT_ONCE, Nodes, codes, on_two_nodes, rounds_or};
use crate::fusionauth::forgotten_passwords::mailed_id;
use crate::fusionauth::passwordless::mailed_code;
use crate::fusionauth::verified_addresses::verification_id;
use crate::harness::service::APPLICATION;
use crate::harness::{Caller, FusionAuthUser, PASSWORD, Response, Service, User};
use countersign_test_postgres::needs_postgres;
use serde_json::json;

/// Rounds of a run that is not asked for more.
const ROUNDS: usize = 20;

fn rounds() -> usize {
    rounds_or(ROUNDS)
}

/// The code that confirms an enrolment.
async fn enrol(nodes: &Nodes, user: &User) -> Vec<String> {
    let app = user.begin_enrolment().await;
    nodes.nodes[0].clock().settle().await;
    let body = json!({"code": app.code_in(-1)});
    let confirm = |caller: Caller| caller.post("/two-factor/verify-totp").json(body.clone());
    nodes.one_of(nodes.bearers(&user.first_token).map(confirm), &[400, 401, 409, 429]).await;
    app.backup_codes
}

/// The trust of a device: one sign-in is spared the second factor.
async fn sign_in_by_trust(nodes: &Nodes, user: &User, backup_code: &str) -> Response {
    let browser = user.challenged().await;
    let body = json!({"code": backup_code, "trustDevice": true});
    browser.post("/two-factor/verify-backup-code").json(body).await.ok();
    let (name, trust) = browser.cookies().into_iter().find(|(name, _)| name.ends_with("trust_device")).unwrap();
    let body = json!({"email": user.email, "password": PASSWORD});
    let callers = nodes.nodes.iter().cycle().map(|node| {
        let device = node.browser();
        device.set_cookie(&name, &trust);
        device.post("/sign-in/email").json(body.clone())
    });
    let responses = nodes.all_at_once(callers.take(AT_ONCE).collect()).await;
    let counts = codes(&responses);
    let is_spared = |response: &Response| response.status == 200 && response.body["twoFactorRedirect"].is_null();
    let (mut spared, others): (Vec<_>, Vec<_>) = responses.into_iter().partition(is_spared);
    assert_eq!(spared.len(), 1, "{counts:?}");
    assert!(others.iter().all(|response| [200, 429].contains(&response.status)), "{counts:?}");
    spared.remove(0)
}

/// A session without a second factor passes one and goes on under another token, whatever codes are presented with the old one.
async fn step_up(nodes: &Nodes, token: &str, backup_codes: &[String]) {
    let presentations = nodes.bearers(token).zip(backup_codes.iter().cycle());
    let present =
        |(caller, code): (Caller, &String)| caller.post("/two-factor/verify-backup-code").json(json!({"code": code}));
    nodes.one_of(presentations.map(present), &[400, 401, 409, 429]).await;
}

#[needs_postgres]
#[tokio::test(flavor = "multi_thread")]
async fn one_enrolment_one_trust_and_one_step_up_among_two_nodes() {
    on_two_nodes(async |nodes| {
        for round in 0..rounds() {
            let user = nodes.user(round).await;
            let backup_codes = enrol(nodes, &user).await;
            let session = sign_in_by_trust(nodes, &user, &backup_codes[0]).await;
            step_up(nodes, &session.text("/token"), &backup_codes[1..]).await;
        }
    })
    .await;
}

/// Services at the nodes, and a user with a second factor.
struct Holder<'a> {
    nodes: &'a Nodes,
    services: &'a [Service],
    user: FusionAuthUser,
}

impl Holder<'_> {
    fn home(&self) -> &Service {
        &self.services[0]
    }

    fn everywhere(&self) -> impl Iterator<Item = &Service> {
        self.services.iter().cycle()
    }

    /// The code that adds a method.
    async fn add_method(&self) {
        let email = &self.user.email;
        let send = json!({"userId": self.user.id, "method": "email", "email": email});
        self.home().post("/two-factor/send", send).await.ok();
        let code = self.nodes.nodes[0].last_code_for(email);
        let body = json!({"method": "email", "email": email, "code": code});
        let path = format!("/user/two-factor/{}", self.user.id);
        self.nodes
            .one_of(self.everywhere().map(|service| service.post(&path, body.clone())), &[400, 404, 409, 421])
            .await;
    }

    /// The token that shows that a second factor was passed.
    async fn trust_token(&self) {
        let begin = json!({"userId": self.user.id, "trustChallenge": "mine"});
        let begun = self.home().post("/two-factor/start", begin).await.ok();
        let passed = self.home().complete(&begun.text("/twoFactorId"), &begun.text("/code")).await.ok();
        let body = json!({
            "loginId": self.user.email, "currentPassword": PASSWORD, "password": PASSWORD,
            "trustToken": passed.text("/trustToken"), "trustChallenge": "mine",
        });
        let change = |service: &Service| service.post("/user/change-password", body.clone());
        self.nodes.one_of(self.everywhere().map(change), &[400, 404, 429]).await;
    }

    /// The code that removes a method.
    async fn remove_method(&self) {
        let method = self.home().method_id(&self.user, "email").await;
        self.home().post("/two-factor/send", json!({"userId": self.user.id, "methodId": method})).await.ok();
        let code = self.nodes.nodes[0].last_code_for(&self.user.email);
        let path = format!("/user/two-factor/{}?code={code}&methodId={method}", self.user.id);
        self.nodes.one_of(self.everywhere().map(|service| service.call("DELETE", &path)), &[400, 404, 409, 421]).await;
    }

    /// The ids and codes that are mailed: of a forgotten password, of an address, of a login.
    async fn mailed_ids(&self, user: &FusionAuthUser) {
        let (home, email) = (&self.nodes.nodes[0], &user.email);
        self.home().open("/user/forgot-password", json!({"loginId": email})).await.ok();
        let path = format!("/user/change-password/{}", mailed_id(home, email, 1).await);
        let body = json!({"password": PASSWORD});
        self.nodes.one_of(self.everywhere().map(|service| service.open(&path, body.clone())), &[404]).await;
        // The address is proved by now.
        let moved = format!("moved.{email}");
        let patch = json!({"user": {"email": moved}});
        self.home().call("PATCH", &format!("/user/{}", user.id)).json(patch).await.ok();
        home.stranger().call("PUT", &format!("/api/user/verify-email?email={moved}")).await.ok();
        let body = json!({"verificationId": verification_id(home, &moved, 1).await});
        let verify = |service: &Service| service.open("/user/verify-email", body.clone());
        self.nodes.one_of(self.everywhere().map(verify), &[404]).await;
        let body = json!({"loginId": moved, "applicationId": APPLICATION});
        self.home().open("/passwordless/send", body).await.ok();
        let body = json!({"code": mailed_code(home, &moved, 2).await});
        let log_in = |service: &Service| service.open("/passwordless/login", body.clone());
        self.nodes.one_of(self.everywhere().map(log_in), &[404]).await;
    }

    /// The ticket to change the password, and the one-time password that it gives.
    async fn change_password(&self) {
        let patch = json!({"user": {"passwordChangeRequired": true}});
        self.home().call("PATCH", &format!("/user/{}", self.user.id)).json(patch).await.ok();
        let ticket = self.home().log_in(&self.user).await.is(203).text("/changePasswordId");
        let (path, body) = (format!("/user/change-password/{ticket}"), json!({"password": PASSWORD}));
        let changed =
            self.nodes.one_of(self.everywhere().map(|service| service.open(&path, body.clone())), &[404]).await;
        let body = json!({"oneTimePassword": changed.text("/oneTimePassword"), "applicationId": APPLICATION});
        self.nodes.one_of(self.everywhere().map(|service| service.post("/login", body.clone())), &[404]).await;
    }
}

#[needs_postgres]
#[tokio::test(flavor = "multi_thread")]
async fn one_ticket_of_each_kind_through_fusionauth_among_two_nodes() {
    on_two_nodes(async |nodes| {
        let services = nodes.services().await;
        for _ in 0..rounds() {
            let holder = Holder { nodes, services: &services, user: services[0].user().await };
            holder.add_method().await;
            holder.trust_token().await;
            holder.remove_method().await;
            holder.change_password().await;
            holder.mailed_ids(&services[0].user().await).await;
        }
    })
    .await;
}
