//! Delivery by SMTP.

use super::{DeliveryError, Message, wording};
use crate::clock::Clock;
use crate::net::smtp::SmtpServer;
use countersign_flows::random::Randomness;
use data_encoding::HEXLOWER;
use lettre::message::Mailbox;
use lettre::message::header::{ContentType, HeaderName, HeaderValue, MIME_VERSION_1_0};
use lettre::transport::smtp::AsyncSmtpTransport;
use lettre::transport::smtp::extension::ClientId;
use lettre::{AsyncTransport as _, Tokio1Executor};
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

/// Limit for each step with the server and for the whole mail, because the user waits for the response.
pub const TIMEOUT: Duration = Duration::from_secs(10);

/// Says that nobody wrote the mail, so that no mailbox responds to it (RFC 3834, 5).
const AUTO_SUBMITTED: (&str, &str) = ("Auto-Submitted", "auto-generated");

#[derive(Clone)]
pub struct Smtp {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    clock: Arc<dyn Clock>,
    random: Randomness,
}

impl Smtp {
    /// Connects when the first mail is sent.
    ///
    /// # Errors
    /// When the URL cannot be used.
    pub fn new(server: SmtpServer, clock: Arc<dyn Clock>, random: Randomness) -> Result<Self, DeliveryError> {
        let transport = server.url.transport().map_err(DeliveryError::Smtp)?;
        let transport = transport.hello_name(ClientId::Domain(server.hello_name())).timeout(Some(TIMEOUT)).build();
        Ok(Self { transport, from: server.from, clock, random })
    }

    /// `<random@domain of the sender>`: 128 random bits, so that no two mails share it (RFC 5322, 3.6.4).
    fn message_id(&self) -> String {
        let mut unique = [0; 16];
        self.random.draw(|random| random.fill_bytes(&mut unique));
        format!("<{}@{}>", HEXLOWER.encode(&unique), self.from.email.domain())
    }

    pub(super) async fn send(&self, message: Message) -> Result<(), DeliveryError> {
        let to = message.to.parse().map_err(DeliveryError::Recipient)?;
        let mut mail = lettre::Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(wording::subject(&message))
            .date(UNIX_EPOCH + Duration::from_millis(self.clock.now().as_millis().unsigned_abs()))
            .message_id(Some(self.message_id()))
            .header(MIME_VERSION_1_0)
            .header(ContentType::TEXT_PLAIN)
            .body(wording::text(&message))
            .map_err(DeliveryError::Mail)?;
        let (name, value) = AUTO_SUBMITTED;
        mail.headers_mut().insert_raw(HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned()));
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
    use crate::clock::ManualClock;
    use crate::net::smtp::{SmtpUrl, parse_sender};
    use countersign_domain::time::Timestamp;
    use mail_parser::{HeaderValue, MessageParser, MimeHeaders as _};
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
            from: parse_sender("Two <two@example.com>").expect("a mailbox"),
            hello: None,
        };
        let message = Message {
            channel: Channel::Email,
            to: to.to_owned(),
            code: "123456".to_owned(),
            app_name: "Zwölf".to_owned(),
            lifetime: Duration::from_secs(180),
        };
        // 2026-03-01T12:00:00Z
        let clock = Arc::new(ManualClock::at(Timestamp::from_millis(1_772_366_400_000)));
        let smtp = Smtp::new(server_settings, clock, crate::random::system()).expect("a transport");
        let sent = smtp.send(message).await;
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

    /// What RFC 5322 and RFC 2045 ask of a mail, as a parser reads it; receivers bounce mails without it.
    #[tokio::test]
    async fn a_mail_has_the_headers_that_receivers_ask_for() {
        let mut ids = Vec::new();
        for _ in 0..2 {
            let (sent, received) = send_to_server("ada@example.org", "250 queued\r\n").await;
            sent.expect("the server took it");
            assert_eq!(received[0], "EHLO example.com", "the sender's domain");
            let start = received.iter().position(|line| line == "DATA").expect("a mail") + 1;
            let lines: Vec<String> =
                received[start..].iter().take_while(|line| *line != ".").map(|line| format!("{line}\r\n")).collect();
            assert!(lines.iter().all(|line| line.is_ascii() && line.len() <= 1_000), "RFC 5322, 2.1.1");
            let text = lines.concat();
            let mail = MessageParser::default().parse(text.as_bytes()).expect("a mail");

            let id = mail.message_id().expect("a Message-ID").to_owned();
            let (unique, domain) = id.split_once('@').expect("an address-like id");
            assert!(domain == "example.com" && unique.len() == 32, "{id}");
            ids.push(id);
            assert_eq!(mail.date().expect("a Date").to_rfc3339(), "2026-03-01T12:00:00Z");
            let header = |name: &str| match mail.header(name) {
                Some(HeaderValue::Text(text)) => text.to_string(),
                other => panic!("{name}: {other:?}"),
            };
            assert_eq!((header("MIME-Version").as_str(), header("Auto-Submitted").as_str()), ("1.0", "auto-generated"));
            let content_type = mail.content_type().expect("a Content-Type");
            assert_eq!((content_type.ctype(), content_type.subtype()), ("text", Some("plain")));
            assert_eq!(content_type.attribute("charset"), Some("utf-8"));
            assert!(mail.header("Content-Transfer-Encoding").is_some());
            assert_eq!(
                mail.from().and_then(|from| from.first()).and_then(|from| from.address()),
                Some("two@example.com")
            );
            assert_eq!(mail.to().and_then(|to| to.first()).and_then(|to| to.address()), Some("ada@example.org"));
            assert_eq!(mail.subject(), Some("Your Zwölf verification code"));
            assert!(mail.body_text(0).expect("a text").contains("123456"));
            for once in ["From:", "To:", "Subject:", "Date:", "Message-ID:", "MIME-Version:", "Content-Type:"] {
                assert_eq!(lines.iter().filter(|line| line.starts_with(once)).count(), 1, "{once}");
            }
        }
        assert_ne!(ids[0], ids[1]);
    }

    #[tokio::test]
    async fn a_refusal_is_an_error() {
        let (sent, _) = send_to_server("ada@example.org", "554 no\r\n").await;
        assert!(matches!(sent, Err(DeliveryError::Smtp(_))), "{sent:?}");
    }
}
