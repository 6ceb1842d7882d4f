//! `countersign api-key`: keys of services, straight in the database, whether or not a server runs on it.

use crate::app::store_options;
use crate::clock::{Clock as _, SystemClock, utc_text};
use crate::config::Settings;
use crate::config::values::DatabaseUrl;
use crate::first_run::{self, FirstRunError};
use crate::flows::services::Permission;
use crate::flows::with_random;
use clap::Subcommand;
use countersign_domain::ids::{ApiKeyId, TenantId};
use countersign_domain::secret::ApiKey;
use countersign_domain::time::Timestamp;
use countersign_store::work::ApiKeyRecord;
use countersign_store::{OpenError, Store, StoreError};
use std::fmt::Write as _;

/// What can be done with keys.
#[derive(Clone, Debug, Subcommand)]
pub(super) enum ApiKeyCommand {
    /// Make a key. Its last line of output is the key and nothing else; it is not shown again.
    Create {
        /// What it is for, for people.
        #[arg(long, default_value = "default", value_name = "TEXT")]
        name: String,
        /// The only tenant that it opens [default: all].
        #[arg(long, value_name = "UUID")]
        tenant: Option<String>,
        /// An operation that it may call, as `/api/login` or `GET /api/user/{userId}`; can be repeated [default: all].
        #[arg(long, value_name = "[METHOD ]PATH")]
        allow: Vec<String>,
    },
    /// Show all keys and what they may call, but not what a service has to show.
    List,
    /// Revoke a key; it opens nothing from then on.
    Revoke {
        /// Its id, from `list`.
        id: String,
    },
}

/// Why it was not done.
#[derive(Debug, thiserror::Error)]
pub enum ApiKeyError {
    /// What is on disk is missing or not safe.
    #[error(transparent)]
    FirstRun(#[from] FirstRunError),
    /// The database cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The words make no sense.
    #[error("{0}")]
    Words(String),
}

impl ApiKeyError {
    /// Whether the command line is to blame.
    pub(super) fn is_about_words(&self) -> bool {
        matches!(self, Self::Words(_))
    }
}

/// Does it, and says what it did.
pub(super) async fn run(settings: &Settings, command: ApiKeyCommand) -> Result<String, ApiKeyError> {
    let words = |text: String| ApiKeyError::Words(text);
    let now = SystemClock.now();
    match command {
        ApiKeyCommand::Create { name, tenant, allow } => {
            let tenant_id = match tenant {
                None => None,
                Some(text) => {
                    let known = TenantId::parse(&text).filter(|id| settings.directory.tenant(*id).is_some());
                    Some(known.ok_or_else(|| words(format!("`{text}` is not the id of a configured tenant")))?)
                }
            };
            let permissions = permissions(&allow).map_err(words)?;
            let (id, key) = with_random(|random| (ApiKeyId::generate(now, random), ApiKey::generate(random)));
            let record = ApiKeyRecord { id, name, tenant_id, permissions, created_at: now, revoked_at: None };
            open(settings).await?.add_api_key((record, key.digest())).await?;
            Ok(format!("Key {} is made. It is shown this once:\n{}\n", id.to_hyphenated(), key.expose()))
        }
        ApiKeyCommand::List => {
            let keys = open_existing(settings).await?.api_keys(()).await?;
            Ok(match keys.as_slice() {
                [] => "There is no key. Make one with `countersign api-key create`.\n".to_owned(),
                keys => keys.iter().map(line).collect(),
            })
        }
        ApiKeyCommand::Revoke { id: text } => {
            let id = ApiKeyId::parse(&text).ok_or_else(|| words(format!("`{text}` is not the id of a key")))?;
            match open_existing(settings).await?.revoke_api_key((id, now)).await? {
                true => Ok(format!("Key {} is revoked.\n", id.to_hyphenated())),
                false => Err(words(format!("there is no key {}, or it is revoked already", id.to_hyphenated()))),
            }
        }
    }
}

/// The database, made with its keyring where it does not exist yet, as a start would.
async fn open(settings: &Settings) -> Result<Store, ApiKeyError> {
    if matches!(settings.database.url, DatabaseUrl::Sqlite(_)) {
        with_random(|random| first_run::prepare(settings, random))?;
    }
    Ok(Store::open(&store_options(settings)).await?)
}

/// The database, which must be there: who looks for keys in the wrong directory is not to find an empty new one.
async fn open_existing(settings: &Settings) -> Result<Store, ApiKeyError> {
    match &settings.database.url {
        DatabaseUrl::Sqlite(path) if !path.exists() => Err(ApiKeyError::Words(format!(
            "there is no database at {}; --data-dir or --database-url names the one that the server uses",
            path.display()
        ))),
        _ => open(settings).await,
    }
}

fn permissions(allow: &[String]) -> Result<Option<String>, String> {
    if allow.is_empty() {
        return Ok(None);
    }
    let known: Vec<_> = crate::operations::all().collect();
    let read = |text: &String| {
        let permission = Permission::parse(text).ok_or_else(|| {
            format!("`{text}` is no operation: expected `/api/login`, say, or `GET /api/user/{{userId}}`")
        })?;
        let methods = known.iter().filter(|operation| operation.path == permission.path);
        let methods: Vec<&str> = methods.map(|operation| operation.method).collect();
        match &permission.method {
            _ if methods.is_empty() => Err(format!("there is no operation at `{}`", permission.path)),
            Some(method) if !methods.contains(&method.as_str()) => {
                Err(format!("there is no {method} at `{}`, only {}", permission.path, methods.join(", ")))
            }
            _ => Ok(permission),
        }
    };
    let permissions: Vec<Permission> = allow.iter().map(read).collect::<Result<_, String>>()?;
    Ok(Some(serde_json::to_string(&permissions).expect("a list of permissions is JSON")))
}

fn line(key: &ApiKeyRecord) -> String {
    let mut line = format!("{}  {}  made {}", key.id.to_hyphenated(), key.name, date(key.created_at));
    if let Some(tenant) = key.tenant_id {
        write!(line, "  tenant {}", tenant.to_hyphenated()).expect("writing to a string cannot fail");
    }
    if let Some(text) = &key.permissions {
        let permissions: Vec<Permission> = serde_json::from_str(text).unwrap_or_default();
        let words = permissions.iter().map(|permission| match &permission.method {
            Some(method) => format!("{method} {}", permission.path),
            None => permission.path.clone(),
        });
        write!(line, "  may {}", words.collect::<Vec<_>>().join(", ")).expect("writing to a string cannot fail");
    }
    if let Some(at) = key.revoked_at {
        write!(line, "  revoked {}", date(at)).expect("writing to a string cannot fail");
    }
    line.push('\n');
    line
}

fn date(at: Timestamp) -> String {
    utc_text(at).chars().take(16).collect::<String>().replace('T', " ") + " UTC"
}
