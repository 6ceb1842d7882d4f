//! Mail by SMTP.
//!
//! Beyond loopback, `smtp://` means STARTTLS or nothing: a code that crosses a network in the clear is not a second
//! factor. Somebody whose relay cannot do it says so with `?tls=opportunistic`.

use super::{DeliveryError, Message};
use crate::config::secret::SecretText;
use crate::config::settings;
use lettre::message::{Mailbox, header::ContentType};
use lettre::transport::smtp::AsyncSmtpTransport;
use lettre::{AsyncTransport as _, Tokio1Executor};
use std::time::Duration;

/// Longest wait for the server: at each step, and in all. Somebody is looking at a form meanwhile.
pub const TIMEOUT: Duration = Duration::from_secs(10);

/// Sends mail through one server.
#[derive(Clone)]
pub struct Smtp {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

impl Smtp {
    /// A sender through `server`. Connects when the first mail goes out.
    ///
    /// # Errors
    /// When the URL is unusable.
    pub fn new(server: &settings::Smtp) -> Result<Self, DeliveryError> {
        let url = with_encryption(server.url.expose());
        let builder = AsyncSmtpTransport::<Tokio1Executor>::from_url(&url).map_err(DeliveryError::Smtp)?;
        Ok(Self { transport: builder.timeout(Some(TIMEOUT)).build(), from: server.from.clone() })
    }

    pub(super) async fn send(&self, message: Message) -> Result<(), DeliveryError> {
        let to = message.to.parse().map_err(DeliveryError::Recipient)?;
        let mail = lettre::Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(message.subject())
            .header(ContentType::TEXT_PLAIN)
            .body(message.text())
            .map_err(DeliveryError::Mail)?;
        match tokio::time::timeout(TIMEOUT, self.transport.send(mail)).await {
            Ok(sent) => sent.map(|_| ()).map_err(DeliveryError::Smtp),
            Err(_) => Err(DeliveryError::SmtpTimeout),
        }
    }
}

/// Checks a configured URL.
///
/// # Errors
/// Says what was expected, without repeating the text: it may hold a password.
pub fn checked_url(text: &str) -> Result<SecretText, String> {
    if !text.starts_with("smtp://") && !text.starts_with("smtps://") {
        return Err("expected smtp://host or smtps://user:password@host".to_owned());
    }
    let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(&with_encryption(text));
    transport.map_err(|_| "is not a usable URL; percent-encode reserved characters in user and password".to_owned())?;
    Ok(SecretText::new(text))
}

/// Adds `tls=required` where nothing is said about encryption and the way leads off this machine.
fn with_encryption(url: &str) -> String {
    let Some(rest) = url.strip_prefix("smtp://") else { return url.to_owned() };
    let authority = &rest[..rest.find(['/', '?', '#']).unwrap_or(rest.len())];
    let host = authority.rsplit('@').next().unwrap_or_default();
    let is_local = ["localhost", "127.0.0.1", "[::1]"]
        .iter()
        .any(|local| host.strip_prefix(local).is_some_and(|port| port.is_empty() || port.starts_with(':')));
    match (is_local || url.contains("tls="), url.contains('?')) {
        (true, _) => url.to_owned(),
        (false, true) => format!("{url}&tls=required"),
        (false, false) => format!("{url}?tls=required"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Channel;
    use super::*;
    use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
    use tokio::net::TcpListener;

    #[test]
    fn mail_off_this_machine_is_encrypted() {
        for (given, used) in [
            ("smtp://mail.example", "smtp://mail.example?tls=required"),
            ("smtp://u:p@mail.example:587/name", "smtp://u:p@mail.example:587/name?tls=required"),
            ("smtp://mail.example?tls=opportunistic", "smtp://mail.example?tls=opportunistic"),
            ("smtp://localhost.evil.example", "smtp://localhost.evil.example?tls=required"),
            ("smtp://127.0.0.1:2525", "smtp://127.0.0.1:2525"),
            ("smtps://mail.example", "smtps://mail.example"),
        ] {
            assert_eq!(with_encryption(given), used);
        }
    }

    #[test]
    fn urls_are_checked_without_being_repeated() {
        assert!(checked_url("smtps://u:p@mail.example:465").is_ok());
        for text in ["http://hunter2", "smtp://", "smtp://mail?tls=hunter2"] {
            let problem = checked_url(text).expect_err(text);
            assert!(!problem.contains("hunter2"), "{problem}");
        }
    }

    /// A server that speaks just enough of RFC 5321 and returns what it was told.
    async fn accept_one_mail(listener: TcpListener, answer_to_data: &'static str) -> Vec<String> {
        let (stream, _) = listener.accept().await.expect("a client");
        let (read, mut write) = stream.into_split();
        let mut lines = BufReader::new(read).lines();
        let mut heard = Vec::new();
        write.write_all(b"220 test ESMTP\r\n").await.expect("writable");
        let mut in_mail = false;
        while let Ok(Some(line)) = lines.next_line().await {
            let answer = match line.split([' ', ':']).next().unwrap_or_default() {
                _ if in_mail && line != "." => "",
                "." => {
                    in_mail = false;
                    answer_to_data
                }
                "EHLO" => "250-test\r\n250 8BITMIME\r\n",
                "DATA" => {
                    in_mail = true;
                    "354 go on\r\n"
                }
                "QUIT" => "221 bye\r\n",
                _ => "250 fine\r\n",
            };
            heard.push(line);
            write.write_all(answer.as_bytes()).await.expect("writable");
            if answer.starts_with("221") || answer == answer_to_data {
                break;
            }
        }
        heard
    }

    async fn send_to_server(answer: &'static str) -> (Result<(), DeliveryError>, Vec<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("smtp://{}", listener.local_addr().expect("an address"));
        let server = tokio::spawn(accept_one_mail(listener, answer));
        let settings =
            settings::Smtp { url: SecretText::new(url), from: "Two <two@example.com>".parse().expect("a mailbox") };
        let message = Message {
            channel: Channel::Email,
            to: "ada@example.org".to_owned(),
            code: "123456".to_owned(),
            app_name: "Zwölf".to_owned(),
            lifetime: Duration::from_secs(180),
        };
        let sent = Smtp::new(&settings).expect("a transport").send(message).await;
        (sent, server.await.expect("no panic"))
    }

    #[tokio::test]
    async fn a_mail_reaches_the_server() {
        let (sent, heard) = send_to_server("250 queued\r\n").await;
        sent.expect("the server took it");
        for line in [
            "MAIL FROM:<two@example.com>",
            "RCPT TO:<ada@example.org>",
            "To: ada@example.org",
            "From: Two <two@example.com>",
        ] {
            assert!(heard.iter().any(|heard| heard.starts_with(line)), "{line} is not in {heard:#?}");
        }
        assert!(heard.iter().any(|line| line.contains("123456")));
        let subject = heard.iter().find(|line| line.starts_with("Subject:")).expect("a subject");
        assert!(!subject.contains("123456") && !subject.contains('ö'), "{subject}");
    }

    #[tokio::test]
    async fn a_refusal_is_an_error() {
        let (sent, _) = send_to_server("554 no\r\n").await;
        assert!(matches!(sent, Err(DeliveryError::Smtp(_))), "{sent:?}");
    }
}
