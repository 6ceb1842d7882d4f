//! Decisions: pure functions from facts, terms and the time to an enum, one file each.
//!
//! The store calls them inside the transaction that carries them out, so that what was decided on is what is changed.
//! The audit event follows from the decision.
//!
//! | question | file |
//! |---|---|
//! | whose is a user name that was typed? | [`username_owner`] |
//! | may a stranger create an account? | [`sign_up`] |
//! | what does a right password open? | [`sign_in`] |
//! | may this password be judged? | [`password_attempt`] |
//! | may this code be looked at? | [`attempt`] |
//! | is it right? | [`judgement`] |
//! | what does a right second factor open? | [`second_factor`] |
//! | may an authenticator app be enrolled? | [`enrolment`] |
//! | do codes by e-mail become a second factor? | [`enrol_mail`] |
//! | may a method be added? | [`add_method`] |
//! | may a passkey be registered, or removed? | [`passkey_management`] |
//! | what is a right assertion by a passkey worth? | [`passkey_use`] |
//! | which methods are removed, and is the second factor off then? | [`removal`] |
//! | may an administrator take the second factor from an account? | [`factor_reset`] |
//! | where can a one-time code be sent? | [`delivery`] |
//! | which methods follow a changed address? | [`address_change`] |
//! | does a method count as a second factor? | [`usable`] |
//! | from which quotas does it take? | [`sending`] |
//! | what becomes of a message after an attempt to deliver it? | [`redelivery`] |
//! | does trust in a device count? | [`trust`] |
//! | is the user notified of a sign-in? | [`absence`] |
//! | may the password be changed? | [`password_change`] |
//! | is a session or a refresh token renewed? | [`refresh`] |
//! | what may a session do? | [`session_scope`] |
//! | does a keyring belong to a database? | [`keyring`] |
//! | may a key of the ring be the one that signs and seals? | [`key_activation`] |
//! | may a key leave the ring? | [`key_retirement`] |
//! | which events of the audit trail are sealed in the next block? | [`audit_sealing`] |
//! | which blocks of the audit trail are old enough to go? | [`audit_removal`] |
//! | is a link mailed, and what may its holder do? | [`mailed_link`] |
//! | may an owner delete the account? | [`deletion`] |
//! | what ends with a change to credentials, or with a registration? | [`endings`] |
//! | may a service lock an account until then? | [`suspension`] |
//! | does anything change when an account's locks and limits are lifted? | [`lifting`] |
//! | may a backup take the place of a database, and what ends by that? | [`restore`] |

pub mod absence;
pub mod add_method;
pub mod address_change;
pub mod attempt;
pub mod audit_removal;
pub mod audit_sealing;
pub mod deletion;
pub mod delivery;
pub mod endings;
pub mod enrol_mail;
pub mod enrolment;
pub mod factor_reset;
pub mod judgement;
pub mod key_activation;
pub mod key_retirement;
pub mod keyring;
pub mod lifting;
pub mod mailed_link;
pub mod passkey_management;
pub mod passkey_use;
pub mod password_attempt;
pub mod password_change;
pub mod redelivery;
pub mod refresh;
pub mod removal;
pub mod restore;
pub mod second_factor;
pub mod sending;
pub mod session_scope;
pub mod sign_in;
pub mod sign_up;
pub mod suspension;
pub mod trust;
pub mod usable;
pub mod username_owner;

#[cfg(test)]
pub(crate) mod fixtures;
