//! What a user can be called whom an administrator creates.

use countersign_api::validation::is_mailbox;
use countersign_domain::account::{EmailAddress, LoginName, Username};
use countersign_domain::user::AccountProfile;

/// Of a display name, in characters, as the contracts have it.
const LONGEST_NAME: usize = 256;

/// A user as an administrator describes it.
#[derive(Clone, Copy, Debug)]
pub struct Description<'a> {
    pub email: Option<&'a str>,
    pub username: Option<&'a str>,
    pub name: &'a str,
    pub email_verified: bool,
    pub password_change_required: bool,
}

/// What is wrong with a description.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// What is wrong with one field, as the continuation of a sentence.
    Field(&'static str, String),
    /// There is nothing to sign in with.
    NoLoginName,
}

/// The fields of the new account.
///
/// # Errors
/// What is wrong with the description.
pub fn profile(description: Description<'_>) -> Result<AccountProfile, Refused> {
    let refused = |field, text: &str| Refused::Field(field, text.to_owned());
    let email = description.email.map(str::trim);
    if email.is_some_and(|email| !is_mailbox(email)) {
        return Err(refused("email", "expected an e-mail address"));
    }
    let longest = LoginName::LONGEST;
    for (field, text) in [("email", email), ("username", description.username)] {
        if text.is_some_and(|text| text.chars().count() > longest) {
            return Err(Refused::Field(field, format!("has more than {longest} characters")));
        }
    }
    if description.name.chars().count() > LONGEST_NAME {
        return Err(Refused::Field("name", format!("has more than {LONGEST_NAME} characters")));
    }
    let email = email.map(EmailAddress::new);
    let unseen = || refused("username", "nothing of it can be seen");
    let username = description.username.map(|text| Username::new(text).ok_or_else(unseen)).transpose()?;
    if let Some(refusal) = username.as_ref().and_then(|name| name.refusal(email.as_ref(), None)) {
        return Err(Refused::Field("username", refusal.to_string()));
    }
    if email.is_none() && username.is_none() {
        return Err(Refused::NoLoginName);
    }
    if description.email_verified && email.is_none() {
        return Err(refused("emailVerified", "there is no e-mail address"));
    }
    Ok(AccountProfile {
        email,
        username,
        phone_number: None,
        name: description.name.trim().to_owned(),
        image: None,
        email_verified: description.email_verified,
        password_change_required: description.password_change_required,
        expires_at: None,
        profile: "{}".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_needs_one_name_that_is_right() {
        let description = |email, username| Description {
            email,
            username,
            name: " Ada ",
            email_verified: email.is_some(),
            password_change_required: false,
        };
        let described = |email, username| profile(description(email, username)).map(|profile| profile.name);
        let field = |field, text: &str| Err(Refused::Field(field, text.to_owned()));
        let ada = Ok("Ada".to_owned());
        let long = "x".repeat(LoginName::LONGEST + 1);
        for (email, username, expected) in [
            (Some(" ada@example.com "), None, ada.clone()),
            (None, Some("ada"), ada.clone()),
            (Some("ada@example.com"), Some("ada@example.com"), ada),
            (None, None, Err(Refused::NoLoginName)),
            (Some("nonsense"), None, field("email", "expected an e-mail address")),
            (None, Some(long.as_str()), field("username", &format!("has more than {} characters", LoginName::LONGEST))),
            (None, Some("\u{200b}"), field("username", "nothing of it can be seen")),
            (None, Some("\u{430}da"), field("username", "mixes letters of several scripts")),
            (
                None,
                Some("eve@example.com"),
                field("username", "is an e-mail address or a telephone number, and not the user's own"),
            ),
        ] {
            assert_eq!(described(email, username), expected, "{email:?} {username:?}");
        }
        let verified = Description { email_verified: true, ..description(None, Some("ada")) };
        assert_eq!(
            profile(verified).err(),
            Some(Refused::Field("emailVerified", "there is no e-mail address".to_owned()))
        );
        let long = "x".repeat(LONGEST_NAME + 1);
        let named = Description { name: &long, ..description(None, Some("ada")) };
        assert_eq!(profile(named).err(), Some(Refused::Field("name", "has more than 256 characters".to_owned())));
    }
}
