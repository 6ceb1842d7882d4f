//! The requests of findings as shell commands.

use super::findings;
use super::server::{Request, Response, serve};
use super::users::DOCUMENT;
use std::process::Command;
use std::sync::{Arc, Mutex};

/// What the operation sees of a request.
fn essence(request: &Request) -> (String, String, String, String, Vec<u8>) {
    let header = |name: &str| request.header(name).to_owned();
    let Request { method, target, body, .. } = request.clone();
    (method, target, header("content-type"), header("authorization"), body)
}

/// Fails on every request, with another status than the one before, so that each is a finding. Returns the findings and the
/// requests.
fn fail_on_all(document: &str, arguments: &[&str]) -> (Vec<String>, Arc<Mutex<Vec<Request>>>) {
    let requests = Arc::new(Mutex::new(Vec::new()));
    let received = Arc::clone(&requests);
    let address = serve(move |request| {
        let mut requests = received.lock().unwrap();
        requests.push(request.clone());
        Some(Response::empty(u16::try_from(500 + requests.len() % 99).unwrap()))
    });
    let found = findings(address, document, arguments);
    let commands = found.iter().map(|finding| finding["request"].as_str().unwrap_or_default().to_owned());
    (commands.filter(|command| !command.is_empty()).collect(), requests)
}

#[test]
fn a_shell_sends_the_request_again_byte_for_byte() {
    let name = "{type: string, minLength: 1, maxLength: 40}";
    let document =
        DOCUMENT.replace(name, &format!("{}, example: \"'; exit 1 #$(exit 1)`exit 1`\"}}", &name[..name.len() - 1]));
    assert_ne!(document, DOCUMENT);
    let arguments = ["--max-requests", "90", "--header", "Authorization: Bearer it's $HOME", "--show-secrets"];
    let (mut commands, requests) = fail_on_all(&document, &arguments);
    commands.sort();
    commands.dedup();
    let sent: Vec<_> = requests.lock().unwrap().drain(..).map(|request| essence(&request)).collect();
    assert!(sent.len() == 90 && commands.len() > 60, "{}", commands.len());
    assert!(commands.iter().any(|command| command.starts_with("printf '")), "no body of unusual characters");
    for command in commands {
        assert!(command.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{command}");
        let output = Command::new("sh").args(["-c", &command]).output().unwrap();
        assert!(output.status.success(), "{command}\n{}", String::from_utf8_lossy(&output.stderr));
        let again = requests.lock().unwrap().pop().unwrap();
        assert!(sent.contains(&essence(&again)), "{command}\nsends {again:?}");
    }
}

#[test]
fn secrets_are_masked_unless_asked_for() {
    let (commands, _) = fail_on_all(DOCUMENT, &["--max-requests", "12", "--header", "Authorization: Bearer 5ecret"]);
    assert!(!commands.is_empty());
    assert!(commands.iter().all(|command| !command.contains("5ecret")), "{commands:?}");
    assert!(commands.iter().any(|command| command.contains("--header 'authorization: [masked]'")), "{commands:?}");

    let value = ["--max-requests", "40", "--value", "name=it is 5ecret"];
    let (commands, requests) = fail_on_all(DOCUMENT, &value);
    let was_sent = |request: &Request| String::from_utf8_lossy(&request.body).contains("it is 5ecret");
    assert!(requests.lock().unwrap().iter().any(was_sent), "the value was not sent");
    assert!(commands.iter().all(|command| !command.contains("5ecret")), "{commands:?}");
    assert!(commands.iter().any(|command| command.contains(r#""name":"[masked]""#)), "{commands:?}");
    let (commands, _) = fail_on_all(DOCUMENT, &[&value[..], &["--show-secrets"]].concat());
    assert!(commands.iter().any(|command| command.contains("it is 5ecret")), "{commands:?}");
}
