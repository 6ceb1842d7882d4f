//! Access tokens, and the keys that verify them.

use super::Context;
use super::credentials::{holder_of, is_service, presented_token, token_missing};
use countersign_api::Reply;
use countersign_api::fusionauth::responses::{JSONWebKey, JWKSResponse, JWT, StatusResponse, ValidateResponse};
use countersign_api::fusionauth::{Error, replies};
use countersign_flows::tokens::TokenPurpose;

/// `GET /api/jwt/validate`
pub(super) async fn validate(context: &Context) -> Result<Reply<replies::ValidateJwt>, Error> {
    let token = presented_token(context).ok_or_else(token_missing)?;
    let (_, claims) = holder_of(context, &token, None, TokenPurpose::Other).await?;
    let jwt = JWT {
        aud: claims.aud,
        exp: claims.exp,
        iat: claims.iat,
        iss: claims.iss,
        sub: claims.sub,
        jti: claims.jti,
        authentication_type: claims.authentication_type,
        email: claims.email,
        email_verified: claims.email_verified,
        preferred_username: claims.preferred_username,
        application_id: claims.application_id,
        roles: claims.roles,
        rid: claims.registration_id,
        sid: claims.sid,
        auth_time: claims.auth_time,
        tid: claims.tid,
        amr: claims.amr,
        acr: claims.acr,
        cv: claims.credentials_version,
        fv: claims.factors_version,
    };
    Ok(Reply::ok(ValidateResponse { jwt }))
}

/// `GET /.well-known/jwks.json`
pub(super) fn key_set(context: &Context) -> Reply<replies::JsonWebKeySet> {
    let keys = context.context().flows.public_keys().into_iter().map(|key| JSONWebKey {
        kty: key.kty.to_owned(),
        key_use: key.use_.to_owned(),
        alg: key.alg.name().to_owned(),
        kid: key.kid,
        crv: key.crv.map(str::to_owned),
        x: key.x,
        y: key.y,
        n: key.n,
        e: key.e,
    });
    Reply::ok(JWKSResponse { keys: keys.collect() })
}

/// `GET /api/status`
pub(super) async fn system_status(context: &Context) -> Result<Reply<replies::SystemStatus>, Error> {
    let version = is_service(context).await?.then(|| env!("CARGO_PKG_VERSION").to_owned());
    Ok(Reply::ok(StatusResponse { version }))
}
