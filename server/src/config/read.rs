//! How single values are read, for `deserialize_with`.
//!
//! Flags and environment variables are text; the file may also give numbers, booleans, arrays and tables. Readers take
//! both forms, and rely on [`Key::takes`](super::Key::takes) for the type.

use super::passkeys::{self, PasskeyOrigin};
use super::secret::SecretText;
use super::values::{BaseUrl, DatabaseUrl, DialectName, LogFormat, Profile};
use crate::net::cookie_scope::{CookieDomain, SameSite};
use crate::net::origin::OriginPattern;
use crate::net::otlp::OtlpEndpoint;
use crate::net::sms::{SmsProvider, SmsUrl};
use crate::net::smtp::{HelloName, SmtpTls, SmtpUrl, parse_sender};
use crate::net::webhook::WebhookUrl;
use countersign_domain::address::MethodKind;
use countersign_domain::ids::{ApplicationId, TenantId};
use countersign_domain::language::Language;
use countersign_domain::link_template::LinkTemplate;
use countersign_domain::passkey::options::UserVerification;
use countersign_domain::passkey::relying_party::{Attestation, RelyingPartyId};
use countersign_domain::signing::Algorithm;
use countersign_domain::tenant::{MailedCodes, RefreshTokenUsage};
use countersign_domain::webhook::EventType;
use ipnet::IpNet;
use lettre::message::Mailbox;
use serde::Deserialize;
use serde::de::value::SeqAccessDeserializer;
use serde::de::{DeserializeOwned, Deserializer, Error, SeqAccess, Visitor};
use std::fmt;
use std::marker::PhantomData;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

/// A type with a text form. Errors say what is wrong with the text, as the continuation of a sentence, and repeat it
/// only where it cannot hold a secret.
pub(super) trait FromText: Sized {
    fn from_text(text: &str) -> Result<Self, String>;
}

macro_rules! from_text {
    ($($type:ty: $parse:expr;)*) => {
        $(impl FromText for $type {
            fn from_text(text: &str) -> Result<Self, String> {
                $parse(text)
            }
        })*
    };
}

from_text! {
    Language: |text: &str| Language::parse(text).ok_or_else(|| format!("`{text}` is not the name of a language, such as en or pt-BR"));
    String: |text: &str| Ok(text.to_owned());
    PathBuf: |text| Ok(PathBuf::from(text));
    SecretText: |text| Ok(SecretText::new(text));
    SocketAddr: socket_address;
    BaseUrl: BaseUrl::parse;
    DatabaseUrl: DatabaseUrl::parse;
    DialectName: DialectName::parse;
    OriginPattern: OriginPattern::parse;
    PasskeyOrigin: PasskeyOrigin::parse;
    RelyingPartyId: passkeys::relying_party_id;
    UserVerification: passkeys::user_verification;
    Attestation: passkeys::attestation;
    IpNet: network;
    SmtpUrl: SmtpUrl::parse;
    HelloName: HelloName::parse;
    SmtpTls: SmtpTls::parse;
    SmsProvider: SmsProvider::parse;
    SmsUrl: SmsUrl::parse;
    OtlpEndpoint: OtlpEndpoint::parse;
    CookieDomain: CookieDomain::parse;
    SameSite: SameSite::parse;
    Mailbox: parse_sender;
    WebhookUrl: WebhookUrl::parse;
    EventType: event_type;
    Algorithm: |text| Algorithm::parse(text).ok_or_else(|| format!("`{text}` is none of EdDSA, ES256 and RS256"));
    slog::FilterLevel: log_level;
    LogFormat: log_format;
    Profile: Profile::parse;
    MailedCodes: |text| MailedCodes::parse(text).ok_or_else(|| format!("`{text}` is none of always, verified and never"));
    RefreshTokenUsage: |text| {
        RefreshTokenUsage::parse(text).ok_or_else(|| format!("`{text}` is neither Reusable nor OneTimeUse"))
    };
    LinkTemplate: LinkTemplate::parse;
    TenantId: |text| TenantId::parse(text).ok_or_else(|| format!("`{text}` is not a UUID"));
    ApplicationId: |text| ApplicationId::parse(text).ok_or_else(|| format!("`{text}` is not a UUID"));
    MethodKind: |text| MethodKind::parse(text).ok_or_else(|| format!("`{text}` is none of authenticator, email, sms and passkey"));
}

/// Names all events if there is no such event.
fn event_type(text: &str) -> Result<EventType, String> {
    let known = || EventType::ALL.iter().map(|event| event.name()).collect::<Vec<_>>().join(", ");
    EventType::parse(text).ok_or_else(|| format!("`{text}` is no event that is sent; there are {}", known()))
}

fn socket_address(text: &str) -> Result<SocketAddr, String> {
    let localhost = text.strip_prefix("localhost:").map(|port| format!("127.0.0.1:{port}"));
    let address = localhost.as_deref().unwrap_or(text).parse();
    address.map_err(|_| format!("`{text}` is not an IP address and a port, such as 127.0.0.1:3000"))
}

fn network(text: &str) -> Result<IpNet, String> {
    text.parse::<IpNet>()
        .or_else(|_| text.parse::<IpAddr>().map(IpNet::from))
        .map_err(|_| format!("`{text}` is neither an IP address nor a network, such as 10.0.0.0/8"))
}

fn log_level(text: &str) -> Result<slog::FilterLevel, String> {
    let levels = super::Key::LogLevel.help().trim_end_matches('.');
    text.parse().map_err(|()| format!("`{text}` is none of {levels}"))
}

fn log_format(text: &str) -> Result<LogFormat, String> {
    match text {
        "text" => Ok(LogFormat::Text),
        "json" => Ok(LogFormat::Json),
        _ => Err(format!("`{text}` is neither text nor json")),
    }
}

/// A value in its text form.
pub(super) struct Text<T>(pub(super) T);

impl<'de, T: FromText> Deserialize<'de> for Text<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        T::from_text(text.trim()).map(Self).map_err(Error::custom)
    }
}

pub(super) fn text<'de, D: Deserializer<'de>, T: FromText>(deserializer: D) -> Result<T, D::Error> {
    Text::deserialize(deserializer).map(|text| text.0)
}

/// Reads text that may be empty, for "none".
pub(super) fn optional<'de, D: Deserializer<'de>, T: FromText>(deserializer: D) -> Result<Option<T>, D::Error> {
    let text = String::deserialize(deserializer)?;
    match text.trim() {
        "" => Ok(None),
        text => T::from_text(text).map(Some).map_err(Error::custom),
    }
}

/// The name of a language, which is one of a directory.
pub(super) fn language<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let name: String = text(deserializer)?;
    match !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
        true => Ok(name),
        false => Err(Error::custom(format!("`{name}` is not the name of a language, such as en or pt-BR"))),
    }
}

pub(super) fn app_name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let name: String = text(deserializer)?;
    // It becomes the issuer of otpauth URIs, where a colon separates it from the account.
    if name.is_empty() {
        return Err(Error::custom("must not be empty"));
    }
    if name.contains(':') || name.chars().any(char::is_control) {
        return Err(Error::custom(format!("`{}` must not contain a colon or control characters", name.escape_debug())));
    }
    Ok(name)
}

#[derive(Deserialize)]
#[serde(untagged)]
enum TextOr<T> {
    Text(String),
    Native(T),
}

/// Reads an array, or items separated by commas. The error names every invalid item.
pub(super) fn list<'de, D, T, C>(deserializer: D) -> Result<C, D::Error>
where
    D: Deserializer<'de>,
    T: FromText,
    C: FromIterator<T>,
{
    let items = match TextOr::<Vec<String>>::deserialize(deserializer)? {
        TextOr::Text(text) => text.split(',').map(str::to_owned).collect(),
        TextOr::Native(items) => items,
    };
    let items = items.iter().map(|item| item.trim()).filter(|item| !item.is_empty());
    let mut problems = Vec::new();
    let list = items.filter_map(|item| T::from_text(item).map_err(|problem| problems.push(problem)).ok()).collect();
    if problems.is_empty() { Ok(list) } else { Err(Error::custom(problems.join("; "))) }
}

pub(super) fn switch<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    match TextOr::<bool>::deserialize(deserializer)? {
        TextOr::Native(is_on) => Ok(is_on),
        TextOr::Text(text) => match text.trim().to_ascii_lowercase().as_str() {
            "on" | "true" => Ok(true),
            "off" | "false" => Ok(false),
            _ => Err(Error::custom(format!("`{}` is neither on nor off", text.trim()))),
        },
    }
}

pub(super) fn count<'de, D, T, const LEAST: i64, const MOST: i64>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: TryFrom<i64>,
{
    let (number, text) = match TextOr::<i64>::deserialize(deserializer)? {
        TextOr::Native(number) => (Some(number), number.to_string()),
        TextOr::Text(text) => (text.trim().parse().ok(), text.trim().to_owned()),
    };
    number
        .filter(|number| (LEAST..=MOST).contains(number))
        .and_then(|number| T::try_from(number).ok())
        .ok_or_else(|| Error::custom(format!("`{text}` is not a whole number from {LEAST} to {MOST}")))
}

/// At most an hour: longer than anything here should take, and short enough for every clock.
pub(super) fn seconds<'de, D: Deserializer<'de>, const LEAST: i64>(deserializer: D) -> Result<Duration, D::Error> {
    count::<D, u64, LEAST, 3_600>(deserializer).map(Duration::from_secs)
}

/// From a minute to 400 days, the longest that browsers keep a cookie (RFC 6265bis §5.5).
pub(super) fn lifetime<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    count::<D, u64, 60, 34_560_000>(deserializer).map(Duration::from_secs)
}

/// From a minute to a day: an access token that has left the server is not revoked where its signature alone is checked.
pub(super) fn access_token_lifetime<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    count::<D, u64, 60, 86_400>(deserializer).map(Duration::from_secs)
}

/// Zero days stand for no limit.
pub(super) fn days<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    let days = count::<D, u64, 0, 36_500>(deserializer)?;
    Ok((days != 0).then(|| Duration::from_secs(days * 24 * 60 * 60)))
}

/// Reads TOML tables, or a JSON array of objects. Empty text means that nothing was given.
pub(super) fn tables<'de, D, T>(deserializer: D, plural: &'static str) -> Result<Option<Vec<T>>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned,
{
    struct Tables<T>(&'static str, PhantomData<T>);

    impl<'de, T: DeserializeOwned> Visitor<'de> for Tables<T> {
        type Value = Option<Vec<T>>;

        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(formatter, "tables or a JSON array of {}", self.0)
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
            match text.trim() {
                "" => Ok(None),
                text => serde_json::from_str(text).map(Some).map_err(|error| match error.is_data() {
                    true => E::custom(error),
                    false => E::custom(format!("not a list of {}: {error}", self.0)),
                }),
            }
        }

        fn visit_seq<A: SeqAccess<'de>>(self, sequence: A) -> Result<Self::Value, A::Error> {
            Vec::deserialize(SeqAccessDeserializer::new(sequence)).map(Some)
        }
    }

    deserializer.deserialize_any(Tables(plural, PhantomData))
}
