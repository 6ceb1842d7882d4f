//! `countersign account`: reads and writes the database directly, whether or not a server uses it.

use super::database::{DatabaseCommandError as Error, open_existing};
use crate::clock::{Clock as _, SystemClock, utc_text};
use crate::config::Settings;
use clap::{Args, Subcommand};
use countersign_domain::account::{Account, EmailAddress, LoginName, PhoneNumber, Username};
use countersign_domain::audit::{AuditEvent, EventKind};
use countersign_domain::ids::{AccountId, AuditId, TenantId};
use countersign_domain::limits::{AccountLimits, QuotaCount};
use countersign_domain::time::Timestamp;
use countersign_domain::user::AccountLookup;
use countersign_store::Store;
use countersign_store::work::LiftLimits;
use serde_json::json;

/// Stands where the audit trail has the API of a request.
const OPERATOR: &str = "operator";

#[derive(Clone, Debug, Subcommand)]
pub(super) enum AccountCommand {
    /// Show what is counted against an account: locks, wrong second factors, wrong passwords, codes sent; and what is refused,
    /// until when.
    Show {
        #[command(flatten)]
        which: Which,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// End the lock of an account, and set everything that is counted against it to zero.
    Unlock {
        #[command(flatten)]
        which: Which,
    },
}

#[derive(Clone, Debug, Args)]
pub(super) struct Which {
    /// Id, e-mail address, user name or telephone number of the account.
    #[arg(value_name = "LOGIN|ID")]
    account: String,
    /// Tenant of the account, where it is not named by its id [default: the first].
    #[arg(long, value_name = "UUID")]
    tenant: Option<String>,
}

/// Returns the text to print.
pub(super) async fn run(settings: &Settings, command: AccountCommand) -> Result<String, Error> {
    let now = SystemClock.now();
    match command {
        AccountCommand::Show { which, json } => {
            let store = open_existing(settings).await?;
            let account = find(settings, &store, &which).await?;
            let stored = store.account_limits(account.id).await?.ok_or_else(|| unknown(&which))?;
            let limits = stored.at(&settings.policy(), now);
            Ok(if json { as_json(&account, &limits) } else { as_text(&account, &limits) })
        }
        AccountCommand::Unlock { which } => {
            let store = open_existing(settings).await?;
            let account = find(settings, &store, &which).await?;
            let event = AuditEvent {
                id: crate::random::system().draw(|random| AuditId::generate(now, random)),
                at: now,
                kind: EventKind::AccountUnlocked,
                account_id: Some(account.id),
                session_id: None,
                factor: None,
                dialect: OPERATOR,
                ip_address: String::new(),
                api_key_id: None,
            };
            match store.lift_limits(LiftLimits { account_id: account.id, event }).await? {
                true => Ok(format!("Unlocked account {}.\n", account.id.to_hyphenated())),
                false => Err(unknown(&which)),
            }
        }
    }
}

fn unknown(which: &Which) -> Error {
    Error::Usage(format!("there is no account `{}`", which.account))
}

async fn find(settings: &Settings, store: &Store, which: &Which) -> Result<Account, Error> {
    let tenant = match &which.tenant {
        None => settings.directory.home().id,
        Some(text) => TenantId::parse(text)
            .filter(|id| settings.directory.tenant(*id).is_some())
            .ok_or_else(|| Error::Usage(format!("`{text}` is not the id of a configured tenant")))?,
    };
    let text = which.account.trim();
    let names = [
        text.contains('@').then(|| LoginName::Email(EmailAddress::new(text))),
        Username::new(text).map(LoginName::Username),
        PhoneNumber::new(text).map(LoginName::PhoneNumber),
    ];
    let by_id = AccountId::parse(text).map(AccountLookup::Id);
    let lookup = by_id.unwrap_or_else(|| AccountLookup::Login(tenant, names.into_iter().flatten().collect()));
    store.account(lookup).await?.ok_or_else(|| unknown(which))
}

fn as_text(account: &Account, limits: &AccountLimits) -> String {
    let until = |until: Option<Timestamp>| until.map_or("no".to_owned(), |until| format!("until {}", utc_text(until)));
    let quota = |quota: &QuotaCount| {
        let refused = quota.refused_until.map(|until| format!(", refused until {}", utc_text(until)));
        let words = quota.counts.words();
        format!("{words}: {} of {}{}\n", quota.used, quota.limit, refused.unwrap_or_default())
    };
    let quotas: String = limits.quotas.iter().map(quota).collect();
    format!(
        "account {}\n\
         locked: {}\n\
         wrong second factors in a row: {}\n\
         locks since the last success: {}\n\
         guesses at the second factor that count: {} of {}\n\
         wrong passwords that count, from unknown networks and devices: {} of {}\n\
         passwords from there refused: {}\n{quotas}",
        account.id.to_hyphenated(),
        until(limits.locked_until),
        limits.failures,
        limits.locks,
        limits.guesses,
        limits.guess_limit,
        limits.passwords,
        limits.password_limit,
        until(limits.passwords_refused_until),
    )
}

/// The fields of the API's `UserLockResponse`, and the account.
fn as_json(account: &Account, limits: &AccountLimits) -> String {
    let value = json!({
        "id": account.id.to_hyphenated(),
        "lockedUntil": limits.locked_until.map(Timestamp::as_millis),
        "failedAttempts": limits.failures,
        "locks": limits.locks,
        "guesses": limits.guesses,
        "guessLimit": limits.guess_limit,
        "failedPasswords": limits.passwords,
        "failedPasswordLimit": limits.password_limit,
        "passwordsRefusedUntil": limits.passwords_refused_until.map(Timestamp::as_millis),
        "limits": limits.quotas.iter().map(quota_as_json).collect::<Vec<_>>(),
    });
    format!("{value}\n")
}

fn quota_as_json(quota: &QuotaCount) -> serde_json::Value {
    json!({
        "counts": quota.counts.name(),
        "used": quota.used,
        "limit": quota.limit,
        "refusedUntil": quota.refused_until.map(Timestamp::as_millis),
    })
}
