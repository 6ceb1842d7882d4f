//! The configuration as serde reads it: one field for each row of the table of settings, one struct for each table of
//! the configuration file. Unknown fields are denied so that no row can lack its field. Sections that the server uses
//! as they are stand in [`settings`](super::settings).

use super::directory::{self, ApplicationSection, TenantSection};
use super::read::{app_name, list, optional, seconds, switch, text};
use super::secret::SecretText;
use super::settings::{Cookies, Database, Lifetimes, Limits, Log, Retention};
use super::values::{BaseUrl, DialectName, Profile};
use crate::net::origin::OriginPattern;
use crate::net::smtp::{HelloName, SmtpUrl};
use countersign_domain::signing::Algorithm;
use countersign_domain::tenant::MailedCodes;
use ipnet::IpNet;
use lettre::message::Mailbox;
use serde::Deserialize;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Sections {
    #[serde(deserialize_with = "text")]
    pub(super) listen: SocketAddr,
    #[serde(deserialize_with = "text")]
    pub(super) base_url: BaseUrl,
    #[serde(deserialize_with = "app_name")]
    pub(super) app_name: String,
    #[serde(deserialize_with = "text")]
    pub(super) data_dir: PathBuf,
    #[serde(deserialize_with = "text")]
    pub(super) outbox: PathBuf,
    #[serde(deserialize_with = "list")]
    pub(super) trusted_origins: Vec<OriginPattern>,
    #[serde(deserialize_with = "list")]
    pub(super) trusted_proxies: Vec<IpNet>,
    pub(super) cookies: Cookies,
    #[serde(deserialize_with = "switch")]
    pub(super) rate_limits: bool,
    #[serde(deserialize_with = "list")]
    pub(super) disabled_paths: BTreeSet<String>,
    #[serde(deserialize_with = "list")]
    pub(super) dialects: BTreeSet<DialectName>,
    #[serde(deserialize_with = "switch")]
    pub(super) docs: bool,
    #[serde(deserialize_with = "text")]
    pub(super) profile: Profile,
    #[serde(deserialize_with = "text")]
    pub(super) mailed_codes: MailedCodes,
    #[serde(deserialize_with = "switch")]
    pub(super) sign_up: bool,
    #[serde(deserialize_with = "directory::read_tenants")]
    pub(super) tenants: Option<Vec<TenantSection>>,
    #[serde(deserialize_with = "directory::read_applications")]
    pub(super) applications: Option<Vec<ApplicationSection>>,
    #[serde(deserialize_with = "text")]
    pub(super) keyring: PathBuf,
    #[serde(deserialize_with = "optional")]
    pub(super) keys: Option<SecretText>,
    pub(super) passwords: Passwords,
    pub(super) jwt: Jwt,
    pub(super) database: Database,
    pub(super) retention: Retention,
    pub(super) smtp: Smtp,
    pub(super) limits: Limits,
    pub(super) lifetimes: Lifetimes,
    pub(super) log: Log,
    #[serde(deserialize_with = "switch")]
    pub(super) validate_responses: bool,
    #[serde(deserialize_with = "seconds::<_, 0>")]
    pub(super) shutdown_grace: Duration,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Passwords {
    #[serde(deserialize_with = "switch")]
    pub(super) blocklist: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Jwt {
    #[serde(deserialize_with = "text")]
    pub(super) algorithm: Algorithm,
    #[serde(deserialize_with = "list")]
    pub(super) retiring_algorithms: Vec<Algorithm>,
    /// Empty for the base URL, which is not known before its port is.
    #[serde(deserialize_with = "text")]
    pub(super) issuer: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Smtp {
    #[serde(deserialize_with = "optional")]
    pub(super) url: Option<SmtpUrl>,
    #[serde(deserialize_with = "optional")]
    pub(super) from: Option<Mailbox>,
    #[serde(deserialize_with = "optional")]
    pub(super) hello: Option<HelloName>,
}
