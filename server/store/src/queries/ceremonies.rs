//! Ceremonies, in which passkeys are made and used.
//!
//! A ceremony is spent by deleting its row: of several responses to it, the one whose statement deletes it counts.

use super::locking::lock_at;
use super::{Conn, RunQueryDsl, TxResult, audit};
use crate::error::StoreError;
use crate::rows::{AccountRow, CeremonyRow, ChallengeRow, PasskeyRow};
use crate::schema::{accounts, challenges, passkey_ceremonies, passkeys};
use crate::work::{BeginCeremony, FindCeremony, FoundCeremony, SpendCeremony, TxOutcome, WaitingSignIn};
use countersign_domain::account::Account;
use countersign_domain::ids::AccountId;
use countersign_domain::passkey::ceremony::{Ceremony, Purpose};
use countersign_domain::secret::Digest;
use countersign_domain::time::Timestamp;
use diesel::prelude::*;

/// Stores a ceremony, and deletes the oldest ones like it that are too many.
pub(crate) async fn begin_ceremony(connection: &mut Conn, begin: &BeginCeremony) -> TxResult<bool> {
    let ceremony = &begin.ceremony;
    if let Some(account_id) = ceremony.purpose.account_id() {
        if lock_at(connection, account_id, ceremony.versions).await?.is_none() {
            return Ok(TxOutcome::Rollback(false));
        }
        // Sign-ins are not limited: anybody who knows a user's name can begin one through a service, and would end the owner's.
        if !matches!(ceremony.purpose, Purpose::SignIn(_)) {
            delete_oldest(connection, ceremony, account_id, begin.most).await?;
        }
    }
    diesel::insert_into(passkey_ceremonies::table).values(CeremonyRow::from(ceremony)).execute(connection).await?;
    Ok(TxOutcome::Commit(true))
}

/// Deletes the oldest ceremonies of an account that are too many with another one: of those of the same purpose and, for a second factor, of
/// the same challenge. Otherwise an attacker who knows the password could end the owner's ceremonies by beginning others.
async fn delete_oldest(
    connection: &mut Conn,
    ceremony: &Ceremony,
    account_id: AccountId,
    most: u32,
) -> Result<(), StoreError> {
    let mine = passkey_ceremonies::table
        .filter(passkey_ceremonies::account_id.eq(account_id.to_text()))
        .filter(passkey_ceremonies::purpose.eq(ceremony.purpose.name()));
    let newest_first = (passkey_ceremonies::created_at.desc(), passkey_ceremonies::digest);
    let columns = (passkey_ceremonies::digest, passkey_ceremonies::sign_in);
    let waiting: Vec<(Vec<u8>, Option<Vec<u8>>)> = mine.order(newest_first).select(columns).load(connection).await?;
    let alike = waiting.iter().filter(|(_, sign_in)| sign_in.as_deref() == ceremony.purpose.sign_in());
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    for (digest, _) in alike.skip(most.saturating_sub(1)) {
        diesel::delete(passkey_ceremonies::table.find(digest)).execute(connection).await?;
    }
    Ok(())
}

/// A ceremony, if it is live.
pub(super) async fn find_live(
    connection: &mut Conn,
    digest: &Digest,
    now: Timestamp,
) -> Result<Option<Ceremony>, StoreError> {
    let live = passkey_ceremonies::expires_at.gt(now.as_millis());
    let row: Option<CeremonyRow> = passkey_ceremonies::table
        .find(digest.as_bytes().as_slice())
        .filter(live)
        .select(CeremonyRow::as_select())
        .get_result(connection)
        .await
        .optional()?;
    row.map(Ceremony::try_from).transpose()
}

/// A ceremony that is live, and the passkey that responds to it.
pub(crate) async fn find_ceremony(
    connection: &mut Conn,
    find: &FindCeremony,
) -> Result<Option<FoundCeremony>, StoreError> {
    let Some(ceremony) = find_live(connection, &find.digest, find.now).await? else { return Ok(None) };
    let passkey = match &find.credential_id {
        None => None,
        Some(id) => {
            let found: Option<(PasskeyRow, AccountRow)> = passkeys::table
                .inner_join(accounts::table)
                .filter(passkeys::credential_id.eq(id.as_bytes()))
                .select((PasskeyRow::as_select(), AccountRow::as_select()))
                .get_result(connection)
                .await
                .optional()?;
            found
                .map(|(row, account)| Ok::<_, StoreError>((row.try_into()?, Account::try_from(account)?)))
                .transpose()?
        }
    };
    Ok(Some(FoundCeremony { ceremony, passkey }))
}

/// A sign-in that waits for its second factor, and its account.
pub(crate) async fn waiting_sign_in(
    connection: &mut Conn,
    (digest, now): &(Digest, Timestamp),
) -> Result<Option<WaitingSignIn>, StoreError> {
    let found: Option<(ChallengeRow, AccountRow)> = challenges::table
        .inner_join(accounts::table)
        .filter(challenges::digest.eq(digest.as_bytes().as_slice()))
        .filter(challenges::expires_at.gt(now.as_millis()))
        .filter(challenges::credentials_version.eq(accounts::credentials_version))
        .filter(challenges::factors_version.eq(accounts::factors_version))
        .select((ChallengeRow::as_select(), AccountRow::as_select()))
        .get_result(connection)
        .await
        .optional()?;
    let Some((challenge, account)) = found else { return Ok(None) };
    let (challenge, account) = (challenge.into_challenge(*digest)?, Account::try_from(account)?);
    Ok(Some(WaitingSignIn { challenge, account }))
}

/// Deletes a ceremony, if there is one to delete; within the open transaction.
pub(super) async fn spend_if(connection: &mut Conn, digest: Option<&Digest>) -> Result<(), StoreError> {
    if let Some(digest) = digest {
        diesel::delete(passkey_ceremonies::table.find(digest.as_bytes().as_slice())).execute(connection).await?;
    }
    Ok(())
}

/// Deletes a ceremony, if it is live, and returns it; within the open transaction.
pub(super) async fn take(
    connection: &mut Conn,
    digest: &Digest,
    now: Timestamp,
) -> Result<Option<Ceremony>, StoreError> {
    let live = passkey_ceremonies::expires_at.gt(now.as_millis());
    let row: Option<CeremonyRow> =
        diesel::delete(passkey_ceremonies::table.find(digest.as_bytes().as_slice()).filter(live))
            .returning(CeremonyRow::as_returning())
            .get_result(connection)
            .await
            .optional()?;
    row.map(Ceremony::try_from).transpose()
}

/// Ends a ceremony whose response was not right.
pub(crate) async fn spend_ceremony(connection: &mut Conn, spend: &SpendCeremony) -> TxResult<bool> {
    if take(connection, &spend.digest, spend.event.at).await?.is_none() {
        return Ok(TxOutcome::Rollback(false));
    }
    audit::write_and_commit(connection, &spend.event, true).await
}
