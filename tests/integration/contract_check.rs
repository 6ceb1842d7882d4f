//! `countersign contract check` against the real server: it finds nothing where the contract holds, and what is wrong
//! where it does not.

use crate::harness::authenticator::RP_ID;
use crate::harness::service::APPLICATION;
use crate::harness::{Authenticator, World, cheap_passwords};
use crate::passkeys::register;
use countersign_test_postgres::{DatabaseKind, on_each_database};
use std::net::SocketAddr;
use std::process::Command;

const BETTER_AUTH: &str = include_str!("../../openapi/better-auth.yaml");

/// Exit status, standard output, standard error.
async fn check(address: SocketAddr, base: &str, document: &str, arguments: &[&str]) -> (i32, String, String) {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("api.yaml"), document).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_countersign"));
    command.args(["contract", "check", "--url", &format!("http://{address}{base}")]).args(arguments).arg("api.yaml");
    command.current_dir(directory.path());
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    drop(directory);
    (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
}

#[on_each_database]
async fn contracts_hold_for_strangers_users_and_services(database: DatabaseKind) {
    let world = World::with(database, cheap_passwords).await;
    let service = world.service().await;
    let user = world.user("ada").await;
    let token = format!("Authorization: Bearer {}", user.first_token);
    let key = format!("Authorization: {}", service.key);
    let admin = format!("Authorization: Bearer {}", world.administrator().await.key);
    let fusionauth = include_str!("../../openapi/fusionauth.yaml");
    let administration = include_str!("../../openapi/admin.yaml");
    for (base, document, header) in [
        ("/api/auth", BETTER_AUTH, None),
        ("/api/auth", BETTER_AUTH, Some(token)),
        ("", fusionauth, None),
        ("", fusionauth, Some(key)),
        ("/admin", administration, Some(admin)),
    ] {
        let mut arguments = vec!["--max-requests", "800"];
        arguments.extend(header.iter().flat_map(|header| ["--header", header.as_str()]));
        let (status, text, error) = check(world.address(), base, document, &arguments).await;
        assert_eq!(status, 0, "{text}{error}");
        assert!(text.starts_with("no findings in 800 responses of http://127.0.0.1:"), "{text}");
        assert!(text.contains("(200: ") && text.ends_with(" operations succeeded)\n"), "{text}");
    }
}

/// Number of operations that succeeded, of a hundred.
fn share_of_success(text: &str) -> usize {
    let number = |after: &str| {
        let before = text.split(after).next().unwrap();
        before.rsplit(' ').next().unwrap().parse::<usize>().unwrap_or_else(|_| panic!("{text}"))
    };
    100 * number(" operations succeeded)") / number(" operations of ")
}

#[on_each_database]
async fn many_operations_succeed_with_credentials(database: DatabaseKind) {
    let world = World::with(database, cheap_passwords).await;
    let service = world.service().await;
    let (ada, bert) = (world.user("ada").await, world.user("bert").await);
    register(&bert.browser, &mut Authenticator::new()).await.ok();
    let token = format!("Authorization: Bearer {}", ada.first_token);
    let key = format!("Authorization: {}", service.key);
    let admin = format!("Authorization: Bearer {}", world.administrator().await.key);
    let values = [
        format!("applicationId={APPLICATION}"),
        format!("loginId={}", bert.email),
        format!("password={}", bert.password),
        "workflow=bootstrap".to_owned(),
        format!("relyingPartyId={RP_ID}"),
    ];
    let fusionauth = include_str!("../../openapi/fusionauth.yaml");
    let administration = include_str!("../../openapi/admin.yaml");
    for (base, document, header, values, least) in [
        ("/api/auth", BETTER_AUTH, token, &[][..], 60),
        // What needs a code from a mail or an app, or the signature of a passkey, cannot succeed.
        ("", fusionauth, key, &values[..], 60),
        ("/admin", administration, admin, &[], 60),
    ] {
        let mut arguments = vec!["--max-requests", "1200", "--header", header.as_str()];
        arguments.extend(values.iter().flat_map(|value| ["--value", value.as_str()]));
        let (status, text, error) = check(world.address(), base, document, &arguments).await;
        assert_eq!(status, 0, "{text}{error}");
        assert!(share_of_success(&text) >= least, "{text}{error}");
    }
}

#[on_each_database]
async fn a_wrong_base_is_status_2(database: DatabaseKind) {
    let world = World::start(database).await;
    let (status, text, error) = check(world.address(), "/nothing/here", BETTER_AUTH, &["--max-requests", "100"]).await;
    assert_eq!((status, text.as_str()), (2, ""), "{error}");
    assert!(error.contains("none of 100 responses of http://127.0.0.1:"), "{error}");
}

#[on_each_database]
async fn a_contract_that_does_not_hold_is_told_with_rule_and_line(database: DatabaseKind) {
    let world = World::start(database).await;
    let ok = "operationId: okGet\n      tags: [Default]\n";
    for (from, to, rule, operation, line) in [
        ("'422': {$ref:", "x-none: {$ref:", "status-undocumented", "POST /sign-up/email", "responses:"),
        ("        ok:\n", "        okay:\n", "property-undocumented", "GET /ok", "OkGet200Response"),
        ("required: [ok]", "required: [ok, since]", "body-schema", "GET /ok", "required: [ok, since]"),
        (
            ok,
            "operationId: okGet\n      parameters: [{name: since, in: query, required: true, schema: {type: string}}]\n",
            "forbidden-request-accepted",
            "GET /ok",
            "name: since",
        ),
        (
            "summary: Is the API there?\n      description: Answers as soon as the API takes requests. It touches no database.\n      security: []",
            "security: [{bearerAuth: []}]",
            "credentials-not-needed",
            "GET /ok",
            "get:",
        ),
    ] {
        assert!(BETTER_AUTH.contains(from), "{from}");
        let document = BETTER_AUTH.replacen(from, to, 1);
        let (status, text, error) = check(world.address(), "/api/auth", &document, &["--max-requests", "400"]).await;
        assert_eq!(status, 1, "{rule}\n{text}{error}");
        assert!(text.contains(&format!("error[{rule}]")), "{rule}\n{text}");
        assert!(text.contains(&format!("  in {operation}\n")), "{operation}\n{text}");
        let at = text.split(&format!("error[{rule}]")).nth(1).unwrap().split("api.yaml:").nth(1).unwrap();
        let at: usize = at.split(':').next().unwrap().parse().unwrap();
        let told = document.lines().nth(at - 1).unwrap();
        assert!(told.contains(line), "{rule} is told of line {at}: {told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_there_and_nonsense_is_status_2() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = nobody.local_addr().unwrap();
    drop(nobody);
    let (status, text, error) = check(address, "/api/auth", BETTER_AUTH, &[]).await;
    assert_eq!((status, text.as_str()), (2, ""), "{error}");
    assert!(error.contains("does not respond"), "{error}");
    let (status, _, error) = check(address, "/api/auth", BETTER_AUTH, &["--header", "no colon"]).await;
    assert!(status == 2 && error.contains("expected NAME: VALUE"), "{error}");
}

#[on_each_database]
async fn only_safe_methods_where_nothing_may_change(database: DatabaseKind) {
    let world = World::start(database).await;
    let (status, text, _) =
        check(world.address(), "/api/auth", BETTER_AUTH, &["--only-safe", "--max-requests", "60"]).await;
    assert_eq!(status, 0);
    assert!(text.contains("to 12 operations"), "{text}");
}
