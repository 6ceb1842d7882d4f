//! Mailing links: to set a new password, to prove an address, to change it, to delete the account.
//!
//! Who asks without a session learns nothing about accounts: the response is the same, and takes the same time, whether something
//! is sent or not (attack 44). What a link does is in [`super::password`] and [`super::own_account`]; ids that services get are in
//! [`super::link_ids`].

use super::delivery::queue::HAND_OVER;
use super::{Caller, FlowError, Flows, FullSession};
use countersign_domain::account::{Account, EmailAddress, LoginName};
use countersign_domain::address::Address;
use countersign_domain::assurance::{Assurance, FactorsRefused, Manager};
use countersign_domain::decisions::mailed_link::{NotSent, Purpose};
use countersign_domain::decisions::sending::{self, Requester};
use countersign_domain::ids::{AccountId, MessageId, TenantId};
use countersign_domain::language::Languages;
use countersign_domain::message::{Draft, Link, LinkPurpose, Message, NewMessage, TakenUse};
use countersign_domain::observer::Quota;
use countersign_domain::quota::HiddenAddress;
use countersign_domain::secret::{
    AddressChangeToken, Bearer, DeletionToken, ForgottenPasswordId, PasswordlessCode, ResetToken, VerificationId,
    VerificationToken,
};
use countersign_domain::time::Timestamp;
use countersign_domain::user::AccountLookup;
use countersign_store::work::{IssueLink, LinkIssued, LinkTicket, NewTicket, TicketKind};
use std::sync::Arc;
use std::time::Duration;

/// The URL of a link, around its token.
#[derive(Clone, Debug)]
pub struct LinkTarget {
    pub before_token: String,
    pub after_token: String,
}

impl LinkTarget {
    /// The link with this token.
    #[must_use]
    pub fn link(&self, token: &Bearer) -> Link {
        Link::new(format!("{}{}{}", self.before_token, token.expose(), self.after_token))
    }
}

/// How asking for a link ends, for somebody without a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkRequested {
    /// It is on its way, if there is such an account.
    Accepted,
    /// As many links were asked for to this address as may be.
    TooMany { until: Timestamp },
}

/// How asking for a link ends, for an owner in a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OwnLinkRequested {
    /// It is on its way. Of a new address, this is said as well if it is another account's.
    Accepted,
    /// The address is proved already.
    AlreadyVerified,
    /// The new address is the account's own.
    SameAddress,
    /// A second factor has to be passed first, or the account is locked.
    Refused(FactorsRefused),
    /// As many links were asked for as may be.
    TooMany { until: Timestamp },
    /// The account has no address, or has ended.
    NoAddress,
    /// The session was opened too long ago.
    SignInDue,
}

/// How the token of a link is spelled, which says what it is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LinkForm {
    /// As the links of this server carry it, which browsers follow.
    Token,
    /// As a client or a service presents it.
    Id,
}

/// A link that is asked for.
pub(super) struct Order<'a> {
    pub(super) purpose: Purpose,
    pub(super) form: LinkForm,
    pub(super) requester: Requester,
    /// The account, if there is one.
    pub(super) account: Option<&'a Account>,
    pub(super) manager: Option<Manager>,
    pub(super) tenant_id: TenantId,
    /// What the account was asked for by.
    pub(super) asked_for: &'a str,
    /// The caller's own state, returned when the link is used.
    pub(super) state: Option<String>,
    pub(super) to: EmailAddress,
    pub(super) languages: Languages,
    /// The page that the mail leads to; nothing is mailed without one.
    pub(super) target: Option<&'a LinkTarget>,
}

impl<'a> Order<'a> {
    /// A link to `to`, which the account is asked for by, without owner, state and page.
    pub(super) fn of(
        account: &'a Account,
        purpose: Purpose,
        form: LinkForm,
        requester: Requester,
        to: &'a EmailAddress,
        languages: Languages,
    ) -> Self {
        Self {
            purpose,
            form,
            requester,
            account: Some(account),
            manager: None,
            tenant_id: account.tenant_id,
            asked_for: to.as_str(),
            state: None,
            to: to.clone(),
            languages,
            target: None,
        }
    }
}

impl Flows {
    /// Mails a link that sets a new password, if an account of the tenant has this address.
    ///
    /// # Errors
    /// When the database fails; then nothing is sent.
    pub async fn request_password_reset(
        &self,
        caller: &Caller,
        tenant_id: TenantId,
        address: EmailAddress,
        target: &LinkTarget,
    ) -> Result<LinkRequested, FlowError> {
        self.request_link(caller, Purpose::ResetPassword, tenant_id, address, target).await
    }

    /// Mails a link that proves an address, if an account of the tenant has it and it is not proved.
    ///
    /// # Errors
    /// When the database fails; then nothing is sent.
    pub async fn request_verification(
        &self,
        caller: &Caller,
        tenant_id: TenantId,
        address: EmailAddress,
        target: &LinkTarget,
    ) -> Result<LinkRequested, FlowError> {
        self.request_link(caller, Purpose::VerifyAddress, tenant_id, address, target).await
    }

    async fn request_link(
        &self,
        caller: &Caller,
        purpose: Purpose,
        tenant_id: TenantId,
        to: EmailAddress,
        target: &LinkTarget,
    ) -> Result<LinkRequested, FlowError> {
        let work = async {
            let lookup = AccountLookup::Login(tenant_id, vec![LoginName::Email(to.clone())]);
            let account = self.store().account(lookup).await?;
            let order = Order {
                purpose,
                form: LinkForm::Token,
                requester: Requester::Stranger,
                account: account.as_ref(),
                manager: None,
                tenant_id,
                asked_for: to.as_str(),
                state: None,
                to: to.clone(),
                languages: self.languages(caller, account.as_ref(), tenant_id).await?,
                target: Some(target),
            };
            self.issue_link(caller, order).await
        };
        let (issued, ()) = tokio::join!(work, tokio::time::sleep(self.policy().link_request_time));
        let (issued, _) = issued?;
        Ok(match issued {
            LinkIssued::Exhausted { until } => LinkRequested::TooMany { until },
            LinkIssued::Sent
            | LinkIssued::NotSent(_)
            | LinkIssued::NoTicket
            | LinkIssued::Refused(_)
            | LinkIssued::SignInDue => LinkRequested::Accepted,
        })
    }

    /// Mails a link to the session's user that proves the address.
    ///
    /// # Errors
    /// When the database fails; then nothing is sent.
    pub async fn request_own_verification(
        &self,
        caller: &Caller,
        account: &Account,
        target: &LinkTarget,
    ) -> Result<OwnLinkRequested, FlowError> {
        let Some(to) = account.email.clone() else { return Ok(OwnLinkRequested::NoAddress) };
        self.request_own(caller, account, None, Purpose::VerifyAddress, to, target).await
    }

    /// Mails a link to a new address, which takes the place of the account's when it is followed.
    ///
    /// # Errors
    /// When the database fails; then nothing is sent.
    pub async fn request_address_change(
        &self,
        caller: &Caller,
        session: &FullSession,
        to: EmailAddress,
        target: &LinkTarget,
    ) -> Result<OwnLinkRequested, FlowError> {
        if session.account.email.as_ref() == Some(&to) {
            return Ok(OwnLinkRequested::SameAddress);
        }
        self.request_as_owner(caller, session, Purpose::ChangeAddress, to, target).await
    }

    /// Mails a link to the account's address that deletes the account.
    ///
    /// # Errors
    /// When the database fails; then nothing is sent.
    pub async fn request_deletion(
        &self,
        caller: &Caller,
        session: &FullSession,
        target: &LinkTarget,
    ) -> Result<OwnLinkRequested, FlowError> {
        let Some(to) = session.account.email.clone() else { return Ok(OwnLinkRequested::NoAddress) };
        self.request_as_owner(caller, session, Purpose::DeleteAccount, to, target).await
    }

    async fn request_as_owner(
        &self,
        caller: &Caller,
        session: &FullSession,
        purpose: Purpose,
        to: EmailAddress,
        target: &LinkTarget,
    ) -> Result<OwnLinkRequested, FlowError> {
        let account = &session.account;
        let manager = Some(Manager::Owner(Assurance::of_session(&session.session, account)));
        self.request_own(caller, account, manager, purpose, to, target).await
    }

    async fn request_own(
        &self,
        caller: &Caller,
        account: &Account,
        manager: Option<Manager>,
        purpose: Purpose,
        to: EmailAddress,
        target: &LinkTarget,
    ) -> Result<OwnLinkRequested, FlowError> {
        let languages = self.languages(caller, Some(account), account.tenant_id).await?;
        let order = Order::of(account, purpose, LinkForm::Token, Requester::Owner, &to, languages);
        let order = Order { manager, target: Some(target), ..order };
        let (issued, _) = self.issue_link(caller, order).await?;
        Ok(own_outcome(issued, self.now(), self.policy().one_time_code_window))
    }

    /// Stores a link and its mail, and delivers it; returns the token, which is good for something if it was stored.
    pub(super) async fn issue_link(
        &self,
        caller: &Caller,
        order: Order<'_>,
    ) -> Result<(LinkIssued, Bearer), FlowError> {
        let now = self.now();
        let some_id = self.random().draw(|random| AccountId::generate(now, random));
        let account_id = order.account.map_or(some_id, |account| account.id);
        let (token, ticket) = self.new_link(&order, now);
        let dead_at = ticket.expires_at;
        let message =
            order.target.map(|target| self.link_message(&order, account_id, &target.link(&token), now, dead_at));
        let issue = self.link_to_issue(caller, &order, account_id, LinkTicket::New(ticket), message, now);
        Ok((self.store_link(issue).await?, token))
    }

    pub(super) fn link_to_issue(
        &self,
        caller: &Caller,
        order: &Order<'_>,
        account_id: AccountId,
        ticket: LinkTicket,
        message: Option<NewMessage>,
        now: Timestamp,
    ) -> IssueLink {
        IssueLink {
            purpose: order.purpose,
            account_id,
            requester: order.requester,
            manager: order.manager,
            to: order.to.clone(),
            tenant_id: order.tenant_id,
            asked_for: HiddenAddress::of(order.asked_for, self.keyring()),
            ticket,
            message,
            rules: self.rules(),
            audit: self.audit(caller, now),
        }
    }

    pub(super) async fn store_link(&self, issue: IssueLink) -> Result<LinkIssued, FlowError> {
        let message_id = issue.message.as_ref().map(|message| message.id);
        let dialect = issue.audit.dialect;
        let issued = self.store().issue_link(issue).await?;
        if matches!(issued, LinkIssued::Exhausted { .. } | LinkIssued::NotSent(NotSent::Exhausted)) {
            self.observer().quota_exceeded(Quota::Links, dialect);
        }
        if let (LinkIssued::Sent, Some(message_id)) = (issued, message_id) {
            self.deliver_later(message_id);
        }
        Ok(issued)
    }

    /// The link that proves the address of a new account, and its mail.
    pub(super) fn verification_of(
        &self,
        caller: &Caller,
        account: &Account,
        email: &EmailAddress,
        target: &LinkTarget,
        now: Timestamp,
    ) -> (NewTicket, NewMessage) {
        let of_tenant = self.rules().tenant_of(account).language.clone();
        let languages = Languages::of_message(Languages::default(), caller.languages.clone(), of_tenant.as_ref());
        let order = Order::of(account, Purpose::VerifyAddress, LinkForm::Token, Requester::Stranger, email, languages);
        let order = Order { target: Some(target), ..order };
        let (token, ticket) = self.new_link(&order, now);
        let message = self.link_message(&order, account.id, &target.link(&token), now, ticket.expires_at);
        (ticket, message)
    }

    /// The languages of a mail that a caller asks for.
    pub(super) async fn languages(
        &self,
        caller: &Caller,
        account: Option<&Account>,
        tenant_id: TenantId,
    ) -> Result<Languages, FlowError> {
        let preferred = match account {
            Some(account) => self.store().preferred_languages(account.id).await?,
            None => Languages::default(),
        };
        let of_tenant = self.directory().tenant(tenant_id).and_then(|tenant| tenant.language.as_ref());
        Ok(Languages::of_message(preferred, caller.languages.clone(), of_tenant))
    }

    /// The token of a link, and the ticket that it is good for.
    pub(super) fn new_link(&self, order: &Order<'_>, now: Timestamp) -> (Bearer, NewTicket) {
        let Order { purpose, form, account, to, .. } = order;
        let token = self.random().draw(|random| new_token(*purpose, *form, random));
        let state = match purpose {
            Purpose::ChangeAddress => Some(to.as_str().to_owned()),
            _ => order.state.clone(),
        };
        // One that is not mailed proves no address. An id to verify an address is always bound to it.
        let is_bound = order.target.is_some() || *purpose == Purpose::VerifyAddress;
        let ticket = NewTicket {
            kind: ticket_kind(*purpose, *form),
            digest: token.digest(),
            trust_challenge: None,
            state,
            expires_at: now + self.link_lifetime(*purpose),
            address: account.and_then(|account| account.email.clone()).filter(|_| is_bound),
        };
        (token, ticket)
    }

    /// The mail that carries a link.
    pub(super) fn link_message(
        &self,
        order: &Order<'_>,
        account_id: AccountId,
        link: &Link,
        now: Timestamp,
        dead_at: Timestamp,
    ) -> NewMessage {
        let id = self.random().draw(|random| MessageId::generate(now, random));
        let purpose = message_purpose(order.purpose);
        let message = Message::Link { purpose, link: link.clone(), valid_for: now.until(dead_at) };
        let asked_for = HiddenAddress::of(order.asked_for, self.keyring());
        let (of_name, of_account) =
            sending::link_quotas(order.purpose, order.requester, &asked_for, Some(account_id), self.policy());
        self.services.delivery.sealer().seal(Draft {
            id,
            account_id,
            to: &Address::Email(order.to.clone()),
            message: &message,
            languages: order.languages.clone(),
            replaces: None,
            taken: std::iter::once(&of_name).chain(&of_account).filter_map(|taken| TakenUse::of(taken, now)).collect(),
            created_at: now,
            due_at: now + HAND_OVER,
            dead_at,
        })
    }

    /// Delivers a stored message while the request goes on: how long the mail server takes says whether something is sent.
    pub(super) fn deliver_later(&self, message: MessageId) {
        let delivery = Arc::clone(&self.services.delivery);
        tokio::spawn(async move { delivery.deliver(message).await });
    }

    fn link_lifetime(&self, purpose: Purpose) -> Duration {
        let policy = self.policy();
        match purpose {
            Purpose::ResetPassword => policy.reset_link_lifetime,
            Purpose::VerifyAddress | Purpose::ChangeAddress => policy.verification_link_lifetime,
            Purpose::DeleteAccount => policy.deletion_link_lifetime,
            Purpose::SignIn => policy.sign_in_link_lifetime,
        }
    }
}

fn new_token(purpose: Purpose, form: LinkForm, random: &mut dyn rand_core::CryptoRng) -> Bearer {
    match (purpose, form) {
        (Purpose::ResetPassword, LinkForm::Token) => ResetToken::generate(random).into(),
        (Purpose::ResetPassword, LinkForm::Id) => ForgottenPasswordId::generate(random).into(),
        (Purpose::VerifyAddress, LinkForm::Token) => VerificationToken::generate(random).into(),
        (Purpose::VerifyAddress, LinkForm::Id) => VerificationId::generate(random).into(),
        (Purpose::ChangeAddress, _) => AddressChangeToken::generate(random).into(),
        (Purpose::DeleteAccount, _) => DeletionToken::generate(random).into(),
        (Purpose::SignIn, _) => PasswordlessCode::generate(random).into(),
    }
}

/// A password that is forgotten is set under other conditions in each form.
fn ticket_kind(purpose: Purpose, form: LinkForm) -> TicketKind {
    match (purpose, form) {
        (Purpose::ResetPassword, LinkForm::Id) => TicketKind::ForgottenPassword,
        _ => purpose.into(),
    }
}

fn message_purpose(purpose: Purpose) -> LinkPurpose {
    match purpose {
        Purpose::ResetPassword => LinkPurpose::PasswordReset,
        Purpose::VerifyAddress => LinkPurpose::AddressVerification,
        Purpose::ChangeAddress => LinkPurpose::AddressChange,
        Purpose::DeleteAccount => LinkPurpose::AccountDeletion,
        Purpose::SignIn => LinkPurpose::SignIn,
    }
}

/// What an owner learns. The end of the account's own window is not looked up: it is at most a window away.
fn own_outcome(issued: LinkIssued, now: Timestamp, window: Duration) -> OwnLinkRequested {
    match issued {
        // Whether a new address is another account's is not for the owner of this one to learn.
        LinkIssued::Sent | LinkIssued::NotSent(NotSent::Taken) => OwnLinkRequested::Accepted,
        LinkIssued::NotSent(NotSent::AlreadyVerified) => OwnLinkRequested::AlreadyVerified,
        LinkIssued::NotSent(NotSent::NoAccount | NotSent::Unusable | NotSent::NoAddress | NotSent::SwitchedOff)
        | LinkIssued::NoTicket => OwnLinkRequested::NoAddress,
        LinkIssued::NotSent(NotSent::Exhausted) => OwnLinkRequested::TooMany { until: now + window },
        LinkIssued::Refused(refused) => OwnLinkRequested::Refused(refused),
        LinkIssued::SignInDue => OwnLinkRequested::SignInDue,
        LinkIssued::Exhausted { until } => OwnLinkRequested::TooMany { until },
    }
}
