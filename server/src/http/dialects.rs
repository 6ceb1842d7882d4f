//! The registry of dialects: the router, the edge rules and the contract of each.

use super::admin::{self, Admin};
use super::better_auth::{self, BetterAuth};
use super::fusionauth::{self, FusionAuth};
use crate::app::App;
use crate::edge::{Dialect, DialectRules, Dispatcher};
use countersign_api::DialectName;
use countersign_api::admin::admin_api_mod;
use countersign_api::better_auth::better_auth_api_mod;
use countersign_api::fusionauth::{
    administration_api_mod, fusion_auth_api_mod, link_api_mod, method_api_mod, passkey_api_mod, passkey_by_id_api_mod, recovery_code_api_mod, user_api_mod,
};
use countersign_contract_document::Document;
use countersign_contract_validate::ResponseValidator;
use dropshot::ApiDescriptionBuildErrors;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Where FusionAuth publishes its keys, besides its base path.
const WELL_KNOWN_PATH: &str = "/.well-known";

/// The text of a dialect's contract.
#[must_use]
pub const fn contract_text(name: DialectName) -> &'static str {
    match name {
        DialectName::BetterAuth => include_str!("../../../openapi/better-auth.yaml"),
        DialectName::FusionAuth => include_str!("../../../openapi/fusionauth.yaml"),
        DialectName::Admin => include_str!("../../../openapi/admin.yaml"),
    }
}

/// The dialects of these names. With `are_validated`, each of their responses is checked against the contract.
///
/// # Errors
/// When dropshot rejects an operation: a defect that any start shows.
pub fn serve(
    app: &App,
    names: &BTreeSet<DialectName>,
    are_validated: bool,
) -> Result<Vec<Dialect<Arc<App>>>, ApiDescriptionBuildErrors> {
    let mut dialects = Vec::new();
    for name in names {
        let of_name = of_name(app, *name)?.into_iter().map(|dialect| dialect.named(name.as_str())).collect::<Vec<_>>();
        if are_validated {
            let document = Document::load(name.contract_file(), contract_text(*name));
            let validator = Arc::new(ResponseValidator::new(&document.expect("the build has read the contract")));
            dialects.extend(of_name.into_iter().map(|dialect| dialect.validated_by(Arc::clone(&validator))));
        } else {
            dialects.extend(of_name);
        }
    }
    Ok(dialects)
}

fn of_name(app: &App, name: DialectName) -> Result<Vec<Dialect<Arc<App>>>, ApiDescriptionBuildErrors> {
    let rates = app.flows.policy().request_rates;
    match name {
        DialectName::BetterAuth => {
            let routers = vec![Dispatcher::new(better_auth_api_mod::api_description::<BetterAuth>()?)];
            let (trusted, untrusted) = (app.trusted_origins.clone(), Arc::clone(&app.untrusted_origins));
            let rules = Arc::new(better_auth::rules::Rules::new(trusted, untrusted, rates));
            Ok(vec![Dialect::new(name.base_path(), routers, rules)])
        }
        DialectName::FusionAuth => {
            let rules: Arc<dyn DialectRules> = Arc::new(fusionauth::rules::Rules::new(rates));
            // In the order in which `countersign_api::fusionauth` has them.
            let routers = vec![
                Dispatcher::new(recovery_code_api_mod::api_description::<FusionAuth>()?),
                Dispatcher::new(method_api_mod::api_description::<FusionAuth>()?),
                Dispatcher::new(administration_api_mod::api_description::<FusionAuth>()?),
                Dispatcher::new(link_api_mod::api_description::<FusionAuth>()?),
                Dispatcher::new(passkey_api_mod::api_description::<FusionAuth>()?),
                Dispatcher::new(passkey_by_id_api_mod::api_description::<FusionAuth>()?),
                Dispatcher::new(fusion_auth_api_mod::api_description::<FusionAuth>()?),
                Dispatcher::new(user_api_mod::api_description::<FusionAuth>()?),
            ];
            let keys = Dispatcher::new(fusion_auth_api_mod::api_description::<FusionAuth>()?);
            let well_known = Dialect::new(WELL_KNOWN_PATH, vec![keys], Arc::clone(&rules));
            Ok(vec![Dialect::new(name.base_path(), routers, rules), well_known])
        }
        DialectName::Admin => {
            let routers = vec![Dispatcher::new(admin_api_mod::api_description::<Admin>()?)];
            Ok(vec![Dialect::new(name.base_path(), routers, Arc::new(admin::rules::Rules::new(rates)))])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_is_below_a_path_that_its_dialect_serves() {
        for name in DialectName::ALL {
            for operation in crate::operations::of(name) {
                let is_below = |base: &str| operation.path.strip_prefix(base).is_some_and(|rest| rest.starts_with('/'));
                let is_key_set = name == DialectName::FusionAuth && is_below(WELL_KNOWN_PATH);
                assert!(is_below(name.base_path()) || is_key_set, "{}", operation.path);
            }
        }
    }
}
