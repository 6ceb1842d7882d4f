//! People as services see them: making, reading, changing and removing accounts, and registering them for applications.

use super::{Caller, FlowError, Flows, with_random};
use countersign_domain::account::{Account, EmailAddress, LoginName, PhoneNumber, Username};
use countersign_domain::audit::EventKind;
use countersign_domain::ids::{AccountId, RegistrationId, TenantId};
use countersign_domain::password::{Password, PasswordHash, Unfit};
use countersign_domain::tenant::Application;
use countersign_domain::time::Timestamp;
use countersign_store::work::{
    AccountWritten, ChangeAccount, CreateAccount, Person, Profile, Register, Registration, Whose,
};

/// What a service says about a person.
#[derive(Clone, Debug)]
pub struct Particulars {
    /// Where mail goes, its grammar checked.
    pub email: Option<EmailAddress>,
    /// What the person signs in with.
    pub username: Option<Username>,
    /// The same.
    pub phone_number: Option<PhoneNumber>,
    /// What the person is called.
    pub name: String,
    /// Where a picture is.
    pub image: Option<String>,
    /// Whether the address was proven to be the person's.
    pub email_verified: bool,
    /// Whether the password has to be changed before anything is opened by it.
    pub password_change_required: bool,
    /// From when on the account may not be used.
    pub expires_at: Option<Timestamp>,
    /// What else is known.
    pub profile: Profile,
}

/// Why a person is not written as asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotWritten {
    /// There is no such person, or somebody changed or removed them at the same moment.
    Gone,
    /// The password is not taken.
    UnfitPassword(Unfit),
    /// Somebody has that address.
    EmailTaken,
    /// Somebody has that user name.
    UsernameTaken,
    /// Somebody has that telephone number.
    PhoneNumberTaken,
    /// Somebody has that id.
    IdTaken,
}

impl NotWritten {
    fn from(written: AccountWritten) -> Result<(), Self> {
        match written {
            AccountWritten::Done => Ok(()),
            AccountWritten::EmailTaken => Err(Self::EmailTaken),
            AccountWritten::UsernameTaken => Err(Self::UsernameTaken),
            AccountWritten::PhoneNumberTaken => Err(Self::PhoneNumberTaken),
            AccountWritten::IdTaken => Err(Self::IdTaken),
            AccountWritten::Stale => Err(Self::Gone),
        }
    }
}

impl Flows {
    /// Everything about the person with this id, in this tenant if one is named.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn person(&self, id: AccountId, tenant: Option<TenantId>) -> Result<Option<Person>, FlowError> {
        let person = self.store.person(Whose::Id(id)).await?;
        Ok(person.filter(|person| tenant.is_none_or(|tenant| person.account.tenant_id == tenant)))
    }

    /// The person whom the first of these names belongs to that anybody has.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn person_by_name(&self, tenant: TenantId, names: Vec<LoginName>) -> Result<Option<Person>, FlowError> {
        Ok(self.store.person(Whose::Login(tenant, names)).await?)
    }

    async fn hash_chosen(&self, password: &str) -> Result<Result<PasswordHash, Unfit>, FlowError> {
        let password = match Password::chosen(password) {
            Ok(password) => password,
            Err(unfit) => return Ok(Err(unfit)),
        };
        let cost = self.password_cost;
        let make = move |memory: &mut Vec<_>| with_random(|random| PasswordHash::make(&password, cost, random, memory));
        Ok(Ok(self.hasher.admit()?.run(make).await?))
    }

    /// A new registration for an application.
    #[must_use]
    pub fn new_registration(
        &self,
        application: &Application,
        roles: Vec<String>,
        username: Option<String>,
        data: Option<String>,
    ) -> Registration {
        let now = self.now();
        Registration {
            id: with_random(|random| RegistrationId::generate(now, random)),
            application_id: application.id,
            roles,
            username,
            data,
            last_sign_in_at: None,
            created_at: now,
            updated_at: now,
        }
    }

    /// Makes an account, and a registration with it.
    ///
    /// # Errors
    /// When the hashing queue is full or the database fails; then there is no account.
    pub async fn create_person(
        &self,
        caller: &Caller,
        tenant: TenantId,
        id: Option<AccountId>,
        particulars: Particulars,
        password: &str,
        registration: Option<Registration>,
    ) -> Result<Result<Person, NotWritten>, FlowError> {
        let hash = match self.hash_chosen(password).await? {
            Ok(hash) => hash,
            Err(unfit) => return Ok(Err(NotWritten::UnfitPassword(unfit))),
        };
        let now = self.now();
        let account = Account {
            id: id.unwrap_or_else(|| with_random(|random| AccountId::generate(now, random))),
            tenant_id: tenant,
            email: particulars.email,
            username: particulars.username,
            phone_number: particulars.phone_number,
            name: particulars.name,
            email_verified: particulars.email_verified,
            image: particulars.image,
            password: Some(hash),
            password_changed_at: now,
            password_change_required: particulars.password_change_required,
            is_active: true,
            expires_at: particulars.expires_at,
            two_factor_enabled: false,
            credentials_version: 0,
            created_at: now,
            updated_at: now,
        };
        let create = CreateAccount {
            account: account.clone(),
            profile: particulars.profile.clone(),
            registration: registration.clone(),
            event: caller.event(EventKind::AccountCreated, Some(account.id), now),
        };
        let written = self.store.create_account(create).await?;
        Ok(NotWritten::from(written).map(|()| Person {
            account,
            profile: particulars.profile,
            last_sign_in_at: None,
            methods: Vec::new(),
            registrations: registration.into_iter().collect(),
        }))
    }

    /// Changes a person that was just read, and whether the account may be used; unusable, all that it had opened ends.
    ///
    /// # Errors
    /// When the hashing queue is full or the database fails; then nothing has changed.
    pub async fn change_person(
        &self,
        caller: &Caller,
        person: Person,
        particulars: Particulars,
        password: Option<&str>,
        is_active: bool,
    ) -> Result<Result<Person, NotWritten>, FlowError> {
        let hash = match password {
            None => None,
            Some(password) => match self.hash_chosen(password).await? {
                Ok(hash) => Some(hash),
                Err(unfit) => return Ok(Err(NotWritten::UnfitPassword(unfit))),
            },
        };
        let now = self.now();
        let before = person.account;
        let sets_password = hash.is_some();
        let mut account = Account {
            email: particulars.email,
            username: particulars.username,
            phone_number: particulars.phone_number,
            name: particulars.name,
            email_verified: particulars.email_verified,
            image: particulars.image,
            password: hash.or(before.password),
            password_changed_at: if sets_password { now } else { before.password_changed_at },
            password_change_required: particulars.password_change_required,
            is_active,
            expires_at: particulars.expires_at,
            // Two changes within a millisecond are two changes.
            updated_at: now.max(before.updated_at + std::time::Duration::from_millis(1)),
            ..before
        };
        let change = ChangeAccount {
            account: account.clone(),
            was_updated_at: before.updated_at,
            profile: particulars.profile.clone(),
            sets_password,
            events: std::iter::once(EventKind::AccountChanged)
                .chain((is_active != before.is_active).then(|| activity(is_active)))
                .map(|kind| caller.event(kind, Some(account.id), now))
                .collect(),
        };
        let written = self.store.change_account(change).await?;
        // A new password is a new version of the credentials.
        account.credentials_version += i64::from(sets_password);
        Ok(NotWritten::from(written).map(|()| Person { account, profile: particulars.profile, ..person }))
    }

    /// Makes an account unusable, or usable again; unusable, all that it had opened ends.
    ///
    /// # Errors
    /// When the database fails; then nothing has changed.
    pub async fn set_active(
        &self,
        caller: &Caller,
        person: Person,
        is_active: bool,
    ) -> Result<Result<Person, NotWritten>, FlowError> {
        let now = self.now();
        let before = person.account;
        let account = Account {
            is_active,
            updated_at: now.max(before.updated_at + std::time::Duration::from_millis(1)),
            ..before
        };
        let change = ChangeAccount {
            account: account.clone(),
            was_updated_at: before.updated_at,
            profile: person.profile.clone(),
            sets_password: false,
            events: vec![caller.event(activity(is_active), Some(account.id), now)],
        };
        let written = self.store.change_account(change).await?;
        Ok(NotWritten::from(written).map(|()| Person { account, ..person }))
    }

    /// Removes an account and all that belongs to it; says whether it was there.
    ///
    /// # Errors
    /// When the database fails; then it is still there.
    pub async fn delete_person(&self, caller: &Caller, id: AccountId) -> Result<bool, FlowError> {
        let event = caller.event(EventKind::AccountDeleted, Some(id), self.now());
        Ok(self.store.delete_account((id, event)).await?)
    }

    /// Registers a person for an application; says whether they were not yet.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn register(
        &self,
        caller: &Caller,
        account_id: AccountId,
        registration: Registration,
    ) -> Result<bool, FlowError> {
        let event = caller.event(EventKind::Registered, Some(account_id), self.now());
        Ok(self.store.register(Register { account_id, registration, event }).await?)
    }
}

/// What is recorded when an account becomes usable or unusable.
fn activity(is_active: bool) -> EventKind {
    if is_active { EventKind::AccountReactivated } else { EventKind::AccountDeactivated }
}
