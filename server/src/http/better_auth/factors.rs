//! Managing second factors: enrolling, showing, new backup codes, switching off, ending trust in devices.

use super::cookies::Cookie;
use super::credentials::{Credentials, require_full_session, require_session};
use super::terms::terms;
use super::{Context, refusal, wire};
use countersign_api::Reply;
use countersign_api::better_auth::{Error, TwoFactorMethod, replies, requests, responses};
use countersign_domain::backup_code::BackupCode;
use countersign_flows::enrolment::{MailEnrolment, ManagementRefused};

fn texts(codes: &[BackupCode]) -> Vec<String> {
    codes.iter().map(|code| code.expose().to_owned()).collect()
}

/// `POST /two-factor/enable`
pub(super) async fn enable(
    context: &Context,
    body: requests::TwoFactorEnable,
) -> Result<Reply<replies::TwoFactorEnable>, Error> {
    match body.method.unwrap_or(TwoFactorMethod::Totp) {
        TwoFactorMethod::Totp => enable_totp(context, body).await,
        TwoFactorMethod::Otp => enable_otp(context, body).await,
    }
}

async fn enable_totp(
    context: &Context,
    body: requests::TwoFactorEnable,
) -> Result<Reply<replies::TwoFactorEnable>, Error> {
    let (caller, authenticated) = require_session(context).await?;
    let flows = &context.context().flows;
    let terms = terms(flows.policy());
    let issuer = body.issuer.as_deref().filter(|issuer| !issuer.is_empty());
    let begin = flows.begin_enrolment(&caller, &authenticated, &body.password, issuer, &terms);
    let enrolment = begin.await.map_err(refusal::of_failure)?;
    let refuse = |refused| refusal::of_management(refused, refusal::two_factor_not_enabled, flows.now());
    let enrolment = enrolment.map_err(refuse)?;
    Ok(Reply::ok(responses::TwoFactorEnable {
        method: TwoFactorMethod::Totp,
        totp_uri: Some(enrolment.key_uri.to_string()),
        backup_codes: Some(texts(&enrolment.backup_codes)),
    }))
}

async fn enable_otp(
    context: &Context,
    body: requests::TwoFactorEnable,
) -> Result<Reply<replies::TwoFactorEnable>, Error> {
    let (caller, authenticated) = require_session(context).await?;
    let flows = &context.context().flows;
    let enrol = flows.enrol_mail(&caller, &authenticated, &body.password, &terms(flows.policy())).await;
    let refuse = |refused| match refused {
        ManagementRefused::NotAllowed => refusal::no_code_method(),
        refused => refusal::of_management(refused, refusal::two_factor_not_enabled, flows.now()),
    };
    let (backup_codes, session) = match enrol.map_err(refusal::of_failure)?.map_err(refuse)? {
        MailEnrolment::Enabled { session, backup_codes } => (Some(texts(&backup_codes)), Some(session)),
        MailEnrolment::Begun { backup_codes } => (Some(texts(&backup_codes)), None),
        MailEnrolment::Added => (None, None),
    };
    let reply = Reply::ok(responses::TwoFactorEnable { method: TwoFactorMethod::Otp, totp_uri: None, backup_codes });
    Ok(match session {
        Some(session) => wire::with_session(reply, context, &session),
        None => reply,
    })
}

/// `POST /two-factor/get-totp-uri`
pub(super) async fn get_totp_uri(
    context: &Context,
    body: requests::Password,
) -> Result<Reply<replies::TwoFactorGetTotpUri>, Error> {
    let (caller, authenticated) = require_session(context).await?;
    let flows = &context.context().flows;
    let key_uri = flows.show_key_uri(&caller, &authenticated, &body.password).await.map_err(refusal::of_failure)?;
    let refuse = |refused| refusal::of_management(refused, refusal::totp_not_enabled, flows.now());
    Ok(Reply::ok(responses::TwoFactorGetTotpUri { totp_uri: key_uri.map_err(refuse)?.to_string() }))
}

/// `POST /two-factor/generate-backup-codes`
pub(super) async fn generate_backup_codes(
    context: &Context,
    body: requests::Password,
) -> Result<Reply<replies::TwoFactorGenerateBackupCodes>, Error> {
    let (caller, session) = require_full_session(context).await?;
    let flows = &context.context().flows;
    let replace = flows.replace_backup_codes(&caller, &session, &body.password, &terms(flows.policy())).await;
    let codes = replace.map_err(refusal::of_failure)?;
    let refuse = |refused| refusal::of_management(refused, refusal::two_factor_not_enabled, flows.now());
    let backup_codes = texts(&codes.map_err(refuse)?);
    Ok(Reply::ok(responses::TwoFactorGenerateBackupCodes { status: true, backup_codes }))
}

/// `POST /two-factor/disable`
pub(super) async fn disable(
    context: &Context,
    body: requests::Password,
) -> Result<Reply<replies::TwoFactorDisable>, Error> {
    let (caller, session) = require_full_session(context).await?;
    let app = context.context();
    let disabled = app.flows.disable_two_factor(&caller, &session, &body.password);
    let disabled = disabled.await.map_err(refusal::of_failure)?;
    let refuse = |refused| refusal::of_management(refused, refusal::two_factor_not_enabled, app.flows.now());
    let authenticated = disabled.map_err(refuse)?;
    let reply = Reply::ok(responses::StatusAndSession { status: true, token: None, user: None });
    let reply = wire::with_session(reply, context, &authenticated);
    Ok(match Credentials::read(context).trust() {
        Some(_) => reply.with_cookie(app.cookies.delete(Cookie::Trust)),
        None => reply,
    })
}

/// `POST /two-factor/revoke-trusted-devices`
pub(super) async fn revoke_trusted_devices(
    context: &Context,
    body: requests::Password,
) -> Result<Reply<replies::TwoFactorRevokeTrustedDevices>, Error> {
    let (caller, session) = require_full_session(context).await?;
    let app = context.context();
    let revoked = app.flows.revoke_trust(&caller, &session, &body.password).await.map_err(refusal::of_failure)?;
    revoked.map_err(|refused| refusal::of_management(refused, refusal::two_factor_not_enabled, app.flows.now()))?;
    let reply = Reply::ok(responses::StatusAndSession { status: true, token: None, user: None });
    Ok(match Credentials::read(context).trust() {
        Some(_) => reply.with_cookie(app.cookies.delete(Cookie::Trust)),
        None => reply,
    })
}
