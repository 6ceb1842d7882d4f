//! Making an account.

use super::{Authenticated, Caller, FlowError, Flows, with_random};
use countersign_domain::account::{Account, EmailAddress};
use countersign_domain::audit::EventKind;
use countersign_domain::ids::AccountId;
use countersign_domain::password::{Password, PasswordHash, Unfit};
use countersign_store::work::{self, SignedUp};

/// Who signs up.
#[derive(Debug)]
pub struct NewPerson<'a> {
    /// The address, its grammar checked.
    pub email: EmailAddress,
    /// What the person is called.
    pub name: String,
    /// Where a picture is.
    pub image: Option<String>,
    /// The password as typed.
    pub password: &'a str,
    /// Whether the session is to outlive the browser.
    pub is_remembered: bool,
}

/// How a sign-up ends.
#[derive(Debug)]
pub enum SignUp {
    /// The account exists and is signed in.
    Done(Box<Authenticated>),
    /// The password is not taken.
    UnfitPassword(Unfit),
    /// Somebody has that address.
    EmailTaken,
}

impl Flows {
    /// Makes an account and signs it in.
    ///
    /// # Errors
    /// When the hashing queue is full or the database fails; then there is no account.
    pub async fn sign_up(&self, caller: &Caller, person: NewPerson<'_>) -> Result<SignUp, FlowError> {
        let password = match Password::chosen(person.password) {
            Ok(password) => password,
            Err(unfit) => return Ok(SignUp::UnfitPassword(unfit)),
        };
        if self.store.account_by_email((self.directory.home().id, person.email.clone())).await?.is_some() {
            return Ok(SignUp::EmailTaken);
        }
        let cost = self.password_cost;
        let make = move |memory: &mut Vec<_>| with_random(|random| PasswordHash::make(&password, cost, random, memory));
        let hash = self.hasher.admit()?.run(make).await?;
        let now = self.now();
        let account = Account {
            id: with_random(|random| AccountId::generate(now, random)),
            tenant_id: self.directory.home().id,
            email: Some(person.email),
            username: None,
            phone_number: None,
            name: person.name,
            email_verified: false,
            image: person.image,
            password: Some(hash),
            password_changed_at: now,
            password_change_required: false,
            is_active: true,
            expires_at: None,
            two_factor_enabled: false,
            credentials_version: 0,
            created_at: now,
            updated_at: now,
        };
        let (session, token) = self.new_session(caller, &account, person.is_remembered, None, now);
        let signed_in = Authenticated { session: session.session.clone(), account: account.clone(), token };
        let event = caller.event_in(EventKind::SignedUp, &session.session, now);
        Ok(match self.store.sign_up(work::SignUp { account, session, event }).await? {
            SignedUp::Done => SignUp::Done(Box::new(signed_in)),
            SignedUp::EmailTaken => SignUp::EmailTaken,
        })
    }
}
