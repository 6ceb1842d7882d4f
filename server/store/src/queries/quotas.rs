//! Quotas: so many uses within a window.

use super::{Conn, RunQueryDsl, TxResult, known_networks, trusted_devices};
use crate::cached::Cache as _;
use crate::error::StoreError;
use crate::quota_statements::{self, Restore, Take};
use crate::schema::budgets;
use crate::work::{FindTrust, PasswordTry, Spent, TakePasswordTry, TxOutcome};
use countersign_domain::decisions::password_attempt::{self, PasswordAttempt};
use countersign_domain::message::TakenUse;
use countersign_domain::quota::{QuotaLimit, QuotaUse};
use countersign_domain::time::Timestamp;
use diesel::prelude::*;
use diesel::result::Error as DieselError;

/// Takes one use of each quota of a [group](quota_statements::groups), within the open transaction; the results are in the
/// order of the uses. One statement, so that parallel requests queue up at the rows and none is let through twice
/// (attack 14).
async fn take_group(connection: &mut Conn, uses: &[QuotaUse], now: Timestamp) -> Result<Vec<Spent>, StoreError> {
    let Some(take) = Take::new(uses, now) else { return Ok(Vec::new()) };
    let taken: Vec<(String, i64, i64)> = take.cached().load(connection).await?;
    let spent = uses.iter().map(|wanted| {
        let (_, count, end) = taken.iter().find(|(name, ..)| *name == wanted.name).ok_or(DieselError::NotFound)?;
        let end = Timestamp::from_millis(*end);
        Ok(match wanted.limit {
            QuotaLimit::Window { uses, .. } if *count <= i64::from(uses) => Spent::Granted,
            QuotaLimit::Window { .. } => Spent::Exhausted { until: end },
            QuotaLimit::Refilling(_) if *count == 1 => Spent::Granted,
            QuotaLimit::Refilling(rate) => Spent::Exhausted { until: rate.next_use_at(end) },
        })
    });
    spent.collect()
}

/// Takes one use of a quota, within the open transaction.
pub(super) async fn take_use(connection: &mut Conn, wanted: &QuotaUse, now: Timestamp) -> Result<Spent, StoreError> {
    let spent = take_group(connection, std::slice::from_ref(wanted), now).await?;
    Ok(spent.into_iter().next().unwrap_or(Spent::Granted))
}

/// Gives back what uses had taken, within the open transaction. They are in the order in which they were taken.
pub(super) async fn restore(connection: &mut Conn, uses: &[QuotaUse]) -> Result<(), StoreError> {
    if let Some(restore) = Restore::new(uses) {
        restore.cached().execute(connection).await?;
    }
    Ok(())
}

/// Gives one use of a window back, unless the window is another one by now; within the open transaction.
pub(super) async fn untake(connection: &mut Conn, taken: &TakenUse) -> Result<(), StoreError> {
    let same_window = budgets::expires_at.le(taken.window_ends_by).and(budgets::spent.gt(0));
    diesel::update(budgets::table.find(&taken.name).filter(same_window))
        .set(budgets::spent.eq(budgets::spent - 1))
        .cached()
        .execute(connection)
        .await?;
    Ok(())
}

/// Takes the uses that a password costs.
pub(crate) async fn take_password_try(connection: &mut Conn, wanted: &TakePasswordTry) -> TxResult<PasswordTry> {
    let now = wanted.now;
    let (is_device_known, is_network_known) =
        pipeline!(connection; is_trusted_device(wanted), known_networks::is_known(wanted));
    let (slowed, of_network) = match (&wanted.device, &wanted.network) {
        (Some((_, uses)), _) if is_device_known => (uses, wanted.in_known_network.as_ref()),
        (_, Some((_, uses))) if is_network_known => (uses, wanted.in_known_network.as_ref()),
        _ => (&wanted.anywhere, wanted.in_network.as_ref()),
    };
    let pairs = || [Some(slowed), of_network].into_iter().flatten();
    let mut uses: Vec<QuotaUse> = pairs().flat_map(|uses| [&uses.by_name, &uses.by_account]).cloned().collect();
    quota_statements::sort(&mut uses);
    let groups: Vec<&[QuotaUse]> = quota_statements::groups(&uses).collect();
    let group = |index: usize| groups.get(index).copied().unwrap_or_default();
    let (first, second, third, fourth) = pipeline!(
        connection;
        take_group(group(0), now),
        take_group(group(1), now),
        take_group(group(2), now),
        take_group(group(3), now),
    );
    let spent = [first, second, third, fourth].concat();
    let exhausted = |of_name: bool| {
        let named = |taken: &QuotaUse| pairs().any(|uses| uses.by_name.name == taken.name);
        let ends = uses.iter().zip(&spent).filter(|(taken, _)| named(taken) == of_name);
        let ends = ends.filter_map(|(_, spent)| match *spent {
            Spent::Granted => None,
            Spent::Exhausted { until } => Some(until),
        });
        ends.max()
    };
    let decision = password_attempt::decide(password_attempt::Facts {
        name_exhausted: exhausted(true),
        account_exhausted: exhausted(false),
        knows_account: wanted.knows_account,
    });
    let taken = PasswordTry { decision, uses };
    Ok(match decision {
        PasswordAttempt::Judged | PasswordAttempt::CountsAsWrong => TxOutcome::Commit(taken),
        PasswordAttempt::TooMany { .. } => TxOutcome::Rollback(taken),
    })
}

async fn is_trusted_device(connection: &mut Conn, wanted: &TakePasswordTry) -> Result<bool, StoreError> {
    let Some((digests, _)) = &wanted.device else { return Ok(false) };
    let (account_id, versions, now) = (wanted.account_id, wanted.versions, wanted.now);
    let find = FindTrust { digests: digests.clone(), account_id, versions, now };
    Ok(trusted_devices::trust(connection, &find).await?.is_some())
}

/// Gives back what a right password had taken.
#[expect(clippy::ptr_arg, reason = "a unit of work takes its input as it was given")]
pub(crate) async fn give_back(connection: &mut Conn, uses: &Vec<QuotaUse>) -> TxResult<()> {
    restore(connection, uses).await?;
    Ok(TxOutcome::Commit(()))
}
