//! The dialects: each takes requests apart, calls one flow, and dresses the answer.

pub mod better_auth;
pub mod ops;

use self::better_auth::BetterAuth;
use self::better_auth::rules::Rules;
use crate::app::App;
use crate::edge::{Dialect, Dispatcher};
use countersign_api::better_auth::better_auth_api_mod;
use dropshot::ApiDescriptionBuildErrors;
use std::sync::Arc;

/// The dialects that this server speaks.
///
/// # Errors
/// When dropshot does not take an operation: a defect that any start shows.
pub fn dialects(app: &App) -> Result<Vec<Dialect<Arc<App>>>, ApiDescriptionBuildErrors> {
    let better_auth = Dispatcher::new(better_auth_api_mod::api_description::<BetterAuth>()?);
    let rules = Arc::new(Rules::new(app.trusted_origins.clone()));
    Ok(vec![Dialect::new(better_auth::BASE_PATH, vec![better_auth], rules)])
}
