//! The dialect's cookies: tokens as they are, readable by no script.

use crate::app::App;
use http::{HeaderMap, HeaderValue, header};
use std::time::Duration;

/// The access token, until the browser ends.
pub(super) const ACCESS_TOKEN: &str = "access_token";
/// The refresh token.
pub(super) const REFRESH_TOKEN: &str = "refresh_token";
/// The trust of this device.
pub(super) const TRUST: &str = "fusionauth.trust";

/// A `Set-Cookie` value. Everything that is put into one is made of letters, digits and `._-`.
pub(super) fn set(app: &App, name: &str, value: &str, lifetime: Option<Duration>) -> Option<HeaderValue> {
    let lifetime = lifetime.map(|lifetime| format!("; Max-Age={}", lifetime.as_secs())).unwrap_or_default();
    let secure = if app.has_secure_cookies { "; Secure" } else { "" };
    HeaderValue::try_from(format!("{name}={value}; Path=/{lifetime}; HttpOnly; SameSite=Lax{secure}")).ok()
}

/// The value of a cookie; of several of that name, the first.
pub(super) fn read(headers: &HeaderMap, name: &str) -> Option<String> {
    let values = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = values.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(found, value)| *found == name && !value.is_empty()).map(|(_, value)| value.to_owned())
}
