//! Locks of accounts within one process: units of work of one account run one at a time.
//!
//! Two transactions about one account wait for each other at its row. A transaction that waits there holds a connection, so
//! that a burst of requests about one account would leave none for others. Within one process they wait here instead,
//! before they take a connection, in the order in which they came.
//!
//! A challenge or a token leads to an account that is not known before the unit's first statement. Such units lock it by that
//! digest, so that several challenges of one account still meet at the account's row: as many as its owner has opened, each by a
//! right password.

use countersign_domain::attempt::Claimant;
use countersign_domain::ids::AccountId;
use countersign_domain::passkey::ceremony::Ceremony;
use countersign_domain::secret::Digest;
use std::hash::{BuildHasher, RandomState};
use tokio::sync::{Mutex, MutexGuard};

/// Keys are spread over this many stripes. Two keys of one stripe wait for each other without need: with eight units at once, twice
/// as many as there are connections by default, one time in 37.
const STRIPES: usize = 1024;

/// What a unit of work locks: the account, or the digest that leads to it in the unit's first statement.
#[derive(Clone, Copy, Debug, Hash)]
pub(crate) enum LockKey {
    Account(AccountId),
    Token(Digest),
}

impl From<&AccountId> for LockKey {
    fn from(id: &AccountId) -> Self {
        Self::Account(*id)
    }
}

impl From<&Digest> for LockKey {
    fn from(digest: &Digest) -> Self {
        Self::Token(*digest)
    }
}

impl From<&Ceremony> for LockKey {
    fn from(ceremony: &Ceremony) -> Self {
        ceremony.purpose.account_id().map_or(Self::Token(ceremony.digest), Self::Account)
    }
}

impl From<&Claimant> for LockKey {
    fn from(claimant: &Claimant) -> Self {
        match claimant {
            Claimant::Challenge(digest) => Self::Token(*digest),
            Claimant::Session { account_id, .. } | Claimant::Holder { account_id, .. } => Self::Account(*account_id),
        }
    }
}

pub(crate) struct AccountLocks {
    stripes: Box<[Mutex<()>]>,
    /// Keyed, so that no client can choose accounts that share a stripe.
    hasher: RandomState,
}

impl AccountLocks {
    pub(crate) fn new() -> Self {
        Self { stripes: (0..STRIPES).map(|_| Mutex::new(())).collect(), hasher: RandomState::new() }
    }

    /// Waits until no other unit of work holds this lock; dropping the result releases it.
    pub(crate) async fn acquire(&self, key: LockKey) -> MutexGuard<'_, ()> {
        let stripe = self.hasher.hash_one(key) % STRIPES as u64;
        self.stripes[usize::try_from(stripe).expect("it is less than STRIPES")].lock().await
    }
}
