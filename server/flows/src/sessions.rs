//! Sessions: reading, extending, listing and ending them.

use super::enrolment::ManagementRefused;
use super::{Caller, FlowError, Flows};
use countersign_domain::account::{Account, Unusable};
use countersign_domain::audit::EventKind;
use countersign_domain::decisions::refresh::{self, SessionRefresh};
use countersign_domain::decisions::session_scope::{self, SessionScope};
use countersign_domain::ids::SessionId;
use countersign_domain::secret::SessionToken;
use countersign_domain::session::Session;
use countersign_domain::time::Timestamp;
use countersign_store::work::{
    Changed, EndTrust, ExtendSession, NewSession, NoteSessionUse, RevokeSessions, SessionSelector,
};
use countersign_store::{Store, StoreError};
use std::ops::Deref;
use std::sync::Arc;

/// A live session, its account and the token that opened it.
#[derive(Clone, Debug)]
pub struct Authenticated {
    pub session: Session,
    pub account: Account,
    pub token: SessionToken,
    pub(super) scope: SessionScope,
}

/// The account has to enrol a second factor before this session can do anything else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EnrolmentDue;

/// A session that may do everything. Flows other than enrolling, reading the session and signing out take only this.
#[derive(Clone, Debug)]
pub struct FullSession(pub(super) Box<Authenticated>);

impl Deref for FullSession {
    type Target = Authenticated;

    fn deref(&self) -> &Authenticated {
        &self.0
    }
}

impl Authenticated {
    /// # Errors
    /// When the session can only enrol.
    pub fn into_full(self: Box<Self>) -> Result<FullSession, EnrolmentDue> {
        match self.scope {
            SessionScope::Full => Ok(FullSession(self)),
            SessionScope::EnrolmentOnly => Err(EnrolmentDue),
        }
    }
}

/// Sessions to end, as the owner of one names them.
#[derive(Debug)]
pub enum Revoke<'a> {
    /// All, this one included.
    All,
    Others,
    /// The one with this token or id.
    One(&'a str),
}

/// Why a token opens no session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoSession {
    /// It is unknown, or the session has ended.
    Ended,
    /// A service has locked the account for a time, after which the session goes on.
    Paused,
}

impl Flows {
    /// A new session of an account, and its token.
    pub(super) fn new_session(
        &self,
        caller: &Caller,
        account: &Account,
        is_remembered: bool,
        second_factor_at: Option<Timestamp>,
        now: Timestamp,
    ) -> (NewSession, SessionToken) {
        let (id, token) =
            self.random().draw(|random| (SessionId::generate(now, random), SessionToken::generate(random)));
        let session = Session {
            id,
            account_id: account.id,
            is_remembered,
            second_factor_at,
            ip_address: caller.ip.to_string(),
            user_agent: caller.stored_user_agent(),
            signed_in_at: now,
            created_at: now,
            updated_at: now,
            last_used_at: now,
            expires_at: Session::expiry(is_remembered, now, now, self.policy()),
        };
        (NewSession { session, token: token.digest() }, token)
    }

    /// A session together with what it may do.
    pub(super) fn authenticated(&self, session: Session, account: Account, token: SessionToken) -> Authenticated {
        let scope = session_scope::decide(&account, self.rules().tenant_of(&account).login_policy);
        Authenticated { session, account, token, scope }
    }

    /// The live session with this token.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn authenticate(&self, token: &SessionToken) -> Result<Result<Authenticated, NoSession>, FlowError> {
        let now = self.now();
        let found = self.store().session_by_token((token.digest(), now)).await?;
        let Some((mut session, account)) = found.filter(|(session, _)| session.is_live(now, self.policy())) else {
            return Ok(Err(NoSession::Ended));
        };
        match account.unusable(now) {
            None => {}
            Some(Unusable::Suspended { .. }) => return Ok(Err(NoSession::Paused)),
            Some(Unusable::Inactive | Unusable::Expired) => return Ok(Err(NoSession::Ended)),
        }
        self.note_use(&mut session, now).await;
        Ok(Ok(self.authenticated(session, account, token.clone())))
    }

    /// Notes that a session is in use, if that was some minutes ago. A failure is no reason to refuse the request, and a database that
    /// is slow to write none to hold it up.
    async fn note_use(&self, session: &mut Session, now: Timestamp) {
        if !refresh::notes_use(session, self.policy(), now) {
            return;
        }
        let note = NoteSessionUse { session_id: session.id, now };
        let noted = |store: Arc<Store>| async move { store.note_session_use(note).await };
        if self.attempt("note the use of a session", session.id, noted).await.is_some() {
            session.last_used_at = now;
        }
    }

    /// Waits some time for a write that a request goes on without; `None` if it failed, was not done by then, or too many others are
    /// under way. A slow one goes on by itself: dropped, it would close its connection while the database still works on it.
    async fn attempt<T, W>(
        &self,
        what: &'static str,
        session_id: SessionId,
        write: impl FnOnce(Arc<Store>) -> W,
    ) -> Option<T>
    where
        T: Send + 'static,
        W: Future<Output = Result<T, StoreError>> + Send + 'static,
    {
        let cause = match Arc::clone(&self.session_writes).try_acquire_owned() {
            Ok(place) => {
                let write = write(Arc::clone(&self.services.store));
                let writing = tokio::spawn(async move {
                    let _place = place;
                    write.await
                });
                match tokio::time::timeout(self.policy().session_write_wait, writing).await {
                    Ok(Ok(Ok(done))) => return Some(done),
                    Ok(Ok(Err(error))) => countersign_domain::error_chain(&error),
                    Ok(Err(error)) => countersign_domain::error_chain(&error),
                    Err(_) => "the database took too long".to_owned(),
                }
            }
            Err(_) => "too many such writes are under way".to_owned(),
        };
        slog::warn!(self.services.log, "failed to {what}"; "session" => session_id.to_hyphenated(), "cause" => cause);
        None
    }

    /// Extends a session that has been in use for a while; says whether it did. If that fails, the session goes on until its end, and
    /// the next request tries again.
    pub async fn refresh_session(&self, authenticated: &mut Authenticated) -> bool {
        let now = self.now();
        let session = &mut authenticated.session;
        let SessionRefresh::Extend { expires_at } = refresh::refresh_session(session, self.policy(), now) else {
            return false;
        };
        let extend = ExtendSession { session_id: session.id, now, expires_at };
        let extend = |store: Arc<Store>| async move { store.extend_session(extend).await };
        let extended = self.attempt("extend a session", session.id, extend).await.unwrap_or(false);
        if extended {
            (session.updated_at, session.expires_at) = (now, expires_at);
        }
        extended
    }

    /// The live sessions of the account, the newest first; `None` when this session is too old to ask.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list_sessions(&self, session: &FullSession) -> Result<Option<Vec<Session>>, FlowError> {
        let now = self.now();
        if !session.session.is_fresh(now, self.policy()) {
            return Ok(None);
        }
        let mut sessions = self.store().sessions_of((session.account.id, now)).await?;
        sessions.retain(|session| session.is_live(now, self.policy()));
        Ok(Some(sessions))
    }

    /// Ends the session with this token, if there is one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sign_out(&self, caller: &Caller, token: &SessionToken) -> Result<(), FlowError> {
        let event = self.audit(caller, self.now()).event(EventKind::SignedOut);
        Ok(self.store().sign_out((token.digest(), event)).await?)
    }

    /// Ends sessions of the account. All, and all others, end with everything else that the account's credentials have opened:
    /// refresh tokens, trust in devices, challenges. Naming one that does not exist, or is another account's, ends nothing.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn revoke_sessions(
        &self,
        caller: &Caller,
        session: &FullSession,
        revoke: Revoke<'_>,
    ) -> Result<(), FlowError> {
        let (session, account_id) = (&session.session, session.account.id);
        let which = match revoke {
            Revoke::All => SessionSelector::All,
            Revoke::Others => SessionSelector::AllBut(session.id),
            // A token and an id have the same length; an id is hexadecimal, and no token was ever drawn as one.
            Revoke::One(text) => match (SessionId::parse(text), SessionToken::parse(text)) {
                (Some(id), _) => SessionSelector::WithId(id),
                (None, Some(token)) => SessionSelector::WithToken(token.digest()),
                (None, None) => return Ok(()),
            },
        };
        let audit = self.audit(caller, self.now()).about(account_id).in_session(session.id);
        let event = audit.event(EventKind::SessionsRevoked);
        self.store().revoke_sessions(RevokeSessions { account_id, which, event }).await?;
        Ok(())
    }

    /// Ends trust in all devices of the account.
    ///
    /// # Errors
    /// When the hashing queue is full or the database fails; then nothing has ended.
    pub async fn revoke_trust(
        &self,
        caller: &Caller,
        session: &FullSession,
        password: &str,
    ) -> Result<Result<(), ManagementRefused>, FlowError> {
        if let Err(refused) = self.confirm_management(caller, session, password).await? {
            return Ok(Err(refused));
        }
        let account = &session.account;
        let audit = self.audit(caller, self.now()).about(account.id).in_session(session.session.id);
        let event = audit.event(EventKind::TrustRevoked);
        let end = EndTrust { account_id: account.id, versions: Some(account.versions()), event };
        Ok(match self.store().end_trust(end).await? {
            Changed::Done => Ok(()),
            Changed::Stale | Changed::NoTicket | Changed::NoStepUp => Err(ManagementRefused::Stale),
        })
    }
}
