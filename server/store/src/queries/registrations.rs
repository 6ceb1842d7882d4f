//! Registrations of users for applications.

use super::locking::lock;
use super::{Conn, RunQueryDsl, TxResult, audit};
use crate::cached::Cache as _;
use crate::rows::{RegistrationChanges, RegistrationRow};
use crate::schema::{refresh_tokens, registrations};
use crate::work::{ChangeRegistration, DeleteRegistration, Register, Registered, TxOutcome};
use countersign_domain::decisions::endings::{self, Ending, Grant};
use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind, Error as DieselError};

/// Registers a user for an application.
pub(crate) async fn register(connection: &mut Conn, register: &Register) -> TxResult<Registered> {
    let made = diesel::insert_into(registrations::table)
        .values(RegistrationRow::new(&register.registration, register.account_id))
        .on_conflict((registrations::account_id, registrations::application_id))
        .do_nothing()
        .execute(connection)
        .await;
    match made {
        Ok(1) => {}
        Ok(_) => return Ok(TxOutcome::Rollback(Registered::Already)),
        // The only foreign key refers to the account: it was deleted since it was read.
        Err(DieselError::DatabaseError(DatabaseErrorKind::ForeignKeyViolation, _)) => {
            return Ok(TxOutcome::Rollback(Registered::NoAccount));
        }
        Err(error) => return Err(error.into()),
    }
    audit::write_and_commit(connection, &register.event, Registered::Done).await
}

/// Changes a registration, if it is still as it was read; says whether it was.
pub(crate) async fn change_registration(connection: &mut Conn, change: &ChangeRegistration) -> TxResult<bool> {
    let as_read = registrations::id
        .eq(change.registration.id.to_text())
        .and(registrations::account_id.eq(change.account_id.to_text()))
        .and(registrations::updated_at.eq(change.read_at.as_millis()));
    let touched = diesel::update(registrations::table.filter(as_read))
        .set(RegistrationChanges::new(&change.registration))
        .cached()
        .execute(connection)
        .await?;
    if touched == 0 {
        return Ok(TxOutcome::Rollback(false));
    }
    audit::write_and_commit(connection, &change.event, true).await
}

/// Deletes a registration, and ends what ends with it; says whether it was there. The account's row is locked first, so that no
/// refresh token is exchanged meanwhile.
pub(crate) async fn delete_registration(connection: &mut Conn, delete: &DeleteRegistration) -> TxResult<bool> {
    let (id, application) = (delete.account_id.to_text(), delete.application_id.to_text());
    lock(connection, delete.account_id).await?;
    let mine = registrations::account_id.eq(&id).and(registrations::application_id.eq(&application));
    if diesel::delete(registrations::table.filter(mine)).execute(connection).await? == 0 {
        return Ok(TxOutcome::Rollback(false));
    }
    if endings::with_registration(Grant::RefreshToken) == Ending::Ends {
        let tokens = refresh_tokens::account_id.eq(&id).and(refresh_tokens::application_id.eq(&application));
        diesel::delete(refresh_tokens::table.filter(tokens)).execute(connection).await?;
    }
    audit::write_and_commit(connection, &delete.event, true).await
}
