//! The commands and the administration API show the same.

use super::{fields, run};
use crate::harness::service::APPLICATION;
use crate::harness::{Process, Service};
use crate::limits::verify_totp;
use countersign_test_postgres::{DatabaseKind, on_each_database};
use serde_json::{Value, json};

/// A key from the command line.
fn create_key(server: &Process, arguments: &[&str]) -> String {
    let made = run(server, &[&["api-key", "create"], arguments].concat()).ok();
    made.lines().last().unwrap().to_owned()
}

#[on_each_database]
async fn commands_and_the_api_show_the_same(database: DatabaseKind) {
    let directory = tempfile::tempdir().unwrap();
    let server = Process::start(database, directory.path(), &[]);
    let admin = Service::new(&server, &create_key(&server, &["--allow", "admin"]), None).administrator();
    let user = server.user("ada").await;
    let app = user.enrol().await;
    let trusted = user.challenged().await;
    let trust = json!({"code": app.backup_codes[0], "trustDevice": true});
    trusted.post("/two-factor/verify-backup-code").json(trust).await.ok();
    verify_totp(&user.challenged().await, &app.wrong_code()).await.refused(401, "INVALID_CODE");
    let id = admin.id_of("ada").await;
    let service = server.service();
    let registration = json!({"registration": {"applicationId": APPLICATION, "username": "countess"}});
    service.post(&format!("/user/registration/{id}"), registration).await.ok();
    let log_in = json!({"loginId": user.email, "password": user.password, "applicationId": APPLICATION});
    let challenge = service.post("/login", log_in).await.is(242).text("/twoFactorId");
    let device = json!({"device": {"name": "my telephone", "type": "MOBILE"}});
    let complete = json!({"twoFactorId": challenge, "code": app.code_in(1), "metaData": device});
    service.open("/two-factor/login", complete).await.ok();

    let same = |command: &Value, response: &Value| {
        assert_eq!(command, response);
        assert!(!fields(command).is_empty());
    };
    let shown = run(&server, &["user", "show", &id, "--json"]).json();
    same(&shown, &admin.get(&format!("/users/{id}")).await.ok().body);
    assert!(shown["limits"]["guesses"] == 1 && shown["registrations"][0]["username"] == "countess", "{shown}");
    same(&run(&server, &["user", "list", "--json"]).json(), &admin.get("/users").await.ok().body);
    let grants = run(&server, &["user", "sessions", &id, "--json"]).json();
    assert_eq!(grants["refreshTokens"][0]["device"], json!({"name": "my telephone", "type": "MOBILE"}));
    same(&grants, &admin.get(&format!("/users/{id}/sessions")).await.ok().body);
    same(&run(&server, &["user", "export", &id]).json(), &admin.get(&format!("/users/{id}/export")).await.ok().body);

    let (mut command, mut response) =
        (run(&server, &["stats", "--json"]).json(), admin.get("/statistics").await.ok().body);
    for counts in [&mut command, &mut response] {
        assert!(counts.as_object_mut().unwrap().remove("at").is_some_and(|at| at.is_string()));
    }
    same(&command, &response);

    let events = run(&server, &["audit", "query", "--account", &id]).lines();
    let page = admin.get(&format!("/audit-events?account={id}")).await.ok();
    assert!(events.len() > 5, "{events:?}");
    same(&json!({"events": events, "nextCursor": null}), &page.body);

    // Changes say the same, too.
    let unlocked = run(&server, &["user", "unlock", &id, "--json"]).json();
    same(&unlocked, &admin.post(&format!("/users/{id}/unlock")).await.ok().body);
    let revoked = run(&server, &["user", "revoke", "--yes", &id, "--json"]).json();
    same(&revoked, &admin.delete(&format!("/users/{id}/sessions")).await.ok().body);
}

#[on_each_database]
async fn a_key_for_administration_is_made_explicitly(database: DatabaseKind) {
    let directory = tempfile::tempdir().unwrap();
    let server = Process::start(database, directory.path(), &[]);
    let admin = |arguments: &[&str]| Service::new(&server, &create_key(&server, arguments), None).administrator();
    admin(&[]).get("/users").await.refused(403, "FORBIDDEN");
    admin(&["--allow", "/api/*"]).get("/users").await.refused(403, "FORBIDDEN");
    admin(&["--allow", "admin"]).get("/users").await.ok();
    admin(&["--allow", "admin", "--allow", "/api/*"]).get("/users").await.ok();
    let reader = admin(&["--allow", "GET admin"]);
    reader.get("/users").await.ok();
    let new = json!({"username": "ada", "password": "a longer horse, a battery"});
    reader.post("/users").json(new).await.refused(403, "FORBIDDEN");
    let listed = run(&server, &["api-key", "list"]).ok();
    assert!(listed.contains("  may /admin/*, /api/*\n") && listed.contains("  may GET /admin/*\n"), "{listed}");
    run(&server, &["api-key", "create", "--allow", "/nothing/*"]).refused("there is no operation at `/nothing/*`");
    run(&server, &["api-key", "create", "--allow", "PUT admin"]).refused("there is no PUT at `/admin/*`, only DELETE");
    run(&server, &["api-key", "create", "--allow", "administration"]).refused("`administration` is not an operation");
}
