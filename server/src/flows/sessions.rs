//! Live sessions: reading, extending, listing and ending them.

use super::{Authenticated, Caller, FlowError, Flows};
use countersign_domain::audit::EventKind;
use countersign_domain::ids::SessionId;
use countersign_domain::secret::SessionToken;
use countersign_domain::session::{Refresh, Session};
use countersign_store::work::{RevokeSessions, Which};

/// Which sessions the holder of one wants to end.
#[derive(Debug)]
pub enum Revoke<'a> {
    /// All, this one too.
    All,
    /// All but this one.
    Others,
    /// The one that the text names: a session's token, or its id.
    One(&'a str),
}

impl Flows {
    /// The live session that `token` opens.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn authenticate(&self, token: &SessionToken) -> Result<Option<Authenticated>, FlowError> {
        let found = self.store.session_by_token((token.digest(), self.now())).await?;
        let usable = found.filter(|(_, account)| account.unusable(self.now()).is_none());
        Ok(usable.map(|(session, account)| Authenticated { session, account, token: token.clone() }))
    }

    /// Extends a session that has been used for a while; says whether it did.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn refresh_session(&self, authenticated: &mut Authenticated) -> Result<bool, FlowError> {
        let now = self.now();
        let Refresh::Extend { expires_at } = authenticated.session.refresh(now, &self.policy) else { return Ok(false) };
        let extended = self.store.extend_session((authenticated.session.id, now, expires_at)).await?;
        if extended {
            authenticated.session.updated_at = now;
            authenticated.session.expires_at = expires_at;
        }
        Ok(extended)
    }

    /// The live sessions of the account, the newest first; `None` when this session is too old to ask.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list_sessions(&self, authenticated: &Authenticated) -> Result<Option<Vec<Session>>, FlowError> {
        let now = self.now();
        if !authenticated.session.is_fresh(now, &self.policy) {
            return Ok(None);
        }
        Ok(Some(self.store.sessions_of((authenticated.account.id, now)).await?))
    }

    /// Ends the session that `token` opens, if there is one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sign_out(&self, caller: &Caller, token: &SessionToken) -> Result<(), FlowError> {
        let event = caller.event(EventKind::SignedOut, None, self.now());
        Ok(self.store.sign_out((token.digest(), event)).await?)
    }

    /// Ends sessions of the account. Naming a session that is not there, or is another's, ends nothing.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn revoke_sessions(
        &self,
        caller: &Caller,
        authenticated: &Authenticated,
        revoke: Revoke<'_>,
    ) -> Result<(), FlowError> {
        let session = &authenticated.session;
        let which = match revoke {
            Revoke::All => Which::All,
            Revoke::Others => Which::Others(session.id),
            // A token and an id look alike, but no id was ever drawn as a token: whatever is not the one is the other.
            Revoke::One(text) => match (SessionId::parse(text), SessionToken::parse(text)) {
                (Some(id), _) => Which::Named(id),
                (None, Some(token)) => Which::WithToken(token.digest()),
                (None, None) => return Ok(()),
            },
        };
        let event = caller.event_in(EventKind::SessionsRevoked, session, self.now());
        self.store.revoke_sessions(RevokeSessions { account_id: authenticated.account.id, which, event }).await?;
        Ok(())
    }
}
