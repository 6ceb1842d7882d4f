//! Passwords: changing and setting one.

use super::hashing::{Permit, ReadyPermit};
use super::{Caller, FlowError, Flows, FullSession};
use countersign_domain::account::{Account, EmailAddress, Username};
use countersign_domain::assurance::{Assurance, Manager, SecondFactorDue};
use countersign_domain::audit::EventKind;
use countersign_domain::decisions::endings::Event;
use countersign_domain::decisions::mailed_link::{self, LinkUse, Purpose};
use countersign_domain::decisions::password_change::{self, Authority, PasswordChange};
use countersign_domain::ids::TenantId;
use countersign_domain::password::{Blocklist, Password, PasswordHash, PasswordPolicyViolation};
use countersign_domain::secret::{
    ChangePasswordId, Digest, ForgottenPasswordId, OneTimePassword, ResetToken, StepUpToken,
};
use countersign_domain::time::Timestamp;
use countersign_store::work::{
    ChangePassword, Changed, FoundTicket, NewSession, NewTicket, PresentedTicket, TicketKind,
};

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

/// How setting a password by a mailed link ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasswordReset {
    Done,
    Violation(PasswordPolicyViolation),
    /// The link is unknown, used or expired, or the account has another password or address since.
    InvalidLink,
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
    /// Id that a sign-in gave because the password has to be changed, or one that was asked for because it is forgotten.
    Id {
        id: &'a str,
        /// As above; needed for a forgotten password, where there is a second factor.
        step_up: Option<&'a str>,
        trust_challenge: Option<&'a str>,
    },
}

/// An id that grants a password change.
#[derive(Debug)]
pub struct ChangePasswordTicket {
    pub account: Account,
    /// The caller's own state: JSON text.
    state: Option<String>,
    /// The address that it was mailed to.
    mailed_to: Option<EmailAddress>,
    ticket: PresentedTicket,
}

impl ChangePasswordTicket {
    fn is_for_forgotten(&self) -> bool {
        self.ticket.kind == TicketKind::ForgottenPassword
    }

    fn authority(&self, has_step_up: bool) -> Authority {
        if self.is_for_forgotten() { Authority::MailedId { has_step_up } } else { Authority::Ticket }
    }
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
        let policy = self.policy();
        let blocklist = policy.password_blocklist.then_some(Blocklist { names: &names });
        Password::chosen(text, policy.shortest_password, blocklist)
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
            // Where there is a second factor, it was passed within the lifetime of assurance.
            lifts_lock: account.two_factor_enabled,
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
            step_up: None,
            proved_address: None,
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
                let step_up = match self.step_up_ticket(account, step_up.filter(|_| needs_step_up), trust_challenge) {
                    Ok(step_up) => step_up,
                    Err(refused) => return Ok(refused),
                };
                let password = self.hash_password(new, self.admit(caller)?).await?;
                let ending = Event::PasswordChangedEndingSessions;
                let change = self.password_change(caller, account, password, ending, self.now());
                let change = ChangePassword { lifts_lock: step_up.is_some(), step_up, ..change };
                Ok(match self.store().change_password(change).await? {
                    Changed::Done => PasswordSet::Done,
                    Changed::Stale | Changed::NoTicket => PasswordSet::Stale,
                    Changed::NoStepUp => PasswordSet::StepUpExpired,
                })
            }
            PasswordAuthority::Id { id, step_up, trust_challenge } => {
                let Some(found) = self.change_password_ticket(id, Some(account.tenant_id)).await? else {
                    return Ok(PasswordSet::NoTicket);
                };
                let decide = |has_step_up| {
                    let authority = found.authority(has_step_up);
                    password_change::decide(account, authority, self.policy(), self.now())
                };
                let needs_step_up = matches!(decide(false), PasswordChange::SecondFactorDue(_));
                if !matches!(decide(step_up.is_some()), PasswordChange::Allowed { .. }) {
                    return Ok(PasswordSet::SecondFactorDue);
                }
                let step_up = match self.step_up_ticket(account, step_up.filter(|_| needs_step_up), trust_challenge) {
                    Ok(step_up) => step_up,
                    Err(refused) => return Ok(refused),
                };
                let password = self.hash_password(new, self.admit(caller)?).await?;
                let now = self.now();
                let one_time_password = self.random().draw(OneTimePassword::generate);
                let is_reset = found.is_for_forgotten();
                let (ending, kind) = match is_reset {
                    true => (Event::PasswordReset, EventKind::PasswordReset),
                    false => (Event::PasswordSetByTicket, EventKind::PasswordChanged),
                };
                let ChangePasswordTicket { state, mailed_to, ticket, .. } = found;
                let change = ChangePassword {
                    ticket: Some(ticket),
                    // Access to the mailbox alone must not reset the count of wrong second factors.
                    lifts_lock: !is_reset || step_up.is_some(),
                    step_up,
                    proved_address: mailed_to.filter(|_| is_reset),
                    event: self.audit(caller, now).about(account.id).event(kind),
                    one_time_password: Some(NewTicket {
                        kind: TicketKind::OneTimePassword,
                        digest: one_time_password.digest(),
                        trust_challenge: None,
                        state: None,
                        expires_at: now + self.policy().one_time_password_lifetime,
                        address: None,
                    }),
                    ..self.password_change(caller, account, password, ending, now)
                };
                Ok(match self.store().change_password(change).await? {
                    Changed::Done => PasswordSet::DoneByTicket { one_time_password, state },
                    Changed::Stale => PasswordSet::Stale,
                    Changed::NoTicket => PasswordSet::NoTicket,
                    Changed::NoStepUp => PasswordSet::StepUpExpired,
                })
            }
        }
    }

    /// The ticket of a token that shows a second factor, if one is presented.
    fn step_up_ticket(
        &self,
        account: &Account,
        step_up: Option<&str>,
        trust_challenge: Option<&str>,
    ) -> Result<Option<PresentedTicket>, PasswordSet> {
        let Some(text) = step_up else { return Ok(None) };
        let token = StepUpToken::parse(text).ok_or(PasswordSet::StepUpExpired)?;
        Ok(Some(PresentedTicket {
            kind: TicketKind::StepUp,
            digest: token.digest(),
            trust_challenges: trust_challenge
                .map(|text| Digest::of_trust_challenge(text, account.id, self.keyring()))
                .unwrap_or_default(),
        }))
    }

    /// Sets a new password by a link that was mailed to the account's address, which is proved by it. Everything that the old one
    /// opened ends; nobody is signed in, and a lock stays: access to the mailbox alone must not reset the count of wrong codes.
    ///
    /// # Errors
    /// When the hashing queue is full or the database fails; then the old password is still valid.
    pub async fn reset_password(&self, caller: &Caller, token: &str, new: &str) -> Result<PasswordReset, FlowError> {
        // What is wrong with every user's password is said before the link is looked at.
        if let Err(violation) = self.chosen_password(new, None, None) {
            return Ok(PasswordReset::Violation(violation));
        }
        let Some((account, ticket)) = self.reset_ticket(token).await? else { return Ok(PasswordReset::InvalidLink) };
        let new = match self.chosen_password(new, account.email.as_ref(), account.username.as_ref()) {
            Ok(password) => password,
            Err(violation) => return Ok(PasswordReset::Violation(violation)),
        };
        let password = self.hash_password(new, self.admit(caller)?).await?;
        let now = self.now();
        let change = ChangePassword {
            ticket: Some(ticket),
            proved_address: account.email.clone(),
            event: self.audit(caller, now).about(account.id).event(EventKind::PasswordReset),
            ..self.password_change(caller, &account, password, Event::PasswordReset, now)
        };
        Ok(match self.store().change_password(change).await? {
            Changed::Done => PasswordReset::Done,
            Changed::Stale | Changed::NoTicket | Changed::NoStepUp => PasswordReset::InvalidLink,
        })
    }

    /// Whether a mailed link sets a new password now.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn is_reset_token(&self, token: &str) -> Result<bool, FlowError> {
        Ok(self.reset_ticket(token).await?.is_some())
    }

    async fn reset_ticket(&self, token: &str) -> Result<Option<(Account, PresentedTicket)>, FlowError> {
        let Some(token) = ResetToken::parse(token) else { return Ok(None) };
        let (ticket, now) = (presented(TicketKind::ResetPassword, token.digest()), self.now());
        let found = self.store().ticket((ticket.clone(), now)).await?;
        Ok(found.filter(|found| self.may_reset(&found.account, now)).map(|found| (found.account, ticket)))
    }

    fn may_reset(&self, account: &Account, now: Timestamp) -> bool {
        mailed_link::decide_use(Purpose::ResetPassword, account, self.policy(), now) == LinkUse::Allowed
    }

    /// Checks the password of the session's user, within its quotas.
    ///
    /// # Errors
    /// When the hashing queue is full or the database fails.
    pub async fn verify_password(
        &self,
        caller: &Caller,
        session: &FullSession,
        password: &str,
    ) -> Result<Result<(), Unconfirmed>, FlowError> {
        self.confirm_password(caller, &session.account, password).await
    }

    /// The id that grants a password change, if it is valid.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn change_password_ticket(
        &self,
        id: &str,
        tenant_id: Option<TenantId>,
    ) -> Result<Option<ChangePasswordTicket>, FlowError> {
        let of_sign_in = ChangePasswordId::parse(id).map(|id| presented(TicketKind::ChangePassword, id.digest()));
        let forgotten =
            || ForgottenPasswordId::parse(id).map(|id| presented(TicketKind::ForgottenPassword, id.digest()));
        let Some(ticket) = of_sign_in.or_else(forgotten) else { return Ok(None) };
        let now = self.now();
        let found = self.find_ticket(&ticket, tenant_id).await?.map(|found| ChangePasswordTicket {
            account: found.account,
            state: found.state,
            mailed_to: found.address,
            ticket,
        });
        Ok(found.filter(|found| !found.is_for_forgotten() || self.may_reset(&found.account, now)))
    }

    /// Whether an id grants a password change without a second factor; `None` if it is not valid.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn check_change_password(
        &self,
        id: &str,
        tenant_id: Option<TenantId>,
    ) -> Result<Option<PasswordChange>, FlowError> {
        let found = self.change_password_ticket(id, tenant_id).await?;
        Ok(found
            .map(|found| password_change::decide(&found.account, found.authority(false), self.policy(), self.now())))
    }

    /// A valid ticket; of the tenant that the caller names, if it names one.
    pub(super) async fn find_ticket(
        &self,
        ticket: &PresentedTicket,
        tenant_id: Option<TenantId>,
    ) -> Result<Option<FoundTicket>, FlowError> {
        let found = self.store().ticket((ticket.clone(), self.now())).await?;
        Ok(found.filter(|found| tenant_id.is_none_or(|tenant_id| found.account.tenant_id == tenant_id)))
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
            address: None,
        };
        (ticket, id)
    }
}

/// A ticket that no `trustChallenge` belongs to.
pub(super) fn presented(kind: TicketKind, digest: Digest) -> PresentedTicket {
    PresentedTicket { kind, digest, trust_challenges: Vec::new() }
}
