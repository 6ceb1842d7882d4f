//! Every query, written once and compiled for each database: `super::Conn` is the connection type of the module that
//! includes this one.
//!
//! A function here is the body of one transaction (when it writes) or one read. It must be repeatable: after a conflict
//! the whole of it runs again.

use super::query_dsl::RunQueryDsl;
use super::{Conn, may_pipeline_commit, pipeline_commit};
use crate::error::StoreError;
use crate::millis;
use crate::work::TxOutcome;

mod accounts;
mod addresses;
mod administration;
mod api_keys;
mod attempts;
mod audit;
mod audit_chain;
mod ceremonies;
mod codes;
mod endings;
mod housekeeping;
mod key_rotation;
mod keyring;
mod known_networks;
mod limits;
mod locking;
mod mailed_links;
mod messages;
mod methods;
mod passkey_import;
mod passkeys;
mod quotas;
mod refresh_tokens;
mod registrations;
mod restore;
mod second_factor;
mod sessions;
mod sign_in;
mod spent_steps;
mod tickets;
mod trusted_devices;
mod user_search;
mod usernames;
mod users;
mod webhooks;

pub(crate) use accounts::{change_account, change_password, create_account, delete_account, update_profile};
pub(crate) use addresses::{change_address, restore_address, verify_address};
pub(crate) use administration::{list_users, reset_factors, statistics, stored_about};
pub(crate) use api_keys::{add_api_key, api_key, api_keys, revoke_api_key};
pub(crate) use attempts::{attempt_second_factor, claim_attempt, fail_attempt, return_attempt};
pub(crate) use audit::{audit_events, audit_place, record};
pub(crate) use audit_chain::{
    audit_blocks, audit_head, block_events, remove_audit_blocks, reseal_block, seal_audit_block, unsealed_events,
};
pub(crate) use ceremonies::{begin_ceremony, find_ceremony, spend_ceremony, waiting_sign_in};
pub(crate) use codes::{issue_code, open_challenge};
pub(crate) use housekeeping::purge_table;
pub(crate) use key_rotation::{
    count_sealed, forget_canary, forget_node, key_use, note_key, note_node, note_resealed, remove_tags, reseal_message,
    reseal_secret, scan_signed, sealed_blocks, sealed_messages, sealed_secrets, sealing_keys, tagged_codes,
};
pub(crate) use keyring::{add_canary, keyring_facts};
pub(crate) use limits::{account_limits, lift_limits, suspend_account};
pub(crate) use mailed_links::{delete_own_account, issue_link};
pub(crate) use messages::{finish_message, message_queue, next_message, preferred_languages, take_messages};
pub(crate) use methods::{
    add_method, authenticators_of, begin_enrolment, disable_two_factor, enrol_mail, rename_method, replace_backup_codes,
};
pub(crate) use passkey_import::import_passkeys;
pub(crate) use passkeys::{add_passkey, confirm_passkey, passkey, passkeys_of, remove_passkeys, rename_passkey};
pub(crate) use quotas::{give_back, take_password_try};
pub(crate) use refresh_tokens::{
    refresh_token_owner, refresh_tokens, revoke_refresh_tokens, token_holders, use_refresh_token,
};
pub(crate) use registrations::{change_registration, delete_registration, register};
pub(crate) use restore::end_all_grants;
pub(crate) use second_factor::{complete_second_factor, remove_methods};
pub(crate) use sessions::{extend_session, note_session_use, ping, revoke_sessions, sessions_of, sign_out};
pub(crate) use sign_in::complete_sign_in;
pub(crate) use tickets::ticket;
pub(crate) use trusted_devices::{change_trusted_device, end_trust, trust, trusted_devices};
pub(crate) use user_search::find_users;
pub(crate) use usernames::{find_unnormalized, normalize_username, username_conflicts};
pub(crate) use users::{account, user};
pub(crate) use webhooks::{finish_webhook_event, next_webhook_event, take_webhook_events, webhook_queue};

/// Result of the body of a transaction.
type TxResult<T> = Result<TxOutcome<T>, StoreError>;
