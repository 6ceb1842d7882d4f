//! The body of an event, in FusionAuth's form: what is documented there and known here.
//!
//! It holds no code, no token and no secret, and of the user what `GET /api/user` shows from the account's own row.

use crate::account::Account;
use crate::address::{Address, MethodKind};
use crate::audit::{AuditEvent, EventKind};
use crate::challenge::Factor;
use crate::ids::WebhookEventId;
use crate::method::Method;
use crate::time::Timestamp;
use crate::webhook::EventType;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

/// Id of the user action that stands for a lock: after too many wrong second factors, or by a service.
pub const LOCK_ACTION: &str = "c0de0000-0000-4000-8000-000000000009";

/// Name of that user action.
pub const LOCK_ACTION_NAME: &str = "Locked";

/// What is known of an event.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    pub audit: &'a AuditEvent,
    /// As the transaction has left it; an account that is deleted, as it was.
    pub account: &'a Account,
    pub last_sign_in_at: Option<Timestamp>,
    /// The method that was added or removed.
    pub method: Option<&'a Method>,
}

/// A body, and the id that it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookBody {
    pub id: WebhookEventId,
    /// JSON.
    pub text: String,
}

impl WebhookBody {
    #[must_use]
    pub fn new(event: EventType, facts: &Facts<'_>) -> Self {
        let Facts { audit, account, .. } = facts;
        let id = id(event, facts);
        let mut fields = Map::new();
        let mut put = |name: &str, value: Value| {
            if !value.is_null() {
                fields.insert(name.to_owned(), value);
            }
        };
        put("id", id.to_hyphenated().into());
        put("type", event.name().into());
        put("createInstant", audit.at.as_millis().into());
        put("tenantId", account.tenant_id.to_hyphenated().into());
        put("info", info(audit));
        if event == EventType::Action {
            let (phase, expiry) = match audit.kind {
                EventKind::AccountUnlocked => ("cancel", None),
                EventKind::AccountSuspended => ("start", account.suspended_until),
                _ => ("start", account.lock_ends_at),
            };
            put("action", LOCK_ACTION_NAME.into());
            put("actionId", LOCK_ACTION.into());
            put("actioneeUserId", account.id.to_hyphenated().into());
            put("phase", phase.into());
            put("expiry", expiry.map(Timestamp::as_millis).into());
        } else {
            put("user", user(account, facts.last_sign_in_at));
        }
        put("authenticationType", authentication_type(audit).into());
        match event {
            EventType::MethodAdd | EventType::MethodRemove => put("method", facts.method.map(method).into()),
            EventType::FailedAttempt | EventType::TwoFactorSuccess => put("method", method_name(audit.factor).into()),
            _ => {}
        }
        Self { id, text: json!({ "event": fields }).to_string() }
    }
}

/// The same whenever the transaction runs again, and another one for each method that one event removes.
fn id(event: EventType, facts: &Facts<'_>) -> WebhookEventId {
    let mut hash = Sha256::new();
    hash.update(facts.audit.id.as_bytes());
    hash.update(event.name());
    hash.update(facts.method.map_or("", |method| method.handle.as_str()));
    let digest = hash.finalize();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    WebhookEventId::of_bytes(bytes)
}

fn info(audit: &AuditEvent) -> Value {
    let text = |text: &str| if text.is_empty() { Value::Null } else { text.into() };
    let user_agent = audit.webhooks.as_ref().map_or(Value::Null, |webhooks| text(&webhooks.user_agent));
    without_nulls(json!({ "ipAddress": text(&audit.ip_address), "userAgent": user_agent }))
}

fn user(account: &Account, last_sign_in_at: Option<Timestamp>) -> Value {
    without_nulls(json!({
        "id": account.id.to_hyphenated(),
        "tenantId": account.tenant_id.to_hyphenated(),
        "active": account.is_active,
        "email": account.email.as_ref().map(|email| email.as_str()),
        "username": account.username.as_ref().map(|name| name.as_str()),
        "phoneNumber": account.phone_number.as_ref().map(|number| number.as_str()),
        "fullName": Some(account.name.as_str()).filter(|name| !name.is_empty()),
        "expiry": account.expires_at.map(Timestamp::as_millis),
        "verified": account.email_verified,
        "insertInstant": account.created_at.as_millis(),
        "lastUpdateInstant": account.updated_at.as_millis(),
        "lastLoginInstant": last_sign_in_at.map(Timestamp::as_millis),
        "passwordLastUpdateInstant": account.password_changed_at.as_millis(),
        "passwordChangeRequired": account.password_change_required,
    }))
}

fn without_nulls(mut object: Value) -> Value {
    if let Value::Object(fields) = &mut object {
        fields.retain(|_, value| !value.is_null());
    }
    object
}

fn method(method: &Method) -> Value {
    let kind = match method.kind {
        MethodKind::Authenticator => "authenticator",
        MethodKind::Email => "email",
        MethodKind::Sms => "sms",
        MethodKind::Passkey => "passkey",
    };
    let (email, mobile_phone) = match &method.address {
        Some(Address::Email(address)) => (Some(address.as_str()), None),
        Some(Address::Sms(number)) => (None, Some(number.as_str())),
        None => (None, None),
    };
    without_nulls(json!({
        "id": method.handle.as_str(),
        "method": kind,
        "email": email,
        "mobilePhone": mobile_phone,
        "name": method.name,
    }))
}

/// What a code was of. The trail does not keep whether one that was sent went by mail or as a text message.
fn method_name(factor: Option<Factor>) -> Option<&'static str> {
    match factor {
        Some(Factor::Totp) => Some("authenticator"),
        Some(Factor::BackupCode) => Some("recoveryCode"),
        Some(Factor::Passkey) => Some("passkey"),
        Some(Factor::OneTimeCode) | None => None,
    }
}

/// What a sign-in began with, where the event is about its first factor.
fn authentication_type(audit: &AuditEvent) -> Option<&'static str> {
    match (audit.kind, audit.factor) {
        (EventKind::SignedInFromTrustedDevice | EventKind::PasswordRejected, _) | (EventKind::SignedIn, None) => {
            Some("PASSWORD")
        }
        (EventKind::SignedIn, Some(_)) => Some("PASSWORDLESS"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actor::Actor;
    use crate::audit::RequestIds;
    use crate::decisions::fixtures::{NOW, account, email};
    use crate::ids::{AuditId, MethodId};
    use crate::method::MethodHandle;
    use crate::webhook::Webhooks;
    use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
    use std::collections::BTreeSet;
    use std::time::Duration;

    fn audit(kind: EventKind, factor: Option<Factor>) -> AuditEvent {
        AuditEvent {
            id: AuditId::generate(NOW, &mut ChaCha20Rng::seed_from_u64(7)),
            at: NOW,
            kind,
            account_id: None,
            session_id: None,
            factor,
            dialect: "fusionauth",
            ip_address: "192.0.2.1".to_owned(),
            actor: Actor::User,
            request: RequestIds::default(),
            keys: None,
            notices: None,
            webhooks: Some(Webhooks { subscriptions: [].into(), user_agent: "Mozilla/5.0".to_owned() }),
        }
    }

    fn of(event: EventType, audit: &AuditEvent, account: &Account, method: Option<&Method>) -> Value {
        let body = WebhookBody::new(event, &Facts { audit, account, last_sign_in_at: None, method });
        let mut value: Value = serde_json::from_str(&body.text).expect("JSON");
        let event = value["event"].take();
        assert_eq!(event["id"], body.id.to_hyphenated());
        event
    }

    fn mail_method() -> Method {
        Method {
            id: MethodId::generate(NOW, &mut ChaCha20Rng::seed_from_u64(1)),
            handle: MethodHandle::parse("KLRT").expect("a handle"),
            kind: MethodKind::Email,
            name: None,
            address: Some(email()),
            proved_at: None,
            last_used_at: None,
        }
    }

    #[test]
    fn a_body_has_the_form_of_the_published_documentation() {
        let (account, method) = (account(), mail_method());
        let added = of(EventType::MethodAdd, &audit(EventKind::MethodAdded, None), &account, Some(&method));
        assert_eq!(added["type"], "user.two-factor.method.add");
        assert_eq!(added["createInstant"], NOW.as_millis());
        assert_eq!(added["tenantId"], account.tenant_id.to_hyphenated());
        assert_eq!(added["info"], json!({"ipAddress": "192.0.2.1", "userAgent": "Mozilla/5.0"}));
        assert_eq!(added["user"]["id"], account.id.to_hyphenated());
        assert_eq!(added["method"], json!({"id": "KLRT", "method": "email", "email": email().as_str()}));
        let keys: BTreeSet<&str> = added.as_object().expect("an object").keys().map(String::as_str).collect();
        assert_eq!(keys, ["createInstant", "id", "info", "method", "tenantId", "type", "user"].into());
    }

    #[test]
    fn a_lock_is_an_action_with_its_end() {
        let soon = NOW + Duration::from_secs(60);
        let late = NOW + Duration::from_secs(600);
        let account = Account { lock_ends_at: Some(soon), suspended_until: Some(late), ..account() };
        for (kind, phase, expiry) in [
            (EventKind::AccountLocked, "start", json!(soon.as_millis())),
            (EventKind::AccountSuspended, "start", json!(late.as_millis())),
            (EventKind::AccountUnlocked, "cancel", Value::Null),
        ] {
            let event = of(EventType::Action, &audit(kind, None), &account, None);
            assert_eq!((&event["phase"], &event["expiry"]), (&json!(phase), &expiry), "{kind:?}");
            assert_eq!(event["actioneeUserId"], account.id.to_hyphenated());
            assert_eq!((&event["actionId"], &event["user"]), (&json!(LOCK_ACTION), &Value::Null));
        }
    }

    #[test]
    fn the_way_of_signing_in_is_said_where_it_is_known() {
        let failed = EventType::FailedAttempt;
        for (event, kind, factor, authentication, method) in [
            (EventType::LoginSuccess, EventKind::SignedIn, None, json!("PASSWORD"), Value::Null),
            (
                EventType::LoginSuccess,
                EventKind::SignedIn,
                Some(Factor::OneTimeCode),
                json!("PASSWORDLESS"),
                Value::Null,
            ),
            (EventType::LoginFailed, EventKind::PasswordRejected, None, json!("PASSWORD"), Value::Null),
            (EventType::LoginSuccess, EventKind::SecondFactorSignedIn, Some(Factor::Totp), Value::Null, Value::Null),
            (failed, EventKind::SecondFactorRejected, Some(Factor::Totp), Value::Null, json!("authenticator")),
            (failed, EventKind::SecondFactorReplayed, Some(Factor::BackupCode), Value::Null, json!("recoveryCode")),
            (failed, EventKind::SecondFactorRejected, Some(Factor::OneTimeCode), Value::Null, Value::Null),
        ] {
            let body = of(event, &audit(kind, factor), &account(), None);
            assert_eq!(
                (&body["authenticationType"], &body["method"]),
                (&authentication, &method),
                "{kind:?} {factor:?}"
            );
        }
    }

    #[test]
    fn an_id_is_of_one_event_and_stays() {
        let (account, method) = (account(), mail_method());
        let other = Method { handle: MethodHandle::parse("ABCD").expect("a handle"), ..method.clone() };
        let audit = audit(EventKind::TwoFactorDisabled, None);
        let id = |event, method| {
            WebhookBody::new(event, &Facts { audit: &audit, account: &account, last_sign_in_at: None, method }).id
        };
        let ids = [
            id(EventType::MethodRemove, Some(&method)),
            id(EventType::MethodRemove, Some(&other)),
            id(EventType::MethodRemove, None),
            id(EventType::LoginSuccess, None),
        ];
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len());
        assert_eq!(ids[0], id(EventType::MethodRemove, Some(&method)));
    }

    #[test]
    fn nothing_secret_is_in_a_body() {
        for event in EventType::ALL {
            let account = account();
            let text = of(*event, &audit(EventKind::MethodAdded, None), &account, Some(&mail_method())).to_string();
            assert!(!text.contains("argon2") && !text.contains("secret"), "{text}");
        }
    }
}
