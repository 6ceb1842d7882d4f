//! Ids and codes that stand in links, for dialects whose clients present them: to set a new password, to prove an address, to sign in
//! without a password. They are mailed, or given to a service that delivers them, or both.

use super::mailed_links::{LinkForm, LinkTarget, Order};
use super::password::presented;
use super::{Caller, FlowError, Flows};
use countersign_domain::account::{Account, EmailAddress, LoginName};
use countersign_domain::decisions::mailed_link::{NotSent, Purpose};
use countersign_domain::decisions::sending::Requester;
use countersign_domain::ids::{ApplicationId, TenantId};
use countersign_domain::secret::{Bearer, PasswordlessCode};
use countersign_domain::time::Timestamp;
use countersign_domain::user::AccountLookup;
use countersign_store::work::{FoundTicket, LinkIssued, LinkTicket, PresentedTicket, TicketKind};

/// An id that is asked for.
#[derive(Clone, Debug)]
pub struct IdRequest<'a> {
    pub purpose: Purpose,
    pub tenant_id: TenantId,
    /// As typed.
    pub login_name: &'a str,
    /// What the login name may be, in the order of lookup.
    pub names: Vec<LoginName>,
    /// The caller's own state, returned when the id is used.
    pub state: Option<String>,
    /// The page that a mail leads to; nothing is mailed without one.
    pub target: Option<&'a LinkTarget>,
}

/// How asking for an id ends. Only a service may learn more than whether there were too many.
#[derive(Debug)]
pub enum IdRequested {
    Issued(Bearer),
    NotIssued(NotSent),
    /// As many links were mailed as may be.
    TooMany {
        until: Timestamp,
    },
}

/// How mailing a code ends that a service has asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeMailed {
    Sent,
    NotSent(NotSent),
    /// The code is unknown, used or expired, or the account has another password or address since.
    NoCode,
    TooMany {
        until: Timestamp,
    },
}

/// What a code to sign in was asked for with. It is stored as text: the id of the application, then the caller's own state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SignInFor {
    pub application_id: Option<ApplicationId>,
    /// JSON text.
    pub state: Option<String>,
}

impl SignInFor {
    #[must_use]
    pub fn to_text(&self) -> String {
        let application = self.application_id.map(ApplicationId::to_text).unwrap_or_default();
        format!("{application}\n{}", self.state.as_deref().unwrap_or_default())
    }

    #[must_use]
    pub fn parse(text: &str) -> Self {
        let (application, state) = text.split_once('\n').unwrap_or((text, ""));
        Self {
            application_id: ApplicationId::parse(application),
            state: Some(state.to_owned()).filter(|state| !state.is_empty()),
        }
    }
}

/// A code to sign in that is valid.
#[derive(Debug)]
pub struct SignInCode {
    ticket: PresentedTicket,
    found: FoundTicket,
}

impl SignInCode {
    /// The application that is signed in to.
    #[must_use]
    pub fn application_id(&self) -> Option<ApplicationId> {
        self.found.state.as_deref().and_then(|state| SignInFor::parse(state).application_id)
    }
}

impl Flows {
    /// Stores an id for an account, if there is one, and mails it. Without a service to learn the outcome, all of them take the same
    /// time (attack 44).
    ///
    /// # Errors
    /// When the database fails; then nothing is stored or sent.
    pub async fn request_id(&self, caller: &Caller, request: IdRequest<'_>) -> Result<IdRequested, FlowError> {
        let least = match caller.actor.is_service() {
            true => std::time::Duration::ZERO,
            false => self.policy().link_request_time,
        };
        let (requested, ()) = tokio::join!(self.issue_id(caller, request), tokio::time::sleep(least));
        requested
    }

    async fn issue_id(&self, caller: &Caller, request: IdRequest<'_>) -> Result<IdRequested, FlowError> {
        let IdRequest { purpose, tenant_id, login_name, names, state, target } = request;
        let typed = names.iter().find_map(|name| match name {
            LoginName::Email(address) => Some(address.clone()),
            LoginName::Username(_) | LoginName::PhoneNumber(_) => None,
        });
        let account = match names.is_empty() {
            true => None,
            false => self.store().account(AccountLookup::Login(tenant_id, names)).await?,
        };
        let asked_for = match &typed {
            Some(address) => address.as_str().to_owned(),
            None => LoginName::typed_form(login_name),
        };
        let own = account.as_ref().and_then(|account| account.email.clone());
        let order = Order {
            purpose,
            form: LinkForm::Id,
            requester: requester(caller),
            account: account.as_ref(),
            manager: None,
            tenant_id,
            asked_for: &asked_for,
            state,
            // Where there is none, a message is prepared all the same: it takes its time.
            to: own.or(typed).unwrap_or_else(|| EmailAddress::new("nobody@invalid")),
            languages: self.languages(caller, account.as_ref(), tenant_id).await?,
            target,
        };
        let (issued, token) = self.issue_link(caller, order).await?;
        Ok(match issued {
            LinkIssued::Sent => IdRequested::Issued(token),
            LinkIssued::NotSent(why) => IdRequested::NotIssued(why),
            // These outcomes need a session, or a ticket that was issued before.
            LinkIssued::Refused(_) | LinkIssued::SignInDue | LinkIssued::NoTicket => {
                IdRequested::NotIssued(NotSent::NoAccount)
            }
            LinkIssued::Exhausted { until } => IdRequested::TooMany { until },
        })
    }

    /// The end of the window in which an account was mailed as many links as it may be: it is at most a window away.
    #[must_use]
    pub fn next_link_window(&self) -> Timestamp {
        self.now() + self.policy().one_time_code_window
    }

    /// A code to sign in, if it is valid; of the tenant that the caller names, if it names one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sign_in_code(&self, text: &str, tenant_id: Option<TenantId>) -> Result<Option<SignInCode>, FlowError> {
        let Some(code) = PasswordlessCode::parse(text) else { return Ok(None) };
        let ticket = presented(TicketKind::SignIn, code.digest());
        let found = self.find_ticket(&ticket, tenant_id).await?;
        Ok(found.map(|found| SignInCode { ticket, found }))
    }

    /// Mails a new code in place of one that a service has asked for, until the same end. It proves the address when it is used.
    ///
    /// # Errors
    /// When the database fails; then nothing is sent.
    pub async fn mail_sign_in_code(
        &self,
        caller: &Caller,
        code: &SignInCode,
        target: &LinkTarget,
    ) -> Result<CodeMailed, FlowError> {
        let SignInCode { ticket, found } = code;
        let account: &Account = &found.account;
        let Some(to) = account.email.clone() else { return Ok(CodeMailed::NotSent(NotSent::NoAddress)) };
        let now = self.now();
        let languages = self.languages(caller, Some(account), account.tenant_id).await?;
        let order = Order {
            state: found.state.clone(),
            target: Some(target),
            ..Order::of(account, Purpose::SignIn, LinkForm::Id, requester(caller), &to, languages)
        };
        let (token, mut new) = self.new_link(&order, now);
        new.expires_at = new.expires_at.min(found.expires_at);
        let message = self.link_message(&order, account.id, &target.link(&token), now, new.expires_at);
        let ticket = LinkTicket::InPlaceOf(ticket.clone(), new);
        let issue = self.link_to_issue(caller, &order, account.id, ticket, Some(message), now);
        Ok(match self.store_link(issue).await? {
            LinkIssued::Sent => CodeMailed::Sent,
            LinkIssued::NotSent(NotSent::Exhausted) => CodeMailed::TooMany { until: self.next_link_window() },
            LinkIssued::NotSent(why) => CodeMailed::NotSent(why),
            LinkIssued::NoTicket | LinkIssued::Refused(_) | LinkIssued::SignInDue => CodeMailed::NoCode,
            LinkIssued::Exhausted { until } => CodeMailed::TooMany { until },
        })
    }
}

fn requester(caller: &Caller) -> Requester {
    if caller.actor.is_service() { Requester::Service } else { Requester::Stranger }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_code_was_asked_for_with_reads_back() {
        for application_id in [None, Some(ApplicationId::DEFAULT)] {
            for state in [None, Some("{\"a\":\n1}".to_owned())] {
                let asked = SignInFor { application_id, state };
                assert_eq!(SignInFor::parse(&asked.to_text()), asked);
            }
        }
    }
}
