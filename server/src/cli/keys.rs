//! `countersign keys`: rotates the keys of the keyring beside running servers. See "Keys" in the README for the order of steps.

use super::database::{DatabaseCommandError, open_existing};
use super::json::{maybe_time, time};
use crate::app::{self, AppError};
use crate::clock::{Clock as _, SystemClock, utc_text};
use crate::config::values::KeyringSource;
use crate::config::{Key, Settings};
use crate::first_run::keyring_file::{KeyringFile, Written};
use crate::first_run::{self, FirstRunError};
use clap::Subcommand;
use countersign_domain::decisions::key_activation::KeyActivation;
use countersign_domain::decisions::key_retirement::{KeyRetirement, Need};
use countersign_domain::key_use::KeyUse;
use countersign_domain::keyring::Keyring;
use countersign_domain::keyring::rotation::{KeyKind, RingEntry};
use countersign_domain::signing::Algorithm;
use countersign_domain::time::Timestamp;
use countersign_flows::key_rotation::{self, Progress, Retire, RotationError, SealedRows};
use countersign_store::work::SealedTable;
use countersign_store::{Store, StoreError};
use serde_json::json;
use std::fmt::Write as _;
use std::io::Write;
use std::sync::Arc;

#[derive(Clone, Debug, Subcommand)]
pub(super) enum KeysCommand {
    /// Show the keys of the keyring, what they are for, what is sealed with them, and which nodes have loaded them.
    List {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Add a new key, which opens and verifies until it is activated. Then have every node load the keyring.
    Rotate {
        /// Add an RSA key, for access tokens signed with RS256.
        #[arg(long)]
        rs256: bool,
    },
    /// Make a key the one that seals and signs, once every node has loaded it. Then have every node load the keyring.
    Activate {
        /// Id of the key, from `list`.
        id: String,
        /// Do it although a node has not loaded the key.
        #[arg(long)]
        force: bool,
    },
    /// Seal what other keys have sealed with the active key, while servers run. May be ended and started again at any time.
    Reseal,
    /// Take a key out of the keyring, once nothing needs it. Then have every node load the keyring.
    Retire {
        /// Id of the key, from `list`.
        id: String,
        /// Do it although clients hold what is signed with the key: trust in devices, open sign-ins, access tokens, and sessions in
        /// cookies end by it. A session's token as it is in the body of a sign-in is not signed, and stays good.
        #[arg(long)]
        end_signed: bool,
    },
}

#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    #[error(transparent)]
    Keyring(#[from] FirstRunError),
    #[error(transparent)]
    Database(#[from] DatabaseCommandError),
    #[error(transparent)]
    Belongs(#[from] AppError),
    #[error("failed to read what the database knows of keys")]
    Store(#[from] StoreError),
    #[error(transparent)]
    Rotation(#[from] RotationError),
    #[error("failed to generate an RSA key: the operating system provides no randomness")]
    Randomness,
    #[error("failed to write the output")]
    Output(#[from] std::io::Error),
    #[error("{0}")]
    Refused(String),
    #[error("{0}")]
    Usage(String),
}

impl KeysError {
    pub(super) fn is_usage_error(&self) -> bool {
        match self {
            Self::Usage(_) | Self::Keyring(FirstRunError::NoKeyring { .. }) => true,
            Self::Database(error) => error.is_usage_error(),
            _ => false,
        }
    }
}

/// Writes the text that a command prints.
pub(super) async fn run(
    settings: &Settings,
    command: KeysCommand,
    output: &mut (dyn Write + Send),
) -> Result<(), KeysError> {
    let now = SystemClock.now();
    match command {
        KeysCommand::List { json } => {
            let store = open_existing(settings).await?;
            let (in_use, sealed) = key_rotation::status(&store).await?;
            let entries = read(settings)?.entries();
            let text = match json {
                true => as_json(&entries, &in_use, &sealed, now),
                false => as_text(&entries, &in_use, &sealed, now),
            };
            output.write_all(text.as_bytes())?;
        }
        KeysCommand::Rotate { rs256: true } => {
            let mut file = KeyringFile::open(settings)?;
            let id = file.keyring.add_pending_rsa().map_err(|_| KeysError::Randomness)?;
            // The first key of its kind has none before it that could go on signing.
            let is_first = file.keyring.entries().iter().any(|entry| entry.id == id && entry.is_active);
            let does = match (rs256_is_in_use(settings), is_first) {
                (false, _) => "which does nothing until `jwt.algorithm` is RS256",
                (true, true) => "which signs as soon as it is loaded",
                (true, false) => "which verifies and does not sign yet",
            };
            write(file, &format!("Added the key {id}, {does}."), settings, output)?;
        }
        KeysCommand::Rotate { rs256: false } => {
            let mut file = KeyringFile::open(settings)?;
            let id = crate::random::system().draw(|random| file.keyring.add_pending(random));
            write(file, &format!("Added the key {id}, which opens and does not seal yet."), settings, output)?;
        }
        KeysCommand::Activate { id, force } => {
            let mut file = KeyringFile::open(settings)?;
            let store = store_of(settings, &file.keyring, now).await?;
            match key_rotation::activation(&store, &file.keyring, &id, now).await? {
                KeyActivation::NotInRing => return Err(unknown(&id)),
                KeyActivation::NotLoaded { nodes } if !force => {
                    return Err(KeysError::Refused(format!(
                        "these nodes have not loaded the key {id}: {}; give them the keyring and have them load it first \
                         (SIGHUP, or a restart). A node that was killed counts for a minute",
                        nodes.join(", ")
                    )));
                }
                KeyActivation::IsActive | KeyActivation::Activated | KeyActivation::NotLoaded { .. } => {
                    file.keyring.activate(&id);
                    write(file, &format!("The key {id} is the active one."), settings, output)?;
                }
            }
        }
        KeysCommand::Reseal => {
            let store = open_existing(settings).await?;
            let keyring = Arc::new(read(settings)?);
            let report = |progress: &Progress| {
                let _ = writeln!(output, "{} rows sealed anew", progress.resealed).and_then(|()| output.flush());
            };
            let clock = || SystemClock.now();
            let random = crate::random::system();
            let done = key_rotation::reseal(&store, &keyring, clock, &random, report).await?;
            if !done.unopened.is_empty() {
                let ids: Vec<&str> = done.unopened.iter().map(String::as_str).collect();
                return Err(KeysError::Refused(format!(
                    "these rows could not be opened, and are as they were: {}",
                    ids.join(", ")
                )));
            }
            // Where this cannot be read, the rows are sealed anew all the same.
            let sealed = key_rotation::status(&store).await.map(|(_, sealed)| sealed).unwrap_or_default();
            let active = keyring.active_id();
            for left in sealed.iter().filter(|rows| rows.key_id != active) {
                let (rows, table, key) = (left.rows, words(left.table), &left.key_id);
                writeln!(
                    output,
                    "{rows} {table} were sealed with the key {key} meanwhile: a node has yet to load the keyring"
                )?;
            }
            writeln!(output, "Done: {} rows sealed anew with the key {active}.", done.resealed)?;
        }
        KeysCommand::Retire { id, end_signed } => {
            let mut file = KeyringFile::open(settings)?;
            let store = store_of(settings, &file.keyring, now).await?;
            let policy = settings.policy();
            let wanted = Retire {
                key_id: &id,
                ends_what_is_signed: end_signed,
                longest_token: policy.access_token_lifetime.max(policy.refresh_token_grace),
                rs256_is_in_use: rs256_is_in_use(settings),
            };
            let random = crate::random::system();
            match key_rotation::retire(&store, &file.keyring, wanted, now, &random).await? {
                KeyRetirement::NotInRing => return Err(unknown(&id)),
                KeyRetirement::IsActive => {
                    let is_rsa =
                        file.keyring.entries().iter().any(|entry| entry.id == id && entry.kind == KeyKind::Rsa);
                    let or = if is_rsa {
                        ", or leave RS256 out of `jwt.algorithm` and `jwt.retiring_algorithms`"
                    } else {
                        ""
                    };
                    return Err(KeysError::Refused(format!(
                        "the key {id} is the active one: activate another one first{or}"
                    )));
                }
                KeyRetirement::Needed(needs) => {
                    let needs: String = needs.iter().map(|need| format!("\n  - {}", need_text(need))).collect();
                    return Err(KeysError::Refused(format!("the key {id} is needed:{needs}")));
                }
                KeyRetirement::Retired => {
                    file.keyring.remove(&id);
                    write(file, &format!("Took the key {id} out."), settings, output)?;
                }
            }
        }
    }
    Ok(())
}

/// Whether access tokens of RS256 are made or accepted.
fn rs256_is_in_use(settings: &Settings) -> bool {
    settings.tokens.accepted().any(|algorithm| algorithm == Algorithm::Rs256)
}

/// The keyring, as a start would read it.
fn read(settings: &Settings) -> Result<Keyring, KeysError> {
    let read = first_run::inspect_keyring(settings)?;
    read.ok_or_else(|| KeysError::Usage("there is no keyring: the first start of the server makes it".to_owned()))
}

/// The database, if the keyring belongs to it.
async fn store_of(settings: &Settings, keyring: &Keyring, now: Timestamp) -> Result<Store, KeysError> {
    let store = open_existing(settings).await?;
    app::inspect_keyring(&store, keyring, now).await?;
    Ok(store)
}

fn unknown(id: &str) -> KeysError {
    KeysError::Usage(format!("there is no key `{id}` in the keyring: `countersign keys list` shows them"))
}

/// Puts the changed keyring where it was read from, or prints it.
fn write(file: KeyringFile, what: &str, settings: &Settings, output: &mut (dyn Write + Send)) -> Result<(), KeysError> {
    match file.write()? {
        Written::File(path) => writeln!(
            output,
            "{what} Changed {}. Give every node this keyring, and have it load it: SIGHUP, or a restart.",
            path.display()
        )?,
        Written::Nowhere(text) => {
            let place = match &settings.keyring {
                KeyringSource::Text(_) => Key::Keys.variable(),
                _ => "the credential",
            };
            writeln!(
                output,
                "# {what} Nothing was written: put this text into {place} of every node, and restart it."
            )?;
            output.write_all(text.as_bytes())?;
        }
    }
    Ok(())
}

fn words(table: SealedTable) -> &'static str {
    match table {
        SealedTable::Methods => "TOTP secrets",
        SealedTable::Messages => "messages that wait",
        SealedTable::AuditBlocks => "blocks of the audit trail",
    }
}

fn need_text(need: &Need) -> String {
    match need {
        Need::ActiveOn { nodes } => {
            format!(
                "nodes sign and seal with it: {}; have them load the keyring in which another key is active",
                nodes.join(", ")
            )
        }
        Need::SealedRows { rows } => format!("{rows} rows are sealed with it: run `countersign keys reseal`"),
        Need::NotResealed => "rows may still be sealed with it: run `countersign keys reseal`".to_owned(),
        Need::Signed(alive) => {
            let rows = if alive.rows > 0 { format!("{} ", alive.rows) } else { String::new() };
            format!("{rows}{} depend on it until {}", alive.what.words(), utc_text(alive.until))
        }
    }
}

/// `active`, `pending` (it never was the active one) or `former`.
fn state(entry: &RingEntry, in_use: &KeyUse) -> &'static str {
    match in_use.record(&entry.id).and_then(|record| record.active_until) {
        _ if entry.is_active => "active",
        Some(_) => "former",
        None => "pending",
    }
}

fn as_text(entries: &[RingEntry], in_use: &KeyUse, sealed: &[SealedRows], now: Timestamp) -> String {
    let mut text = String::new();
    let at = |time: Option<Timestamp>| time.map_or("never".to_owned(), utc_text);
    for entry in entries {
        let record = in_use.record(&entry.id);
        let kind = if entry.kind == KeyKind::Rsa { " (RSA)" } else { "" };
        let _ = writeln!(
            text,
            "key {}{kind}: {}\n  {}\n  loaded first: {}; active last: {}",
            entry.id,
            state(entry, in_use),
            entry.kind.purposes(),
            at(record.map(|record| record.seen_at)),
            at(record.and_then(|record| record.active_until)),
        );
        for rows in sealed.iter().filter(|rows| rows.key_id == entry.id) {
            let _ = writeln!(text, "  {} sealed: {}", words(rows.table), rows.rows);
        }
    }
    for rows in sealed.iter().filter(|rows| entries.iter().all(|entry| entry.id != rows.key_id)) {
        let _ = writeln!(text, "key {}: NOT IN THE KEYRING; {} sealed: {}", rows.key_id, words(rows.table), rows.rows);
    }
    for node in &in_use.nodes {
        let (seen, keys) = (utc_text(node.seen_at), node.keys.join(", "));
        let runs = if node.runs(now) { "" } else { " (does not run)" };
        let _ =
            writeln!(text, "node {}{runs}: active {}; loaded {keys}; seen {seen}", node.node, node.active.join(", "));
    }
    text
}

fn as_json(entries: &[RingEntry], in_use: &KeyUse, sealed: &[SealedRows], now: Timestamp) -> String {
    let rows = |key_id: &str, table| {
        sealed.iter().filter(|rows| rows.key_id == key_id && rows.table == table).map(|rows| rows.rows).sum::<u64>()
    };
    let key = |id: &str, entry: Option<&RingEntry>| {
        let record = in_use.record(id);
        json!({
            "id": id,
            "kind": entry.map(|entry| if entry.kind == KeyKind::Rsa { "rsa" } else { "root" }),
            "state": entry.map_or("missing", |entry| state(entry, in_use)),
            "purposes": entry.map(|entry| entry.kind.purposes()),
            "loadedAt": maybe_time(record.map(|record| record.seen_at)),
            "activeUntil": maybe_time(record.and_then(|record| record.active_until)),
            "resealedAt": maybe_time(record.and_then(|record| record.resealed_at)),
            "sealedSecrets": rows(id, SealedTable::Methods),
            "sealedMessages": rows(id, SealedTable::Messages),
            "auditBlocks": rows(id, SealedTable::AuditBlocks),
        })
    };
    let mut keys: Vec<_> = entries.iter().map(|entry| key(&entry.id, Some(entry))).collect();
    let mut missing: Vec<&str> = sealed.iter().map(|rows| rows.key_id.as_str()).collect();
    missing.retain(|id| entries.iter().all(|entry| entry.id != *id));
    missing.sort_unstable();
    missing.dedup();
    keys.extend(missing.into_iter().map(|id| key(id, None)));
    let nodes = in_use.nodes.iter().map(|node| {
        json!({
            "node": node.node,
            "runs": node.runs(now),
            "active": node.active,
            "keys": node.keys,
            "seenAt": time(node.seen_at),
        })
    });
    format!("{}\n", json!({"keys": keys, "nodes": nodes.collect::<Vec<_>>()}))
}
