//! The configuration as serde reads it: one field for each row of the table of settings, one struct for each table of
//! the configuration file. Unknown fields are denied so that no row can lack its field. Sections that the server uses
//! as they are stand in [`settings`](super::settings).

use super::directory::{self, ApplicationSection, TenantSection};
use super::passkeys::Passkeys;
use super::read::{app_name, count, list, optional, seconds, switch, text};
use super::secret::SecretText;
use super::settings::{Cookies, Database, Lifetimes, Limits, Log, Messages, Retention};
use super::values::{BaseUrl, DialectName, Profile};
use super::webhooks::{self, WebhookSection};
use crate::net::origin::OriginPattern;
use crate::net::otlp::OtlpEndpoint;
use crate::net::sms::{SmsProvider, SmsUrl};
use crate::net::smtp::{HelloName, SmtpTls, SmtpUrl};
use countersign_domain::link_template::{LinkTemplate, LinkTemplates};
use countersign_domain::password;
use countersign_domain::signing::Algorithm;
use countersign_domain::tenant::{MailedCodes, RefreshTokenUsage};
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
    #[serde(deserialize_with = "switch")]
    pub(super) verified_email: bool,
    #[serde(deserialize_with = "switch")]
    pub(super) sign_in_after_verification: bool,
    #[serde(deserialize_with = "switch")]
    pub(super) passwordless: bool,
    #[serde(deserialize_with = "switch")]
    pub(super) delete_account: bool,
    #[serde(deserialize_with = "directory::read_tenants")]
    pub(super) tenants: Option<Vec<TenantSection>>,
    #[serde(deserialize_with = "directory::read_applications")]
    pub(super) applications: Option<Vec<ApplicationSection>>,
    #[serde(deserialize_with = "webhooks::read_webhooks")]
    pub(super) webhooks: Option<Vec<WebhookSection>>,
    #[serde(deserialize_with = "text")]
    pub(super) refresh_token_usage: RefreshTokenUsage,
    #[serde(deserialize_with = "text")]
    pub(super) keyring: PathBuf,
    #[serde(deserialize_with = "optional")]
    pub(super) keys: Option<SecretText>,
    pub(super) passwords: Passwords,
    pub(super) passkeys: Passkeys,
    pub(super) jwt: Jwt,
    pub(super) database: Database,
    pub(super) retention: Retention,
    pub(super) smtp: Smtp,
    pub(super) sms: Sms,
    pub(super) messages: Messages,
    pub(super) links: Links,
    pub(super) limits: Limits,
    pub(super) lifetimes: Lifetimes,
    pub(super) operations: Operations,
    pub(super) traces: Traces,
    pub(super) log: Log,
    #[serde(deserialize_with = "switch")]
    pub(super) validate_responses: bool,
    #[serde(deserialize_with = "seconds::<_, 0>")]
    pub(super) shutdown_grace: Duration,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Operations {
    #[serde(deserialize_with = "optional")]
    pub(super) listen: Option<SocketAddr>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Traces {
    #[serde(deserialize_with = "optional")]
    pub(super) endpoint: Option<OtlpEndpoint>,
    #[serde(deserialize_with = "count::<_, _, 0, 100>")]
    pub(super) percent: u8,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Passwords {
    #[serde(deserialize_with = "switch")]
    pub(super) blocklist: bool,
    #[serde(deserialize_with = "count::<_, _, { password::SHORTEST as i64 }, 64>")]
    pub(super) min_length: usize,
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
pub(super) struct Sms {
    #[serde(deserialize_with = "text")]
    pub(super) provider: SmsProvider,
    #[serde(deserialize_with = "optional")]
    pub(super) url: Option<SmsUrl>,
    #[serde(deserialize_with = "optional")]
    pub(super) secret: Option<SecretText>,
    #[serde(deserialize_with = "optional")]
    pub(super) account: Option<String>,
    #[serde(deserialize_with = "optional")]
    pub(super) from: Option<String>,
    #[serde(deserialize_with = "switch")]
    pub(super) allow_http: bool,
}

/// In a section of its own, and in that of an application.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Links {
    #[serde(deserialize_with = "optional")]
    pub(super) change_password: Option<LinkTemplate>,
    #[serde(deserialize_with = "optional")]
    pub(super) verify_email: Option<LinkTemplate>,
    #[serde(deserialize_with = "optional")]
    pub(super) passwordless: Option<LinkTemplate>,
}

impl From<Links> for LinkTemplates {
    fn from(links: Links) -> Self {
        let Links { change_password, verify_email, passwordless } = links;
        Self { change_password, verify_email, passwordless }
    }
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
    #[serde(deserialize_with = "optional")]
    pub(super) tls: Option<SmtpTls>,
    #[serde(deserialize_with = "optional")]
    pub(super) ca: Option<PathBuf>,
}
