//! Delivery by SMTP.

use super::DeliveryError;
use super::templates::Mail;
use crate::net::smtp::{SmtpServer, parse_recipient};
use countersign_domain::ids::MessageId;
use countersign_domain::time::Timestamp;
use countersign_flows::delivery::queue::ATTEMPT_TIMEOUT;
use lettre::message::header::{HeaderName, HeaderValue, MIME_VERSION_1_0};
use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp::AsyncSmtpTransport;
use lettre::{AsyncTransport as _, Tokio1Executor};
use std::time::{Duration, UNIX_EPOCH};

/// Says that nobody wrote the mail, so that no mailbox responds to it (RFC 3834, 5).
const AUTO_SUBMITTED: (&str, &str) = ("Auto-Submitted", "auto-generated");

#[derive(Clone, Debug)]
pub struct Smtp {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

impl Smtp {
    /// Connects when the first mail is sent.
    ///
    /// # Errors
    /// When the URL or the certificates cannot be used.
    pub fn new(server: SmtpServer) -> Result<Self, DeliveryError> {
        let transport = server.transport().map_err(DeliveryError::Smtp)?;
        Ok(Self { transport: transport.timeout(Some(ATTEMPT_TIMEOUT)).build(), from: server.from })
    }

    /// `<id@domain of the sender>`: the same at each attempt, so that copies can be recognised (RFC 5322, 3.6.4).
    fn message_id(&self, id: MessageId) -> String {
        format!("<{id}@{}>", self.from.email.domain())
    }

    /// Sends a mail in plain text with an alternative in HTML. `created_at` becomes its date.
    ///
    /// # Errors
    /// When the server did not take it, or it cannot be composed.
    pub async fn send(&self, id: MessageId, to: &str, mail: Mail, created_at: Timestamp) -> Result<(), DeliveryError> {
        let to = parse_recipient(to).map_err(DeliveryError::Recipient)?;
        let mut message = lettre::Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(mail.subject)
            .date(UNIX_EPOCH + Duration::from_millis(created_at.as_millis().unsigned_abs()))
            .message_id(Some(self.message_id(id)))
            .header(MIME_VERSION_1_0)
            .multipart(MultiPart::alternative_plain_html(mail.text, mail.html))
            .map_err(DeliveryError::Mail)?;
        let (name, value) = AUTO_SUBMITTED;
        message.headers_mut().insert_raw(HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned()));
        self.transport.send(message).await.map(|_| ()).map_err(DeliveryError::Smtp)
    }
}

/// Whether the mail server will never take this mail. The statuses about credentials, encryption or commands (50z, 53z) are
/// about the settings of one of the two servers, which can be mended.
pub(super) fn is_refused(error: &lettre::transport::smtp::Error) -> bool {
    error.status().is_some_and(|status| (550..560).contains(&u16::from(status)))
}

#[cfg(test)]
mod tests {
    use super::super::templates::{Moment, Templates, Wording};
    use super::*;
    use crate::net::smtp::{SmtpUrl, parse_sender};
    use countersign_domain::message::{CodePurpose, Message};
    use countersign_domain::one_time_code::OneTimeCode;
    use mail_parser::{HeaderValue, MessageParser, MimeHeaders as _};
    use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
    use tokio::net::TcpListener;

    /// 2026-03-01T12:00:00Z
    const NOON: Timestamp = Timestamp::from_millis(1_772_366_400_000);

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

    fn mail() -> Mail {
        let app_name = "Zwölf".to_owned();
        let wording = Wording { app_name, domain: "id.example".to_owned(), language: "en".to_owned(), directory: None };
        let code = OneTimeCode::chosen("123456").expect("a code");
        let message = Message::Code { purpose: CodePurpose::SignIn, code, valid_for: Duration::from_secs(180) };
        let templates = Templates::load(wording).expect("the built-in ones");
        templates.mail(&message, Moment { created_at: NOON, now: NOON }).expect("rendered")
    }

    fn message_id(seed: i64) -> MessageId {
        crate::random::system().draw(|random| MessageId::generate(Timestamp::from_millis(seed), random))
    }

    async fn send_to_server(id: MessageId, to: &str, reply: &'static str) -> (Result<(), DeliveryError>, Vec<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("smtp://{}", listener.local_addr().expect("an address"));
        let server = tokio::spawn(accept_one_mail(listener, reply));
        let server_settings = SmtpServer {
            url: SmtpUrl::parse(&url).expect("a usable URL"),
            from: parse_sender("Two <two@example.com>").expect("a mailbox"),
            hello: None,
            ca: None,
        };
        let smtp = Smtp::new(server_settings).expect("a transport");
        let sent = smtp.send(id, to, mail(), NOON).await;
        (sent, server.await.expect("no panic"))
    }

    #[tokio::test]
    async fn a_mail_reaches_the_server() {
        let (sent, received) = send_to_server(message_id(1), "ada@example.org", "250 queued\r\n").await;
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
        for (to, ascii) in [
            ("user@xn--80a1acny.xn--p1ai", "user@xn--80a1acny.xn--p1ai"),
            ("user@почта.рф", "user@xn--80a1acny.xn--p1ai"),
            ("o!neil#1@xn--bcher-kva.example", "o!neil#1@xn--bcher-kva.example"),
        ] {
            let (sent, received) = send_to_server(message_id(1), to, "250 queued\r\n").await;
            sent.expect("the server took it");
            for line in [format!("RCPT TO:<{ascii}>"), format!("To: {ascii}")] {
                assert!(received.contains(&line), "{line} is not in {received:#?}");
            }
            let envelope = received.iter().find(|line| line.starts_with("MAIL FROM")).expect("an envelope");
            assert!(!envelope.contains("SMTPUTF8"), "{envelope}");
        }
    }

    /// What RFC 5322 and RFC 2045 ask of a mail, as a parser reads it; receivers bounce mails without it.
    #[tokio::test]
    async fn a_mail_has_the_headers_that_receivers_ask_for() {
        let same = message_id(1);
        for (id, is_first) in [(same, true), (same, false)] {
            let (sent, received) = send_to_server(id, "ada@example.org", "250 queued\r\n").await;
            sent.expect("the server took it");
            assert_eq!(received[0], "EHLO example.com", "the sender's domain");
            let start = received.iter().position(|line| line == "DATA").expect("a mail") + 1;
            let lines: Vec<String> =
                received[start..].iter().take_while(|line| *line != ".").map(|line| format!("{line}\r\n")).collect();
            assert!(lines.iter().all(|line| line.is_ascii() && line.len() <= 1_000), "RFC 5322, 2.1.1");
            let text = lines.concat();
            let mail = MessageParser::default().parse(text.as_bytes()).expect("a mail");

            assert_eq!(mail.message_id(), Some(format!("{id}@example.com").as_str()), "first={is_first}");
            assert_eq!(mail.date().expect("a Date").to_rfc3339(), "2026-03-01T12:00:00Z");
            let header = |name: &str| match mail.header(name) {
                Some(HeaderValue::Text(text)) => text.to_string(),
                other => panic!("{name}: {other:?}"),
            };
            assert_eq!((header("MIME-Version").as_str(), header("Auto-Submitted").as_str()), ("1.0", "auto-generated"));
            let content_type = mail.content_type().expect("a Content-Type");
            assert_eq!((content_type.ctype(), content_type.subtype()), ("multipart", Some("alternative")));
            let parts: Vec<_> = mail.parts.iter().filter_map(|part| part.content_type()).collect();
            let parts: Vec<_> =
                parts.iter().map(|part| (part.ctype(), part.subtype(), part.attribute("charset"))).collect();
            let text_part = |subtype| ("text", Some(subtype), Some("utf-8"));
            assert_eq!(parts[1..], [text_part("plain"), text_part("html")]);
            assert_eq!(
                mail.from().and_then(|from| from.first()).and_then(|from| from.address()),
                Some("two@example.com")
            );
            assert_eq!(mail.to().and_then(|to| to.first()).and_then(|to| to.address()), Some("ada@example.org"));
            assert_eq!(mail.subject(), Some("Your Zwölf verification code"));
            assert!(mail.body_text(0).expect("a text").contains("123456"));
            assert!(mail.body_html(0).expect("HTML").contains("123456</p>"));
            for once in ["From:", "To:", "Subject:", "Date:", "Message-ID:", "MIME-Version:"] {
                assert_eq!(lines.iter().filter(|line| line.starts_with(once)).count(), 1, "{once}");
            }
        }
    }

    #[tokio::test]
    async fn a_refusal_is_an_error() {
        let (sent, _) = send_to_server(message_id(1), "ada@example.org", "554 no\r\n").await;
        assert!(matches!(&sent, Err(DeliveryError::Smtp(error)) if is_refused(error)), "{sent:?}");
        for reply in ["451 later\r\n", "530 encryption is needed\r\n"] {
            let (sent, _) = send_to_server(message_id(1), "ada@example.org", reply).await;
            assert!(matches!(&sent, Err(DeliveryError::Smtp(error)) if !is_refused(error)), "{sent:?}");
        }
    }
}
