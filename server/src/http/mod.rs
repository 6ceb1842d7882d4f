//! The dialects: each takes requests apart, calls one flow, and dresses the answer. Beside them, what is part of no
//! contract: [`ops`] and [`docs`].

pub mod better_auth;
pub mod docs;
pub mod fusionauth;
pub mod ops;

use self::better_auth::BetterAuth;
use self::fusionauth::FusionAuth;
use crate::app::App;
use crate::config::values::DialectName;
use crate::edge::{Dialect, DialectRules, Dispatcher};
use countersign_api::better_auth::better_auth_api_mod;
use countersign_api::fusionauth::{fusion_auth_api_mod, method_api_mod, recovery_code_api_mod, user_api_mod};
use dropshot::ApiDescriptionBuildErrors;
use std::collections::BTreeSet;
use std::sync::Arc;

/// The dialects of these names.
///
/// # Errors
/// When dropshot does not take an operation: a defect that any start shows.
pub fn dialects(app: &App, names: &BTreeSet<DialectName>) -> Result<Vec<Dialect<Arc<App>>>, ApiDescriptionBuildErrors> {
    let mut dialects = Vec::new();
    for name in names {
        match name {
            DialectName::BetterAuth => {
                let operations = Dispatcher::new(better_auth_api_mod::api_description::<BetterAuth>()?);
                let rules = Arc::new(better_auth::rules::Rules::new(app.trusted_origins.clone()));
                dialects.push(Dialect::new(better_auth::BASE_PATH, vec![operations], rules));
            }
            DialectName::FusionAuth => {
                let rules: Arc<dyn DialectRules> = Arc::new(fusionauth::rules::Rules);
                // In the order in which `countersign_api::fusionauth` has them.
                let operations = vec![
                    Dispatcher::new(recovery_code_api_mod::api_description::<FusionAuth>()?),
                    Dispatcher::new(method_api_mod::api_description::<FusionAuth>()?),
                    Dispatcher::new(fusion_auth_api_mod::api_description::<FusionAuth>()?),
                    Dispatcher::new(user_api_mod::api_description::<FusionAuth>()?),
                ];
                let keys = Dispatcher::new(fusion_auth_api_mod::api_description::<FusionAuth>()?);
                dialects.push(Dialect::new(fusionauth::BASE_PATH, operations, Arc::clone(&rules)));
                dialects.push(Dialect::new(fusionauth::WELL_KNOWN_PATH, vec![keys], rules));
            }
        }
    }
    Ok(dialects)
}
