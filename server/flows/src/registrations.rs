//! Registrations of users for applications, which services manage.

use super::{Caller, FlowError, Flows};
use countersign_domain::audit::EventKind;
use countersign_domain::ids::{AccountId, ApplicationId, RegistrationId};
use countersign_domain::tenant::Application;
use countersign_domain::user::Registration;
pub use countersign_store::work::Registered;
use countersign_store::work::{ChangeRegistration, DeleteRegistration, Register};
use std::time::Duration;

/// What a service says about a registration.
#[derive(Clone, Debug)]
pub struct RegistrationFields {
    pub roles: Vec<String>,
    pub username: Option<String>,
    /// JSON text.
    pub data: Option<String>,
}

impl Flows {
    /// A registration to be stored.
    #[must_use]
    pub fn new_registration(&self, application: &Application, fields: RegistrationFields) -> Registration {
        let RegistrationFields { roles, username, data } = fields;
        let now = self.now();
        Registration {
            id: self.random().draw(|random| RegistrationId::generate(now, random)),
            application_id: application.id,
            roles,
            username,
            data,
            last_sign_in_at: None,
            created_at: now,
            updated_at: now,
        }
    }

    /// Registers a user for an application.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn register(
        &self,
        caller: &Caller,
        account_id: AccountId,
        registration: Registration,
    ) -> Result<Registered, FlowError> {
        let event = self.audit(caller, self.now()).about(account_id).event(EventKind::Registered);
        Ok(self.store().register(Register { account_id, registration, event }).await?)
    }

    /// Changes a registration that was just read; `None` if it was changed or deleted at the same moment.
    ///
    /// # Errors
    /// When the database fails; then nothing has changed.
    pub async fn change_registration(
        &self,
        caller: &Caller,
        account_id: AccountId,
        before: Registration,
        fields: RegistrationFields,
    ) -> Result<Option<Registration>, FlowError> {
        let (now, read_at) = (self.now(), before.updated_at);
        let RegistrationFields { roles, username, data } = fields;
        // Two changes within a millisecond are two changes.
        let updated_at = now.max(read_at + Duration::from_millis(1));
        let registration = Registration { roles, username, data, updated_at, ..before };
        let event = self.audit(caller, now).about(account_id).event(EventKind::RegistrationChanged);
        let change = ChangeRegistration { account_id, registration: registration.clone(), read_at, event };
        Ok(self.store().change_registration(change).await?.then_some(registration))
    }

    /// Deletes a registration, and ends what ends with it; says whether it was there.
    ///
    /// # Errors
    /// When the database fails; then it is still there.
    pub async fn delete_registration(
        &self,
        caller: &Caller,
        account_id: AccountId,
        application_id: ApplicationId,
    ) -> Result<bool, FlowError> {
        let event = self.audit(caller, self.now()).about(account_id).event(EventKind::RegistrationDeleted);
        Ok(self.store().delete_registration(DeleteRegistration { account_id, application_id, event }).await?)
    }
}
