//! Values that several requests and responses share: times, switches, and patterns of ids and tokens.

pub use crate::time::WireTime;
pub(super) use crate::time::nullable_time;

use schemars::JsonSchema;
use schemars::r#gen::SchemaGenerator;
use schemars::schema::{InstanceType, Metadata, Schema, SchemaObject};
use serde::{Deserialize, Deserializer, Serialize, de};
use std::borrow::Cow;
use std::fmt;

/// Ids: a UUID without hyphens.
pub(super) const ID: &str = "^[0-9a-f]{32}$";

/// Tokens of sessions and of challenges.
pub(super) const SESSION_OR_CHALLENGE_TOKEN: &str = "^([A-Za-z0-9]{32}|2fa-[A-Za-z0-9_-]+)$";

/// Raw session tokens, or nothing.
pub(super) const SESSION_TOKEN_OR_EMPTY: &str = "^([A-Za-z0-9]{32})?$";

/// Raw session tokens, and the ids that list-sessions shows in their place.
pub(super) const SESSION_TOKEN: &str = "^[A-Za-z0-9]{32}$";

/// Implements a `Debug` that prints the named fields only, so that a new field is hidden by default.
macro_rules! debug_only {
    ($($name:ident { $($shown:ident),* })+) => {$(
        impl std::fmt::Debug for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                let mut shown = formatter.debug_struct(stringify!($name));
                $(shown.field(stringify!($shown), &self.$shown);)*
                shown.finish_non_exhaustive()
            }
        }
    )+};
}
pub(super) use debug_only;

/// A boolean that some published clients send as the text `"true"` or `"false"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct BooleanOrText(pub bool);

impl<'de> Deserialize<'de> for BooleanOrText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Either).map(Self)
    }
}

struct Either;

impl de::Visitor<'_> for Either {
    type Value = bool;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a boolean, \"true\" or \"false\"")
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<bool, E> {
        Ok(value)
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<bool, E> {
        match value {
            "true" => Ok(true),
            "false" => Ok(false),
            other => Err(E::invalid_value(de::Unexpected::Str(other), &self)),
        }
    }
}

impl JsonSchema for BooleanOrText {
    fn schema_name() -> String {
        "BooleanOrText".to_owned()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let text = SchemaObject {
            instance_type: Some(InstanceType::String.into()),
            enum_values: Some(vec!["true".into(), "false".into()]),
            ..SchemaObject::default()
        };
        let mut schema = SchemaObject::default();
        let description = Some("A boolean, or its text form.".to_owned());
        schema.metadata = Some(Box::new(Metadata { description, ..Metadata::default() }));
        schema.subschemas().any_of = Some(vec![generator.subschema_for::<bool>(), text.into()]);
        schema.into()
    }
}

/// A factor that a client can name. Backup codes always come along, and are not named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum TwoFactorMethod {
    /// A sent one-time code.
    Otp,
    /// An authenticator app.
    Totp,
}

/// What can complete a challenge. Backup codes always can, and are not named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ChallengeMethod {
    /// An authenticator app.
    Totp,
    /// A sent one-time code.
    Otp,
    /// A passkey.
    Passkey,
}

/// What delete-user has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum DeletionMessage {
    /// The account is deleted.
    #[serde(rename = "User deleted")]
    Deleted,
    /// A link was mailed.
    #[serde(rename = "Verification email sent")]
    LinkSent,
}

/// What keeps a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Provider {
    /// This server: a password.
    Credential,
}

/// A switch in a query: any text is accepted; absent, empty, `false` and `0` mean no.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct QuerySwitch(pub bool);

impl QuerySwitch {
    /// Reads the text of a query parameter.
    #[must_use]
    pub fn from_text(text: &str) -> Self {
        Self(!matches!(text, "" | "false" | "0"))
    }
}

impl<'de> Deserialize<'de> for QuerySwitch {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Cow::<str>::deserialize(deserializer).map(|text| Self::from_text(&text))
    }
}

impl JsonSchema for QuerySwitch {
    fn schema_name() -> String {
        "QuerySwitch".to_owned()
    }

    fn is_referenceable() -> bool {
        false
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        generator.subschema_for::<String>()
    }
}

/// A required, nullable text. The derived schema of an `Option` would be optional instead.
pub(super) fn nullable_text(generator: &mut SchemaGenerator) -> Schema {
    Option::<String>::json_schema(generator)
}

/// A required text that is always `null`.
pub(super) fn always_null_text(generator: &mut SchemaGenerator) -> Schema {
    let mut schema = Option::<String>::json_schema(generator).into_object();
    schema.string().max_length = Some(0);
    schema.into()
}

/// A required, nullable session token.
pub(super) fn nullable_session_token(generator: &mut SchemaGenerator) -> Schema {
    let mut schema = Option::<String>::json_schema(generator).into_object();
    schema.string().pattern = Some(SESSION_TOKEN.to_owned());
    schema.into()
}

#[cfg(test)]
mod tests {
    use super::{BooleanOrText, QuerySwitch};
    use serde_json::{from_value, json};

    #[test]
    fn booleans_come_as_text_too() {
        for (value, expected) in
            [(json!(true), true), (json!("true"), true), (json!(false), false), (json!("false"), false)]
        {
            assert_eq!(from_value::<BooleanOrText>(value).expect("one of the four"), BooleanOrText(expected));
        }
        for value in [json!("yes"), json!("True"), json!(1), json!(null)] {
            from_value::<BooleanOrText>(value).expect_err("none of the four");
        }
    }

    #[test]
    fn any_text_is_a_query_switch() {
        for text in ["true", "1", "yes", "FALSE"] {
            assert_eq!(QuerySwitch::from_text(text), QuerySwitch(true), "{text}");
        }
        for text in ["", "false", "0"] {
            assert_eq!(QuerySwitch::from_text(text), QuerySwitch(false), "{text}");
        }
    }
}
