//! The outbox: a file to which messages are appended, one JSON object per line, for development and tests.
//!
//! Each line is appended with one write, so a reader that follows the file sees whole lines, and it is handed to the
//! operating system before the request that caused it gets its response. Only the owner can read the file, because
//! its codes are valid.

use super::{Channel, DeliveryError, Message, wording};
use crate::clock::{Clock, utc_text};
use countersign_domain::time::Timestamp;
use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

#[derive(Clone)]
pub struct Outbox {
    path: PathBuf,
    clock: Arc<dyn Clock>,
}

impl Outbox {
    /// The first message creates the file.
    #[must_use]
    pub fn new(path: PathBuf, clock: Arc<dyn Clock>) -> Self {
        Self { path, clock }
    }

    pub(super) async fn append(&self, message: Message) -> Result<(), DeliveryError> {
        let line = line(&message, self.clock.now());
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

fn line(message: &Message, now: Timestamp) -> String {
    let channel = match message.channel {
        Channel::Email => "email",
        Channel::Sms => "sms",
    };
    let mut line = serde_json::json!({
        "to": message.to,
        "code": message.code,
        "channel": channel,
        "subject": wording::subject(message),
        "at": utc_text(now),
    })
    .to_string();
    line.push('\n');
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;
    use std::os::unix::fs::PermissionsExt as _;
    use std::time::Duration;

    fn message(code: &str) -> Message {
        Message {
            channel: Channel::Email,
            to: "ada@example.com".to_owned(),
            code: code.to_owned(),
            app_name: "Two \"2\"".to_owned(),
            lifetime: Duration::from_secs(180),
        }
    }

    #[tokio::test]
    async fn a_message_is_one_line_that_only_the_owner_can_read() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path().join("outbox.ndjson");
        let outbox = Outbox::new(path.clone(), Arc::new(ManualClock::at(Timestamp::from_millis(0))));

        outbox.append(message("123456")).await.expect("appended");
        outbox.append(message("000000")).await.expect("appended");

        let text = std::fs::read_to_string(&path).expect("readable");
        assert_eq!(text.lines().count(), 2);
        let first: serde_json::Value = serde_json::from_str(text.lines().next().expect("a line")).expect("JSON");
        assert_eq!(
            first,
            serde_json::json!({
                "to": "ada@example.com",
                "code": "123456",
                "channel": "email",
                "subject": "Your Two \"2\" verification code",
                "at": "1970-01-01T00:00:00.000Z",
            })
        );
        assert_eq!(std::fs::metadata(&path).expect("it exists").permissions().mode() & 0o777, 0o600);
    }

    #[tokio::test]
    async fn messages_at_once_do_not_mix() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path().join("outbox.ndjson");
        let outbox = Outbox::new(path.clone(), Arc::new(ManualClock::at(Timestamp::from_millis(0))));
        let sends = (0..50).map(|number| {
            let outbox = outbox.clone();
            tokio::spawn(async move { outbox.append(message(&format!("{number:06}"))).await })
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
        let outbox = Outbox::new("/nonexistent/outbox".into(), Arc::new(ManualClock::at(Timestamp::from_millis(0))));
        assert!(matches!(outbox.append(message("1")).await, Err(DeliveryError::Outbox(_))));
    }
}
