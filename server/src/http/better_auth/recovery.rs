//! Setting a new password by a mailed link.

use super::{Context, addresses, caller, links, refusal};
use countersign_api::Reply;
use countersign_api::better_auth::{Error, replies, requests, responses};
use countersign_flows::mailed_links::LinkRequested;
use countersign_flows::password::PasswordReset;

const REQUESTED: &str = "If this email exists in our system, check your email for the reset link";

/// `POST /request-password-reset` and `POST /forget-password`
pub(super) async fn request(
    context: &Context,
    body: requests::RequestPasswordReset,
) -> Result<Reply<replies::RequestPasswordReset>, Error> {
    let flows = &context.context().flows;
    let after = format!("?callbackURL={}", links::encoded(body.redirect_to.as_deref()));
    let target = links::target(context, "/reset-password/", after);
    let (tenant_id, address) = (flows.directory().home().id, addresses::mailbox(&body.email)?);
    let requested = flows.request_password_reset(&caller(context), tenant_id, address, &target).await;
    match requested.map_err(refusal::of_failure)? {
        LinkRequested::Accepted => {
            Ok(Reply::ok(responses::RequestPasswordReset { status: true, message: REQUESTED.to_owned() }))
        }
        LinkRequested::TooMany { until } => Err(refusal::too_many(until, flows.now())),
    }
}

/// `GET /reset-password/{token}`
pub(super) async fn follow(
    context: &Context,
    path: requests::ResetPasswordPath,
    query: requests::ResetPasswordCallback,
) -> Result<Reply<replies::ResetPasswordCallback>, Error> {
    if query.callback_url.is_none() {
        return Err(links::missing_parameter("callbackURL"));
    }
    let page = links::page(context, query.callback_url)?;
    let is_valid = context.context().flows.is_reset_token(&path.token).await.map_err(refusal::of_failure)?;
    let location = match (page, is_valid) {
        (Some(page), true) => links::with_parameter(&links::absolute(context, &page), "token", &path.token),
        (page, _) => {
            let page = page.map_or_else(|| links::error_page(context), |page| links::absolute(context, &page));
            links::with_parameter(&page, "error", "INVALID_TOKEN")
        }
    };
    Ok(links::redirect(&location))
}

/// `POST /reset-password`
pub(super) async fn reset(
    context: &Context,
    query: requests::ResetPasswordQuery,
    body: requests::ResetPassword,
) -> Result<Reply<replies::ResetPassword>, Error> {
    let token = body.token.filter(|token| !token.is_empty()).or(query.token).unwrap_or_default();
    if token.is_empty() {
        return Err(refusal::invalid_link());
    }
    let flows = &context.context().flows;
    match flows.reset_password(&caller(context), &token, &body.new_password).await.map_err(refusal::of_failure)? {
        PasswordReset::Done => Ok(Reply::ok(responses::StatusAndSession { status: true, token: None, user: None })),
        PasswordReset::Violation(violation) => Err(refusal::of_password_violation(violation)),
        PasswordReset::InvalidLink => Err(refusal::invalid_link()),
    }
}
