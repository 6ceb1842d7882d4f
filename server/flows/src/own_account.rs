//! What owners do with their accounts: prove, change and restore the address by mailed links, change name and picture, delete.

use super::delivery::queue::HAND_OVER;
use super::mailed_links::LinkTarget;
use super::password::{Unconfirmed, presented};
use super::sign_in::{Credential, SignIn, SignInRequest};
use super::{Caller, FlowError, Flows, FullSession};
use countersign_domain::account::{Account, EmailAddress, Unusable};
use countersign_domain::address::Address;
use countersign_domain::assurance::{Assurance, FactorsRefused, Manager};
use countersign_domain::audit::EventKind;
use countersign_domain::decisions::deletion::{self, Deletion, Proof};
use countersign_domain::ids::{AccountId, MessageId, TenantId};
use countersign_domain::language::Languages;
use countersign_domain::message::{Draft, LinkPurpose, Message};
use countersign_domain::secret::{
    AddressChangeToken, Bearer, DeletionToken, Digest, RestorationToken, VerificationId, VerificationToken,
};
use countersign_domain::terms::Terms;
use countersign_domain::time::Timestamp;
use countersign_store::work::{
    ChangeAddress, DeleteOwnAccount, LinkUsed, OwnAccountDeleted, PresentedTicket, RestoreAddress, TicketKind,
    UpdateProfile, VerifyAddress,
};

/// How following a link about an address ends.
#[derive(Debug)]
pub enum AddressLink {
    /// The account's address is proved.
    Verified(Box<Account>),
    /// The same, and the browser is signed in, or waits for a second factor.
    SignedIn(Box<SignIn>),
    /// The account has the address that the link was mailed to.
    Changed(Box<Account>),
    /// The account has its former address back, and no password.
    Restored(Box<Account>),
    /// The link is unknown, used or expired, or the account has other credentials or another address since.
    Invalid,
    /// It is another user's than the session that it was followed in.
    OtherUser,
    Unusable(Unusable),
    Locked {
        until: Timestamp,
    },
    /// The address is another account's.
    Taken,
    /// The account would be left without a method that its tenant takes.
    LeavesNoMethod,
}

/// How deleting one's own account ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OwnDeletion {
    Deleted,
    /// A link has to be mailed, and followed.
    LinkDue,
    SwitchedOff,
    Refused(FactorsRefused),
    Unconfirmed(Unconfirmed),
    /// The link is unknown, used or expired, or another user's.
    InvalidLink,
    /// The session has ended.
    Stale,
}

/// What shows that a deletion is the owner's wish.
#[derive(Clone, Copy, Debug)]
pub enum DeletionProof<'a> {
    /// As typed.
    Password(&'a str),
    /// Token of the mailed link.
    Link(&'a str),
    /// Nothing but the session.
    None,
}

impl Flows {
    /// Follows a link about an address. `session_of` is the user whose session it is followed in, if there is one; `way_back` is
    /// where a link in the notice to the former address leads.
    ///
    /// # Errors
    /// When the database fails; then nothing has changed.
    pub async fn follow_address_link(
        &self,
        caller: &Caller,
        token: &str,
        session_of: Option<AccountId>,
        way_back: &LinkTarget,
        terms: &Terms,
    ) -> Result<AddressLink, FlowError> {
        if let Some(token) = VerificationToken::parse(token) {
            return match (session_of, self.policy().signs_in_after_verification) {
                (None, true) => self.sign_in_by_link(caller, &token, terms).await,
                _ => self.verify_address(caller, token.digest(), None, session_of).await,
            };
        }
        if let Some(token) = AddressChangeToken::parse(token) {
            return self.change_address(caller, &token, session_of, way_back).await;
        }
        let Some(token) = RestorationToken::parse(token) else { return Ok(AddressLink::Invalid) };
        let restore =
            RestoreAddress { digest: token.digest(), rules: self.rules(), audit: self.audit(caller, self.now()) };
        Ok(outcome(self.store().restore_address(restore).await?, AddressLink::Restored))
    }

    /// Proves the address and signs in; a second factor is asked for as after a password.
    async fn sign_in_by_link(
        &self,
        caller: &Caller,
        token: &VerificationToken,
        terms: &Terms,
    ) -> Result<AddressLink, FlowError> {
        let request = SignInRequest {
            tenant_id: self.directory().home().id,
            credential: Credential::VerificationLink(token),
            application_id: None,
            trust: None,
            is_remembered: true,
            wants_tokens: false,
        };
        Ok(match self.sign_in(caller, request, terms).await? {
            SignIn::Rejected => AddressLink::Invalid,
            SignIn::Unusable(why) => AddressLink::Unusable(why),
            signed_in => AddressLink::SignedIn(Box::new(signed_in)),
        })
    }

    async fn verify_address(
        &self,
        caller: &Caller,
        digest: Digest,
        tenant_id: Option<TenantId>,
        session_of: Option<AccountId>,
    ) -> Result<AddressLink, FlowError> {
        let ticket = presented(TicketKind::VerifyAddress, digest);
        let Some(found) = self.find_ticket(&ticket, tenant_id).await? else { return Ok(AddressLink::Invalid) };
        if is_other(session_of, &found.account) {
            return Ok(AddressLink::OtherUser);
        }
        self.mark_verified(caller, &found.account, Some(ticket)).await
    }

    /// Proves the address of an account by an id; of the tenant that the caller names, if it names one.
    ///
    /// # Errors
    /// When the database fails; then nothing has changed.
    pub async fn verify_address_by_id(
        &self,
        caller: &Caller,
        id: &str,
        tenant_id: Option<TenantId>,
    ) -> Result<AddressLink, FlowError> {
        match VerificationId::parse(id) {
            Some(id) => self.verify_address(caller, id.digest(), tenant_id, None).await,
            None => Ok(AddressLink::Invalid),
        }
    }

    /// Marks the address of an account as proved because a service vouches for it.
    ///
    /// # Errors
    /// When the database fails; then nothing has changed.
    pub async fn vouch_for_address(&self, caller: &Caller, account: &Account) -> Result<AddressLink, FlowError> {
        self.mark_verified(caller, account, None).await
    }

    async fn mark_verified(
        &self,
        caller: &Caller,
        account: &Account,
        ticket: Option<PresentedTicket>,
    ) -> Result<AddressLink, FlowError> {
        let Some(address) = account.email.clone() else { return Ok(AddressLink::Invalid) };
        let event = self.audit(caller, self.now()).about(account.id).event(EventKind::AddressVerified);
        let (account_id, versions) = (account.id, account.versions());
        let verify = VerifyAddress { ticket, account_id, versions, address, rules: self.rules(), event };
        Ok(outcome(self.store().verify_address(verify).await?, AddressLink::Verified))
    }

    async fn change_address(
        &self,
        caller: &Caller,
        token: &AddressChangeToken,
        session_of: Option<AccountId>,
        way_back: &LinkTarget,
    ) -> Result<AddressLink, FlowError> {
        let (ticket, now) = (presented(TicketKind::ChangeAddress, token.digest()), self.now());
        let found = self.store().ticket((ticket.clone(), now)).await?;
        let Some((account, Some(to))) = found.map(|found| (found.account, found.state)) else {
            return Ok(AddressLink::Invalid);
        };
        if is_other(session_of, &account) {
            return Ok(AddressLink::OtherUser);
        }
        let lifetime = self.policy().restoration_lifetime;
        let (restoration, message_id) = self
            .random()
            .draw(|random| (Bearer::from(RestorationToken::generate(random)), MessageId::generate(now, random)));
        // Only who has shown to receive mail at the former address gets it back.
        let former = account.email.as_ref().filter(|_| account.email_verified);
        let preferred = self.store().preferred_languages(account.id).await?;
        let of_tenant = self.rules().tenant_of(&account).language.clone();
        // The request is made by the reader of another mailbox.
        let languages = Languages::of_message(preferred, Languages::default(), of_tenant.as_ref());
        let notice = former.map(|former| {
            let link = way_back.link(&restoration);
            let message = Message::Link { purpose: LinkPurpose::AddressChangeUndo, link, valid_for: lifetime };
            self.services.delivery.sealer().seal(Draft {
                id: message_id,
                account_id: account.id,
                to: &Address::Email(former.clone()),
                message: &message,
                languages,
                replaces: None,
                taken: Vec::new(),
                created_at: now,
                due_at: now + HAND_OVER,
                dead_at: now + lifetime,
            })
        });
        let change = ChangeAddress {
            ticket,
            account_id: account.id,
            versions: account.versions(),
            to: EmailAddress::new(&to),
            restoration: restoration.digest(),
            restorable_until: now + lifetime,
            notice,
            rules: self.rules(),
            event: self.audit(caller, now).about(account.id).event(EventKind::AddressChanged),
        };
        let used = self.store().change_address(change).await?;
        if matches!(used, LinkUsed::Done(_)) && former.is_some() {
            self.deliver_later(message_id);
        }
        Ok(outcome(used, AddressLink::Changed))
    }

    /// Changes name or picture of the session's user; `None` leaves one as it is. `false` if the account is gone.
    ///
    /// # Errors
    /// When the database fails; then nothing has changed.
    pub async fn update_own_profile(
        &self,
        caller: &Caller,
        session: &mut FullSession,
        name: Option<String>,
        image: Option<Option<String>>,
    ) -> Result<bool, FlowError> {
        let now = self.now();
        let (account_id, session_id) = (session.account.id, session.session.id);
        let event = self.audit(caller, now).about(account_id).in_session(session_id).event(EventKind::AccountChanged);
        let update = UpdateProfile { account_id, name: name.clone(), image: image.clone(), event };
        if !self.store().update_profile(update).await? {
            return Ok(false);
        }
        let account = &mut session.0.account;
        account.name = name.unwrap_or_else(|| std::mem::take(&mut account.name));
        account.image = image.unwrap_or_else(|| account.image.take());
        account.updated_at = now;
        Ok(true)
    }

    /// Deletes the session's account and everything that belongs to it but the audit trail.
    ///
    /// # Errors
    /// When the hashing queue is full or the database fails; then the account is still there.
    pub async fn delete_own_account(
        &self,
        caller: &Caller,
        session: &FullSession,
        proof: DeletionProof<'_>,
    ) -> Result<OwnDeletion, FlowError> {
        let account = &session.account;
        let manager = Manager::Owner(Assurance::of_session(&session.session, account));
        let (kind, ticket) = match proof {
            DeletionProof::Password(_) => (Proof::Password, None),
            DeletionProof::None => (Proof::None, None),
            DeletionProof::Link(text) => match DeletionToken::parse(text) {
                Some(token) => (Proof::Link, Some(presented(TicketKind::DeleteAccount, token.digest()))),
                None => return Ok(OwnDeletion::InvalidLink),
            },
        };
        // Before the password is looked at, so that it is not asked for in vain; decided again where it counts.
        let decided = own_deletion(deletion::decide(account, &manager, kind, self.policy(), self.now()));
        if decided != OwnDeletion::Deleted {
            return Ok(decided);
        }
        if let DeletionProof::Password(password) = proof
            && let Err(unconfirmed) = self.confirm_password(caller, account, password).await?
        {
            return Ok(OwnDeletion::Unconfirmed(unconfirmed));
        }
        let audit = self.audit(caller, self.now()).about(account.id).in_session(session.session.id);
        let delete = DeleteOwnAccount {
            account_id: account.id,
            versions: account.versions(),
            manager,
            proof: kind,
            ticket,
            rules: self.rules(),
            event: audit.event(EventKind::AccountDeleted),
        };
        Ok(match self.store().delete_own_account(delete).await? {
            OwnAccountDeleted::Decided(decision) => own_deletion(decision),
            OwnAccountDeleted::NoTicket => OwnDeletion::InvalidLink,
            OwnAccountDeleted::Stale => OwnDeletion::Stale,
        })
    }
}

fn is_other(session_of: Option<AccountId>, account: &Account) -> bool {
    session_of.is_some_and(|id| id != account.id)
}

fn outcome(used: LinkUsed, done: fn(Box<Account>) -> AddressLink) -> AddressLink {
    match used {
        LinkUsed::Done(account) => done(account),
        LinkUsed::Invalid => AddressLink::Invalid,
        LinkUsed::Unusable(why) => AddressLink::Unusable(why),
        LinkUsed::Locked { until } => AddressLink::Locked { until },
        LinkUsed::Taken => AddressLink::Taken,
        LinkUsed::LeavesNoMethod => AddressLink::LeavesNoMethod,
    }
}

fn own_deletion(decision: Deletion) -> OwnDeletion {
    match decision {
        Deletion::Allowed => OwnDeletion::Deleted,
        Deletion::LinkDue => OwnDeletion::LinkDue,
        Deletion::Refused(refused) => OwnDeletion::Refused(refused),
        Deletion::SwitchedOff => OwnDeletion::SwitchedOff,
    }
}
