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
use countersign_contract::{Document, ResponseValidator};
use dropshot::ApiDescriptionBuildErrors;
use std::collections::BTreeSet;
use std::sync::Arc;

/// The dialects of these names. With `are_judged`, each of their answers is held against the contract.
///
/// # Errors
/// When dropshot does not take an operation: a defect that any start shows.
pub fn dialects(
    app: &App,
    names: &BTreeSet<DialectName>,
    are_judged: bool,
) -> Result<Vec<Dialect<Arc<App>>>, ApiDescriptionBuildErrors> {
    let judged = |dialects: Vec<Dialect<Arc<App>>>, contract: &str| match are_judged {
        true => {
            let document = Document::load("contract", contract).expect("the build has read the contract");
            let judge = Arc::new(ResponseValidator::new(&document));
            dialects.into_iter().map(|dialect| dialect.judged_by(Arc::clone(&judge))).collect()
        }
        false => dialects,
    };
    let mut dialects = Vec::new();
    for name in names {
        match name {
            DialectName::BetterAuth => {
                let operations = Dispatcher::new(better_auth_api_mod::api_description::<BetterAuth>()?);
                let rules = Arc::new(better_auth::rules::Rules::new(app.trusted_origins.clone()));
                let dialect = Dialect::new(better_auth::BASE_PATH, vec![operations], rules);
                dialects.extend(judged(vec![dialect], better_auth::CONTRACT));
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
                let dialect = Dialect::new(fusionauth::BASE_PATH, operations, Arc::clone(&rules));
                let well_known = Dialect::new(fusionauth::WELL_KNOWN_PATH, vec![keys], rules);
                dialects.extend(judged(vec![dialect, well_known], fusionauth::CONTRACT));
            }
        }
    }
    Ok(dialects)
}
