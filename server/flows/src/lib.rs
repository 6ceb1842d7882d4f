//! One flow per intent, shared by every dialect.
//!
//! A flow takes plain values and the dialect's [`Terms`](countersign_domain::terms::Terms), makes its change in one call of
//! the store, where the decision of `countersign_domain` is made, and says how it ended: by an outcome that a dialect words,
//! or by a [`FlowError`], which means that the server could not do its work.
//!
//! This crate sees neither HTTP nor a dialect. What it needs from outside is in [`Services`].
//!
//! | intent | module |
//! |---|---|
//! | sign in, sign up | [`sign_in`], [`users`] |
//! | pass a second factor, in a challenge or a session | [`second_factor`] |
//! | send a one-time code, open a challenge without a password | [`one_time_code`] |
//! | enrol an app or codes by e-mail, show a secret again, add, rename and remove methods, new backup codes | [`enrolment`], [`methods`], [`backup_codes`] |
//! | register, list, rename, remove passkeys, and sign in with one | [`passkeys`] |
//! | check, change and set a password | [`password`] |
//! | read, list, extend and end sessions | [`sessions`] |
//! | list, rename and revoke trusted devices | [`devices`] |
//! | issue, read and refresh tokens; list and revoke refresh tokens | [`tokens`], [`refresh_tokens`] |
//! | create, find, change and delete users, and their registrations | [`users`], [`registrations`] |
//! | mail a link: to set a new password, prove or change an address, delete the account | [`mailed_links`] |
//! | follow a link; change one's name, delete one's account | [`password`], [`own_account`] |
//! | make sure that the keyring belongs to the database | [`keyring`] |
//! | note which keys a node has loaded; activate, reseal and retire a key | [`key_rotation`] |
//! | seal the audit trail in blocks, and verify it | [`audit_chain`] |
//! | show, set and lift locks and limits of an account | [`limits`] |
//! | end what users have opened, set passwords, reset second factors, for administrators | [`administration`] |
//! | list users, read the audit trail, count, for administrators | [`reports`] |
//! | deliver what was stored for users | [`delivery`] |

pub mod administration;
pub mod audit_chain;
pub mod backup_codes;
pub mod caller;
pub mod delivery;
pub mod devices;
pub mod enrolment;
pub mod hashing;
pub mod key_rotation;
pub mod keyring;
pub mod limits;
pub mod link_ids;
pub mod mailed_links;
pub mod methods;
pub mod one_time_code;
pub mod own_account;
pub mod passkeys;
pub mod password;
mod password_check;
pub mod random;
pub mod refresh_tokens;
pub mod registrations;
pub mod reports;
pub mod second_factor;
pub mod sessions;
pub mod sign_in;
pub mod tokens;
pub mod users;

pub use caller::Caller;
pub use sessions::{Authenticated, EnrolmentDue, FullSession};

use countersign_domain::api_key::Service;
use countersign_domain::decisions::judgement::JudgementError;
use countersign_domain::jwt::{AccessTokenSettings, SignError};
use countersign_domain::keyring::Keyring;
use countersign_domain::message::Notices;
use countersign_domain::observer::{Observer, Quota};
use countersign_domain::password::Cost;
use countersign_domain::policy::Policy;
use countersign_domain::secret::ApiKey;
use countersign_domain::stored_secret::{Binding, OpenSecretError};
use countersign_domain::tenant::Directory;
use countersign_domain::terms::Rules;
use countersign_domain::time::{Clock, Timestamp};
use countersign_domain::webhook::Subscription;
use countersign_store::{Store, StoreError};
use delivery::DeliveryQueue;
use hashing::{Overloaded, PasswordHasher};
use random::Randomness;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;

/// How long a caller stays away while the database is not available.
const UNAVAILABLE_FOR: Duration = Duration::from_secs(1);

/// Everything that flows work with.
pub struct Services {
    pub store: Arc<Store>,
    pub keyring: Arc<Keyring>,
    pub rules: Arc<Rules>,
    pub tokens: AccessTokenSettings,
    pub hasher: PasswordHasher,
    /// Work factor of new password hashes.
    pub password_cost: Cost,
    /// From when on TOTP secrets are sealed to their account; see [`keyring::claim`].
    pub secrets_bound_from: Timestamp,
    pub delivery: Arc<DeliveryQueue>,
    /// `None` where users are not notified of changes.
    pub notices: Option<Notices>,
    /// What receivers of webhooks get; empty without any.
    pub subscriptions: Arc<[Subscription]>,
    pub clock: Arc<dyn Clock>,
    pub random: Randomness,
    /// The name that authenticator apps and messages show.
    pub app_name: String,
    /// For causes that the caller is not told.
    pub log: slog::Logger,
    /// Takes how attempts end.
    pub observer: Arc<dyn Observer>,
}

/// The flows of one server. Clones share everything.
#[derive(Clone)]
pub struct Flows {
    services: Arc<Services>,
    /// Places for writes that no request waits for to the end.
    session_writes: Arc<Semaphore>,
}

/// Writes about the use of sessions that may be under way at once. Each waits for a connection as a request does, so that a few
/// times the connections of a pool are plenty; what finds no place is written with the next request of the session.
const SESSION_WRITES: usize = 64;

/// Why the server could not do its work.
#[derive(Debug, thiserror::Error)]
pub enum FlowError {
    #[error(transparent)]
    Overloaded(#[from] Overloaded),
    #[error("failed to use the database")]
    Store(#[from] StoreError),
    #[error("failed to judge a code")]
    Judgement(#[from] JudgementError),
    #[error(transparent)]
    Secret(#[from] OpenSecretError),
    #[error("failed to sign an access token")]
    Unsigned(#[from] SignError),
    #[error("the account changed {0} times while a second factor was completed")]
    Contended(u32),
    #[error("the terms of this dialect grant something else")]
    OtherGrant,
}

impl FlowError {
    /// When it is worth trying again; `None` for a defect that will not go away by itself.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Overloaded(overloaded) => Some(overloaded.retry_after),
            Self::Store(store) if store.is_unavailable() => Some(UNAVAILABLE_FOR),
            Self::Contended(_) => Some(UNAVAILABLE_FOR),
            Self::Store(_) | Self::Judgement(_) | Self::Secret(_) | Self::Unsigned(_) | Self::OtherGrant => None,
        }
    }
}

impl Flows {
    #[must_use]
    pub fn new(services: Services) -> Self {
        Self { services: Arc::new(services), session_writes: Arc::new(Semaphore::new(SESSION_WRITES)) }
    }

    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.services.clock.now()
    }

    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.services.rules.policy
    }

    #[must_use]
    pub fn directory(&self) -> &Directory {
        &self.services.rules.directory
    }

    #[must_use]
    pub fn random(&self) -> &Randomness {
        &self.services.random
    }

    fn store(&self) -> &Store {
        &self.services.store
    }

    fn keyring(&self) -> &Keyring {
        &self.services.keyring
    }

    fn observer(&self) -> &dyn Observer {
        &*self.services.observer
    }

    /// Notes that a quota is used up.
    fn note_exceeded(&self, caller: &Caller, quota: Quota) {
        self.observer().quota_exceeded(quota, caller.dialect);
    }

    /// Passwords that wait to be hashed, and those that are being hashed.
    #[must_use]
    pub fn hashing(&self) -> hashing::Load {
        self.services.hasher.load()
    }

    /// What TOTP secrets are sealed to now.
    fn secret_binding(&self) -> Binding {
        if self.now() >= self.services.secrets_bound_from { Binding::Account } else { Binding::Method }
    }

    fn rules(&self) -> Arc<Rules> {
        Arc::clone(&self.services.rules)
    }

    /// The service with this API key, unless the key is revoked, or is for a tenant that is not configured any more: there is nothing
    /// that such a key is for.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn service(&self, key: &str) -> Result<Option<Service>, FlowError> {
        let Some(key) = ApiKey::parse(key) else { return Ok(None) };
        let service = self.store().api_key(key.digest()).await?.map(Service::from);
        Ok(service.filter(|service| service.tenant_id.is_none_or(|id| self.directory().tenant(id).is_some())))
    }
}
