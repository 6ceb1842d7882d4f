//! The traits of each dialect print what its contract says. The server's build checks the same; this test says it
//! without building a server.

use countersign_api::{DialectName, published_documents};
use countersign_contract_compare::{compare, merge};
use countersign_contract_document::Document;
use std::path::Path;

fn assert_agreed(dialect: DialectName) {
    let name = dialect.contract_file();
    let text = std::fs::read_to_string(Path::new("../..").join(name)).expect("the contract is a file");
    let contract = Document::load(name, &text).expect("the contract can be read");
    let published = published_documents(dialect).expect("the traits can be described");
    let published = merge(published).expect("the traits do not collide");
    let code = Document::from_value("countersign-api", published).expect("dropshot writes OpenAPI");
    let differences: Vec<String> =
        compare(&contract, &code, contract.base_path()).iter().map(ToString::to_string).collect();
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
fn better_auth_prints_its_contract() {
    assert_agreed(DialectName::BetterAuth);
}

#[test]
fn fusionauth_prints_its_contract() {
    assert_agreed(DialectName::FusionAuth);
}

#[test]
fn the_administration_api_prints_its_contract() {
    assert_agreed(DialectName::Admin);
}

#[test]
fn every_dialect_reads_back_its_name_and_others_are_refused() {
    for dialect in DialectName::ALL {
        assert_eq!(DialectName::parse(dialect.as_str()), Ok(dialect));
    }
    let problem = "`x` is none of better-auth, fusionauth, admin".to_owned();
    assert_eq!(DialectName::parse("x"), Err(problem));
}
