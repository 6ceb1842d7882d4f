//! Issuing codes that are sent.

use super::attempts::account_of;
use super::locking::lock;
use super::passkeys::passkeys_if;
use super::users::methods_if;
use super::{Conn, RunQueryDsl, TxResult, audit, messages, pipeline_commit, quotas};
use crate::cached::Cache as _;
use crate::error::StoreError;
use crate::rows::{AccountRow, ChallengeRow, OneTimeCodeRow, client_digest, first_factor};
use crate::schema::{accounts, challenges, mailed_codes, sessions};
use crate::work::{IssueCode, Issued, OpenChallenge, Spent, TxOutcome};
use countersign_domain::account::{Account, Versions};
use countersign_domain::attempt::Claimant;
use countersign_domain::audit::EventKind;
use countersign_domain::challenge::FirstFactor;
use countersign_domain::decisions::delivery::{self, Delivery, SendTo};
use countersign_domain::decisions::sending;
use countersign_domain::ids::MethodId;
use countersign_domain::language::Languages;
use countersign_domain::decisions::usable::passkeys_as_methods;
use countersign_domain::message::{CodePurpose, Draft, Message, TakenUse};
use countersign_domain::network::ClientDigest;
use countersign_domain::one_time_code::Subject;
use countersign_domain::quota::QuotaUse;
use countersign_domain::time::Timestamp;
use diesel::prelude::*;
use std::collections::BTreeSet;

/// Stores a code, within the sending quotas of account and address. It takes the place of the one before; no count of tries
/// is reset by that (N5).
pub(crate) async fn issue_code(connection: &mut Conn, issue: &IssueCode) -> TxResult<Issued> {
    let Some((account, challenge)) = lock_account(connection, issue).await? else {
        return Ok(TxOutcome::Rollback(Issued::NoClaimant));
    };
    let needs_methods = match issue.to {
        SendTo::Address(_) => false,
        SendTo::Primary => account.two_factor_enabled,
        SendTo::Method(_) => true,
    };
    let (message, subject) = (&issue.message, issue.claimant.subject());
    let topic = subject.to_text();
    let topics = message.sealer.topics(&topic);
    let has_passkeys = needs_methods && issue.rules.relying_party.is_some();
    let (mut methods, passkeys, preferred, superseded) = pipeline!(
        connection;
        methods_if(needs_methods, account.id),
        passkeys_if(has_passkeys, account.id),
        messages::preferred_languages(&account.id),
        messages::supersede(&topics, issue.now),
    );
    methods.extend(passkeys_as_methods(&passkeys, &account, &issue.rules));
    let facts = delivery::Facts {
        tenant: issue.rules.tenant_of(&account),
        methods: methods.clone(),
        locked_until: account.locked_until(&issue.rules.policy, issue.now),
        is_service: issue.is_service,
        subject: &subject,
        first_factor: challenge.map_or(FirstFactor::Password, |challenge| challenge.first_factor),
        to: &issue.to,
        account: &account,
    };
    let (address, method_id) = match delivery::decide(facts) {
        Delivery::To { address, method_id } => (address, method_id),
        Delivery::NoMethod => return Ok(TxOutcome::Rollback(Issued::NoMethod)),
        Delivery::CannotSend => return Ok(TxOutcome::Rollback(Issued::CannotSend)),
        Delivery::NotAllowed => return Ok(TxOutcome::Rollback(Issued::NotAllowed)),
        Delivery::Locked { until } => return Ok(TxOutcome::Rollback(Issued::Locked { until })),
    };
    let policy = &issue.rules.policy;
    let method = methods.iter().find(|method| Some(method.id) == method_id);
    let recipient = sending::recipient(&account, method);
    let network = sending::client(&issue.claimant, challenge.and_then(|challenge| challenge.client), issue.network);
    let hidden = message.sealer.hide(address.as_str());
    let uses = sending::quotas(account.id, &address, &hidden, recipient, network, policy);
    let mut given_back = Vec::new();
    for replaced in superseded {
        // One that cannot be opened was sealed with a key that is gone; its uses end with their windows.
        given_back.extend(message.sealer.open(&replaced).ok().into_iter().flat_map(|opened| opened.taken));
    }
    if let Some(until) = exchange_uses(connection, &given_back, &uses, issue.now).await? {
        return Ok(TxOutcome::Rollback(Issued::Exhausted { until }));
    }
    let of_tenant = issue.rules.tenant_of(&account).language.as_ref();
    let lives_until = (issue.now + issue.lifetime).as_millis();
    let expires_at = challenge.map_or(lives_until, |challenge| lives_until.min(challenge.expires_at));
    let dead_at = Timestamp::from_millis(expires_at);
    let text = Message::Code {
        purpose: CodePurpose::of(&subject, account.two_factor_enabled),
        code: message.code.clone(),
        valid_for: issue.now.until(dead_at),
    };
    let sealed = message.sealer.seal(Draft {
        id: message.id,
        account_id: account.id,
        to: &address,
        message: &text,
        languages: Languages::of_message(preferred, message.languages.clone(), of_tenant),
        replaces: Some(&topic),
        taken: uses.iter().filter_map(|taken| TakenUse::of(taken, issue.now)).collect(),
        created_at: issue.now,
        due_at: message.due_at,
        dead_at,
    });
    let code = OneTimeCodeRow {
        subject: topic,
        account_id: account.id.to_text(),
        method_id: method_id.map(MethodId::to_text),
        mac: message.sealer.code_mac(&message.code, &subject, account.id).to_vec(),
        tries: 0,
        failures: 0,
        created_at: issue.now.as_millis(),
        expires_at,
    };
    let event = issue.audit.clone().about(account.id).event(EventKind::CodeSent);
    let commits = audit::is_one_statement(&event);
    pipeline!(
        connection;
        store(&code),
        messages::enqueue(Some(&sealed)),
        audit::write(&event),
        pipeline_commit(commits),
    );
    Ok(TxOutcome::Commit(Issued::To { account: Box::new(account), address }))
}

/// Gives uses back and takes others. The first statements of each are sent in the order of the names, so that no two transactions wait
/// for each other. Returns when another use can be taken, if one of them cannot be now.
async fn exchange_uses(
    connection: &mut Conn,
    given_back: &[TakenUse],
    wanted: &[QuotaUse],
    now: Timestamp,
) -> Result<Option<Timestamp>, StoreError> {
    let names: BTreeSet<&str> = given_back
        .iter()
        .map(|taken| taken.name.as_str())
        .chain(wanted.iter().map(|wanted| wanted.name.as_str()))
        .collect();
    let exchanges = names.into_iter().map(|name| Exchange {
        given_back: given_back.iter().filter(|taken| taken.name == name).collect(),
        wanted: wanted.iter().find(|wanted| wanted.name == name),
        now,
    });
    Ok(pipeline_all!(connection, exchanges, exchange_use).into_iter().flatten().max())
}

/// Uses of one quota.
struct Exchange<'a> {
    given_back: Vec<&'a TakenUse>,
    wanted: Option<&'a QuotaUse>,
    now: Timestamp,
}

async fn exchange_use(connection: &mut Conn, exchange: Exchange<'_>) -> Result<Option<Timestamp>, StoreError> {
    for taken in exchange.given_back {
        quotas::untake(connection, taken).await?;
    }
    let Some(wanted) = exchange.wanted else { return Ok(None) };
    Ok(match quotas::take_use(connection, wanted, exchange.now).await? {
        Spent::Granted => None,
        Spent::Exhausted { until } => Some(until),
    })
}

/// Stores a code in place of the one before it, within the open transaction.
pub(super) async fn store(connection: &mut Conn, code: &OneTimeCodeRow) -> Result<(), StoreError> {
    diesel::insert_into(mailed_codes::table)
        .values(code)
        .on_conflict(mailed_codes::subject)
        .do_update()
        .set(code)
        .cached()
        .execute(connection)
        .await?;
    Ok(())
}

/// The account of the claimant, whose row is locked, and the challenge that the code completes. With the lock, a code
/// is not sent to an address that another transaction is about to change.
async fn lock_account(
    connection: &mut Conn,
    issue: &IssueCode,
) -> Result<Option<(Account, Option<LiveChallenge>)>, StoreError> {
    let (account, claimant) = pipeline!(connection; lock_claimant(issue), find_claimant(issue));
    let (Some(account), Some(claimant)) = (account, claimant) else { return Ok(None) };
    let is_current = match claimant {
        LiveClaimant::Challenge(challenge) => challenge.versions == account.versions(),
        LiveClaimant::Session { credentials_version } => credentials_version == account.credentials_version,
        LiveClaimant::Holder => true,
    };
    let challenge = match claimant {
        LiveClaimant::Challenge(challenge) => Some(challenge),
        LiveClaimant::Session { .. } | LiveClaimant::Holder => None,
    };
    Ok(is_current.then_some((account, challenge)))
}

async fn lock_claimant(connection: &mut Conn, issue: &IssueCode) -> Result<Option<Account>, StoreError> {
    let digest = match &issue.claimant {
        Claimant::Challenge(digest) => digest,
        Claimant::Session { account_id, .. } | Claimant::Holder { account_id, .. } => {
            return lock(connection, *account_id).await;
        }
    };
    let account = accounts::table.filter(accounts::id.eq_any(account_of(digest, issue.now)));
    let account = account.select(AccountRow::as_select());
    let row: Option<AccountRow> = locked!(account).get_result(connection).await.optional()?;
    row.map(Account::try_from).transpose()
}

/// A claimant that has not expired, and the versions that it was opened under.
#[derive(Clone, Copy)]
enum LiveClaimant {
    Challenge(LiveChallenge),
    Session { credentials_version: i64 },
    Holder,
}

/// End, first factor, versions of credentials and factors, network.
type ChallengeColumns = (i64, String, i64, i64, Option<Vec<u8>>);

#[derive(Clone, Copy)]
struct LiveChallenge {
    expires_at: i64,
    first_factor: FirstFactor,
    versions: Versions,
    /// The network of its password step.
    client: Option<ClientDigest>,
}

async fn find_claimant(connection: &mut Conn, issue: &IssueCode) -> Result<Option<LiveClaimant>, StoreError> {
    let now = issue.now.as_millis();
    Ok(match &issue.claimant {
        Claimant::Challenge(digest) => {
            let live = challenges::table.find(digest.as_bytes().as_slice()).filter(challenges::expires_at.gt(now));
            let columns = (
                challenges::expires_at,
                challenges::first_factor,
                challenges::credentials_version,
                challenges::factors_version,
                challenges::client_network,
            );
            let found: Option<ChallengeColumns> = live.select(columns).get_result(connection).await.optional()?;
            found.map(|(expires_at, name, credentials, factors, client)| {
                LiveClaimant::Challenge(LiveChallenge {
                    expires_at,
                    first_factor: first_factor(&name),
                    versions: Versions { credentials, factors },
                    client: client_digest(client),
                })
            })
        }
        Claimant::Session { session_id, account_id } => {
            let mine = sessions::account_id.eq(account_id.to_text()).and(sessions::expires_at.gt(now));
            let live = sessions::table.find(session_id.to_text()).filter(mine).select(sessions::credentials_version);
            let found: Option<i64> = live.get_result(connection).await.optional()?;
            found.map(|credentials_version| LiveClaimant::Session { credentials_version })
        }
        Claimant::Holder { .. } => Some(LiveClaimant::Holder),
    })
}

/// Opens a challenge together with a code that completes it; says whether the account is there.
pub(crate) async fn open_challenge(connection: &mut Conn, open: &OpenChallenge) -> TxResult<bool> {
    let challenge = &open.challenge;
    // Locks the row, so that the account is still there, and at these versions, when the challenge is.
    let Some(account) = lock(connection, challenge.account_id).await? else { return Ok(TxOutcome::Rollback(false)) };
    let challenge_row = ChallengeRow::new(challenge, account.versions());
    diesel::insert_into(challenges::table).values(challenge_row).execute(connection).await?;
    let code = OneTimeCodeRow {
        subject: Subject::Challenge(challenge.digest).to_text(),
        account_id: challenge.account_id.to_text(),
        method_id: None,
        mac: open.mac.to_vec(),
        tries: 0,
        failures: 0,
        created_at: Timestamp::as_millis(challenge.created_at),
        expires_at: Timestamp::as_millis(challenge.expires_at),
    };
    store(connection, &code).await?;
    audit::write_and_commit(connection, &open.event, true).await
}
