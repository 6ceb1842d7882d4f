//! What administrators see of users: pages of a tenant's users, counts, everything that is stored about one.

use super::locking::lock;
use super::user_search::load_all;
use super::users::UserRow;
use super::{Conn, RunQueryDsl, TxResult, audit, endings, methods, passkeys};
use crate::error::StoreError;
use crate::rows::AccountRow;
use crate::schema::{
    accounts, audit_events, backup_codes, budgets, challenges, former_addresses, known_networks, mailed_codes,
    messages, methods as methods_table, passkey_ceremonies, passkeys as passkeys_table, refresh_tokens, registrations,
    sessions, spent_steps, tickets, trusted_devices, webhook_events,
};
use crate::work::{
    CountEverything, FactorsReset, KindCount, ListUsers, ResetFactors, ServerStatistics, Statistics, StoredAboutUser,
    StoredRows, StoredValue, TenantStatistics, TxOutcome,
};
use countersign_domain::decisions::factor_reset::{self, FactorReset};
use countersign_domain::ids::AccountId;
use countersign_domain::time::Timestamp;
use countersign_domain::user::User;
use data_encoding::BASE64URL_NOPAD;
use diesel::prelude::*;

/// A page of the users of a tenant, with their methods and registrations.
pub(crate) async fn list_users(connection: &mut Conn, list: &ListUsers) -> Result<Vec<User>, StoreError> {
    let tenant = list.tenant_id.to_text();
    let after = list.after.map(AccountId::to_text).unwrap_or_default();
    let of_tenant = || accounts::tenant_id.eq(&tenant).and(accounts::id.gt(&after));
    macro_rules! page {
        ($condition:expr) => {
            accounts::table
                .filter($condition)
                .order(accounts::id)
                .limit(i64::from(list.limit))
                .select((AccountRow::as_select(), accounts::profile, accounts::last_sign_in_at))
                .load::<UserRow>(connection)
                .await?
        };
    }
    let rows = match &list.named {
        None => page!(of_tenant()),
        // Each alternative names the tenant: with that, SQLite uses an index for each.
        Some(named) => page!({
            let by_email = of_tenant().and(accounts::email.between(&named.email.first, &named.email.last));
            let (first, last) = (&named.username.first, &named.username.last);
            by_email.or(of_tenant().and(accounts::username_form.between(first, last)))
        }),
    };
    load_all(connection, rows).await
}

/// Takes the second factor from an account, with everything that ends with it.
pub(crate) async fn reset_factors(connection: &mut Conn, reset: &ResetFactors) -> TxResult<FactorsReset> {
    let Some(account) = lock(connection, reset.account_id).await? else {
        return Ok(TxOutcome::Rollback(FactorsReset::Gone));
    };
    // Rolled back if there is nothing to reset.
    let has_passkeys = passkeys::remove_all(connection, account.id).await?;
    let decision = factor_reset::decide(&account, has_passkeys);
    let (Some(ends), Some(kind)) = (decision.ends(has_passkeys), decision.event()) else {
        return Ok(TxOutcome::Rollback(FactorsReset::Decided(decision)));
    };
    let removed = match decision {
        FactorReset::SwitchOff => methods::switch_off(connection, account.id, reset.audit.at).await?,
        FactorReset::RemovePasskeys | FactorReset::NoFactor => Vec::new(),
    };
    endings::carry_out(connection, account.id, ends, None).await?;
    audit::write_removal(connection, &reset.audit.event(kind), &removed).await?;
    Ok(TxOutcome::Commit(FactorsReset::Decided(decision)))
}

fn unsigned(count: i64) -> u64 {
    u64::try_from(count).unwrap_or_default()
}

/// Counts by indexes; a count takes time in proportion to what it counts.
pub(crate) async fn statistics(connection: &mut Conn, wanted: &CountEverything) -> Result<Statistics, StoreError> {
    macro_rules! count {
        ($table:ident, $condition:expr) => {
            unsigned($table::table.filter($condition).count().get_result::<i64>(connection).await?)
        };
    }
    let now = wanted.now.as_millis();
    let mut tenants = Vec::with_capacity(wanted.tenants.len());
    for tenant_id in &wanted.tenants {
        let tenant = tenant_id.to_text();
        let mine = || accounts::tenant_id.eq(&tenant);
        tenants.push(TenantStatistics {
            tenant_id: *tenant_id,
            users: count!(accounts, mine()),
            deactivated: count!(accounts, mine().and(accounts::is_active.eq(false))),
            with_second_factor: count!(accounts, mine().and(accounts::two_factor_enabled)),
            locked: count!(
                accounts,
                mine().and(accounts::locked_until.gt(now).or(accounts::suspended_until.gt(now)).assume_not_null())
            ),
        });
    }
    let Some(wanted) = &wanted.events else { return Ok(Statistics { tenants, server: None }) };
    let mut events = Vec::new();
    for kind in &wanted.kinds {
        let since = audit_events::at.ge(wanted.since.as_millis());
        let count = count!(audit_events, audit_events::kind.eq(kind).and(since));
        if count > 0 {
            events.push(KindCount { kind: kind.clone(), count });
        }
    }
    let refresh_tokens = refresh_tokens::expires_at.gt(now).and(refresh_tokens::used_at.is_null());
    let server = ServerStatistics {
        sessions: count!(sessions, sessions::expires_at.gt(now)),
        refresh_tokens: count!(refresh_tokens, refresh_tokens),
        trusted_devices: count!(trusted_devices, trusted_devices::expires_at.gt(now)),
        events,
    };
    Ok(Statistics { tenants, server: Some(server) })
}

/// An id as the command line and the FusionAuth dialect write it. All ids are UUIDs.
fn hyphenated(id: String) -> String {
    AccountId::parse(&id).map_or(id, AccountId::to_hyphenated)
}

fn value<T>(value: Option<T>, of: impl FnOnce(T) -> StoredValue) -> StoredValue {
    value.map_or(StoredValue::Nothing, of)
}

/// Reads columns of the rows of a table that belong to an account. The list has a name that a reader understands, the column, and
/// what is in it.
macro_rules! stored {
    (@type text) => { Option<String> };
    (@type id) => { Option<String> };
    (@type json) => { Option<String> };
    (@type bytes) => { Option<Vec<u8>> };
    (@type number) => { Option<i64> };
    (@type time) => { Option<i64> };
    (@type flag) => { Option<bool> };
    (@value text $column:ident) => { value($column, StoredValue::Text) };
    (@value id $column:ident) => { value($column.map(hyphenated), StoredValue::Text) };
    (@value json $column:ident) => { value($column, StoredValue::Json) };
    (@value bytes $column:ident) => { value($column.map(|bytes| BASE64URL_NOPAD.encode(&bytes)), StoredValue::Text) };
    (@value number $column:ident) => { value($column, StoredValue::Number) };
    (@value time $column:ident) => { value($column.map(Timestamp::from_millis), StoredValue::Time) };
    (@value flag $column:ident) => { value($column, StoredValue::Flag) };
    ($connection:ident, $name:literal, $table:ident, $condition:expr, $order:ident, {
        $($column:ident: $kind:ident),+ $(,)?
    }) => {{
        let rows: Vec<($(stored!(@type $kind),)+)> = $table::table
            .filter($condition)
            .order($table::$order)
            .select(($($table::$column.nullable(),)+))
            .load($connection)
            .await?;
        let rows = rows.into_iter().map(|($($column,)+)| vec![$((stringify!($column), stored!(@value $kind $column))),+]);
        StoredRows { table: $name, rows: rows.collect() }
    }};
}

/// Everything that is stored about a user, in the tables that name the account; `None` if it is gone. Left out are hashes, digests,
/// sealed secrets and MACs, and what says nothing of the user.
pub(crate) async fn stored_about(
    connection: &mut Conn,
    account_id: &AccountId,
) -> Result<Option<StoredAboutUser>, StoreError> {
    let id = &account_id.to_text();
    let account = stored!(connection, "account", accounts, accounts::id.eq(id), id, {
        id: id, tenant_id: id, email: text, email_verified: flag, username: text, phone_number: text, name: text,
        image: text, profile: json, is_active: flag, expires_at: time, two_factor_enabled: flag,
        password_changed_at: time, password_change_required: flag, last_sign_in_at: time, failed_attempts: number,
        consecutive_locks: number, locked_until: time, guesses_decay_at: time, suspended_until: time,
        suspended_at: time, suspended_by: id, suspension_comment: text, created_at: time, updated_at: time,
    });
    if account.rows.is_empty() {
        return Ok(None);
    }
    let registrations = stored!(connection, "registrations", registrations, registrations::account_id.eq(id), id, {
        id: id, application_id: id, roles: json, username: text, data: json, last_sign_in_at: time,
        created_at: time, updated_at: time,
    });
    let methods = stored!(connection, "methods", methods_table, methods_table::account_id.eq(id), id, {
        id: id, kind: text, handle: text, name: text, address: text, proved_at: time, confirmed_at: time,
        last_used_at: time, created_at: time,
    });
    let passkeys = stored!(connection, "passkeys", passkeys_table, passkeys_table::account_id.eq(id), id, {
        id: id, handle: text, credential_id: bytes, name: text, relying_party: text, counter: number, transports: text,
        aaguid: bytes, attestation_object: bytes, user_verified: flag,
        backup_eligible: flag, backed_up: flag, attestation: text, last_used_at: time, created_at: time,
        user_name: text, user_agent: text, discoverable: flag, imported: flag,
    });
    let ceremonies = stored!(
        connection, "passkeyCeremonies", passkey_ceremonies, passkey_ceremonies::account_id.eq(id), digest,
        {
            purpose: text, relying_party: text, name: text, user_name: text, user_agent: text, state: text, created_at: time,
            expires_at: time,
        }
    );
    let codes = stored!(connection, "recoveryCodes", backup_codes, backup_codes::account_id.eq(id), id, {
        id: id, is_pending: flag, used_at: time, created_at: time,
    });
    let sessions = stored!(connection, "sessions", sessions, sessions::account_id.eq(id), id, {
        id: id, ip_address: text, user_agent: text, is_remembered: flag, second_factor_at: time, signed_in_at: time,
        created_at: time, last_used_at: time, expires_at: time,
    });
    let refresh_tokens = stored!(connection, "refreshTokens", refresh_tokens, refresh_tokens::account_id.eq(id), digest, {
        family_id: id, application_id: id, ip_address: text, device: json, second_factor_at: time,
        signed_in_at: time, used_at: time, created_at: time, expires_at: time,
    });
    let devices = stored!(connection, "trustedDevices", trusted_devices, trusted_devices::account_id.eq(id), digest, {
        id: id, application_id: id, name: text, user_agent: text, ip_address: text, given_at: time,
        last_used_at: time, created_at: time, expires_at: time,
    });
    let challenges = stored!(connection, "challenges", challenges, challenges::account_id.eq(id), digest, {
        application_id: id, state: json, first_factor: text, created_at: time, expires_at: time,
    });
    let tickets = stored!(connection, "tickets", tickets, tickets::account_id.eq(id), digest, {
        kind: text, address: text, state: json, created_at: time, expires_at: time,
    });
    let mut sent = stored!(connection, "sentCodes", mailed_codes, mailed_codes::account_id.eq(id), subject, {
        subject: text, created_at: time, expires_at: time,
    });
    // What a code is for; behind the colon stands which, which may be a digest.
    for (_, value) in sent.rows.iter_mut().flatten() {
        if let StoredValue::Text(subject) = value {
            subject.truncate(subject.find(':').unwrap_or(subject.len()));
        }
    }
    let former = stored!(connection, "formerAddresses", former_addresses, former_addresses::account_id.eq(id), digest, {
        address: text, created_at: time, expires_at: time,
    });
    let messages = stored!(connection, "messages", messages, messages::account_id.eq(id), id, {
        id: id, kind: text, channel: text, state: text, created_at: time, ended_at: time,
    });
    let events = stored!(connection, "webhookEvents", webhook_events, webhook_events::account_id.eq(id), event_id, {
        event_id: id, receiver: text, event_type: text, body: json, attempts: number, created_at: time,
    });
    let networks = stored!(connection, "knownNetworks", known_networks, known_networks::account_id.eq(id), expires_at, {
        expires_at: time,
    });
    let limits = stored!(connection, "limits", budgets, budgets::account_id.eq(id), name, {
        counts: text, spent: number, expires_at: time,
    });
    let steps = stored!(connection, "usedCodes", spent_steps, spent_steps::account_id.eq(id), expires_at, {
        expires_at: time,
    });
    let tables = vec![
        account,
        registrations,
        methods,
        passkeys,
        ceremonies,
        codes,
        sessions,
        refresh_tokens,
        devices,
        challenges,
        tickets,
        sent,
        former,
        messages,
        events,
        networks,
        limits,
        steps,
    ];
    Ok(Some(StoredAboutUser { tables }))
}
