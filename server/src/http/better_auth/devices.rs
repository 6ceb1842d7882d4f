//! Trusted devices: listing and renaming them, and ending the trust.

use super::cookies::Cookie;
use super::credentials::{Credentials, require_full_session};
use super::{Context, refusal, wire};
use countersign_api::Reply;
use countersign_api::better_auth::{Error, replies, requests, responses};
use countersign_domain::device::DeviceName;
use countersign_domain::ids::TrustedDeviceId;
use dropshot::ErrorStatusCode as Status;

fn device_id(text: &str) -> Result<TrustedDeviceId, Error> {
    TrustedDeviceId::parse(text).ok_or_else(unknown_device)
}

/// 404, the same for an unknown id and for another user's device.
fn unknown_device() -> Error {
    Error::new(Status::NOT_FOUND, "TRUSTED_DEVICE_NOT_FOUND", "Trusted device not found")
}

/// `GET /trusted-devices/list`
pub(super) async fn list(context: &Context) -> Result<Reply<replies::ListTrustedDevices>, Error> {
    let (_, session) = require_full_session(context).await?;
    let credentials = Credentials::read(context);
    let devices = context.context().flows.trusted_devices(&session, credentials.trust()).await;
    Ok(Reply::ok(devices.map_err(refusal::of_failure)?.iter().map(wire::trusted_device).collect()))
}

/// `POST /trusted-devices/rename`
pub(super) async fn rename(
    context: &Context,
    body: requests::RenameTrustedDevice,
) -> Result<Reply<replies::RenameTrustedDevice>, Error> {
    let (caller, session) = require_full_session(context).await?;
    let name = DeviceName::new(&body.name)
        .ok_or_else(|| Error::new(Status::BAD_REQUEST, "INVALID_DEVICE_NAME", "Invalid device name"))?;
    let (credentials, id) = (Credentials::read(context), device_id(&body.id)?);
    let renamed = context.context().flows.rename_device(&caller, &session, credentials.trust(), id, name).await;
    let device = renamed.map_err(refusal::of_failure)?.ok_or_else(unknown_device)?;
    Ok(Reply::ok(wire::trusted_device(&device)))
}

/// `POST /trusted-devices/revoke`
pub(super) async fn revoke(
    context: &Context,
    body: requests::RevokeTrustedDevice,
) -> Result<Reply<replies::RevokeTrustedDevice>, Error> {
    let (caller, session) = require_full_session(context).await?;
    let (credentials, id) = (Credentials::read(context), device_id(&body.id)?);
    let revoked = context.context().flows.revoke_device(&caller, &session, credentials.trust(), id).await;
    let device = revoked.map_err(refusal::of_failure)?.ok_or_else(unknown_device)?;
    Ok(without_trust(context, device.is_presented))
}

/// `POST /trusted-devices/revoke-all`
pub(super) async fn revoke_all(context: &Context) -> Result<Reply<replies::RevokeTrustedDevice>, Error> {
    let (caller, session) = require_full_session(context).await?;
    context.context().flows.revoke_all_devices(&caller, &session).await.map_err(refusal::of_failure)?;
    Ok(without_trust(context, Credentials::read(context).trust().is_some()))
}

/// Success. The cookie is deleted if its trust has ended.
fn without_trust(context: &Context, is_this_device: bool) -> Reply<replies::RevokeTrustedDevice> {
    let reply = Reply::ok(responses::Revoked { status: true });
    match is_this_device {
        true => reply.with_cookie(context.context().cookies.delete(Cookie::Trust)),
        false => reply,
    }
}
