//! What the server does, in the words of neither dialect: each flow takes plain values, keeps the rules of
//! `countersign_domain`, makes its change in one call of the store, and says how it ended.
//!
//! A flow ends in an outcome (`SignIn`, `Verified` …), which a dialect puts into its own words, or in a
//! [`FlowError`], which means that the server could not do its work.

pub mod backup_codes;
pub mod caller;
pub mod change_password;
pub mod disable;
pub mod enrolment;
pub mod log_in;
pub mod methods;
pub mod password_check;
pub mod people;
pub mod second_factor;
pub mod send_code;
pub mod services;
pub mod sessions;
pub mod sign_in;
pub mod sign_up;
pub mod tokens;

use crate::clock::Clock;
use crate::delivery::Delivery;
use crate::hashing::{Overloaded, PasswordHasher};
use countersign_domain::account::Account;
use countersign_domain::jwt::{AccessTokenSettings, SignError};
use countersign_domain::keyring::{Keyring, OpenError};
use countersign_domain::password::Cost;
use countersign_domain::policy::Policy;
use countersign_domain::secret::SessionToken;
use countersign_domain::session::Session;
use countersign_domain::tenant::Directory;
use countersign_domain::time::Timestamp;
use countersign_store::{Store, StoreError};
use rand_core::CryptoRng;
use std::sync::Arc;

pub use caller::Caller;

/// Everything the flows work with.
pub struct Flows {
    /// Where state is kept.
    pub store: Store,
    /// What seals and signs.
    pub keyring: Arc<Keyring>,
    /// The tenants and applications.
    pub directory: Arc<Directory>,
    /// How access tokens are made.
    pub tokens: AccessTokenSettings,
    /// The numbers of the rules.
    pub policy: Arc<Policy>,
    /// Where passwords are hashed.
    pub hasher: PasswordHasher,
    /// Work factor of new password hashes.
    pub password_cost: Cost,
    /// What carries codes to people.
    pub delivery: Delivery,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// The name that authenticator apps and messages show.
    pub app_name: String,
    /// Where what a caller is not told goes.
    pub log: slog::Logger,
}

/// Why the server could not do its work. The caller is told only whether to come back.
#[derive(Debug, thiserror::Error)]
pub enum FlowError {
    /// Too many passwords are waiting to be hashed.
    #[error(transparent)]
    Overloaded(#[from] Overloaded),
    /// The database failed.
    #[error("failed to reach what is stored")]
    Store(#[from] StoreError),
    /// A stored secret cannot be opened.
    #[error("failed to open a stored secret")]
    Sealed(#[from] OpenError),
    /// A session belongs to an account that nobody could have opened it with.
    #[error("an account that is signed in by mail address has none")]
    NoAddress,
    /// No access token can be made.
    #[error("failed to sign an access token")]
    Unsigned(#[from] SignError),
    /// A stored secret has a length that no secret of ours has.
    #[error("a stored secret is too short")]
    ShortSecret,
}

/// A live session together with whose it is and the token that opened it.
#[derive(Clone, Debug)]
pub struct Authenticated {
    /// The session.
    pub session: Session,
    /// Whose it is.
    pub account: Account,
    /// Its token, as the client holds it.
    pub token: SessionToken,
}

impl Flows {
    /// The present instant.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

/// Lends the operating system's randomness, through a generator that is seeded from it.
pub fn with_random<T>(use_it: impl FnOnce(&mut dyn CryptoRng) -> T) -> T {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that randomness comes from")]
    let mut random = rand::rng();
    use_it(&mut random)
}
