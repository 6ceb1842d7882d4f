//! Users: signing up, and the accounts that services manage and search.

use super::hashing::{Overloaded, Permit};
use super::mailed_links::LinkTarget;
use super::{Authenticated, Caller, FlowError, Flows};
use countersign_domain::account::{Account, LoginName};
use countersign_domain::audit::EventKind;
use countersign_domain::address::MethodKind;
use countersign_domain::decisions::address_change::{self, AddressChange, Contact};
use countersign_domain::decisions::endings::Event;
use countersign_domain::decisions::sign_in::{Demand, demand};
use countersign_domain::decisions::sign_up::{self, SignUp};
use countersign_domain::decisions::trust::{self, Trust};
use countersign_domain::decisions::usable;
use countersign_domain::ids::{AccountId, ApplicationId, TenantId};
use countersign_domain::method::Method;
use countersign_domain::password::{PasswordHash, PasswordPolicyViolation};
use countersign_domain::terms::TrustForm;
use countersign_domain::time::Timestamp;
use countersign_domain::trusted_device::{self, TrustedDevice};
use countersign_domain::user::{self, AccountLookup, AccountProfile, Registration, User};
use countersign_domain::user_search::{Page, UserSearch};
pub use countersign_store::work::FoundUsers;
use countersign_store::work::{AccountWritten, ChangeAccount, CreateAccount, FindTrust, FindUsers, NewSession};
use std::time::Duration;

/// An account to be created by a service.
#[derive(Debug)]
pub struct NewUser<'a> {
    pub tenant_id: TenantId,
    /// Generated if there is none.
    pub id: Option<AccountId>,
    pub profile: AccountProfile,
    /// As typed.
    pub password: &'a str,
    pub registration: Option<Registration>,
}

/// How signing up ends.
#[derive(Debug)]
pub enum SignedUp {
    In(Box<Authenticated>),
    /// The address has to be proved first: a link was mailed. The same is said of an address that is another account's, of an
    /// account that there is not.
    VerificationDue(Box<Account>),
}

/// Why nobody was signed up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignUpRefused {
    /// The tenant does not let strangers create accounts.
    Closed,
    NotWritten(NotWritten),
}

/// Why a user is not written as asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotWritten {
    /// The user is gone, or was changed at the same moment.
    Gone,
    Violation(PasswordPolicyViolation),
    EmailTaken,
    UsernameTaken,
    PhoneNumberTaken,
    IdTaken,
    /// The user's last usable method would be for an address that nobody has proved.
    LeavesNoMethod,
}

impl NotWritten {
    fn from(written: AccountWritten) -> Result<(), Self> {
        match written {
            AccountWritten::Done => Ok(()),
            AccountWritten::EmailTaken => Err(Self::EmailTaken),
            AccountWritten::UsernameTaken => Err(Self::UsernameTaken),
            AccountWritten::PhoneNumberTaken => Err(Self::PhoneNumberTaken),
            AccountWritten::IdTaken => Err(Self::IdTaken),
            AccountWritten::LeavesNoMethod => Err(Self::LeavesNoMethod),
            AccountWritten::Stale => Err(Self::Gone),
        }
    }
}

impl Flows {
    /// A user, in this tenant if one is named.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn user(&self, lookup: AccountLookup, tenant: Option<TenantId>) -> Result<Option<User>, FlowError> {
        // One of another tenant costs as much work as one that is not there (attack 44).
        let lookup = match (lookup, tenant) {
            (AccountLookup::Id(id), Some(tenant)) => AccountLookup::IdIn(tenant, id),
            (lookup, _) => lookup,
        };
        let user = self.store().user(lookup).await?;
        Ok(user.filter(|user| tenant.is_none_or(|tenant| user.account.tenant_id == tenant)))
    }

    /// The user with the first of these login names that an account of the tenant has.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn user_by_login(&self, tenant: TenantId, names: Vec<LoginName>) -> Result<Option<User>, FlowError> {
        self.user(AccountLookup::Login(tenant, names), None).await
    }

    /// The users of a tenant that a service looks for.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn find_users(
        &self,
        tenant_id: TenantId,
        which: UserSearch,
        page: Page,
        counts_all: bool,
    ) -> Result<FoundUsers, FlowError> {
        Ok(self.store().find_users(FindUsers { tenant_id, which, page, counts_all }).await?)
    }

    /// Creates an account in the home tenant and signs it in, or mails a link where its address has to be proved first.
    ///
    /// # Errors
    /// When the hashing queue is full or the database fails; then there is no account.
    pub async fn sign_up(
        &self,
        caller: &Caller,
        profile: AccountProfile,
        password: &str,
        is_remembered: bool,
        verification: &LinkTarget,
    ) -> Result<Result<SignedUp, SignUpRefused>, FlowError> {
        let home = self.directory().home();
        if sign_up::decide(home) == SignUp::Closed {
            return Ok(Err(SignUpRefused::Closed));
        }
        let password = match self.chosen_password(password, profile.email.as_ref(), profile.username.as_ref()) {
            Ok(password) => password,
            Err(violation) => return Ok(Err(SignUpRefused::NotWritten(NotWritten::Violation(violation)))),
        };
        let (tenant_id, hides_accounts) = (home.id, home.requires_verified_email);
        // Before the database is asked, so that a request that is shed costs nothing.
        let permit = self.admit_new_account(caller)?.ready().await?;
        if let Some(email) = profile.email.as_ref().filter(|_| !hides_accounts) {
            // An address that is taken need not cost a hash, where the response says so anyway.
            let lookup = AccountLookup::Login(tenant_id, vec![LoginName::Email(email.clone())]);
            if self.store().account(lookup).await?.is_some() {
                return Ok(Err(SignUpRefused::NotWritten(NotWritten::EmailTaken)));
            }
        }
        let hash = self.hash_password_now(password, permit).await?;
        let now = self.now();
        let (account, profile) = self.new_account(None, tenant_id, profile, hash, now);
        if hides_accounts {
            let work = self.create_unverified(caller, &account, profile, verification, now);
            let (written, ()) = tokio::join!(work, tokio::time::sleep(self.policy().link_request_time));
            return Ok(match written? {
                Ok(()) | Err(NotWritten::EmailTaken) => Ok(SignedUp::VerificationDue(Box::new(account))),
                Err(other) => Err(SignUpRefused::NotWritten(other)),
            });
        }
        let (session, token) = self.new_session(caller, &account, is_remembered, None, now);
        let audit = self.audit(caller, now).about(account.id).in_session(session.session.id);
        let create = CreateAccount {
            account: account.clone(),
            profile,
            registration: None,
            session: Some(session.clone()),
            verification: None,
            event: audit.event(EventKind::SignedUp),
        };
        let NewSession { session, .. } = session;
        let written = NotWritten::from(self.store().create_account(create).await?);
        let signed_up = |()| SignedUp::In(Box::new(self.authenticated(session, account, token)));
        Ok(written.map(signed_up).map_err(SignUpRefused::NotWritten))
    }

    /// Creates an account that waits for its address to be proved, and mails the link.
    async fn create_unverified(
        &self,
        caller: &Caller,
        account: &Account,
        profile: String,
        verification: &LinkTarget,
        now: Timestamp,
    ) -> Result<Result<(), NotWritten>, FlowError> {
        let prepared =
            account.email.as_ref().map(|email| self.verification_of(caller, account, email, verification, now));
        let message = prepared.as_ref().map(|(_, message)| message.id);
        let create = CreateAccount {
            account: account.clone(),
            profile,
            registration: None,
            session: None,
            verification: prepared,
            event: self.audit(caller, now).about(account.id).event(EventKind::SignedUp),
        };
        let written = NotWritten::from(self.store().create_account(create).await?);
        if let (Ok(()), Some(message)) = (&written, message) {
            self.deliver_later(message);
        }
        Ok(written)
    }

    /// Creates an account, and a registration with it.
    ///
    /// # Errors
    /// When the hashing queue is full or the database fails; then there is no account.
    pub async fn create_user(&self, caller: &Caller, user: NewUser<'_>) -> Result<Result<User, NotWritten>, FlowError> {
        let NewUser { tenant_id, id, profile, password, registration } = user;
        let hash = match self.hash_chosen(password, &profile, || self.admit_new_account(caller)).await? {
            Ok(hash) => hash,
            Err(violation) => return Ok(Err(NotWritten::Violation(violation))),
        };
        let now = self.now();
        let (account, profile) = self.new_account(id, tenant_id, profile, hash, now);
        let create = CreateAccount {
            account: account.clone(),
            profile: profile.clone(),
            registration: registration.clone(),
            session: None,
            verification: None,
            event: self.audit(caller, now).about(account.id).event(EventKind::AccountCreated),
        };
        let written = NotWritten::from(self.store().create_account(create).await?);
        let registrations = registration.into_iter().collect();
        Ok(written.map(|()| User { account, profile, last_sign_in_at: None, methods: Vec::new(), registrations }))
    }

    fn new_account(
        &self,
        id: Option<AccountId>,
        tenant_id: TenantId,
        profile: AccountProfile,
        hash: PasswordHash,
        now: Timestamp,
    ) -> (Account, String) {
        let account = Account {
            id: id.unwrap_or_else(|| self.random().draw(|random| AccountId::generate(now, random))),
            tenant_id,
            email: profile.email,
            username: profile.username,
            phone_number: profile.phone_number,
            name: profile.name,
            email_verified: profile.email_verified,
            image: profile.image,
            password: Some(hash),
            password_changed_at: now,
            password_change_required: profile.password_change_required,
            is_active: true,
            expires_at: profile.expires_at,
            two_factor_enabled: false,
            credentials_version: 0,
            limits_epoch: 0,
            factors_version: 0,
            lock_ends_at: None,
            guess_level: None,
            suspended_until: None,
            wrong_guess: None,
            created_at: now,
            updated_at: now,
        };
        (account, profile.profile)
    }

    async fn hash_chosen(
        &self,
        password: &str,
        profile: &AccountProfile,
        admit: impl FnOnce() -> Result<Permit, Overloaded>,
    ) -> Result<Result<PasswordHash, PasswordPolicyViolation>, FlowError> {
        match self.chosen_password(password, profile.email.as_ref(), profile.username.as_ref()) {
            Ok(password) => Ok(Ok(self.hash_password(password, admit()?).await?)),
            Err(violation) => Ok(Err(violation)),
        }
    }

    /// Changes a user that was just read. A new password, or deactivation, ends everything that the account had opened.
    ///
    /// # Errors
    /// When the hashing queue is full or the database fails; then nothing has changed.
    pub async fn change_user(
        &self,
        caller: &Caller,
        user: User,
        profile: AccountProfile,
        password: Option<&str>,
        is_active: bool,
    ) -> Result<Result<User, NotWritten>, FlowError> {
        let hash = match password {
            None => None,
            Some(password) => match self.hash_chosen(password, &profile, || self.admit(caller)).await? {
                Ok(hash) => Some(hash),
                Err(violation) => return Ok(Err(NotWritten::Violation(violation))),
            },
        };
        let before = user.account;
        let moved = moved_addresses((&before, &user.profile), &profile);
        let address_changed = before.email != profile.email || before.phone_number != profile.phone_number;
        let now = self.now();
        let sets_password = hash.is_some();
        let was_active = before.is_active;
        let account = Account {
            email: profile.email,
            username: profile.username,
            phone_number: profile.phone_number,
            name: profile.name,
            email_verified: profile.email_verified,
            image: profile.image,
            password_changed_at: if sets_password { now } else { before.password_changed_at },
            password: hash.or(before.password.clone()),
            password_change_required: profile.password_change_required,
            is_active,
            expires_at: profile.expires_at,
            updated_at: next_update(before.updated_at, now),
            ..before.clone()
        };
        let audit = self.audit(caller, now).about(account.id);
        let further = [
            address_changed.then_some(EventKind::AddressChanged),
            sets_password.then_some(EventKind::PasswordChanged),
            (is_active != was_active).then_some(activity_event(is_active)),
        ];
        let event = |kind| self.random().draw(|random| audit.again(random)).event(kind);
        let change = ChangeAccount {
            account: account.clone(),
            before,
            rules: self.rules(),
            profile: profile.profile.clone(),
            sets_password,
            ending: Event::of_service(sets_password, was_active, is_active),
            moved,
            events: std::iter::once(audit.event(EventKind::AccountChanged))
                .chain(further.into_iter().flatten().map(event))
                .collect(),
        };
        let follows = change.moved.clone();
        let written = NotWritten::from(self.store().change_account(change).await?);
        let methods = address_change::followed(user.methods, &follows);
        Ok(written.map(|()| User { account, profile: profile.profile, methods, ..user }))
    }

    /// Deactivates or reactivates an account; deactivation ends everything that it had opened.
    ///
    /// # Errors
    /// When the database fails; then nothing has changed.
    pub async fn set_active(
        &self,
        caller: &Caller,
        user: User,
        is_active: bool,
    ) -> Result<Result<User, NotWritten>, FlowError> {
        let now = self.now();
        let before = user.account.clone();
        let updated_at = next_update(before.updated_at, now);
        let account = Account { is_active, updated_at, ..user.account };
        let change = ChangeAccount {
            account: account.clone(),
            before,
            rules: self.rules(),
            profile: user.profile.clone(),
            sets_password: false,
            ending: Event::of_service(false, user.account.is_active, is_active),
            moved: Vec::new(),
            events: vec![self.audit(caller, now).about(account.id).event(activity_event(is_active))],
        };
        let written = NotWritten::from(self.store().change_account(change).await?);
        Ok(written.map(|()| User { account, ..user }))
    }

    /// Deletes an account and everything that belongs to it; says whether it was there.
    ///
    /// # Errors
    /// When the database fails; then it is still there.
    pub async fn delete_user(&self, caller: &Caller, id: AccountId) -> Result<bool, FlowError> {
        let event = self.audit(caller, self.now()).about(id).event(EventKind::AccountDeleted);
        Ok(self.store().delete_account((id, event)).await?)
    }

    /// The methods of a user that count as a second factor. Of passkeys, those of the relying party do.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn usable_methods(&self, user: &User) -> Result<Vec<Method>, FlowError> {
        let (account, rules) = (&user.account, self.rules());
        let is_passkey = |method: &&Method| method.kind == MethodKind::Passkey;
        let mut methods: Vec<Method> = user.methods.iter().filter(|method| !is_passkey(method)).cloned().collect();
        if user.methods.iter().any(|method| is_passkey(&method)) {
            let passkeys = self.store().passkeys_of(account.id).await?;
            methods.extend(usable::passkeys_as_methods(&passkeys, account, &rules));
        }
        Ok(usable::usable_methods(methods, account, rules.tenant_of(account)))
    }

    /// Whether signing in would ask for more than the password, trust in a device left aside.
    #[must_use]
    pub fn demands_second_factor(&self, account: &Account) -> bool {
        let policy = self.rules().tenant_of(account).login_policy;
        demand(policy, account.two_factor_enabled) != Demand::Nothing
    }

    /// A lasting trust in a device, if it counts for this account in this application.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn trusted_device(
        &self,
        account: &Account,
        token: &str,
        application_id: Option<ApplicationId>,
    ) -> Result<Option<TrustedDevice>, FlowError> {
        let (account_id, versions, now) = (account.id, account.versions(), self.now());
        let digests = trusted_device::read(TrustForm::Lasting, token, account_id, self.keyring());
        if digests.is_empty() {
            return Ok(None);
        }
        let found = self.store().trust(FindTrust { digests, account_id, versions, now }).await?;
        let rules = self.rules();
        let policy = rules.application(application_id).map(|application| application.trust_policy);
        Ok(found.filter(|trust| {
            let facts = trust::Facts {
                given_in: trust.application_id,
                application: application_id,
                policy: policy.unwrap_or_default(),
                given_at: trust.given_at,
            };
            trust::decide(&facts, self.policy(), now) == Trust::Counts
        }))
    }
}

/// The addresses that others take the place of.
fn moved_addresses((account, profile): (&Account, &str), after: &AccountProfile) -> Vec<AddressChange> {
    let mobile_phones = [profile, after.profile.as_str()].map(user::mobile_phone);
    let before = Contact {
        email: account.email.as_ref(),
        phone_number: account.phone_number.as_ref(),
        mobile_phone: mobile_phones[0].as_ref(),
    };
    let after = Contact {
        email: after.email.as_ref(),
        phone_number: after.phone_number.as_ref(),
        mobile_phone: mobile_phones[1].as_ref(),
    };
    address_change::changes(&before, &after)
}

/// Two changes within a millisecond are two changes.
fn next_update(before: Timestamp, now: Timestamp) -> Timestamp {
    now.max(before + Duration::from_millis(1))
}

fn activity_event(is_active: bool) -> EventKind {
    if is_active { EventKind::AccountReactivated } else { EventKind::AccountDeactivated }
}
