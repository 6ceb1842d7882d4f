//! The trait of the Better Auth dialect prints what the contract says. The server's build checks the same; this test
//! says it without building a server.

use countersign_api::better_auth::better_auth_api_mod::stub_api_description;
use countersign_contract::{Document, compare};
use semver::Version;

#[test]
fn better_auth_prints_its_contract() {
    let contract = Document::load("openapi/better-auth.yaml", include_str!("../../../openapi/better-auth.yaml"));
    let contract = contract.expect("the contract can be read");
    let description = stub_api_description().expect("the trait can be described");
    let printed = description.openapi("Better Auth", Version::new(1, 0, 0)).json().expect("dropshot writes JSON");
    let code = Document::from_value("countersign-api", printed).expect("dropshot writes OpenAPI");
    let differences: Vec<String> =
        compare(&contract, &code, contract.base_path()).iter().map(ToString::to_string).collect();
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}
