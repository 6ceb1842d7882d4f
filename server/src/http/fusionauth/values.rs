//! From texts to values, and the dialect's words for texts that are none.

use countersign_api::fusionauth::requests::LoginIdType;
use countersign_api::fusionauth::{Error, Errors};
use countersign_domain::account::{EmailAddress, LoginName, PhoneNumber, Username};
use countersign_domain::ids::AccountId;

/// A value of a body, unless it is blank.
pub(super) fn body_value(value: Option<&String>) -> Option<&str> {
    value.map(|text| text.trim()).filter(|text| !text.is_empty())
}

/// A value of a query, unless it is empty or one of the words that clients put there for nothing.
pub(super) fn query_value(value: Option<&String>) -> Option<&str> {
    body_value(value).filter(|text| !["undefined", "null"].contains(text))
}

/// A switch in a query; `None` if it is not there.
///
/// # Errors
/// 400 for anything but `true` and `false`.
pub(super) fn query_switch(name: &str, value: Option<&String>) -> Result<Option<bool>, Error> {
    match query_value(value) {
        None => Ok(None),
        Some("true") => Ok(Some(true)),
        Some("false") => Ok(Some(false)),
        Some(_) => {
            Err(Error::of_field(name, "couldNotConvert", format!("The [{name}] parameter is neither true nor false.")))
        }
    }
}

/// Adds that a field is missing.
pub(super) fn blank(errors: &mut Errors, field: &str) {
    errors.add(field, "blank", format!("You must specify the [{field}] property."));
}

/// 400: a field is missing.
pub(super) fn is_blank(field: &str) -> Error {
    let mut errors = Errors::default();
    blank(&mut errors, field);
    Error::of_errors(errors)
}

/// 400: a field is not acceptable.
pub(super) fn is_invalid(field: &str) -> Error {
    Error::of_field(field, "invalid", format!("The [{field}] property is not valid."))
}

/// 400: a field does not hold a UUID.
pub(super) fn is_no_uuid(field: &str) -> Error {
    let message =
        format!("Invalid {field}. This must be a valid UUID String (e.g. 25a872da-bb44-4af8-a43d-e7bcb5351ebc).");
    Error::of_field(field, "couldNotConvert", message)
}

/// An account's id; a UUID in any case, with its hyphens.
///
/// # Errors
/// 400.
pub(super) fn account_id(field: &str, text: &str) -> Result<AccountId, Error> {
    let id = AccountId::parse(text).filter(|_| text.contains('-'));
    id.ok_or_else(|| is_no_uuid(field))
}

/// The id of an account in a path.
///
/// # Errors
/// 400.
pub(super) fn user_in_path(text: &str) -> Result<AccountId, Error> {
    account_id("userId", text)
}

/// What a login id may be, in the order in which it is looked up.
pub(super) fn login_names(text: &str, types: Option<&Vec<LoginIdType>>) -> Vec<LoginName> {
    const USUAL: [LoginIdType; 2] = [LoginIdType::Email, LoginIdType::Username];
    // Nobody has such a name, and a database may refuse to look for it.
    if text.contains('\0') {
        return Vec::new();
    }
    let types = types.map_or(&USUAL[..], Vec::as_slice);
    let name = |kind: &LoginIdType| match kind {
        LoginIdType::Email => text.contains('@').then(|| LoginName::Email(EmailAddress::new(text.trim()))),
        LoginIdType::Username => Username::new(text).map(LoginName::Username),
        LoginIdType::PhoneNumber => PhoneNumber::new(text).map(LoginName::PhoneNumber),
    };
    types.iter().filter_map(name).collect()
}

/// The kinds of login id that a query names, separated by commas; unknown ones do not count.
pub(super) fn login_id_types(text: Option<&String>) -> Option<Vec<LoginIdType>> {
    let types = query_value(text)?.split(',').filter_map(|name| match name.trim() {
        "email" => Some(LoginIdType::Email),
        "phoneNumber" => Some(LoginIdType::PhoneNumber),
        "username" => Some(LoginIdType::Username),
        _ => None,
    });
    Some(types.collect())
}
