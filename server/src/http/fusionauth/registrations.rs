//! Registrations of users for applications.

use super::credentials::{self, Call};
use super::profile::is_shown;
use super::users::{TRIES, busy, find, make};
use super::values::{body_value, is_blank, is_no_uuid};
use super::{Context, refusal, wire};
use countersign_api::MergePatchBody;
use countersign_api::fusionauth::responses::RegistrationResponse;
use countersign_api::fusionauth::{Error, Errors, TenantHeader, replies, requests};
use countersign_api::reply::{NoBody, Reply};
use countersign_domain::ids::ApplicationId;
use countersign_domain::tenant::Application;
use countersign_domain::user::{Registration, User};
use countersign_flows::registrations::{Registered, RegistrationFields};
use serde_json::json;

fn missing(field: &str) -> Error {
    Error::of_field(field, "missing", format!("You must specify the [{field}] property."))
}

/// Checks what a service says about a registration.
fn checked<'a>(
    context: &'a Context,
    call: &Call,
    body: &requests::Registration,
) -> Result<(&'a Application, RegistrationFields), Error> {
    let fields = body.registration.as_ref().ok_or_else(|| missing("registration"))?;
    let text = body_value(fields.application_id.as_ref()).ok_or_else(|| is_blank("registration.applicationId"))?;
    let application = call.application(context, "registration.applicationId", Some(text))?;
    let application = application.ok_or_else(|| is_blank("registration.applicationId"))?;
    let roles = fields.roles.clone().unwrap_or_default();
    if let Some(unknown) = roles.iter().find(|role| !application.roles.contains(*role)) {
        let message = format!("The application has no role [{unknown}].");
        return Err(Error::of_field("registration.roles", "invalid", message));
    }
    let username = body_value(fields.username.as_ref()).map(str::to_owned);
    let data = fields.data.as_ref().map(ToString::to_string);
    Ok((application, RegistrationFields { roles, username, data }))
}

/// The user is not changed with a registration: what is sent of it has to be what it is.
fn check_user(body: &requests::Registration, user: &User) -> Result<(), Error> {
    let Some(fields) = &body.user else { return Ok(()) };
    let (sent, shown) = (json!(fields), json!(wire::user(user)));
    let mut errors = Errors::default();
    for (name, value) in sent.as_object().into_iter().flatten() {
        if !is_shown(value, shown.get(name)) {
            let message =
                format!("The [user.{name}] property is not the user's, who is not changed with a registration.");
            errors.add(&format!("user.{name}"), "notEqual", message);
        }
    }
    if errors.is_empty() { Ok(()) } else { Err(Error::of_errors(errors)) }
}

/// Properties of a registration that are shown, or that the published API has, and that cannot be set here.
const FIXED: [&str; 8] = [
    "id",
    "verified",
    "usernameStatus",
    "authenticationToken",
    "tokens",
    "preferredLanguages",
    "timezone",
    "cleanSpeakId",
];

/// What is sent of the properties that cannot be set has to be what it is, so that a registration that was read can be sent back;
/// everything else is refused, and never ignored.
fn check_fixed(body: &requests::Registration, before: Option<&Registration>) -> Result<(), Error> {
    let sent = json!(body.registration);
    let shown = match before {
        Some(registration) => json!(wire::registration(registration)),
        None => json!({"verified": true, "usernameStatus": "ACTIVE"}),
    };
    let mut errors = Errors::default();
    for name in FIXED {
        if sent.get(name).is_some_and(|value| !is_shown(value, shown.get(name))) {
            let message = format!("The [registration.{name}] property is not the registration's, and cannot be set.");
            errors.add(&format!("registration.{name}"), "notEqual", message);
        }
    }
    if errors.is_empty() { Ok(()) } else { Err(Error::of_errors(errors)) }
}

fn response(mut user: User, registration: Registration) -> RegistrationResponse {
    let shown = wire::registration(&registration);
    match user.registrations.iter_mut().find(|found| found.id == registration.id) {
        Some(found) => *found = registration,
        None => user.registrations.push(registration),
    }
    RegistrationResponse { user: wire::user(&user), registration: shown }
}

/// `POST /api/user/registration/{userId}`
pub(super) async fn register(
    context: &Context,
    tenant: TenantHeader,
    user_id: &str,
    body: requests::Registration,
) -> Result<Reply<replies::Register>, Error> {
    let call = credentials::require_service(context, tenant).await?;
    let (application, fields) = checked(context, &call, &body)?;
    let call = Call { tenant: Some(application.tenant_id), ..call };
    let user = find(context, &call, user_id).await?;
    check_user(&body, &user)?;
    check_fixed(&body, None)?;
    let flows = &context.context().flows;
    let registration = flows.new_registration(application, fields);
    let done = flows.register(&call.caller, user.account.id, registration.clone()).await;
    match done.map_err(refusal::of_failure)? {
        Registered::Done => Ok(Reply::ok(response(user, registration))),
        Registered::Already => {
            let message = "The user is already registered for the application.";
            Err(Error::of_field("registration", "duplicate", message))
        }
        Registered::NoAccount => Err(refusal::not_found()),
    }
}

/// `POST /api/user/registration`
pub(super) async fn register_user(
    context: &Context,
    tenant: TenantHeader,
    body: requests::Registration,
) -> Result<Reply<replies::RegisterUser>, Error> {
    let call = credentials::require_service(context, tenant).await?;
    let (application, fields) = checked(context, &call, &body)?;
    let user = body.user.as_ref().ok_or_else(|| missing("user"))?;
    check_fixed(&body, None)?;
    let skip_verification = body.skip_verification.unwrap_or(false);
    let registration = context.context().flows.new_registration(application, fields);
    let tenant = application.tenant_id;
    let made = make(context, &call, tenant, None, user, skip_verification, Some(registration.clone())).await?;
    Ok(Reply::ok(response(made, registration)))
}

/// The user, and its registration for an application.
async fn registered(
    context: &Context,
    call: &Call,
    user_id: &str,
    application: ApplicationId,
) -> Result<(User, Registration), Error> {
    let user = find(context, call, user_id).await?;
    let registration = user.registration(application).cloned().ok_or_else(refusal::not_found)?;
    Ok((user, registration))
}

/// `PUT /api/user/registration/{userId}`
pub(super) async fn update(
    context: &Context,
    tenant: TenantHeader,
    user_id: &str,
    body: requests::Registration,
) -> Result<Reply<replies::ChangeRegistration>, Error> {
    let call = credentials::require_service(context, tenant).await?;
    let (application, fields) = checked(context, &call, &body)?;
    for _ in 0..TRIES {
        let (user, before) = registered(context, &call, user_id, application.id).await?;
        check_user(&body, &user)?;
        check_fixed(&body, Some(&before))?;
        if let Some(reply) = change(context, &call, user, before, fields.clone()).await? {
            return Ok(reply);
        }
    }
    Err(busy())
}

/// `PATCH /api/user/registration/{userId}`
pub(super) async fn patch(
    context: &Context,
    tenant: TenantHeader,
    user_id: &str,
    patch: MergePatchBody<requests::Registration>,
) -> Result<Reply<replies::ChangeRegistration>, Error> {
    let call = credentials::require_service(context, tenant).await?;
    let sent = patch.apply_to(json!({})).map_err(Error::from)?;
    let (application, _) = checked(context, &call, &sent)?;
    for _ in 0..TRIES {
        let (user, before) = registered(context, &call, user_id, application.id).await?;
        check_user(&sent, &user)?;
        check_fixed(&sent, Some(&before))?;
        let wanted = requests::Registration {
            registration: Some(requests::RegistrationFields {
                application_id: Some(application.id.to_hyphenated()),
                roles: Some(before.roles.clone()),
                username: before.username.clone(),
                data: before.data.as_deref().and_then(|text| serde_json::from_str(text).ok()),
                ..requests::RegistrationFields::default()
            }),
            ..requests::Registration::default()
        };
        let wanted = patch.apply_to(json!(wanted)).map_err(Error::from)?;
        let (_, fields) = checked(context, &call, &wanted)?;
        if let Some(reply) = change(context, &call, user, before, fields).await? {
            return Ok(reply);
        }
    }
    Err(busy())
}

/// `None` if another request changed the registration at the same moment.
async fn change(
    context: &Context,
    call: &Call,
    user: User,
    before: Registration,
    fields: RegistrationFields,
) -> Result<Option<Reply<replies::ChangeRegistration>>, Error> {
    let flows = &context.context().flows;
    let changed = flows.change_registration(&call.caller, user.account.id, before, fields).await;
    Ok(changed.map_err(refusal::of_failure)?.map(|registration| Reply::ok(response(user, registration))))
}

/// The id of an application in a path. It need not be configured any more.
fn application_in_path(text: &str) -> Result<ApplicationId, Error> {
    let id = ApplicationId::parse(text).filter(|_| text.contains('-'));
    id.ok_or_else(|| is_no_uuid("applicationId"))
}

/// `GET /api/user/registration/{userId}/{applicationId}`
pub(super) async fn read(
    context: &Context,
    tenant: TenantHeader,
    path: requests::RegistrationPath,
) -> Result<Reply<replies::RetrieveRegistration>, Error> {
    let call = credentials::require_service(context, tenant).await?;
    let application = application_in_path(&path.application_id)?;
    let (user, registration) = registered(context, &call, &path.user_id, application).await?;
    Ok(Reply::ok(response(user, registration)))
}

/// `DELETE /api/user/registration/{userId}/{applicationId}`
pub(super) async fn delete(
    context: &Context,
    tenant: TenantHeader,
    path: requests::RegistrationPath,
) -> Result<Reply<replies::DeleteRegistration>, Error> {
    let call = credentials::require_service(context, tenant).await?;
    let application = application_in_path(&path.application_id)?;
    let user = find(context, &call, &path.user_id).await?;
    let flows = &context.context().flows;
    let deleted = flows.delete_registration(&call.caller, user.account.id, application).await;
    match deleted.map_err(refusal::of_failure)? {
        true => Ok(Reply::ok(NoBody)),
        false => Err(refusal::not_found()),
    }
}
