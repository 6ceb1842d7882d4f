//! Finding users of a tenant by their ids and by ranges of their names.

use super::users::UserRow;
use super::{Conn, RunQueryDsl};
use crate::cached::Cache as _;
use crate::error::StoreError;
use crate::rows::{AccountRow, MethodRow, PasskeyRow, RegistrationRow};
use crate::schema::{accounts, methods, passkeys, registrations};
use crate::work::{FindUsers, FoundUsers};
use countersign_domain::account::Account;
use countersign_domain::ids::{AccountId, TenantId};
use countersign_domain::method::Method;
use countersign_domain::passkey::Passkey;
use countersign_domain::policy::REACHABLE_USERS;
use countersign_domain::time::Timestamp;
use countersign_domain::user::{Registration, User};
use countersign_domain::user_search::UserSearch;
use diesel::prelude::*;
use std::collections::HashMap;

/// How many ids stand in a statement. SQLite has a parameter for each of them: there are always as many, so that the text of the
/// statement is always the same.
const IDS_AT_ONCE: usize = 50;

/// `texts` in lists of [`IDS_AT_ONCE`], the last of which is filled up with its last text.
fn batches(texts: &[String]) -> impl Iterator<Item = Vec<String>> {
    texts.chunks(IDS_AT_ONCE).map(|chunk| {
        let filling = chunk.last().into_iter().cycle().take(IDS_AT_ONCE - chunk.len());
        chunk.iter().chain(filling).cloned().collect()
    })
}

/// One page of the accounts that a condition holds for, in the order of their ids, and how many there are.
macro_rules! page {
    ($connection:ident, $find:ident, $condition:expr) => {{
        let matching = || accounts::table.filter($condition);
        let rows: Vec<UserRow> = matching()
            .order(accounts::id)
            .offset(i64::from($find.page.start))
            .limit(i64::from($find.page.count))
            .select((AccountRow::as_select(), accounts::profile, accounts::last_sign_in_at))
            .load($connection)
            .await?;
        let beyond: Option<String> = match $find.counts_all {
            true => None,
            false => {
                let after = matching().select(accounts::id).offset(i64::from(REACHABLE_USERS)).limit(1);
                after.get_result($connection).await.optional()?
            }
        };
        let total = match beyond {
            Some(_) => i64::from(REACHABLE_USERS),
            None => matching().count().get_result($connection).await?,
        };
        (rows, total)
    }};
}

/// The users that are looked for, with their methods and registrations.
pub(crate) async fn find_users(connection: &mut Conn, find: &FindUsers) -> Result<FoundUsers, StoreError> {
    let of_tenant = || accounts::tenant_id.eq(find.tenant_id.to_text());
    let (rows, total) = match &find.which {
        UserSearch::Ids(ids) => {
            let rows = with_ids(connection, find.tenant_id, ids).await?;
            let total = i64::try_from(rows.len()).unwrap_or(i64::MAX);
            (rows, total)
        }
        UserSearch::All => page!(connection, find, of_tenant()),
        UserSearch::Email(range) => {
            page!(connection, find, of_tenant().and(accounts::email.between(&range.first, &range.last)))
        }
        UserSearch::Username(range) => {
            page!(connection, find, of_tenant().and(accounts::username_form.between(&range.first, &range.last)))
        }
        // Each alternative names the tenant: with that, SQLite uses an index for each.
        UserSearch::EmailOrUsername { email, username } => page!(connection, find, {
            let by_email = of_tenant().and(accounts::email.between(&email.first, &email.last));
            by_email.or(of_tenant().and(accounts::username_form.between(&username.first, &username.last)))
        }),
    };
    Ok(FoundUsers { users: load_all(connection, rows).await?, total: u64::try_from(total).unwrap_or_default() })
}

async fn with_ids(connection: &mut Conn, tenant: TenantId, ids: &[AccountId]) -> Result<Vec<UserRow>, StoreError> {
    let mut texts: Vec<String> = ids.iter().map(|id| id.to_text()).collect();
    texts.sort_unstable();
    texts.dedup();
    let mut rows = Vec::new();
    for batch in batches(&texts) {
        let found: Vec<UserRow> = accounts::table
            .filter(accounts::id.eq_any(batch))
            .filter(accounts::tenant_id.eq(tenant.to_text()))
            .order(accounts::id)
            .select((AccountRow::as_select(), accounts::profile, accounts::last_sign_in_at))
            .cached()
            .load(connection)
            .await?;
        rows.extend(found);
    }
    Ok(rows)
}

/// Completes the rows of accounts to users, in the same order.
pub(super) async fn load_all(connection: &mut Conn, rows: Vec<UserRow>) -> Result<Vec<User>, StoreError> {
    let ids: Vec<String> = rows.iter().map(|(row, ..)| row.id.clone()).collect();
    let mut methods_of: HashMap<String, Vec<Method>> = HashMap::new();
    let mut passkeys_of: HashMap<String, Vec<Method>> = HashMap::new();
    let mut registrations_of: HashMap<String, Vec<Registration>> = HashMap::new();
    for batch in batches(&ids) {
        let found: Vec<(String, MethodRow)> = methods::table
            .filter(methods::account_id.eq_any(batch.clone()))
            .filter(methods::confirmed_at.is_not_null())
            .order((methods::created_at, methods::kind, methods::id))
            .select((methods::account_id, MethodRow::as_select()))
            .cached()
            .load(connection)
            .await?;
        for (account_id, row) in found {
            methods_of.entry(account_id).or_default().push(Method::try_from(row)?);
        }
        let found: Vec<PasskeyRow> = passkeys::table
            .filter(passkeys::account_id.eq_any(batch.clone()))
            .order((passkeys::created_at, passkeys::id))
            .select(PasskeyRow::as_select())
            .cached()
            .load(connection)
            .await?;
        for row in found {
            let passkey = Passkey::try_from(row)?;
            passkeys_of.entry(passkey.account_id.to_text()).or_default().push(passkey.as_method());
        }
        let found: Vec<(String, RegistrationRow)> = registrations::table
            .filter(registrations::account_id.eq_any(batch))
            .order((registrations::created_at, registrations::id))
            .select((registrations::account_id, RegistrationRow::as_select()))
            .cached()
            .load(connection)
            .await?;
        for (account_id, row) in found {
            registrations_of.entry(account_id).or_default().push(Registration::try_from(row)?);
        }
    }
    let users = rows.into_iter().map(|(row, profile, last_sign_in_at)| {
        let (methods, registrations) = (methods_of.remove(&row.id), registrations_of.remove(&row.id));
        let passkeys = passkeys_of.remove(&row.id);
        let account = Account::try_from(row)?;
        let passkeys = passkeys.filter(|_| account.two_factor_enabled);
        Ok(User {
            account,
            profile,
            last_sign_in_at: last_sign_in_at.map(Timestamp::from_millis),
            methods: [methods, passkeys].into_iter().flatten().flatten().collect(),
            registrations: registrations.unwrap_or_default(),
        })
    });
    users.collect()
}
