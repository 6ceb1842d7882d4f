//! The languages of messages: of the account, of the request that asks for a mail, of the tenant, of the server.

use crate::harness::{Caller, World};
use countersign_domain::language::Language;
use countersign_domain::tenant::{Directory, Tenant};
use countersign_test_postgres::{DatabaseKind, on_each_database};
use serde_json::json;
use std::time::Duration;
use tempfile::TempDir;

/// Templates in German, French and Swedish, whose subjects name their language.
fn templates() -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    for language in ["de", "fr", "sv"] {
        let own = directory.path().join(language);
        std::fs::create_dir(&own).unwrap();
        for (kind, value) in [("sign-in-code", "code"), ("password-reset-link", "link"), ("factor-added", "time")] {
            let text = format!("Subject: {language}\n\n{{{{ {value} }}}}\n");
            std::fs::write(own.join(format!("{kind}.txt")), text).unwrap();
        }
    }
    directory
}

async fn start(database: DatabaseKind, templates: &TempDir, of_tenant: Option<&str>) -> World {
    let world = World::with(database, |settings| {
        settings.messages.templates = Some(templates.path().to_owned());
        settings.messages.language = "fr".to_owned();
        settings.messages.notices_are_on = true;
        let language = of_tenant.and_then(Language::parse);
        let tenant = Tenant { language, ..Tenant::default() };
        settings.directory =
            Directory::new(vec![tenant], vec![countersign_domain::tenant::Application::default()]).unwrap();
    });
    world.await
}

/// The subjects of the messages of a kind to an address, once there are so many.
async fn subjects(world: &World, email: &str, kind: &str, count: usize) -> Vec<String> {
    for _ in 0..100 {
        let messages = world.outbox().messages();
        let mine = messages.iter().filter(|message| message["to"] == email && message["kind"] == kind);
        let subjects: Vec<_> = mine.map(|message| message["subject"].as_str().unwrap().to_owned()).collect();
        if subjects.len() == count {
            return subjects;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("not {count} messages of kind {kind}: {:?}", world.outbox().messages());
}

async fn ask_for_link(caller: &Caller, email: &str, accepted: &str) {
    let ask = caller.post("/request-password-reset").json(json!({"email": email}));
    ask.header("accept-language", accepted).await.ok();
}

#[on_each_database]
async fn a_mail_is_in_the_language_of_the_request_that_asks_for_it(database: DatabaseKind) {
    let templates = templates();
    let world = start(database, &templates, None).await;
    let user = world.user("ada").await;
    let asked = ["de-AT,en;q=0.5", "en", "*", "../../etc", "de;q=0, sv;q=0.2"];
    for accepted in asked {
        ask_for_link(&world.stranger(), &user.email, accepted).await;
        world.clock.advance(Duration::from_secs(1));
    }
    let mut sent = subjects(&world, &user.email, "password-reset-link", asked.len()).await;
    sent.sort_unstable();
    assert_eq!(sent, ["de", "fr", "fr", "fr", "sv"], "what there is not is in the server's language");

    user.browser
        .clone()
        .with_header("accept-language", "sv")
        .post("/two-factor/enable")
        .json(json!({"password": user.password, "method": "otp"}))
        .await
        .ok();
    // A notice is in the language of the account, and not in that of the request.
    assert_eq!(subjects(&world, &user.email, "factor-added", 1).await, ["fr"]);
    let browser = user.challenged().await;
    // An item with an odd byte hides no other one.
    browser.post("/two-factor/send-otp").header_bytes("accept-language", b"espa\xf1ol, sv;q=0.9").await.ok();
    assert_eq!(subjects(&world, &user.email, "sign-in-code", 1).await, ["sv"]);
}

#[on_each_database]
async fn an_account_has_its_languages_and_a_tenant_one(database: DatabaseKind) {
    let templates = templates();
    let world = start(database, &templates, Some("sv")).await;
    let service = world.service().await;
    let preferring = service.user_with(json!({"preferredLanguages": ["it", "de_CH"]})).await;
    let plain = service.user().await;
    for (user, language) in [(&preferring, "de"), (&plain, "sv")] {
        // The service's own languages are not its users'.
        service.enrol_address(user, "email", &user.email).await;
        assert_eq!(subjects(&world, &user.email, "factor-added", 1).await, [language]);
        let challenge = service.challenge(user).await;
        let method = service.method_id(user, "email").await;
        // Who calls without a key is the user's own browser or app.
        let send = service.open(&format!("/two-factor/send/{challenge}"), json!({"methodId": method}));
        send.header("accept-language", "fr").await.ok();
        let of_request = if language == "de" { "de" } else { "fr" };
        assert_eq!(subjects(&world, &user.email, "sign-in-code", 1).await, [of_request]);
        let forgot = json!({"loginId": user.email});
        service.open("/user/forgot-password", forgot.clone()).header("accept-language", "fr").await.ok();
        assert_eq!(subjects(&world, &user.email, "password-reset-link", 1).await, [of_request]);
        service.post("/user/forgot-password", forgot).header("accept-language", "fr").await.ok();
        let mut of_links = subjects(&world, &user.email, "password-reset-link", 2).await;
        of_links.sort_unstable();
        let mut expected = [of_request, language];
        expected.sort_unstable();
        assert_eq!(of_links, expected, "a service's languages are not those of its users");
        // In the other dialect, too, the account's come before the request's, and that before the tenant's.
        ask_for_link(&world.stranger(), &user.email, "fr").await;
        let links = subjects(&world, &user.email, "password-reset-link", 3).await;
        assert_eq!(links.iter().filter(|link| *link == of_request).count(), if language == "de" { 3 } else { 2 });
    }
}
