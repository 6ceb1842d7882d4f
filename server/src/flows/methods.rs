//! The second factors of a person, as services and the holders of access tokens manage them.

use super::enrolment::new_handles;
use super::second_factor::{Judged, Refused};
use super::send_code::SendCode;
use super::{Caller, FlowError, Flows, with_random};
use countersign_domain::account::Account;
use countersign_domain::audit::EventKind;
use countersign_domain::backup_code::{Alphabet, BackupCode};
use countersign_domain::challenge::Factor;
use countersign_domain::ids::{AccountId, MethodId};
use countersign_domain::keyring::Purpose;
use countersign_domain::mailed_code::{Address, MailedCode, Subject};
use countersign_domain::method::{Method, MethodHandle};
use countersign_domain::secret::TwoFactorId;
use countersign_domain::totp::{TotpSecret, Verdict};
use countersign_store::work::{
    Actor, AddMethod, Changed, Expected, IssueCode, Issued, MethodAdded, NewFactor, NewMethod, PassSecondFactor,
    Passed, Person, Removal, RenameMethod, ReplaceBackupCodes, SendTo,
};
use std::sync::Arc;
use std::time::Duration;

/// A method to be added, and the code that proves it.
#[derive(Debug)]
pub enum Offered {
    /// An authenticator app that has this secret.
    Authenticator(TotpSecret),
    /// An address that a code was sent to.
    Address(Address),
}

/// A method that is added.
#[derive(Debug)]
pub struct Added {
    /// New backup codes, when it is the account's first method.
    pub backup_codes: Option<Vec<BackupCode>>,
    /// What answers the challenge that waited for this.
    pub code: Option<MailedCode>,
}

/// Why a method is not added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotAdded {
    /// The code is wrong or spent.
    WrongCode,
    /// The code went to another address.
    OtherAddress,
    /// The challenge is unknown or expired.
    NoChallenge,
    /// The account has as many as it may have.
    TooMany,
    /// The account is gone, or changes all the time.
    Gone,
}

/// How giving methods up ends badly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotRemoved {
    /// There is no such method.
    NoMethod,
    /// It has to be said which.
    WhichOne,
    /// The code was refused.
    Refused(Refused),
}

impl Flows {
    /// Sends a code to an address that is to become a method.
    ///
    /// # Errors
    /// When the database fails; then nothing is sent.
    pub async fn send_to_enable(
        &self,
        caller: &Caller,
        account_id: AccountId,
        address: Address,
    ) -> Result<SendCode, FlowError> {
        let subject = Subject::Enable { account_id, address: address.clone() };
        let actor = Actor::Holder { account_id, subject };
        self.send(caller, actor, SendTo::Address(address), self.policy.method_code_lifetime).await
    }

    /// Sends a code by a method that is to be given up.
    ///
    /// # Errors
    /// When the database fails; then nothing is sent.
    pub async fn send_to_disable(
        &self,
        caller: &Caller,
        account_id: AccountId,
        method: &Method,
    ) -> Result<SendCode, FlowError> {
        let subject = Subject::Disable { account_id, method_id: method.id };
        let actor = Actor::Holder { account_id, subject };
        self.send(caller, actor, SendTo::Method(method.handle.clone()), self.policy.method_code_lifetime).await
    }

    /// Sends a code that answers a challenge.
    ///
    /// # Errors
    /// When the database fails; then nothing is sent.
    pub async fn send_to_answer(&self, caller: &Caller, id: &str, handle: &str) -> Result<SendCode, FlowError> {
        let Some(id) = TwoFactorId::parse(id) else { return Ok(SendCode::NoActor) };
        let actor = Actor::Challenge(id.digest());
        // A handle that none can be is none that is there; that the challenge is unknown goes before.
        let handle = MethodHandle::parse(handle).unwrap_or_else(|| with_random(MethodHandle::generate));
        self.send(caller, actor, SendTo::Method(handle), self.policy.two_factor_id_lifetime).await
    }

    async fn send(&self, caller: &Caller, actor: Actor, to: SendTo, lifetime: Duration) -> Result<SendCode, FlowError> {
        let now = self.now();
        let code = with_random(MailedCode::generate);
        let issue = IssueCode {
            mac: code.mac(&actor.subject(), &self.keyring),
            actor,
            to,
            lifetime,
            now,
            policy: Arc::clone(&self.policy),
            event: caller.factor_event(EventKind::CodeSent, Some(Factor::MailedCode), None, None, now),
        };
        Ok(match self.store.issue_code(issue).await? {
            Issued::To { account, address } => {
                self.deliver(account.id, &address, &code, lifetime).await;
                SendCode::Sent
            }
            Issued::NoActor => SendCode::NoActor,
            Issued::NoMethod => SendCode::NoMethod,
            Issued::CannotSend => SendCode::CannotSend,
            Issued::Exhausted { until } => SendCode::TooMany { until },
        })
    }

    /// Adds a method. The first one switches the second factor on and comes with backup codes.
    ///
    /// # Errors
    /// When the hashing queue is full or the database fails; then nothing has changed.
    pub async fn add_method(
        &self,
        caller: &Caller,
        account: &Account,
        offered: &Offered,
        code: &str,
        name: Option<&str>,
        challenge: Option<&str>,
    ) -> Result<Result<Added, NotAdded>, FlowError> {
        /// How often somebody else may change the account at the same moment.
        const TRIES: u32 = 4;
        let challenge = match challenge.map(TwoFactorId::parse) {
            None => None,
            Some(Some(id)) => Some((id.digest(), with_random(MailedCode::generate))),
            Some(None) => return Ok(Err(NotAdded::NoChallenge)),
        };
        let now = self.now();
        let id = with_random(|random| MethodId::generate(now, random));
        let (what, macs) = match offered {
            Offered::Authenticator(secret) => match secret.judge(code, now, self.policy.totp_skew, None) {
                Verdict::Right { step } => {
                    let (purpose, row) = (Purpose::TotpSecret, id.to_text());
                    let seal = |random: &mut dyn rand_core::CryptoRng| {
                        self.keyring.seal(purpose, row.as_bytes(), secret.expose(), random)
                    };
                    (NewFactor::Authenticator(with_random(seal), step), Vec::new())
                }
                Verdict::Replayed | Verdict::Wrong => return Ok(Err(NotAdded::WrongCode)),
            },
            Offered::Address(address) => {
                let subject = Subject::Enable { account_id: account.id, address: address.clone() };
                (NewFactor::Address(address.clone()), MailedCode::presented(code).macs(&subject, &self.keyring))
            }
        };
        let mut account = account.clone();
        for _ in 0..TRIES {
            let (backup_codes, stored) = match account.two_factor_enabled {
                true => (None, Vec::new()),
                false => {
                    let (codes, stored) = self.make_backup_codes(account.id, Alphabet::Capitals).await?;
                    (Some(codes), stored)
                }
            };
            let add = AddMethod {
                account_id: account.id,
                credentials_version: account.credentials_version,
                method: NewMethod { id, handles: new_handles(), name: name.map(str::to_owned), what: what.clone() },
                macs: macs.clone(),
                backup_codes: stored,
                challenge: challenge
                    .as_ref()
                    .map(|(digest, code)| (*digest, code.mac(&Subject::Challenge(*digest), &self.keyring))),
                now,
                policy: Arc::clone(&self.policy),
                event: caller.factor_event(EventKind::MethodAdded, factor_of(offered), Some(account.id), None, now),
            };
            let code = challenge.as_ref().map(|(_, code)| code.clone());
            return Ok(match self.store.add_method(add).await? {
                MethodAdded::First => Ok(Added { backup_codes, code }),
                MethodAdded::Further => Ok(Added { backup_codes: None, code }),
                MethodAdded::WrongCode => Err(NotAdded::WrongCode),
                MethodAdded::OtherAddress => Err(NotAdded::OtherAddress),
                MethodAdded::NoChallenge => Err(NotAdded::NoChallenge),
                MethodAdded::TooMany => Err(NotAdded::TooMany),
                MethodAdded::Stale => match self.person(account.id, None).await? {
                    Some(person) => {
                        account = person.account;
                        continue;
                    }
                    None => Err(NotAdded::Gone),
                },
            });
        }
        Ok(Err(NotAdded::Gone))
    }

    /// Gives up a method, or with a backup code all of them.
    ///
    /// # Errors
    /// When the hashing queue is full (before anything is counted), or the database fails.
    pub async fn remove_methods(
        &self,
        caller: &Caller,
        person: &Person,
        code: &str,
        handle: Option<&str>,
    ) -> Result<Result<(), NotRemoved>, FlowError> {
        let account = &person.account;
        let method = match handle {
            None => None,
            Some(handle) => match person.methods.iter().find(|method| method.handle.as_str() == handle) {
                Some(method) => Some(method),
                None => return Ok(Err(NotRemoved::NoMethod)),
            },
        };
        let backup_code = !BackupCode::forgiving(code).is_empty();
        if method.is_none() && !backup_code {
            return Ok(Err(NotRemoved::WhichOne));
        }
        let now = self.now();
        let method_id = method.map(|method| method.id);
        // Without a method, a code of none: no sent code has this name.
        let named = method_id.unwrap_or_else(|| with_random(|random| MethodId::generate(now, random)));
        let subject = Subject::Disable { account_id: account.id, method_id: named };
        let actor = Actor::Holder { account_id: account.id, subject };
        let expected = Expected::Any { backup_code };
        let judged = match self.judge_second_factor(caller, actor, None, expected, code).await? {
            Ok(judged) => judged,
            Err(refused) => return Ok(Err(NotRemoved::Refused(refused))),
        };
        let factor = judged.factor();
        let Judged { actor, account, proof, .. } = judged;
        let removal = match (factor, method_id) {
            (Factor::BackupCode, _) => Removal::All,
            (Factor::Totp | Factor::MailedCode, Some(id)) => Removal::One(id),
            (Factor::Totp | Factor::MailedCode, None) => return Ok(Err(NotRemoved::WhichOne)),
        };
        let is_last = person.methods.len() <= 1;
        let kind = match removal {
            Removal::One(_) if !is_last => EventKind::MethodRemoved,
            Removal::One(_) | Removal::All => EventKind::TwoFactorDisabled,
        };
        let pass = PassSecondFactor {
            actor: actor.clone(),
            account_id: account.id,
            proof,
            session: None,
            refresh_token: None,
            ticket: None,
            trust: None,
            enables: None,
            removes: Some(removal),
            now,
            event: caller.factor_event(kind, Some(factor), Some(account.id), None, now),
        };
        match self.store.pass_second_factor(pass).await? {
            Passed::Done => Ok(Ok(())),
            Passed::ActorGone | Passed::ProofSpent => {
                self.fail(caller, actor, None, account.id, Some(factor), true).await?;
                Ok(Err(NotRemoved::Refused(Refused::WrongCode)))
            }
        }
    }

    /// Gives a method a name, or takes it away; says whether there is such a method.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn rename_method(
        &self,
        caller: &Caller,
        account_id: AccountId,
        handle: &str,
        name: Option<&str>,
    ) -> Result<bool, FlowError> {
        let Some(handle) = MethodHandle::parse(handle) else { return Ok(false) };
        let event = caller.event(EventKind::MethodRenamed, Some(account_id), self.now());
        let rename = RenameMethod { account_id, handle, name: name.map(str::to_owned), event };
        Ok(self.store.rename_method(rename).await?)
    }

    /// New backup codes in the place of all old ones; `None` when the account has no second factor.
    ///
    /// # Errors
    /// When the hashing queue is full or the database fails; then the old ones are still good.
    pub async fn renew_backup_codes(
        &self,
        caller: &Caller,
        account: &Account,
    ) -> Result<Option<Vec<BackupCode>>, FlowError> {
        if !account.two_factor_enabled {
            return Ok(None);
        }
        let (codes, stored) = self.make_backup_codes(account.id, Alphabet::Capitals).await?;
        let now = self.now();
        let replace = ReplaceBackupCodes {
            account_id: account.id,
            credentials_version: account.credentials_version,
            backup_codes: stored,
            now,
            event: caller.event(EventKind::BackupCodesReplaced, Some(account.id), now),
        };
        Ok((self.store.replace_backup_codes(replace).await? == Changed::Done).then_some(codes))
    }
}

fn factor_of(offered: &Offered) -> Option<Factor> {
    Some(match offered {
        Offered::Authenticator(_) => Factor::Totp,
        Offered::Address(_) => Factor::MailedCode,
    })
}
