//! Passwords: changing and setting one.

use super::hashing::Permit;
use super::{Caller, FlowError, Flows, FullSession};
use countersign_domain::account::{Account, EmailAddress, Username};
use countersign_domain::assurance::{Assurance, Manager, SecondFactorDue};
use countersign_domain::audit::EventKind;
use countersign_domain::decisions::endings::Event;
use countersign_domain::decisions::password_change::{self, Authority, PasswordChange};
use countersign_domain::password::{Blocklist, Password, PasswordHash, PasswordPolicyViolation};
use countersign_domain::secret::{ChangePasswordId, Digest, OneTimePassword, StepUpToken};
use countersign_domain::time::Timestamp;
use countersign_store::work::{ChangePassword, Changed, NewSession, NewTicket, PresentedTicket, TicketKind};

/// Why the current password was not confirmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unconfirmed {
    WrongPassword,
    TooMany { until: Timestamp },
}

/// How changing a password in a session ends.
#[derive(Debug)]
pub enum PasswordChanged {
    Done {
        session: FullSession,
        /// Whether the session is a new one, because all others were ended.
        is_new_session: bool,
    },
    Violation(PasswordPolicyViolation),
    /// The account has no password to change.
    NoPassword,
    /// A second factor has to be passed first.
    SecondFactorDue(SecondFactorDue),
    Unconfirmed(Unconfirmed),
}

/// How a caller without a session shows that the password is theirs to change.
#[derive(Clone, Copy, Debug)]
pub enum PasswordAuthority<'a> {
    OldPassword {
        /// As typed.
        current: &'a str,
        /// Token that passing a second factor gave.
        step_up: Option<&'a str>,
        /// Caller-chosen secret that was given when the second factor was asked for.
        trust_challenge: Option<&'a str>,
    },
    /// Ticket that a sign-in gave because the password has to be changed.
    Ticket(&'a str),
}

/// How setting a password ends.
#[derive(Debug)]
pub enum PasswordSet {
    Done,
    /// Set by a ticket: carries the one-time password that signs in, and the caller's `state` (JSON text).
    DoneByTicket {
        one_time_password: OneTimePassword,
        state: Option<String>,
    },
    Violation(PasswordPolicyViolation),
    Unconfirmed(Unconfirmed),
    /// A second factor has to be passed first.
    SecondFactorDue,
    /// The token of the second factor is not valid, or not any more.
    StepUpExpired,
    /// The ticket is not valid, or not any more.
    NoTicket,
    /// The account has no password, or was changed at the same moment.
    Stale,
}

impl Flows {
    /// Takes text as a new password of a user with these names.
    pub(super) fn chosen_password(
        &self,
        text: &str,
        email: Option<&EmailAddress>,
        username: Option<&Username>,
    ) -> Result<Password, PasswordPolicyViolation> {
        let own = [email.map(EmailAddress::as_str), username.map(Username::as_str)];
        let names: Vec<&str> = own.into_iter().flatten().chain([self.services.app_name.as_str()]).collect();
        Password::chosen(text, self.policy().password_blocklist.then_some(Blocklist { names: &names }))
    }

    /// Hashes a new password.
    pub(super) async fn hash_password(&self, password: Password, permit: Permit) -> Result<PasswordHash, FlowError> {
        self.hash_password_now(password, permit.ready().await?).await
    }

    /// Hashes a new password whose turn has come.
    pub(super) async fn hash_password_now(
        &self,
        password: Password,
        permit: ReadyPermit,
    ) -> Result<PasswordHash, FlowError> {
        let (cost, random) = (self.services.password_cost, self.random().clone());
        let make = move |memory: &mut Vec<_>| random.draw(|random| PasswordHash::make(&password, cost, random, memory));
        Ok(permit.run(make).await?)
    }

    /// Changes the password in a session. All that the old one has opened ends with it, but for sessions where they are to stay.
    ///
    /// # Errors
    /// When the hashing queue is full or the database fails; then the old password is still valid.
    pub async fn change_password(
        &self,
        caller: &Caller,
        session: &FullSession,
        current: &str,
        new: &str,
        ends_other_sessions: bool,
    ) -> Result<PasswordChanged, FlowError> {
        let account = &session.account;
        let new = match self.chosen_password(new, account.email.as_ref(), account.username.as_ref()) {
            Ok(password) => password,
            Err(violation) => return Ok(PasswordChanged::Violation(violation)),
        };
        let owner = Manager::Owner(Assurance::of_session(&session.session, account));
        match password_change::decide(account, Authority::InSession(owner), self.policy(), self.now()) {
            PasswordChange::Allowed { .. } => {}
            PasswordChange::NoPassword => return Ok(PasswordChanged::NoPassword),
            PasswordChange::SecondFactorDue(due) => return Ok(PasswordChanged::SecondFactorDue(due)),
        }
        if let Err(unconfirmed) = self.confirm_password(caller, account, current).await? {
            return Ok(PasswordChanged::Unconfirmed(unconfirmed));
        }
        let password = self.hash_password(new, self.admit(caller)?).await?;
        let now = self.now();
        let old = &session.session;
        let (next, token) = self.new_session(caller, account, old.is_remembered, old.second_factor_at, now);
        let next = NewSession { session: next.session.in_place_of(old, self.policy()), ..next };
        let ending = if ends_other_sessions { Event::PasswordChangedEndingSessions } else { Event::PasswordChanged };
        let change = self.password_change(caller, account, password, ending, now);
        let change = ChangePassword {
            lifts_lock: has_step_up,
            session: ends_other_sessions.then(|| next.clone()),
            event: self.audit(caller, now).about(account.id).in_session(old.id).event(EventKind::PasswordChanged),
            ..change
        };
        if self.store().change_password(change).await? != Changed::Done {
            return Ok(PasswordChanged::Unconfirmed(Unconfirmed::WrongPassword));
        }
        let mut session = session.clone();
        session.0.account.updated_at = now;
        if ends_other_sessions {
            let NewSession { session: next, .. } = next;
            (session.0.session, session.0.token) = (next, token);
        }
        Ok(PasswordChanged::Done { session, is_new_session: ends_other_sessions })
    }

    /// A change that is authorised by what was checked so far.
    fn password_change(
        &self,
        caller: &Caller,
        account: &Account,
        password: PasswordHash,
        ending: Event,
        now: Timestamp,
    ) -> ChangePassword {
        ChangePassword {
            account_id: account.id,
            versions: account.versions(),
            password,
            ticket: None,
            ending,
            lifts_lock: false,
            session: None,
            one_time_password: None,
            now,
            event: self.audit(caller, now).about(account.id).event(EventKind::PasswordChanged),
        }
    }

    /// Sets a new password without a session. Everything that the old one opened ends: sessions, refresh tokens, trust.
    ///
    /// # Errors
    /// When the hashing queue is full or the database fails; then the old password is still valid.
    pub async fn set_password(
        &self,
        caller: &Caller,
        account: &Account,
        authority: PasswordAuthority<'_>,
        new: &str,
    ) -> Result<PasswordSet, FlowError> {
        let new = match self.chosen_password(new, account.email.as_ref(), account.username.as_ref()) {
            Ok(password) => password,
            Err(violation) => return Ok(PasswordSet::Violation(violation)),
        };
        match authority {
            PasswordAuthority::OldPassword { current, step_up, trust_challenge } => {
                if let Err(unconfirmed) = self.confirm_password_without_session(caller, account, current).await? {
                    return Ok(PasswordSet::Unconfirmed(unconfirmed));
                }
                let decide = |has_step_up| {
                    let authority = Authority::CurrentPassword { has_step_up };
                    password_change::decide(account, authority, self.policy(), self.now())
                };
                match decide(step_up.is_some()) {
                    PasswordChange::Allowed { .. } => {}
                    PasswordChange::NoPassword => return Ok(PasswordSet::Stale),
                    PasswordChange::SecondFactorDue(_) => return Ok(PasswordSet::SecondFactorDue),
                }
                // The token is used up only where it is needed.
                let needs_step_up = matches!(decide(false), PasswordChange::SecondFactorDue(_));
                let ticket = match step_up.filter(|_| needs_step_up).map(StepUpToken::parse) {
                    None => None,
                    Some(None) => return Ok(PasswordSet::StepUpExpired),
                    Some(Some(token)) => Some(PresentedTicket {
                        kind: TicketKind::StepUp,
                        digest: token.digest(),
                        trust_challenges: trust_challenge
                            .map(|text| Digest::of_trust_challenge(text, account.id, self.keyring()))
                            .unwrap_or_default(),
                    }),
                };
                let password = self.hash_password(new, self.admit(caller)?).await?;
                let ending = Event::PasswordChangedEndingSessions;
                let change = self.password_change(caller, account, password, ending, self.now());
                let change = ChangePassword { lifts_lock: ticket.is_some(), ticket, ..change };
                Ok(match self.store().change_password(change).await? {
                    Changed::Done => PasswordSet::Done,
                    Changed::Stale => PasswordSet::Stale,
                    Changed::NoTicket => PasswordSet::StepUpExpired,
                })
            }
            PasswordAuthority::Ticket(text) => {
                let Some(id) = ChangePasswordId::parse(text) else { return Ok(PasswordSet::NoTicket) };
                let Some((_, state)) = self.change_password_ticket(text).await? else {
                    return Ok(PasswordSet::NoTicket);
                };
                let password = self.hash_password(new, self.admit(caller)?).await?;
                let now = self.now();
                let one_time_password = self.random().draw(OneTimePassword::generate);
                let change = ChangePassword {
                    ticket: Some(presented(TicketKind::ChangePassword, id.digest())),
                    lifts_lock: true,
                    one_time_password: Some(NewTicket {
                        kind: TicketKind::OneTimePassword,
                        digest: one_time_password.digest(),
                        trust_challenge: None,
                        state: None,
                        expires_at: now + self.policy().one_time_password_lifetime,
                    }),
                    ..self.password_change(caller, account, password, Event::PasswordSetByTicket, now)
                };
                Ok(match self.store().change_password(change).await? {
                    Changed::Done => PasswordSet::DoneByTicket { one_time_password, state },
                    Changed::Stale => PasswordSet::Stale,
                    Changed::NoTicket => PasswordSet::NoTicket,
                })
            }
        }
    }

    /// The account whose password a ticket allows to change, and the caller's `state`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn change_password_ticket(&self, ticket: &str) -> Result<Option<(Account, Option<String>)>, FlowError> {
        let Some(id) = ChangePasswordId::parse(ticket) else { return Ok(None) };
        let ticket = presented(TicketKind::ChangePassword, id.digest());
        Ok(self.store().ticket((ticket, self.now())).await?)
    }

    /// A ticket to change the password, and its text.
    pub(super) fn new_change_password_ticket(&self, now: Timestamp) -> (NewTicket, ChangePasswordId) {
        let id = self.random().draw(ChangePasswordId::generate);
        let ticket = NewTicket {
            kind: TicketKind::ChangePassword,
            digest: id.digest(),
            trust_challenge: None,
            state: None,
            expires_at: now + self.policy().change_password_lifetime,
        };
        (ticket, id)
    }
}

/// A ticket that no `trustChallenge` belongs to.
pub(super) fn presented(kind: TicketKind, digest: Digest) -> PresentedTicket {
    PresentedTicket { kind, digest, trust_challenges: Vec::new() }
}
