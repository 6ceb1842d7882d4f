//! Checking a password, within a budget and in constant work.

use super::{Caller, FlowError, Flows};
use countersign_domain::account::Account;
use countersign_domain::audit::EventKind;
use countersign_domain::keyring::Purpose;
use countersign_domain::network::ClientNetwork;
use countersign_domain::password::{Password, PasswordHash};
use countersign_domain::time::Timestamp;
use countersign_store::work::{Spend, Spent};
use data_encoding::HEXLOWER;

/// How checking a password ends.
#[derive(Debug)]
pub enum PasswordCheck {
    /// It is the account's.
    Right {
        /// The same password at today's cost, when the stored hash is outdated.
        rehashed: Option<PasswordHash>,
        /// The budget that a success gives back.
        budget: String,
    },
    /// It is not, or there is no such account, or the account has no password.
    Wrong,
    /// Too many wrong ones were given for this name from this address.
    Exhausted {
        /// When the next one will be looked at.
        until: Timestamp,
    },
}

impl Flows {
    /// Checks `password` against `account`, spending the budget of `login_name` and the caller's network before the
    /// password is looked at. An account that does not exist costs as much as one that does (attack 44).
    ///
    /// # Errors
    /// When the hashing queue is full or the database fails.
    pub(super) async fn check_password(
        &self,
        caller: &Caller,
        login_name: &str,
        account: Option<&Account>,
        password: &str,
    ) -> Result<PasswordCheck, FlowError> {
        // Its turn to hash first: whoever is shed has not spent anything, and people who sign in at once do not use up
        // each other's budget while they wait.
        let turn = self.hasher.admit()?.turn().await?;
        let now = self.now();
        let budget = self.password_budget(caller, login_name);
        let spend = Spend {
            name: budget.clone(),
            limit: self.policy.password_failures,
            window: self.policy.password_window,
            now,
        };
        if let Spent::Exhausted { until } = self.store.spend(spend).await? {
            return Ok(PasswordCheck::Exhausted { until });
        }
        let cost = self.password_cost;
        let stored = account.and_then(|account| account.password.clone());
        let hash = stored.unwrap_or(PasswordHash::of_nobody(cost));
        let presented = Password::presented(password);
        let judged = turn.run(move |memory| {
            hash.matches(&presented, memory).then(|| {
                hash.is_outdated(cost)
                    .then(|| super::with_random(|random| PasswordHash::make(&presented, cost, random, memory)))
            })
        });
        match judged.await? {
            Some(rehashed) => Ok(PasswordCheck::Right { rehashed, budget }),
            None => {
                let id = account.map(|account| account.id);
                self.store.record(caller.event(EventKind::PasswordRejected, id, now)).await?;
                Ok(PasswordCheck::Wrong)
            }
        }
    }

    /// Checks the password of the account that is signed in, for a change that needs it. A right one gives the
    /// budget back at once.
    ///
    /// # Errors
    /// When the hashing queue is full or the database fails.
    pub(super) async fn confirm_password(
        &self,
        caller: &Caller,
        account: &Account,
        password: &str,
    ) -> Result<Result<(), Unconfirmed>, FlowError> {
        match self.check_password(caller, account.login_name(), Some(account), password).await? {
            PasswordCheck::Right { budget, .. } => {
                self.store.give_back(budget).await?;
                Ok(Ok(()))
            }
            PasswordCheck::Wrong => Ok(Err(Unconfirmed::WrongPassword)),
            PasswordCheck::Exhausted { until } => Ok(Err(Unconfirmed::TooMany { until })),
        }
    }

    /// The name of the budget for wrong passwords: it says neither who nor from where.
    fn password_budget(&self, caller: &Caller, login_name: &str) -> String {
        let message = format!("{}|{}", login_name, ClientNetwork::from(caller.ip));
        format!("password:{}", HEXLOWER.encode(&self.keyring.mac(Purpose::Budget, message.as_bytes())))
    }
}

/// Why the password of the account that is signed in was not confirmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unconfirmed {
    /// It is not the password.
    WrongPassword,
    /// Too many wrong ones were given.
    TooMany {
        /// When the next one will be looked at.
        until: Timestamp,
    },
}
