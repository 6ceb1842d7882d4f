//! The outbox: a file to which messages are appended, one JSON object per line, for development and tests.
//!
//! Each line is appended with one write, so a reader that follows the file sees whole lines, and it is handed to the
//! operating system before the request that caused it gets its response. Only the owner can read the file, because
//! its codes are valid.

use super::DeliveryError;
use crate::clock::utc_text;
use countersign_domain::message::{Channel, Message};
use countersign_domain::time::Timestamp;
use countersign_flows::delivery::Outgoing;
use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

#[derive(Clone, Debug)]
pub struct Outbox {
    path: PathBuf,
}

impl Outbox {
    /// The first message creates the file.
    #[must_use]
    pub fn new(path: PathBuf) -> Self {
        Self { path }
    }

    /// `subject` is what the recipient would see of it first.
    pub(super) async fn append(&self, message: &Outgoing, subject: &str, now: Timestamp) -> Result<(), DeliveryError> {
        let line = line(message, subject, now);
        let path = self.path.clone();
        let written = tokio::task::spawn_blocking(move || append_line(&path, &line)).await;
        written.unwrap_or_else(|error| Err(io::Error::other(error))).map_err(DeliveryError::Outbox)
    }
}

/// Opens the file each time, so that it can be removed or rotated while the server runs.
fn append_line(path: &Path, line: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().append(true).create(true).mode(0o600).open(path)?;
    file.write_all(line.as_bytes())
}

fn line(message: &Outgoing, subject: &str, now: Timestamp) -> String {
    let mut line = serde_json::json!({
        "to": message.to.as_str(),
        "kind": message.message.kind().name(),
        "channel": Channel::from(&message.to).name(),
        "subject": subject,
        "at": utc_text(now),
    });
    match &message.message {
        Message::Code { code, .. } => line["code"] = code.expose().into(),
        Message::Link { link, .. } => line["link"] = link.expose().into(),
        Message::Notice(_) => {}
    }
    format!("{line}\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use countersign_domain::account::EmailAddress;
    use countersign_domain::address::Address;
    use countersign_domain::ids::MessageId;
    use countersign_domain::language::Languages;
    use countersign_domain::message::{CodePurpose, Link, LinkPurpose, Notice};
    use countersign_domain::one_time_code::OneTimeCode;
    use std::os::unix::fs::PermissionsExt as _;
    use std::time::Duration;

    const THEN: Timestamp = Timestamp::from_millis(0);

    fn message(message: Message) -> Outgoing {
        let id = crate::random::system().draw(|random| MessageId::generate(THEN, random));
        let (to, languages) = (Address::Email(EmailAddress::new("ada@example.com")), Languages::default());
        Outgoing { id, to, message, languages, created_at: THEN }
    }

    fn code(code: &str) -> Outgoing {
        let code = OneTimeCode::chosen(code).expect("a code");
        message(Message::Code { purpose: CodePurpose::SignIn, code, valid_for: Duration::from_secs(180) })
    }

    #[tokio::test]
    async fn a_message_is_one_line_that_only_the_owner_can_read() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path().join("outbox.ndjson");
        let outbox = Outbox::new(path.clone());
        let link = Link::new("https://a.example/?t=1".to_owned());
        let link = Message::Link { purpose: LinkPurpose::PasswordReset, link, valid_for: Duration::from_secs(1) };

        outbox.append(&code("123456"), "Your \"2\"", THEN).await.expect("appended");
        outbox.append(&message(link), "Set", THEN).await.expect("appended");
        outbox.append(&message(Message::Notice(Notice::FactorAdded)), "Added", THEN).await.expect("appended");

        let text = std::fs::read_to_string(&path).expect("readable");
        let lines: Vec<serde_json::Value> =
            text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        let line = |kind: &str, subject: &str| {
            serde_json::json!({
                "to": "ada@example.com",
                "kind": kind,
                "channel": "email",
                "subject": subject,
                "at": "1970-01-01T00:00:00.000Z",
            })
        };
        let (mut with_code, mut with_link) = (line("sign-in-code", "Your \"2\""), line("password-reset-link", "Set"));
        with_code["code"] = "123456".into();
        with_link["link"] = "https://a.example/?t=1".into();
        assert_eq!(lines, [with_code, with_link, line("factor-added", "Added")]);
        assert_eq!(std::fs::metadata(&path).expect("it exists").permissions().mode() & 0o777, 0o600);
    }

    #[tokio::test]
    async fn messages_at_once_do_not_mix() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path().join("outbox.ndjson");
        let outbox = Outbox::new(path.clone());
        let sends = (0..50).map(|number| {
            let outbox = outbox.clone();
            tokio::spawn(async move { outbox.append(&code(&format!("{number:06}")), "s", THEN).await })
        });
        for send in futures::future::join_all(sends).await {
            send.expect("no panic").expect("appended");
        }
        let text = std::fs::read_to_string(&path).expect("readable");
        let codes: std::collections::BTreeSet<String> = text
            .lines()
            .map(|line| serde_json::from_str::<serde_json::Value>(line).expect("JSON")["code"].to_string())
            .collect();
        assert_eq!(codes.len(), 50);
    }

    #[tokio::test]
    async fn a_file_that_cannot_be_written_is_an_error() {
        let outbox = Outbox::new("/nonexistent/outbox".into());
        assert!(matches!(outbox.append(&code("1"), "s", THEN).await, Err(DeliveryError::Outbox(_))));
    }
}
