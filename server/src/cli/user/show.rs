//! Users as text to be read. As JSON for programs, they are in [`crate::administration`].

use crate::clock::utc_text;
use crate::terminal::printable;
use countersign_domain::account::{EmailAddress, PhoneNumber, Username};
use countersign_domain::limits::AccountLimits;
use countersign_domain::time::Timestamp;
use countersign_domain::user::User;
use countersign_flows::administration::Grants;

/// The name that a user is best known by.
pub(super) fn label(user: &User) -> String {
    let account = &user.account;
    let number = account.phone_number.as_ref().map(PhoneNumber::as_str);
    let name = Some(account.login_name()).filter(|name| !name.is_empty()).or(number).unwrap_or("no login name");
    format!("{} ({})", printable(name), account.id.to_hyphenated())
}

/// One line, for lists.
pub(super) fn line(user: &User) -> String {
    let account = &user.account;
    let names = [
        account.email.as_ref().map(EmailAddress::as_str),
        account.username.as_ref().map(Username::as_str),
        account.phone_number.as_ref().map(PhoneNumber::as_str),
    ];
    let names: Vec<_> = names.into_iter().flatten().map(printable).collect();
    let states = [account.two_factor_enabled.then_some("second factor"), (!account.is_active).then_some("deactivated")];
    let states: Vec<_> = states.into_iter().flatten().collect();
    let states = if states.is_empty() { String::new() } else { format!("  [{}]", states.join(", ")) };
    format!("{}  {}{states}\n", account.id.to_hyphenated(), names.join("  "))
}

fn yes_or_no(is: bool) -> &'static str {
    if is { "yes" } else { "no" }
}

fn until(until: Option<Timestamp>) -> String {
    until.map_or("no".to_owned(), |until| format!("until {}", utc_text(until)))
}

fn since(at: Option<Timestamp>) -> String {
    at.map_or("never".to_owned(), utc_text)
}

/// A user with what is counted against the account.
pub(super) fn as_text(user: &User, limits: &AccountLimits) -> String {
    let account = &user.account;
    let name = |text: Option<&str>| printable(text.filter(|text| !text.is_empty()).unwrap_or("none")).into_owned();
    let methods: String = user
        .methods
        .iter()
        .map(|method| {
            let name = method.name.as_deref().map(|name| format!(", {}", printable(name)));
            let address = method.address.as_ref().map(|address| format!(" {}", printable(address.as_str())));
            let (name, address) = (name.unwrap_or_default(), address.unwrap_or_default());
            format!(
                "  {} {}{address}{name}, last used: {}\n",
                method.handle,
                method.kind.name(),
                since(method.last_used_at)
            )
        })
        .collect();
    let quotas: String = limits
        .quotas
        .iter()
        .map(|quota| {
            let refused = quota.refused_until.map(|until| format!(", refused until {}", utc_text(until)));
            format!("{}: {} of {}{}\n", quota.counts.words(), quota.used, quota.limit, refused.unwrap_or_default())
        })
        .collect();
    format!(
        "user {id}\n\
         tenant: {tenant}\n\
         e-mail address: {email}{verified}\n\
         user name: {username}\n\
         telephone number: {number}\n\
         name: {full_name}\n\
         active: {active}\n\
         created: {created}\n\
         last signed in: {signed_in}\n\
         second factor: {second_factor}\n\
         {methods}\
         locked: {locked}\n\
         wrong second factors in a row: {failures}\n\
         locks since the last success: {locks}\n\
         guesses at the second factor that count: {guesses} of {guess_limit}\n\
         wrong passwords that count, from unknown networks and devices: {passwords} of {password_limit}\n\
         passwords from there refused: {refused}\n{quotas}",
        id = account.id.to_hyphenated(),
        tenant = account.tenant_id.to_hyphenated(),
        email = name(account.email.as_ref().map(EmailAddress::as_str)),
        verified = if account.email.is_some() && !account.email_verified { " (not verified)" } else { "" },
        username = name(account.username.as_ref().map(Username::as_str)),
        number = name(account.phone_number.as_ref().map(PhoneNumber::as_str)),
        full_name = name(Some(&account.name)),
        active = yes_or_no(account.is_active),
        created = utc_text(account.created_at),
        signed_in = since(user.last_sign_in_at),
        second_factor = yes_or_no(account.two_factor_enabled),
        locked = until(limits.kept_out_until()),
        failures = limits.failures,
        locks = limits.locks,
        guesses = limits.guesses,
        guess_limit = limits.guess_limit,
        passwords = limits.passwords,
        password_limit = limits.password_limit,
        refused = until(limits.passwords_refused_until),
    )
}

pub(super) fn grants_as_text(grants: &Grants) -> String {
    let mut lines = Vec::new();
    for session in &grants.sessions {
        let factor = if session.second_factor_at.is_some() { "with a second factor" } else { "by password" };
        let (name, used) = (session.device_name(), utc_text(session.last_used_at));
        let (id, address) = (session.id.to_hyphenated(), printable(&session.ip_address));
        lines.push(format!(
            "session         {id}  {}  {address}  {factor}  last used {used}\n",
            printable(name.as_str())
        ));
    }
    for token in &grants.refresh_tokens {
        let name = token.device.name.as_ref().map_or("unknown device", |name| name.as_str());
        let (id, address, used) = (token.id.to_hyphenated(), printable(&token.ip_address), utc_text(token.used_at));
        lines.push(format!("refresh token   {id}  {}  {address}  last used {used}\n", printable(name)));
    }
    for found in &grants.trusted_devices {
        let (device, name) = (&found.device, found.device.shown_name());
        let (id, address, used) =
            (device.id.to_hyphenated(), printable(&device.ip_address), utc_text(device.last_used_at));
        lines.push(format!("trusted device  {id}  {}  {address}  last used {used}\n", printable(name.as_str())));
    }
    match lines.is_empty() {
        true => "There are no sessions, refresh tokens and trusted devices.\n".to_owned(),
        false => lines.concat(),
    }
}
