//! Every query, written once and compiled for each database: `super::Conn` is the connection type of whichever
//! module includes this one.
//!
//! A function here is the inside of one transaction (when it writes) or one read. It must be repeatable: on a
//! conflict the whole of it runs again.

use super::Conn;
use crate::error::StoreError;
use crate::work::Unit;

mod accounts;
mod attempts;
mod audit;
mod budgets;
mod codes;
mod enrolment;
mod housekeeping;
mod sessions;
mod sign_in;

pub(crate) use accounts::{account_by_email, change_password, sign_up};
pub(crate) use attempts::{claim_attempt, fail_attempt, pass_second_factor};
pub(crate) use audit::record;
pub(crate) use budgets::{give_back, spend};
pub(crate) use codes::issue_code;
pub(crate) use enrolment::{authenticators_of, begin_enrolment, disable_two_factor, replace_backup_codes};
pub(crate) use housekeeping::purge_table;
pub(crate) use sessions::{extend_session, revoke_sessions, session_by_token, sessions_of, sign_out};
pub(crate) use sign_in::complete_sign_in;

/// What a write ends with.
type Work<T> = Result<Unit<T>, StoreError>;
