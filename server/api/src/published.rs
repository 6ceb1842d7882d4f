//! What dropshot publishes of each dialect's traits, to be compared with the contract.

use crate::dialects::DialectName;
use crate::{admin, better_auth, fusionauth};
use dropshot::semver::Version;
use serde_json::Value;

macro_rules! published {
    ($($api:ident)::+) => {
        $($api)::+::stub_api_description().map_err(|error| error.to_string()).and_then(|api| {
            api.openapi("published", Version::new(0, 0, 0)).json().map_err(|error| error.to_string())
        })
    };
}

/// The OpenAPI documents of a dialect's traits, which together must match its contract.
///
/// # Errors
/// What dropshot does not accept in a trait.
pub fn published_documents(dialect: DialectName) -> Result<Vec<Value>, String> {
    let documents = match dialect {
        DialectName::BetterAuth => vec![published!(better_auth::better_auth_api_mod)],
        DialectName::FusionAuth => vec![
            published!(fusionauth::recovery_code_api_mod),
            published!(fusionauth::method_api_mod),
            published!(fusionauth::administration_api_mod),
            published!(fusionauth::link_api_mod),
            published!(fusionauth::passkey_api_mod),
            published!(fusionauth::passkey_by_id_api_mod),
            published!(fusionauth::fusion_auth_api_mod),
            published!(fusionauth::user_api_mod),
        ],
        DialectName::Admin => vec![published!(admin::admin_api_mod)],
    };
    documents.into_iter().collect()
}
