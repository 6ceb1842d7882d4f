//! The contract against the code: what a drift looks like to the developer who caused it.
//!
//! The build fails on any difference (`build.rs`); here the real contract is changed in memory, and the lines that the
//! build would print are read.

use countersign_api::better_auth::better_auth_api_mod;
use countersign_api::{DialectName, published_documents};
use countersign_contract_compare::{compare, merge};
use countersign_contract_document::Document;
use serde_json::json;

const FILE: &str = "openapi/better-auth.yaml";

fn contract_text() -> String {
    std::fs::read_to_string(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(FILE)).unwrap()
}

fn lines(contract: &str) -> Vec<String> {
    let contract = Document::load(FILE, contract).unwrap();
    let published = better_auth_api_mod::stub_api_description().unwrap();
    let published = published.openapi("published", semver::Version::new(0, 0, 0)).json().unwrap();
    let code = Document::from_value("endpoints", published).unwrap();
    compare(&contract, &code, contract.base_path()).iter().map(ToString::to_string).collect()
}

/// The lines after the first occurrence of `from` was replaced.
fn after(from: &str, to: &str) -> Vec<String> {
    let text = contract_text();
    assert!(text.contains(from), "the contract does not say {from:?}");
    lines(&text.replacen(from, to, 1))
}

fn contract_of(dialect: DialectName) -> Document {
    let file = dialect.contract_file();
    let text = std::fs::read_to_string(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap();
    Document::load(file, &text).unwrap()
}

/// So nothing is served that is not documented, least of all a way to sign in.
#[test]
fn contracts_and_endpoints_agree_a_6_1_3() {
    for dialect in DialectName::ALL {
        let contract = contract_of(dialect);
        let published = merge(published_documents(dialect).unwrap()).unwrap();
        let code = Document::from_value("endpoints", published).unwrap();
        let differences = compare(&contract, &code, contract.base_path());
        let differences: Vec<String> = differences.iter().map(ToString::to_string).collect();
        assert_eq!(differences, Vec::<String>::new());
    }
}

/// Each response of every test is held to its contract, so that none of them is a 429 that does not say when to come back.
#[test]
fn every_429_has_to_say_when_to_come_back_r7() {
    for dialect in DialectName::ALL {
        let contract = contract_of(dialect);
        let mut limited = 0;
        for located in contract.located() {
            let Some(response) = located.operation["responses"].get("429") else { continue };
            let header = contract.resolve(&contract.resolve(response)["headers"]["Retry-After"]);
            let demanded = (&header["required"], &header["schema"]["minimum"]);
            assert_eq!(demanded, (&json!(true), &json!(1)), "{} {}", located.method, located.path);
            limited += 1;
        }
        assert!(limited > 10, "{limited}");
    }
}

#[test]
fn a_renamed_field_is_named_with_document_and_operation() {
    let lines = after("        trustDevice:", "        trustTheDevice:");
    assert!(!lines.is_empty());
    for line in &lines {
        assert!(line.starts_with("openapi/better-auth.yaml: POST /api/auth/two-factor/"), "{line}");
        assert!(line.contains("trustTheDevice") || line.contains("trustDevice"), "{line}");
    }
}

#[test]
fn a_renamed_operation_a_lost_status_and_another_path_are_told() {
    for (from, to, told) in [
        ("operationId: okGet", "operationId: okayGet", "okayGet"),
        ("  /two-factor/disable:", "  /two-factor/switch-off:", "/two-factor/switch-off"),
        ("'409':", "'418':", "418"),
    ] {
        let lines = after(from, to);
        assert!(
            lines.iter().any(|line| line.starts_with("openapi/better-auth.yaml: ") && line.contains(told)),
            "{lines:#?}"
        );
    }
}
