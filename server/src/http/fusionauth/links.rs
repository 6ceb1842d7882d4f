//! Mailed links: forgotten passwords, and addresses to be proved.

use super::credentials::{self, Call};
use super::values::{account_id, body_value, is_blank, is_invalid, login_names, query_switch, query_value};
use super::{Context, refusal};
use countersign_api::Reply;
use countersign_api::fusionauth::requests::LoginIdType;
use countersign_api::fusionauth::responses::{ForgotPasswordResponse, VerifyEmailResponse};
use countersign_api::fusionauth::{Error, TenantHeader, replies, requests};
use countersign_api::reply::NoBody;
use countersign_domain::decisions::mailed_link::{NotSent, Purpose};
use countersign_domain::ids::ApplicationId;
use countersign_domain::link_template::{LinkTemplate, LinkTemplates};
use countersign_domain::tenant::Application;
use countersign_flows::link_ids::{IdRequest, IdRequested};
use countersign_flows::mailed_links::LinkTarget;
use countersign_flows::own_account::AddressLink;

/// What mailed links of this dialect are for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Page {
    ChangePassword,
    VerifyEmail,
    Passwordless,
}

impl Page {
    fn template(self, links: &LinkTemplates) -> Option<&LinkTemplate> {
        match self {
            Self::ChangePassword => links.change_password.as_ref(),
            Self::VerifyEmail => links.verify_email.as_ref(),
            Self::Passwordless => links.passwordless.as_ref(),
        }
    }

    /// Where the dialect's own server has the page. This server has none: the operator puts one there, or configures another place.
    fn usual_path(self) -> &'static str {
        match self {
            Self::ChangePassword => "/password/change/",
            Self::VerifyEmail => "/email/verify/",
            Self::Passwordless => "/oauth2/passwordless/",
        }
    }

    /// Where links lead that are mailed for an application.
    pub(super) fn target(self, context: &Context, application: Option<ApplicationId>) -> LinkTarget {
        let app = context.context();
        let application = application.and_then(|id| app.flows.directory().application(id));
        let own = application.and_then(|application| self.template(&application.links));
        match own.or(self.template(&app.links)).map(LinkTemplate::parts) {
            Some((before, after)) => LinkTarget { before_token: before.to_owned(), after_token: after.to_owned() },
            None => LinkTarget {
                before_token: format!("{}{}", app.base_url, self.usual_path()),
                after_token: String::new(),
            },
        }
    }
}

/// What a service learns of an id that it asked for. Others learn nothing but that there were too many (attack 44).
pub(super) fn requested(context: &Context, call: &Call, requested: IdRequested) -> Result<Option<String>, Error> {
    let flows = &context.context().flows;
    let is_service = call.is_service();
    match requested {
        IdRequested::TooMany { until } => Err(refusal::too_many(until, flows.now())),
        IdRequested::NotIssued(NotSent::SwitchedOff) => Err(refusal::not_found()),
        IdRequested::Issued(_) | IdRequested::NotIssued(_) if !is_service => Ok(None),
        IdRequested::Issued(id) => Ok(Some(id.expose().to_owned())),
        IdRequested::NotIssued(NotSent::AlreadyVerified) => Ok(None),
        IdRequested::NotIssued(NotSent::NoAddress) => Err(refusal::no_address()),
        IdRequested::NotIssued(NotSent::Exhausted) => Err(refusal::too_many(flows.next_link_window(), flows.now())),
        IdRequested::NotIssued(NotSent::NoAccount | NotSent::Unusable | NotSent::Taken) => Err(refusal::not_found()),
    }
}

/// The page that a mail leads to, unless a service wants none.
///
/// # Errors
/// 401: without an API key the response does not contain the id.
fn mailed(
    context: &Context,
    call: &Call,
    page: Page,
    application: Option<&Application>,
    is_wanted: bool,
) -> Result<Option<LinkTarget>, Error> {
    match (is_wanted, call.is_service()) {
        (true, _) => Ok(Some(page.target(context, application.map(|application| application.id)))),
        (false, true) => Ok(None),
        (false, false) => Err(credentials::unauthorized()),
    }
}

/// `POST /api/user/forgot-password`
pub(super) async fn forgot_password(
    context: &Context,
    tenant: TenantHeader,
    body: requests::ForgotPassword,
) -> Result<Reply<replies::ForgotPassword>, Error> {
    let call = credentials::service_or_anybody(context, tenant).await?;
    if body_value(body.change_password_id.as_ref()).is_some() {
        let message = "The server chooses the [changePasswordId]: leave it out, and take the one of the response.";
        return Err(Error::of_field("changePasswordId", "notAllowed", message));
    }
    let (by_email, by_username) = (vec![LoginIdType::Email], vec![LoginIdType::Username]);
    let named = [
        (&body.login_id, body.login_id_types.as_ref()),
        (&body.email, Some(&by_email)),
        (&body.username, Some(&by_username)),
    ];
    let named = named.into_iter().find_map(|(name, types)| Some((body_value(name.as_ref())?, types)));
    let (login_name, types) = named.ok_or_else(|| is_blank("loginId"))?;
    let application = call.application(context, "applicationId", query_value(body.application_id.as_ref()))?;
    let is_wanted = body.send_forgot_password_email.unwrap_or(true);
    let target = mailed(context, &call, Page::ChangePassword, application, is_wanted)?;
    let request = IdRequest {
        purpose: Purpose::ResetPassword,
        tenant_id: call.tenant(context, application)?.id,
        login_name,
        names: login_names(login_name, types),
        state: body.state.as_ref().map(ToString::to_string),
        target: target.as_ref(),
    };
    let issued = context.context().flows.request_id(&call.caller, request).await.map_err(refusal::of_failure)?;
    Ok(Reply::ok(ForgotPasswordResponse { change_password_id: requested(context, &call, issued)? }))
}

/// `PUT /api/user/verify-email`
pub(super) async fn resend_verification(
    context: &Context,
    tenant: TenantHeader,
    query: requests::ResendVerificationQuery,
) -> Result<Reply<replies::ResendEmailVerification>, Error> {
    let call = credentials::service_or_anybody(context, tenant).await?;
    let email = query_value(query.email.as_ref()).ok_or_else(|| is_blank("email"))?;
    let application = call.application(context, "applicationId", query_value(query.application_id.as_ref()))?;
    let is_wanted = query_switch("sendVerifyEmail", query.send_verify_email.as_ref())?.unwrap_or(true);
    let target = mailed(context, &call, Page::VerifyEmail, application, is_wanted)?;
    let request = IdRequest {
        purpose: Purpose::VerifyAddress,
        tenant_id: call.tenant(context, application)?.id,
        login_name: email,
        names: login_names(email, Some(&vec![LoginIdType::Email])),
        state: None,
        target: target.as_ref(),
    };
    let issued = context.context().flows.request_id(&call.caller, request).await.map_err(refusal::of_failure)?;
    Ok(Reply::ok(VerifyEmailResponse { verification_id: requested(context, &call, issued)? }))
}

/// `POST /api/user/verify-email`
pub(super) async fn verify(
    context: &Context,
    tenant: TenantHeader,
    body: requests::VerifyEmail,
) -> Result<Reply<replies::VerifyEmailAddress>, Error> {
    let call = credentials::service_or_anybody(context, tenant).await?;
    if body_value(body.one_time_code.as_ref()).is_some() {
        return Err(is_invalid("oneTimeCode"));
    }
    let flows = &context.context().flows;
    let link = match (body_value(body.verification_id.as_ref()), body_value(body.user_id.as_ref())) {
        (Some(id), _) => flows.verify_address_by_id(&call.caller, id, call.tenant).await,
        (None, Some(_)) if !call.is_service() => return Err(credentials::unauthorized()),
        (None, Some(id)) => {
            let user = call.user(context, account_id("userId", id)?).await?.ok_or_else(refusal::not_found)?;
            flows.vouch_for_address(&call.caller, &user.account).await
        }
        (None, None) => return Err(is_blank("verificationId")),
    };
    verified(&link.map_err(refusal::of_failure)?).map(|()| Reply::ok(NoBody))
}

/// `POST /api/user/verify-email/{verificationId}`
pub(super) async fn verify_by_id(
    context: &Context,
    tenant: TenantHeader,
    id: &str,
) -> Result<Reply<replies::VerifyEmail>, Error> {
    let call = credentials::without_credentials(context, tenant)?;
    let link = context.context().flows.verify_address_by_id(&call.caller, id, call.tenant).await;
    let link = link.map_err(refusal::of_failure)?;
    verified(&link).map(|()| Reply::ok(NoBody))
}

fn verified(link: &AddressLink) -> Result<(), Error> {
    if matches!(link, AddressLink::Verified(_)) { Ok(()) } else { Err(refusal::not_found()) }
}
