//! Completing a sign-in whose password was right.

use super::sessions::open_session;
use super::{Conn, Work, audit, budgets, methods, refresh_tokens, tickets};
use crate::cached::Cache as _;
use crate::error::StoreError;
use crate::rows::{AccountRow, ChallengeRow, TrustedDeviceRow};
use crate::schema::{accounts, challenges, trusted_devices};
use crate::work::{Asks, CompleteSignIn, ShownTrust, SignIn, StoredTrust, TrustScope, Unit};
use countersign_domain::account::Account;
use countersign_domain::audit::{AuditEvent, EventKind};
use countersign_domain::challenge::Challenge;
use countersign_domain::ids::AccountId;
use countersign_domain::secret::Digest;
use countersign_domain::time::Timestamp;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

/// Opens a session or a challenge. Which of them is decided here, by what the account is at this moment and not by
/// what it was when the password was looked up.
pub(crate) async fn complete_sign_in(connection: &mut Conn, sign_in: &CompleteSignIn) -> Work<SignIn> {
    let now = sign_in.event.at;
    let id = sign_in.account_id.to_text();
    let unchanged = accounts::credentials_version.eq(sign_in.credentials_version);
    let row: Option<AccountRow> = diesel::update(accounts::table.find(&id).filter(unchanged))
        .set(accounts::last_sign_in_at.eq(now.as_millis()))
        .returning(AccountRow::as_returning())
        .cached()
        .get_result(connection)
        .await
        .optional()?;
    let Some(row) = row else { return Ok(Unit::Rollback(SignIn::Stale)) };
    let account = Account::try_from(row)?;
    if let Some(why) = account.unusable(now) {
        return Ok(Unit::Rollback(SignIn::Unusable(why)));
    }
    if let Some(ticket) = &sign_in.ticket
        && !tickets::spend(connection, ticket, sign_in.account_id, now).await?
    {
        return Ok(Unit::Rollback(SignIn::Stale));
    }
    if let Some(hash) = &sign_in.rehashed {
        let new_hash = accounts::password_hash.eq(hash.to_text());
        diesel::update(accounts::table.find(&id)).set(new_hash).cached().execute(connection).await?;
    }
    let outcome = decide(connection, sign_in, &account, now).await?;
    let kind = match outcome {
        SignIn::SignedIn => EventKind::SignedIn,
        SignIn::Trusted => EventKind::SignedInFromTrustedDevice,
        SignIn::PasswordChangeRequired => EventKind::PasswordChangeAsked,
        SignIn::Challenged { .. } | SignIn::Unusable(_) | SignIn::Stale => EventKind::ChallengeOpened,
    };
    let opens = matches!(outcome, SignIn::SignedIn | SignIn::Trusted);
    let session = sign_in.session.as_ref().filter(|_| opens);
    let refresh_token = sign_in.refresh_token.as_ref().filter(|_| opens);
    let challenge = matches!(outcome, SignIn::Challenged { .. }).then_some(&sign_in.challenge);
    let ticket = matches!(outcome, SignIn::PasswordChangeRequired).then_some(&sign_in.change_password);
    let session_id = session.map(|session| session.session.id);
    let event = AuditEvent { kind, session_id, ..sign_in.event.clone() };
    together!(
        connection;
        budgets::refill(sign_in.budget.as_deref()),
        open_challenge(challenge),
        open_session(session),
        refresh_tokens::open(refresh_token, sign_in.account_id, now),
        tickets::give(ticket, sign_in.account_id, now),
        audit::write(&event),
    );
    Ok(Unit::Commit(outcome))
}

/// How the sign-in goes on: a second factor is asked for before a new password is.
async fn decide(
    connection: &mut Conn,
    sign_in: &CompleteSignIn,
    account: &Account,
    now: Timestamp,
) -> Result<SignIn, StoreError> {
    let asks = match sign_in.asks {
        Asks::Never => false,
        Asks::IfEnabled => account.two_factor_enabled,
        Asks::Always => true,
    };
    let mut outcome = SignIn::SignedIn;
    if asks {
        if !is_trusted(connection, sign_in.account_id, sign_in.trust.as_ref(), now).await? {
            let methods = methods::methods_of(connection, &sign_in.account_id).await?;
            return Ok(SignIn::Challenged { methods });
        }
        outcome = SignIn::Trusted;
    }
    Ok(if account.password_change_required { SignIn::PasswordChangeRequired } else { outcome })
}

async fn open_challenge(connection: &mut Conn, challenge: Option<&Challenge>) -> Result<(), StoreError> {
    if let Some(challenge) = challenge {
        diesel::insert_into(challenges::table).values(ChallengeRow::from(challenge)).execute(connection).await?;
    }
    Ok(())
}

/// Whether a trust that is shown counts. One that is good for one sign-in is replaced; whoever deletes its row is the one
/// who used it.
async fn is_trusted(
    connection: &mut Conn,
    account_id: AccountId,
    trust: Option<&ShownTrust>,
    now: Timestamp,
) -> Result<bool, StoreError> {
    match trust {
        None => Ok(false),
        Some(ShownTrust::Rotating(presented, next)) => {
            let used = diesel::delete(trusted_devices::table.find(presented.as_bytes().as_slice()))
                .filter(trusted_devices::account_id.eq(account_id.to_text()))
                .filter(trusted_devices::expires_at.gt(now.as_millis()))
                .execute(connection)
                .await?;
            if used == 0 {
                return Ok(false);
            }
            let row = TrustedDeviceRow::new(next, account_id, now);
            diesel::insert_into(trusted_devices::table).values(row).execute(connection).await?;
            Ok(true)
        }
        Some(ShownTrust::Lasting { digest, given }) => {
            let trust = find_trust(connection, digest, account_id, now).await?;
            Ok(trust.is_some_and(|trust| match given {
                TrustScope::Anywhere => true,
                TrustScope::Here(application) => trust.application_id == *application,
            }))
        }
    }
}

async fn find_trust(
    connection: &mut Conn,
    digest: &Digest,
    account_id: AccountId,
    now: Timestamp,
) -> Result<Option<StoredTrust>, StoreError> {
    let row: Option<TrustedDeviceRow> = trusted_devices::table
        .find(digest.as_bytes().as_slice())
        .filter(trusted_devices::account_id.eq(account_id.to_text()))
        .filter(trusted_devices::expires_at.gt(now.as_millis()))
        .select(TrustedDeviceRow::as_select())
        .get_result(connection)
        .await
        .optional()?;
    Ok(row.map(StoredTrust::from))
}

/// A live trust of an account.
pub(crate) async fn trust(
    connection: &mut Conn,
    (digest, account_id, now): &(Digest, AccountId, Timestamp),
) -> Result<Option<StoredTrust>, StoreError> {
    find_trust(connection, digest, *account_id, *now).await
}
