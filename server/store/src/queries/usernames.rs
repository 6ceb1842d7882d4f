//! Bringing stored user names to the form in which they are compared now, and finding accounts by it.

use super::users::UserRow;
use super::{Conn, RunQueryDsl, TxResult};
use crate::cached::Cache as _;
use crate::error::StoreError;
use crate::rows::AccountRow;
use crate::schema::accounts;
use crate::work::{FindUnnormalized, TxOutcome, Unnormalized, UsernameConflict, UsernameNormalized};
use countersign_domain::account::Username;
use countersign_domain::decisions::username_owner;
use countersign_domain::ids::{AccountId, TenantId};
use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind, Error as DieselError};

/// Rows whose form is missing, or another one than their key: the condition of an index.
#[diesel::dsl::auto_type(no_type_alias)]
fn is_unnormalized() -> _ {
    let is_missing = accounts::username_form.is_null();
    let is_other = accounts::username_form.ne(accounts::username_key);
    accounts::username_key.is_not_null().and(is_missing.or(is_other))
}

/// The account of a user name that was typed. Rows that a node of an earlier version wrote are found by the key that it gave
/// them.
pub(super) async fn find_by_username(
    connection: &mut Conn,
    tenant: TenantId,
    typed: &Username,
) -> Result<Option<UserRow>, StoreError> {
    let of_tenant = || accounts::tenant_id.eq(tenant.to_text());
    // Each alternative names the tenant: with that, SQLite uses an index for each.
    let has_form = of_tenant().and(accounts::username_form.eq(typed.key()));
    let has_key = |key: String| of_tenant().and(accounts::username_key.eq(key));
    let mut rows: Vec<UserRow> = accounts::table
        .filter(has_form.or(has_key(typed.key())).or(has_key(typed.earlier_key())))
        .select((AccountRow::as_select(), accounts::profile, accounts::last_sign_in_at))
        .load(connection)
        .await?;
    let names: Vec<Option<Username>> = rows.iter().map(|(row, ..)| row.username()).collect();
    Ok(username_owner::decide(typed, &names).map(|owner| rows.swap_remove(owner)))
}

/// Whether another account of the tenant has a name of the same form.
pub(super) async fn is_taken(
    connection: &mut Conn,
    tenant_id: &str,
    form: &str,
    except: &str,
) -> Result<bool, StoreError> {
    let of_tenant = || accounts::tenant_id.eq(tenant_id).and(accounts::id.ne(except));
    let has_form = of_tenant().and(accounts::username_form.eq(form));
    let has_key = of_tenant().and(accounts::username_key.eq(form));
    let names: Vec<Option<String>> =
        accounts::table.filter(has_form.or(has_key)).select(accounts::username).load(connection).await?;
    Ok(names.iter().any(|name| is_of_form(name.as_deref(), form)))
}

/// Whether a stored name has this form. A row's own form may be that of a name that it had before.
fn is_of_form(name: Option<&str>, form: &str) -> bool {
    name.and_then(Username::new).is_some_and(|name| name.key() == form)
}

/// Notes the form of names whose key is the form already, and returns the accounts whose key has to change, in the order of
/// their ids. No key is written here, so that nothing waits for another account's.
pub(crate) async fn find_unnormalized(connection: &mut Conn, find: &FindUnnormalized) -> TxResult<Unnormalized> {
    type Row = (String, Option<String>, Option<String>, Option<String>);
    let rows: Vec<Row> = accounts::table
        .filter(accounts::id.gt(&find.after))
        .filter(is_unnormalized())
        .order(accounts::id)
        .limit(i64::from(find.batch))
        .select((accounts::id, accounts::username, accounts::username_key, accounts::username_form))
        .load(connection)
        .await?;
    let mut found = Unnormalized { last: rows.last().map(|(id, ..)| id.clone()), ..Unnormalized::default() };
    for (id, username, key, _) in rows {
        let Some(name) = username.as_deref().and_then(Username::new) else { continue };
        let form = name.key();
        if key.as_ref() != Some(&form) {
            found.due.push(id);
            continue;
        }
        let as_read = accounts::username.eq(&username).and(accounts::username_key.eq(&key));
        found.noted += diesel::update(accounts::table.find(&id).filter(as_read))
            .set(accounts::username_form.eq(form))
            .cached()
            .execute(connection)
            .await?;
    }
    Ok(TxOutcome::Commit(found))
}

/// Brings the name of one account to its form, unless another account has a name of this form: then the account keeps its
/// key, and the form is noted.
pub(crate) async fn normalize_username(connection: &mut Conn, id: &String) -> TxResult<UsernameNormalized> {
    type Row = (String, Option<String>, Option<String>, Option<String>);
    // Locks the row.
    let columns = (accounts::tenant_id, accounts::username, accounts::username_key, accounts::username_form);
    let row: Option<Row> = locked!(accounts::table.find(id).select(columns)).get_result(connection).await.optional()?;
    let named = row.and_then(|(tenant, name, key, form)| Some((tenant, Username::new(&name?)?, key?, form)));
    let Some((tenant_id, name, key, noted)) = named else {
        return Ok(TxOutcome::Rollback(UsernameNormalized::Unchanged));
    };
    let form = name.key();
    let is_contested = is_taken(connection, &tenant_id, &form, id).await?;
    let outcome = if is_contested { UsernameNormalized::Contested } else { UsernameNormalized::Changed };
    if is_contested && noted.as_ref() == Some(&form) {
        return Ok(TxOutcome::Rollback(outcome));
    }
    let key = if is_contested { key } else { form.clone() };
    let written = diesel::update(accounts::table.find(id))
        .set((accounts::username_key.eq(key), accounts::username_form.eq(form)))
        .cached()
        .execute(connection)
        .await;
    match written {
        Ok(_) => Ok(TxOutcome::Commit(outcome)),
        // Another account took the name since it was looked for.
        Err(DieselError::DatabaseError(DatabaseErrorKind::UniqueViolation, _)) => {
            Ok(TxOutcome::Rollback(UsernameNormalized::Contested))
        }
        Err(error) => Err(error.into()),
    }
}

/// The accounts whose user name has the form of another account's, and still the key that it had before.
pub(crate) async fn username_conflicts(connection: &mut Conn, (): &()) -> Result<Vec<UsernameConflict>, StoreError> {
    type Row = (String, String, Option<String>, Option<String>);
    let rows: Vec<Row> = accounts::table
        .filter(accounts::id.gt(""))
        .filter(is_unnormalized())
        .order(accounts::id)
        .select((accounts::id, accounts::tenant_id, accounts::username, accounts::username_form))
        .load(connection)
        .await?;
    let mut conflicts = Vec::new();
    for (id, tenant_id, username, noted) in rows {
        let (Some(name), Some(form)) = (username.as_deref().and_then(Username::new), noted) else { continue };
        if name.key() != form {
            continue;
        }
        let same = accounts::tenant_id.eq(tenant_id).and(accounts::username_form.eq(&form));
        let others: Vec<(String, Option<String>)> = accounts::table
            .filter(same.and(accounts::id.ne(&id)))
            .order(accounts::id)
            .select((accounts::id, accounts::username))
            .load(connection)
            .await?;
        let others = others.into_iter().filter(|(_, name)| is_of_form(name.as_deref(), &form));
        let others: Vec<_> = others.filter_map(|(id, name)| Some((AccountId::parse(&id)?, name?))).collect();
        if let (Some(account_id), false) = (AccountId::parse(&id), others.is_empty()) {
            conflicts.push(UsernameConflict { account_id, username: name.as_str().to_owned(), form, others });
        }
    }
    Ok(conflicts)
}
