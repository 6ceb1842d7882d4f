//! Changing the password.

use super::password_check::Unconfirmed;
use super::{Authenticated, Caller, FlowError, Flows, with_random};
use countersign_domain::account::Account;
use countersign_domain::audit::EventKind;
use countersign_domain::password::{Password, PasswordHash, Unfit};
use countersign_domain::secret::{ChangePasswordId, Digest, OneTimePassword, StepUpToken};
use countersign_domain::time::Timestamp;
use countersign_store::work::{self, Changed, NewTicket, PresentedTicket, TicketKind};

/// How changing a password ends.
#[derive(Debug)]
pub enum ChangePassword {
    /// It is changed.
    Done {
        /// The session, which is a new one when all others were ended.
        authenticated: Box<Authenticated>,
        /// Whether it is a new one.
        is_new_session: bool,
    },
    /// The new password is not taken.
    UnfitPassword(Unfit),
    /// The account has no password to change.
    NoPassword,
    /// The old password was not confirmed.
    Unconfirmed(Unconfirmed),
}

impl Flows {
    /// Sets a new password. Trust in devices and open challenges end with the old one.
    ///
    /// # Errors
    /// When the hashing queue is full or the database fails; then the old password is still good.
    pub async fn change_password(
        &self,
        caller: &Caller,
        authenticated: &Authenticated,
        current: &str,
        new: &str,
        ends_other_sessions: bool,
    ) -> Result<ChangePassword, FlowError> {
        let account = &authenticated.account;
        let new = match Password::chosen(new) {
            Ok(password) => password,
            Err(unfit) => return Ok(ChangePassword::UnfitPassword(unfit)),
        };
        if account.password.is_none() {
            return Ok(ChangePassword::NoPassword);
        }
        if let Err(unconfirmed) = self.confirm_password(caller, account, current).await? {
            return Ok(ChangePassword::Unconfirmed(unconfirmed));
        }
        let cost = self.password_cost;
        let make = move |memory: &mut Vec<_>| with_random(|random| PasswordHash::make(&new, cost, random, memory));
        let password = self.hasher.admit()?.run(make).await?;
        let now = self.now();
        let old = &authenticated.session;
        let (session, token) = self.new_session(caller, account, old.is_remembered, old.second_factor_at, now);
        let change = work::ChangePassword {
            account_id: account.id,
            credentials_version: account.credentials_version,
            password,
            tickets: Vec::new(),
            ends_sessions: ends_other_sessions,
            session: ends_other_sessions.then(|| session.clone()),
            grants: None,
            now,
            event: caller.event_in(EventKind::PasswordChanged, old, now),
        };
        if self.store.change_password(change).await? != Changed::Done {
            return Ok(ChangePassword::Unconfirmed(Unconfirmed::WrongPassword));
        }
        let mut authenticated = authenticated.clone();
        authenticated.account.updated_at = now;
        if ends_other_sessions {
            (authenticated.session, authenticated.token) = (session.session, token);
        }
        Ok(ChangePassword::Done { authenticated: Box::new(authenticated), is_new_session: ends_other_sessions })
    }
}

/// How a person who has no session shows that the password is theirs to change.
#[derive(Clone, Copy, Debug)]
pub enum Leave<'a> {
    /// By the old one, and once the account has a second factor, by what passing it gave.
    OldPassword {
        /// The old password as typed.
        current: &'a str,
        /// What passing a second factor gave.
        step_up: Option<&'a str>,
        /// The text that was given when the second factor was asked for.
        trust_challenge: Option<&'a str>,
    },
    /// By what a log-in gave that asked for a new password.
    Given(&'a str),
}

/// How setting a password ends.
#[derive(Debug)]
pub enum SetPassword {
    /// It is set. What may stand for it once, and what whoever asked for it wants to have back (JSON text).
    Done(Option<(OneTimePassword, Option<String>)>),
    /// The new password is not taken.
    UnfitPassword(Unfit),
    /// The old password was not confirmed.
    Unconfirmed(Unconfirmed),
    /// A second factor has to be passed first.
    StepUpRequired,
    /// What was shown of that is not good, or not any more.
    StepUpExpired,
    /// The leave is not good, or not any more.
    NoLeave,
    /// The account was changed at the same moment.
    Stale,
}

impl Flows {
    /// Whose password the leave allows to change.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn holder_of_leave(&self, leave: &str) -> Result<Option<(Account, Option<String>)>, FlowError> {
        let Some(id) = ChangePasswordId::parse(leave) else { return Ok(None) };
        let kind = TicketKind::ChangePassword;
        let ticket = PresentedTicket { kind, digest: id.digest(), trust_challenge: None };
        Ok(self.store.ticket((ticket, self.now())).await?)
    }

    /// Whether what was shown of passing a second factor is good for this account; it stays so.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn is_stepped_up(&self, account: &Account, step_up: &str) -> Result<bool, FlowError> {
        let Some(token) = StepUpToken::parse(step_up) else { return Ok(false) };
        let ticket = PresentedTicket { kind: TicketKind::StepUp, digest: token.digest(), trust_challenge: None };
        let found = self.store.ticket((ticket, self.now())).await?;
        Ok(found.is_some_and(|(holder, _)| holder.id == account.id))
    }

    /// Sets a new password. Whatever the old one opened ends: sessions, refresh tokens, trust in devices.
    ///
    /// # Errors
    /// When the hashing queue is full or the database fails; then the old password is still good.
    pub async fn set_password(
        &self,
        caller: &Caller,
        account: &Account,
        leave: Leave<'_>,
        new: &str,
    ) -> Result<SetPassword, FlowError> {
        let new = match Password::chosen(new) {
            Ok(password) => password,
            Err(unfit) => return Ok(SetPassword::UnfitPassword(unfit)),
        };
        let now = self.now();
        let one_time = with_random(OneTimePassword::generate);
        let (ticket, grants, state) = match leave {
            Leave::OldPassword { current, step_up, trust_challenge } => {
                if let Err(unconfirmed) = self.confirm_password(caller, account, current).await? {
                    return Ok(SetPassword::Unconfirmed(unconfirmed));
                }
                let ticket = match (account.two_factor_enabled, step_up) {
                    (false, _) => None,
                    (true, None) => return Ok(SetPassword::StepUpRequired),
                    (true, Some(text)) => match StepUpToken::parse(text) {
                        None => return Ok(SetPassword::StepUpExpired),
                        Some(token) => Some(PresentedTicket {
                            kind: TicketKind::StepUp,
                            digest: token.digest(),
                            trust_challenge: trust_challenge.map(Digest::of_text),
                        }),
                    },
                };
                (ticket, None, None)
            }
            Leave::Given(text) => {
                let Some(id) = ChangePasswordId::parse(text) else { return Ok(SetPassword::NoLeave) };
                let Some((_, state)) = self.holder_of_leave(text).await? else { return Ok(SetPassword::NoLeave) };
                let ticket =
                    PresentedTicket { kind: TicketKind::ChangePassword, digest: id.digest(), trust_challenge: None };
                let grants = NewTicket {
                    kind: TicketKind::OneTimePassword,
                    digest: one_time.digest(),
                    trust_challenge: None,
                    state: None,
                    expires_at: now + self.policy.one_time_password_lifetime,
                };
                (Some(ticket), Some(grants), state)
            }
        };
        let cost = self.password_cost;
        let make = move |memory: &mut Vec<_>| with_random(|random| PasswordHash::make(&new, cost, random, memory));
        let password = self.hasher.admit()?.run(make).await?;
        let gives_back = grants.is_some();
        let change = work::ChangePassword {
            account_id: account.id,
            credentials_version: account.credentials_version,
            password,
            tickets: ticket.into_iter().collect(),
            ends_sessions: true,
            session: None,
            grants,
            now,
            event: caller.event(EventKind::PasswordChanged, Some(account.id), now),
        };
        Ok(match (self.store.change_password(change).await?, leave) {
            (Changed::Done, _) => SetPassword::Done(gives_back.then_some((one_time, state))),
            (Changed::Stale, _) => SetPassword::Stale,
            (Changed::NoTicket, Leave::Given(_)) => SetPassword::NoLeave,
            (Changed::NoTicket, Leave::OldPassword { .. }) => SetPassword::StepUpExpired,
        })
    }

    /// Leave to change a password, and the text that says so.
    pub(super) fn change_password_ticket(
        &self,
        state: Option<String>,
        now: Timestamp,
    ) -> (NewTicket, ChangePasswordId) {
        let id = with_random(ChangePasswordId::generate);
        let ticket = NewTicket {
            kind: TicketKind::ChangePassword,
            digest: id.digest(),
            trust_challenge: None,
            state,
            expires_at: now + self.policy.change_password_lifetime,
        };
        (ticket, id)
    }
}
