//! Decisions: pure functions from facts, terms and the time to an enum, one file each.
//!
//! The store calls them inside the transaction that carries them out, so that what was decided on is what is changed.
//! The audit event follows from the decision.
//!
//! | question | file |
//! |---|---|
//! | what does a right password open? | [`sign_in`] |
//! | may this code be looked at? | [`attempt`] |
//! | is it right? | [`judgement`] |
//! | what does a right second factor open? | [`second_factor`] |
//! | may an authenticator app be enrolled? | [`enrolment`] |
//! | may a method be added? | [`add_method`] |
//! | which methods are removed, and is the second factor off then? | [`removal`] |
//! | where can a one-time code be sent? | [`delivery`] |
//! | does trust in a device count? | [`trust`] |
//! | may the password be changed? | [`password_change`] |
//! | is a session or a refresh token renewed? | [`refresh`] |
//! | what may a session do? | [`session_scope`] |
//! | what ends with a change to credentials? | [`endings`] |

pub mod add_method;
pub mod attempt;
pub mod delivery;
pub mod endings;
pub mod enrolment;
pub mod judgement;
pub mod password_change;
pub mod refresh;
pub mod removal;
pub mod second_factor;
pub mod session_scope;
pub mod sign_in;
pub mod trust;

#[cfg(test)]
pub(crate) mod fixtures;
