//! Passkeys among nodes: a response counts once. The keys are synced ones: of others, the counter would give a second use away.

use super::{AT_ONCE, Nodes, codes, on_two_nodes, rounds};
use crate::harness::caller::Call;
use crate::harness::service::APPLICATION;
use crate::harness::{Authenticator, BASE_URL, Caller, FusionAuthUser, Response, Service};
use crate::passkeys::fusionauth::creation;
use countersign_test_postgres::needs_postgres;
use serde_json::{Value, json};

/// The same response so often at once, by clients with the cookie and the session of this browser.
async fn race(nodes: &Nodes, browser: &Caller, path: &'static str, response: &Value) -> Vec<Response> {
    let cookies: Vec<_> = browser.cookies().iter().map(|(name, value)| format!("{name}={value}")).collect();
    let cookies = cookies.join("; ");
    let call = |caller: Caller| -> Call {
        let caller = caller.with_header("cookie", &cookies).with_header("origin", BASE_URL);
        caller.post(path).json(json!({"response": response}))
    };
    let strangers = nodes.nodes.iter().cycle().map(|node| node.stranger()).take(AT_ONCE);
    nodes.all_at_once(strangers.map(call).collect()).await
}

/// Exactly one was right, and the others came too late.
fn assert_one_won(responses: &[Response]) {
    let counts = codes(responses);
    assert_eq!(counts.get("200 "), Some(&1), "{counts:?}");
    assert_eq!(counts.get("400 CHALLENGE_NOT_FOUND"), Some(&(AT_ONCE - 1)), "{counts:?}");
}

async fn sign_ins(nodes: &Nodes, rounds: usize) {
    for round in 0..rounds {
        let user = nodes.user(round).await;
        let mut authenticator = Authenticator::synced();
        let options = user.browser.get("/passkey/generate-register-options").await.ok();
        let response = authenticator.register(&options.body);
        assert_one_won(&race(nodes, &user.browser, "/passkey/verify-registration", &response).await);
        let count = format!("SELECT count(*) AS number FROM passkeys WHERE account_id = '{}'", user.id);
        assert_eq!(nodes.database.number(&count), 1);

        let browser = nodes.nodes[(round + 1) % nodes.nodes.len()].browser();
        let options = browser.get("/passkey/generate-authenticate-options").await.ok();
        let response = authenticator.assert(&options.body);
        assert_one_won(&race(nodes, &browser, "/passkey/verify-authentication", &response).await);
        let count = format!("SELECT count(*) AS number FROM sessions WHERE account_id = '{}'", user.id);
        assert_eq!(nodes.database.number(&count), 2, "that of the registration, and one more");
    }
}

/// In turn an assertion that completes a challenge, and one that passes the second factor in a live session.
async fn second_factors(nodes: &Nodes, rounds: usize) {
    for round in 0..rounds {
        let enrolled = nodes.enrolled(round).await;
        let user = &enrolled.user;
        let mut authenticator = Authenticator::synced();
        let options = user.browser.get("/passkey/generate-register-options").await.ok();
        let response = json!({"response": authenticator.register(&options.body)});
        user.browser.post("/passkey/verify-registration").json(response).await.ok();
        let in_challenge = nodes.nodes[enrolled.home].browser();
        user.challenge_token(&in_challenge).await;
        let browser = if round % 2 == 0 { &in_challenge } else { &user.browser };
        let options = browser.get("/passkey/generate-authenticate-options").await.ok();
        assert!(options.body["allowCredentials"].is_array(), "{options}");
        let response = authenticator.assert(&options.body);
        let responses = race(nodes, browser, "/passkey/verify-authentication", &response).await;
        assert_one_won(&responses);
    }
}

/// Services at the nodes, and the user of a round.
struct Round<'a> {
    nodes: &'a Nodes,
    services: &'a [Service],
    home: &'a Service,
    user: FusionAuthUser,
}

impl Round<'_> {
    /// The same response so often at once, by whoever: one is right, and the others come too late.
    async fn race(&self, path: &str, body: Value) -> Response {
        let calls = self.services.iter().cycle().map(|service| service.open(path, body.clone()));
        self.nodes.race_of_calls(calls).await
    }

    /// Registers the authenticator, once.
    async fn register(&self, authenticator: &mut Authenticator) {
        let credential = authenticator.register(&creation(self.home, &self.user, "general").await);
        self.race("/webauthn/register/complete", json!({"userId": self.user.id, "credential": credential})).await;
        let account = self.user.id.replace('-', "");
        let count = format!("SELECT count(*) AS number FROM passkeys WHERE account_id = '{account}'");
        assert_eq!(self.nodes.database.number(&count), 1);
    }

    /// Logs in, once.
    async fn log_in(&self, authenticator: &mut Authenticator) {
        let body = json!({"userId": self.user.id, "applicationId": APPLICATION, "workflow": "bootstrap"});
        let options = self.home.post("/webauthn/start", body).await.ok().body["options"].clone();
        self.race("/webauthn/login", json!({"credential": authenticator.assert(&options)})).await;
    }

    /// Completes a challenge, once.
    async fn complete(&self, authenticator: &mut Authenticator) {
        let challenge = self.home.challenge(&self.user).await;
        let body = json!({"twoFactorId": challenge});
        let options = self.home.post("/webauthn/start", body).await.ok().body["options"].clone();
        let body = json!({"twoFactorId": challenge, "credential": authenticator.assert(&options)});
        self.race("/two-factor/login", body).await;
    }
}

async fn fusionauth(nodes: &Nodes, rounds: usize) {
    let services = nodes.services().await;
    for round in 0..rounds {
        let home = &services[round % services.len()];
        let round = Round { nodes, services: &services, home, user: home.user().await };
        let mut authenticator = Authenticator::synced();
        round.register(&mut authenticator).await;
        round.log_in(&mut authenticator).await;
        home.enrol_with(&round.user, |app| app.code_in(-1)).await;
        round.complete(&mut authenticator).await;
    }
    let logins = "SELECT count(*) AS number FROM audit_events WHERE kind = 'passkey-signed-in'";
    assert_eq!(nodes.database.number(logins), i64::try_from(rounds).unwrap());
}

#[needs_postgres]
#[tokio::test(flavor = "multi_thread")]
async fn one_passkey_through_fusionauth_among_two_nodes_49() {
    on_two_nodes(async |nodes| fusionauth(nodes, rounds()).await).await;
}

#[needs_postgres]
#[tokio::test(flavor = "multi_thread")]
async fn one_second_factor_by_passkey_among_two_nodes_49() {
    on_two_nodes(async |nodes| second_factors(nodes, rounds()).await).await;
}

#[needs_postgres]
#[tokio::test(flavor = "multi_thread")]
async fn one_assertion_among_two_nodes_49() {
    on_two_nodes(async |nodes| sign_ins(nodes, rounds()).await).await;
}
