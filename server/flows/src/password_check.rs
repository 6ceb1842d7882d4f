//! Checking a password: within its quotas, and in the same work whether there is such an account or not.

use super::hashing::ReadyPermit;
use super::password::Unconfirmed;
use super::{Caller, FlowError, Flows};
use countersign_domain::account::{Account, LoginName};
use countersign_domain::audit::EventKind;
use countersign_domain::decisions::password_attempt::{PasswordAttempt, account_quota};
use countersign_domain::ids::{AccountId, TenantId};
use countersign_domain::keyring::Purpose;
use countersign_domain::network::NetworkDigests;
use countersign_domain::observer::Quota;
use countersign_domain::password::{Password, PasswordHash};
use countersign_domain::quota::{AccountQuota, QuotaLimit, QuotaOwner, QuotaUse};
use countersign_domain::secret::Digest;
use countersign_domain::time::Timestamp;
use countersign_store::work::{KnownNetwork, PasswordUses, TakePasswordTry};
use data_encoding::HEXLOWER;

/// How checking a password ends.
#[derive(Debug)]
pub(super) enum PasswordCheck {
    Right {
        /// The same password at the current cost, if the stored hash is outdated.
        rehashed: Option<PasswordHash>,
        /// What a success gives back.
        uses: Vec<QuotaUse>,
    },
    /// Wrong, or there is no such account, or it has no password; or the account has used up its limit by another of its
    /// names, which the caller is not to learn.
    Wrong,
    /// Too many wrong passwords.
    Exhausted { until: Timestamp },
}

/// Who presents a password.
#[derive(Clone, Copy, Debug)]
pub(super) enum Presenter<'a> {
    /// Somebody who signs in.
    Anybody {
        tenant_id: TenantId,
        /// As typed.
        login_name: &'a str,
        /// A trust in the device that the account may have given.
        trust: &'a [Digest],
    },
    /// Somebody who changes the password of an account that the service names.
    Service,
    /// The holder of a session of the account.
    Session,
}

/// From where requests are counted together.
#[derive(Clone, Copy, Debug)]
enum Scope<'a> {
    /// Wherever else they come from.
    Anywhere,
    /// A client network, within the short window.
    Network { name: &'a str, is_known: bool },
    /// A network that the account knows.
    KnownNetwork(&'a str),
    /// A device that the account trusts.
    Device(Digest),
    /// The account's sessions.
    Session,
}

impl Flows {
    /// Checks a password. Uses of its quotas are taken before it is looked at, and an unknown account costs as much work as a
    /// known one (attack 44).
    pub(super) async fn check_password(
        &self,
        caller: &Caller,
        permit: ReadyPermit,
        presenter: Presenter<'_>,
        account: Option<&Account>,
        password: &str,
    ) -> Result<PasswordCheck, FlowError> {
        let now = self.now();
        let wanted = self.password_try(caller, presenter, account, now);
        let taken = self.store().take_password_try(wanted).await?;
        let is_judged = match taken.decision {
            PasswordAttempt::Judged => true,
            PasswordAttempt::CountsAsWrong => false,
            PasswordAttempt::TooMany { until } => {
                self.note_exceeded(caller, Quota::Passwords);
                return Ok(PasswordCheck::Exhausted { until });
            }
        };
        let cost = self.services.password_cost;
        let stored = account.and_then(|account| account.password.clone());
        let hash = stored.unwrap_or(PasswordHash::of_nobody(cost));
        let presented = Password::presented(password);
        let random = self.random().clone();
        let judged = permit.run(move |memory| {
            let is_right = hash.matches(&presented, memory) && is_judged;
            is_right.then(|| {
                hash.is_outdated(cost)
                    .then(|| random.draw(|random| PasswordHash::make(&presented, cost, random, memory)))
            })
        });
        if let Some(rehashed) = judged.await? {
            return Ok(PasswordCheck::Right { rehashed, uses: taken.uses });
        }
        let mut event = self.audit(caller, now).event(EventKind::PasswordRejected);
        event.account_id = account.map(|account| account.id);
        self.store().record(event).await?;
        Ok(PasswordCheck::Wrong)
    }

    /// Checks the current password in a session, for a change that needs it. A right one gives its quotas back at once.
    pub(super) async fn confirm_password(
        &self,
        caller: &Caller,
        account: &Account,
        password: &str,
    ) -> Result<Result<(), Unconfirmed>, FlowError> {
        self.confirm(caller, Presenter::Session, account, password).await
    }

    /// The same where a service names the account.
    pub(super) async fn confirm_password_without_session(
        &self,
        caller: &Caller,
        account: &Account,
        password: &str,
    ) -> Result<Result<(), Unconfirmed>, FlowError> {
        self.confirm(caller, Presenter::Service, account, password).await
    }

    async fn confirm(
        &self,
        caller: &Caller,
        presenter: Presenter<'_>,
        account: &Account,
        password: &str,
    ) -> Result<Result<(), Unconfirmed>, FlowError> {
        let permit = self.admit(caller)?.ready().await?;
        match self.check_password(caller, permit, presenter, Some(account), password).await? {
            PasswordCheck::Right { uses, .. } => {
                self.store().give_back(uses).await?;
                Ok(Ok(()))
            }
            PasswordCheck::Wrong => Ok(Err(Unconfirmed::WrongPassword)),
            PasswordCheck::Exhausted { until } => Ok(Err(Unconfirmed::TooMany { until })),
        }
    }

    /// The uses that a password costs.
    fn password_try(
        &self,
        caller: &Caller,
        presenter: Presenter<'_>,
        account: Option<&Account>,
        now: Timestamp,
    ) -> TakePasswordTry {
        let network = caller.network().map(|network| (network, network.to_string()));
        let uses = |scope| self.password_uses(presenter, account, scope);
        let account_id =
            account.map_or_else(|| self.random().draw(|random| AccountId::generate(now, random)), |account| account.id);
        let trust = match presenter {
            Presenter::Anybody { trust, .. } => trust,
            Presenter::Service | Presenter::Session => &[],
        };
        let is_in_session = matches!(presenter, Presenter::Session);
        TakePasswordTry {
            account_id,
            in_network: network.as_ref().map(|(_, name)| uses(Scope::Network { name, is_known: false })),
            in_known_network: network.as_ref().map(|(_, name)| uses(Scope::Network { name, is_known: true })),
            anywhere: uses(if is_in_session { Scope::Session } else { Scope::Anywhere }),
            network: network.as_ref().filter(|_| !is_in_session).map(|(network, name)| {
                (network.known_digests(account_id, self.keyring()), uses(Scope::KnownNetwork(name)))
            }),
            device: trust.first().map(|digest| (trust.to_vec(), uses(Scope::Device(*digest)))),
            versions: account.map(Account::versions).unwrap_or_default(),
            knows_account: !matches!(presenter, Presenter::Anybody { .. }),
            now,
        }
    }

    /// The counts of a scope. Their names reveal neither a login name nor a network.
    fn password_uses(&self, presenter: Presenter<'_>, account: Option<&Account>, scope: Scope<'_>) -> PasswordUses {
        let counts = match scope {
            // Shown by itself, as the limit that anybody can use up.
            Scope::Anywhere => None,
            Scope::Network { .. } => Some(AccountQuota::NetworkPasswords),
            Scope::KnownNetwork(_) => Some(AccountQuota::KnownNetworkPasswords),
            Scope::Device(_) => Some(AccountQuota::DevicePasswords),
            Scope::Session => Some(AccountQuota::SessionPasswords),
        };
        let policy = self.policy();
        let limit = counts.map_or(QuotaLimit::Refilling(policy.password_guesses), |counts| counts.limit(policy));
        let scope_name = match scope {
            Scope::Anywhere => "anywhere".to_owned(),
            Scope::Network { name, .. } => format!("network:{name}"),
            Scope::KnownNetwork(network) => format!("known-network:{network}"),
            Scope::Device(digest) => format!("device:{}", HEXLOWER.encode(digest.as_bytes())),
            Scope::Session => "session".to_owned(),
        };
        // What was typed comes last, so that no text of it can be taken for a scope.
        let epoch = account.map_or(0, |account| account.limits_epoch);
        let of_account = account.map(|account| format!("{}|{epoch}|{scope_name}", account.id));
        let typed = match presenter {
            Presenter::Anybody { tenant_id, login_name, .. } => {
                // What strangers have used up by name stays so when the account's limits are lifted: else they would learn that
                // there is an account, and that its limits were lifted.
                let epoch = match scope {
                    Scope::Anywhere | Scope::Network { is_known: false, .. } => 0,
                    _ => epoch,
                };
                format!("{tenant_id}|{epoch}|{scope_name}|{}", LoginName::typed_form(login_name))
            }
            Presenter::Service | Presenter::Session => of_account.clone().unwrap_or_default(),
        };
        let by_account = match (scope, account) {
            (Scope::Anywhere, Some(account)) => account_quota(account.id, epoch),
            _ => self.quota_name("password-account", of_account.as_deref().unwrap_or(&typed)),
        };
        let by_name = self.quota_name("password-name", &typed);
        let owner = account.zip(counts).map(|(account, counts)| QuotaOwner { account_id: account.id, counts });
        PasswordUses {
            by_name: QuotaUse { name: by_name, limit, owner: None },
            by_account: QuotaUse { name: by_account, limit, owner },
        }
    }

    fn quota_name(&self, kind: &str, message: &str) -> String {
        let message = format!("{kind}|{message}");
        format!("{kind}:{}", HEXLOWER.encode(&self.keyring().mac(Purpose::Quota, message.as_bytes())))
    }

    /// The client's network, as a challenge of the account keeps it; `None` where it is not the client's own.
    pub(super) fn network_digests(&self, caller: &Caller, account: AccountId) -> Option<NetworkDigests> {
        Some(caller.network()?.digests(account, self.keyring()))
    }

    /// A network that becomes known to an account by a sign-in that is completed now.
    pub(super) fn known_network(&self, digest: [u8; 32], now: Timestamp) -> KnownNetwork {
        KnownNetwork { digest, expires_at: now + self.policy().known_network_lifetime }
    }
}
