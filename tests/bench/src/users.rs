//! The users that operations are timed with, and enrolling them as clients do.

use crate::client::Connection;
use crate::clock;
use crate::progress::Progress;
use crate::request::{Sender, post};
use anyhow::{Context as _, Result};
use countersign_domain::ids::AccountId;
use countersign_domain::totp::TotpSecret;
use futures::future::try_join_all;
use serde_json::{Value, json};
use std::net::SocketAddr;

/// The password of every user.
pub(crate) const PASSWORD: &str = "correct horse battery staple";

/// A user with an account and a session.
pub(crate) struct User {
    pub(crate) email: String,
    pub(crate) account: AccountId,
    /// The token of a live session; it has passed the second factor if there is one.
    pub(crate) session: String,
    /// The authenticator app's secret, if there is a second factor.
    pub(crate) secret: Option<TotpSecret>,
}

/// The users that requests are made for.
#[derive(Default)]
pub(crate) struct Users {
    /// Those without a second factor.
    pub(crate) plain: Vec<User>,
    /// Those with one.
    pub(crate) enrolled: Vec<User>,
}

impl Users {
    /// Adds a user.
    pub(crate) fn add(&mut self, user: User) {
        if user.secret.is_some() { self.enrolled.push(user) } else { self.plain.push(user) }
    }
}

/// Signs up `count` users over HTTP and enrols an authenticator app for each of them.
pub(crate) async fn enrol(address: SocketAddr, count: u32, connections: u32) -> Result<Users> {
    let progress = Progress::new("enrolling users over HTTP", count.into());
    let lanes = (0..connections.min(count)).map(async |lane| {
        let mut connection = Connection::open(address).await?;
        let mut users = Vec::new();
        for number in (lane..count).step_by(usize::try_from(connections).unwrap_or(usize::MAX)) {
            let user = enrol_one(&mut connection, number).await;
            users.push(user.with_context(|| format!("failed to enrol user {number}"))?);
            progress.add(1);
        }
        Ok::<_, anyhow::Error>(users)
    });
    let mut users = Users::default();
    try_join_all(lanes).await?.into_iter().flatten().for_each(|user| users.add(user));
    Ok(users)
}

async fn enrol_one(connection: &mut Connection, number: u32) -> Result<User> {
    let email = format!("enrolled-{number}@example.com");
    let body = json!({"name": "Enrolled over HTTP", "email": email, "password": PASSWORD});
    let response = connection.send(&post("sign-up/email", Sender::Nobody, &body)).await?.json()?;
    let token = text(&response, "/token")?;
    let account = AccountId::parse(&text(&response, "/user/id")?).context("the server answered with an odd id")?;

    let enable = post("two-factor/enable", Sender::Bearer(&token), &json!({"password": PASSWORD}));
    let response = connection.send(&enable).await?.json()?;
    let secret = secret(&text(&response, "/totpURI")?).context("the server answered with an odd key URI")?;

    let code = json!({"code": secret.code_at(clock::now())});
    let response = connection.send(&post("two-factor/verify-totp", Sender::Bearer(&token), &code)).await?.json()?;
    Ok(User { email, account, session: text(&response, "/token")?, secret: Some(secret) })
}

fn text(response: &Value, pointer: &str) -> Result<String> {
    let found = response.pointer(pointer).and_then(Value::as_str);
    Ok(found.with_context(|| format!("the server's response has no {pointer}"))?.to_owned())
}

fn secret(key_uri: &str) -> Option<TotpSecret> {
    let parameters = key_uri.split_once('?')?.1;
    TotpSecret::from_base32(parameters.split('&').find_map(|parameter| parameter.strip_prefix("secret="))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_read_from_key_uris() {
        let uri = "otpauth://totp/C:a?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=C&digits=6&period=30";
        assert_eq!(secret(uri).expect("a secret").expose(), b"12345678901234567890");
        assert!(secret("otpauth://totp/C:a?issuer=C").is_none());
        assert!(secret("nonsense").is_none());
    }
}
