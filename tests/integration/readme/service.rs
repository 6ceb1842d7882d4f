use countersign_client::better_auth::{Client, Error, types};

/// Signs in at a server, for example `http://localhost:3000/api/auth`, and says what came of it.
pub async fn sign_in(server: &str, email: &str, password: &str) -> Result<String, Box<dyn std::error::Error>> {
    let credentials = types::SignInEmailRequest::builder().email(email).password(password);
    match Client::new(server).sign_in_email().body(credentials).send().await {
        Ok(reply) if reply.two_factor_redirect == Some(true) => Ok(format!("ask for {:?}", reply.two_factor_methods)),
        Ok(reply) => Ok(format!("the session's token is {:?}", reply.token)),
        Err(Error::ErrorResponse(refusal)) => Ok(format!("{}: {}", refusal.code, refusal.message)),
        Err(failure) => Err(failure.into()),
    }
}
