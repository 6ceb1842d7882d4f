//! Every query, written once and compiled for each database: `super::Conn` is the connection type of whichever
//! module includes this one.
//!
//! A function here is the inside of one transaction (when it writes) or one read. It must be repeatable: on a
//! conflict the whole of it runs again.

use super::Conn;
use crate::error::StoreError;
use crate::work::Unit;

mod accounts;
mod api_keys;
mod attempts;
mod audit;
mod budgets;
mod codes;
mod housekeeping;
mod methods;
mod refresh_tokens;
mod sessions;
mod sign_in;
mod tickets;

pub(crate) use accounts::{
    account_by_email, change_account, change_password, create_account, delete_account, person, register, sign_up,
};
pub(crate) use api_keys::{add_api_key, api_key, api_keys, revoke_api_key};
pub(crate) use attempts::{claim_attempt, fail_attempt, pass_second_factor};
pub(crate) use audit::record;
pub(crate) use budgets::{give_back, spend};
pub(crate) use codes::{issue_code, open_challenge};
pub(crate) use housekeeping::purge_table;
pub(crate) use methods::{
    add_method, authenticators_of, begin_enrolment, disable_two_factor, rename_method, replace_backup_codes,
};
pub(crate) use refresh_tokens::use_refresh_token;
pub(crate) use sessions::{extend_session, revoke_sessions, session_by_token, sessions_of, sign_out};
pub(crate) use sign_in::{complete_sign_in, trust};
pub(crate) use tickets::ticket;

/// What a write ends with.
type Work<T> = Result<Unit<T>, StoreError>;
