//! Delivery by SMTP.

use super::{DeliveryError, Message, wording};
use crate::net::smtp::SmtpServer;
use lettre::message::{Mailbox, header::ContentType};
use lettre::transport::smtp::AsyncSmtpTransport;
use lettre::{AsyncTransport as _, Tokio1Executor};
use std::time::Duration;

/// Limit for each step with the server and for the whole mail, because the user waits for the response.
pub const TIMEOUT: Duration = Duration::from_secs(10);

#[derive(Clone)]
pub struct Smtp {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

impl Smtp {
    /// Connects when the first mail is sent.
    ///
    /// # Errors
    /// When the URL cannot be used.
    pub fn new(server: SmtpServer) -> Result<Self, DeliveryError> {
        let transport = server.url.transport().map_err(DeliveryError::Smtp)?;
        Ok(Self { transport: transport.timeout(Some(TIMEOUT)).build(), from: server.from })
    }

    pub(super) async fn send(&self, message: Message) -> Result<(), DeliveryError> {
        let to = message.to.parse().map_err(DeliveryError::Recipient)?;
        let mail = lettre::Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(wording::subject(&message))
            .header(ContentType::TEXT_PLAIN)
            .body(wording::text(&message))
            .map_err(DeliveryError::Mail)?;
        match tokio::time::timeout(TIMEOUT, self.transport.send(mail)).await {
            Ok(sent) => sent.map(|_| ()).map_err(DeliveryError::Smtp),
            Err(_) => Err(DeliveryError::SmtpTimeout),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Channel;
    use super::*;
    use crate::net::smtp::SmtpUrl;
    use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
    use tokio::net::TcpListener;

    /// A server that speaks just enough of RFC 5321; returns the lines it received.
    async fn accept_one_mail(listener: TcpListener, reply_to_data: &'static str) -> Vec<String> {
        let (stream, _) = listener.accept().await.expect("a client");
        let (read, mut write) = stream.into_split();
        let mut lines = BufReader::new(read).lines();
        let mut received = Vec::new();
        write.write_all(b"220 test ESMTP\r\n").await.expect("writable");
        let mut in_mail = false;
        while let Ok(Some(line)) = lines.next_line().await {
            let reply = match line.split([' ', ':']).next().unwrap_or_default() {
                _ if in_mail && line != "." => "",
                "." => {
                    in_mail = false;
                    reply_to_data
                }
                "EHLO" => "250-test\r\n250 8BITMIME\r\n",
                "DATA" => {
                    in_mail = true;
                    "354 go on\r\n"
                }
                "QUIT" => "221 bye\r\n",
                _ => "250 fine\r\n",
            };
            received.push(line);
            write.write_all(reply.as_bytes()).await.expect("writable");
            if reply.starts_with("221") || reply == reply_to_data {
                break;
            }
        }
        received
    }

    async fn send_to_server(to: &str, reply: &'static str) -> (Result<(), DeliveryError>, Vec<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("smtp://{}", listener.local_addr().expect("an address"));
        let server = tokio::spawn(accept_one_mail(listener, reply));
        let server_settings = SmtpServer {
            url: SmtpUrl::parse(&url).expect("a usable URL"),
            from: "Two <two@example.com>".parse().expect("a mailbox"),
        };
        let message = Message {
            channel: Channel::Email,
            to: to.to_owned(),
            code: "123456".to_owned(),
            app_name: "Zwölf".to_owned(),
            lifetime: Duration::from_secs(180),
        };
        let sent = Smtp::new(server_settings).expect("a transport").send(message).await;
        (sent, server.await.expect("no panic"))
    }

    #[tokio::test]
    async fn a_mail_reaches_the_server() {
        let (sent, received) = send_to_server("ada@example.org", "250 queued\r\n").await;
        sent.expect("the server took it");
        for line in [
            "MAIL FROM:<two@example.com>",
            "RCPT TO:<ada@example.org>",
            "To: ada@example.org",
            "From: Two <two@example.com>",
        ] {
            assert!(received.iter().any(|received| received.starts_with(line)), "{line} is not in {received:#?}");
        }
        assert!(received.iter().any(|line| line.contains("123456")));
        let subject = received.iter().find(|line| line.starts_with("Subject:")).expect("a subject");
        assert!(!subject.contains("123456") && !subject.contains('ö'), "{subject}");
    }

    /// Mail servers without SMTPUTF8 (RFC 6531) take nothing else.
    #[tokio::test]
    async fn an_internationalized_address_goes_out_as_its_ascii_labels() {
        for to in ["user@xn--80a1acny.xn--p1ai", "o!neil#1@xn--bcher-kva.example"] {
            let (sent, received) = send_to_server(to, "250 queued\r\n").await;
            sent.expect("the server took it");
            for line in [format!("RCPT TO:<{to}>"), format!("To: {to}")] {
                assert!(received.contains(&line), "{line} is not in {received:#?}");
            }
            let envelope = received.iter().find(|line| line.starts_with("MAIL FROM")).expect("an envelope");
            assert!(!envelope.contains("SMTPUTF8"), "{envelope}");
        }
    }

    #[tokio::test]
    async fn a_refusal_is_an_error() {
        let (sent, _) = send_to_server("ada@example.org", "554 no\r\n").await;
        assert!(matches!(sent, Err(DeliveryError::Smtp(_))), "{sent:?}");
    }
}
