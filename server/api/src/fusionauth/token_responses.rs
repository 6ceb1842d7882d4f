//! What access tokens say, and the keys that verify them.

use crate::responses::{UUID, responses};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

responses! {
    /// `validateJWT`.
    ValidateResponse {
        /// Claims of the token.
        jwt: JWT,
    }

    /// Claims of an access token. Times are seconds since the epoch.
    JWT {
        /// Id of the application that it is limited to.
        #[schemars(regex = "UUID")]
        #[serde(skip_serializing_if = "Option::is_none")]
        aud: Option<String>,
        /// Expiry.
        exp: i64,
        /// Time of issue.
        iat: i64,
        /// Issuer.
        iss: String,
        /// The user's id.
        #[schemars(regex = "UUID")]
        sub: String,
        /// Id of the token.
        #[schemars(regex = "UUID")]
        jti: String,
        /// Kind of login.
        authentication_type: String,
        /// The user's e-mail address.
        #[serde(skip_serializing_if = "Option::is_none")]
        email: Option<String>,
        /// Whether that address is verified.
        #[serde(rename = "email_verified")]
        email_verified: bool,
        /// The user name.
        #[serde(rename = "preferred_username", skip_serializing_if = "Option::is_none")]
        preferred_username: Option<String>,
        /// Id of the application that the user is registered for.
        #[schemars(regex = "UUID")]
        #[serde(skip_serializing_if = "Option::is_none")]
        application_id: Option<String>,
        /// The user's roles in the application.
        #[serde(skip_serializing_if = "Option::is_none")]
        roles: Option<Vec<String>>,
        /// Id of the registration for that application.
        #[schemars(regex = "UUID")]
        #[serde(skip_serializing_if = "Option::is_none")]
        rid: Option<String>,
        /// The id of the refresh token that came with it.
        #[schemars(regex = "UUID")]
        #[serde(skip_serializing_if = "Option::is_none")]
        sid: Option<String>,
        /// Time of the login.
        #[serde(rename = "auth_time")]
        auth_time: i64,
        /// Id of the tenant that owns the account.
        #[schemars(regex = "UUID")]
        tid: String,
        /// Method of the login: `pwd` or `mfa`.
        amr: Vec<String>,
        /// Class of the login.
        #[serde(skip_serializing_if = "Option::is_none")]
        acr: Option<String>,
        /// Version of the user's credentials.
        cv: i64,
        /// Version of the user's two-factor methods.
        fv: i64,
    }

    /// `retrieveJsonWebKeySet`.
    JWKSResponse {
        /// The keys.
        keys: Vec<JSONWebKey>,
    }

    /// A public key.
    JSONWebKey {
        /// Key type.
        kty: String,
        /// Use of the key: `sig`.
        #[serde(rename = "use")]
        key_use: String,
        /// The algorithm.
        alg: String,
        /// Key id, as in the header of tokens.
        kid: String,
        /// The curve.
        #[serde(skip_serializing_if = "Option::is_none")]
        crv: Option<String>,
        /// First coordinate of a point, or the whole point of an Edwards curve.
        #[serde(skip_serializing_if = "Option::is_none")]
        x: Option<String>,
        /// Second coordinate of a point.
        #[serde(skip_serializing_if = "Option::is_none")]
        y: Option<String>,
        /// The modulus.
        #[serde(skip_serializing_if = "Option::is_none")]
        n: Option<String>,
        /// The exponent.
        #[serde(skip_serializing_if = "Option::is_none")]
        e: Option<String>,
    }
}
