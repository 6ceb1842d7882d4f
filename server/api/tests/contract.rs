//! The traits of each dialect print what its contract says. The server's build checks the same; this test says it
//! without building a server.

use countersign_api::{better_auth, fusionauth};
use countersign_contract::{Document, compare, merge};
use semver::Version;
use serde_json::Value;

macro_rules! printed {
    ($($api:ident)::+) => {{
        let description = $($api)::+::stub_api_description().expect("the trait can be described");
        description.openapi("printed", Version::new(1, 0, 0)).json().expect("dropshot writes JSON")
    }};
}

fn assert_agreed(name: &str, text: &str, printed: Vec<Value>) {
    let contract = Document::load(name, text).expect("the contract can be read");
    let printed = merge(printed).expect("the traits do not collide");
    let code = Document::from_value("countersign-api", printed).expect("dropshot writes OpenAPI");
    let differences: Vec<String> =
        compare(&contract, &code, contract.base_path()).iter().map(ToString::to_string).collect();
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
fn better_auth_prints_its_contract() {
    let text = include_str!("../../../openapi/better-auth.yaml");
    assert_agreed("openapi/better-auth.yaml", text, vec![printed!(better_auth::better_auth_api_mod)]);
}

#[test]
fn fusionauth_prints_its_contract() {
    let printed = vec![
        printed!(fusionauth::recovery_code_api_mod),
        printed!(fusionauth::method_api_mod),
        printed!(fusionauth::fusion_auth_api_mod),
        printed!(fusionauth::user_api_mod),
    ];
    assert_agreed("openapi/fusionauth.yaml", include_str!("../../../openapi/fusionauth.yaml"), printed);
}
