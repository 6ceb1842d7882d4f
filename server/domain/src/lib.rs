//! The rules of two-factor authentication, as pure functions.
//!
//! Nothing here knows of HTTP, of a database or of an async runtime. Time and randomness are arguments, so every
//! rule can be tested at any instant and with any luck. What a rule decides is a value ([`totp::Verdict`],
//! [`session::Refresh`] …); carrying it out is the work of the rooms around this one.
//!
//! | module | what it holds |
//! |---|---|
//! | [`time`], [`ids`], [`random`] | instants, typed identifiers, unbiased random text |
//! | [`secret`], [`keyring`], [`jwt`] | bearer secrets and their digests, keys for sealing and signing, access tokens |
//! | [`account`], [`password`] | people, e-mail addresses, password policy and hashing |
//! | [`method`], [`totp`], [`mailed_code`], [`backup_code`] | the factors |
//! | [`challenge`], [`session`], [`trusted_device`] | what an authentication leaves behind |
//! | [`policy`], [`audit`] | every number in one place, the names of what is recorded |

pub mod account;
pub mod audit;
pub mod backup_code;
pub mod challenge;
pub mod ids;
pub mod jwt;
pub mod keyring;
pub mod mailed_code;
pub mod method;
pub mod network;
pub mod password;
pub mod policy;
pub mod random;
pub mod secret;
pub mod session;
pub mod tenant;
pub mod time;
pub mod totp;
pub mod trusted_device;
