//! `countersign api-key`: writes directly to the database, whether or not a server uses it.

use super::database::{DatabaseCommandError, open_existing};
use crate::clock::{Clock as _, SystemClock, utc_text};
use crate::config::Settings;
use crate::terminal::printable;
use clap::Subcommand;
use countersign_domain::api_key::{ApiKeyRecord, Permission};
use countersign_domain::ids::{ApiKeyId, TenantId};
use countersign_domain::secret::ApiKey;
use countersign_domain::time::Timestamp;
use std::collections::BTreeSet;
use std::fmt::Write as _;

#[derive(Clone, Debug, Subcommand)]
pub(super) enum ApiKeyCommand {
    /// Create a key. The last line of output is the key alone; it is not shown again.
    Create {
        /// Name of the key, shown by `list`.
        #[arg(long, default_value = "default", value_name = "TEXT")]
        name: String,
        /// Tenant that the key is limited to [default: all].
        #[arg(long, value_name = "UUID")]
        tenant: Option<String>,
        /// Operation that the key may call, such as `/api/login` or `GET /api/user/{userId}`, `/api/*` for all below a path, or `admin`
        /// for the administration API (`GET admin` to read only); can be repeated [default: all but administration].
        #[arg(long, value_name = "[METHOD ]PATH|admin")]
        allow: Vec<String>,
    },
    /// List all keys with their permissions, but not the keys themselves.
    List,
    /// Revoke a key; requests with it are refused from then on.
    Revoke {
        /// Id of the key, from `list`.
        id: String,
    },
}

/// Returns the text to print.
pub(super) async fn run(settings: &Settings, command: ApiKeyCommand) -> Result<String, DatabaseCommandError> {
    let usage = |text: String| DatabaseCommandError::Usage(text);
    let now = SystemClock.now();
    match command {
        ApiKeyCommand::Create { name, tenant, allow } => {
            let tenant_id = match tenant {
                None => None,
                Some(text) => {
                    let known = TenantId::parse(&text).filter(|id| settings.directory.tenant(*id).is_some());
                    Some(known.ok_or_else(|| usage(format!("`{text}` is not the id of a configured tenant")))?)
                }
            };
            let permissions = permissions(&allow).map_err(usage)?;
            let (id, key) =
                crate::random::system().draw(|random| (ApiKeyId::generate(now, random), ApiKey::generate(random)));
            let record = ApiKeyRecord { id, name, tenant_id, permissions, created_at: now, revoked_at: None };
            open_existing(settings).await?.add_api_key((record, key.digest())).await?;
            Ok(format!("Created key {}. It is not shown again:\n{}\n", id.to_hyphenated(), key.expose()))
        }
        ApiKeyCommand::List => {
            let keys = open_existing(settings).await?.api_keys(()).await?;
            Ok(match keys.as_slice() {
                [] => "There are no keys. Create one with `countersign api-key create`.\n".to_owned(),
                keys => keys.iter().map(line).collect(),
            })
        }
        ApiKeyCommand::Revoke { id: text } => {
            let id = ApiKeyId::parse(&text).ok_or_else(|| usage(format!("`{text}` is not the id of a key")))?;
            match open_existing(settings).await?.revoke_api_key((id, now)).await? {
                true => Ok(format!("Revoked key {}.\n", id.to_hyphenated())),
                false => Err(usage(format!("there is no key {}, or it has been revoked already", id.to_hyphenated()))),
            }
        }
    }
}

fn permissions(allow: &[String]) -> Result<Option<String>, String> {
    if allow.is_empty() {
        return Ok(None);
    }
    let known: Vec<_> = crate::operations::all().collect();
    let read = |text: &String| {
        let permission = Permission::parse(text).ok_or_else(|| {
            format!("`{text}` is not an operation: expected something like `/api/login`, `GET /api/user/{{userId}}`, `/api/*` or `admin`")
        })?;
        let methods = known.iter().filter(|operation| permission.covers(operation.path));
        let methods: Vec<&str> = methods.map(|operation| operation.method).collect();
        match &permission.method {
            _ if methods.is_empty() => Err(format!("there is no operation at `{}`", permission.path)),
            Some(method) if !methods.contains(&method.as_str()) => {
                let methods = methods.into_iter().collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>();
                Err(format!("there is no {method} at `{}`, only {}", permission.path, methods.join(", ")))
            }
            _ => Ok(permission),
        }
    };
    let permissions: Vec<Permission> = allow.iter().map(read).collect::<Result<_, String>>()?;
    Ok(Some(serde_json::to_string(&permissions).expect("a list of permissions is JSON")))
}

fn line(key: &ApiKeyRecord) -> String {
    let mut line = format!("{}  {}  created {}", key.id.to_hyphenated(), printable(&key.name), date(key.created_at));
    if let Some(tenant) = key.tenant_id {
        write!(line, "  tenant {}", tenant.to_hyphenated()).expect("writing to a string cannot fail");
    }
    if let Some(text) = &key.permissions {
        let permissions: Vec<Permission> = serde_json::from_str(text).unwrap_or_default();
        let permissions = permissions.iter().map(|permission| match &permission.method {
            Some(method) => format!("{method} {}", permission.path),
            None => permission.path.clone(),
        });
        write!(line, "  may {}", permissions.collect::<Vec<_>>().join(", ")).expect("writing to a string cannot fail");
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
