//! Every query, written once and compiled for each database: `super::Conn` is the connection type of the module that
//! includes this one.
//!
//! A function here is the body of one transaction (when it writes) or one read. It must be repeatable: after a conflict
//! the whole of it runs again.

use super::Conn;
use crate::error::StoreError;
use crate::work::TxOutcome;

mod accounts;
mod api_keys;
mod attempts;
mod audit;
mod codes;
mod endings;
mod housekeeping;
mod keyring;
mod known_networks;
mod limits;
mod methods;
mod quotas;
mod refresh_tokens;
mod second_factor;
mod sessions;
mod sign_in;
mod spent_steps;
mod tickets;
mod trusted_devices;
mod usernames;
mod users;

pub(crate) use accounts::{change_account, change_password, create_account, delete_account, register};
pub(crate) use api_keys::{add_api_key, api_key, api_keys, revoke_api_key};
pub(crate) use attempts::{claim_attempt, fail_attempt, return_attempt};
pub(crate) use audit::record;
pub(crate) use codes::{issue_code, open_challenge};
pub(crate) use housekeeping::purge_table;
pub(crate) use keyring::{add_canary, keyring_facts};
pub(crate) use limits::{account_limits, lift_limits};
pub(crate) use methods::{
    add_method, authenticators_of, begin_enrolment, disable_two_factor, enrol_mail, rename_method, replace_backup_codes,
};
pub(crate) use quotas::{give_back, take_password_try};
pub(crate) use refresh_tokens::use_refresh_token;
pub(crate) use second_factor::{complete_second_factor, remove_methods};
pub(crate) use sessions::{extend_session, ping, revoke_sessions, session_by_token, sessions_of, sign_out};
pub(crate) use sign_in::complete_sign_in;
pub(crate) use tickets::ticket;
pub(crate) use trusted_devices::{end_trust, trust};
pub(crate) use usernames::{find_unnormalized, normalize_username, username_conflicts};
pub(crate) use users::{account, user};

/// A duration as the tables have it.
fn millis(duration: std::time::Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// Result of the body of a transaction.
type TxResult<T> = Result<TxOutcome<T>, StoreError>;
