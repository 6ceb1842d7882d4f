//! What the server mailed, read from its outbox.

use serde_json::Value;
use std::path::PathBuf;

/// The outbox of a server.
pub(crate) struct Outbox {
    path: PathBuf,
}

impl Outbox {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path }
    }

    /// Everything that was mailed, the oldest first.
    pub(crate) fn messages(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(&self.path).unwrap_or_default();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The codes that were mailed to that address, the oldest first.
    pub(crate) fn codes_for(&self, email: &str) -> Vec<String> {
        self.texts(email, "code")
    }

    /// The links that were mailed to that address, the oldest first.
    pub(crate) fn links_for(&self, email: &str) -> Vec<String> {
        self.texts(email, "link")
    }

    fn texts(&self, email: &str, field: &str) -> Vec<String> {
        let messages = self.messages();
        let mine = messages.iter().filter(|message| message["to"] == email);
        mine.filter_map(|message| message[field].as_str()).map(str::to_owned).collect()
    }

    /// The link that was mailed to that address as the `count`th. It is delivered after the response to the request for it.
    pub(crate) async fn link_for(&self, email: &str, count: usize) -> String {
        for _ in 0..500 {
            if let Some(link) = self.links_for(email).into_iter().nth(count - 1) {
                return link;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        panic!("{} links were mailed to {email}, not {count}", self.links_for(email).len())
    }

    /// The code that was mailed last to that address.
    #[track_caller]
    pub(crate) fn last_code_for(&self, email: &str) -> String {
        self.codes_for(email).pop().unwrap_or_else(|| panic!("nothing was mailed to {email}"))
    }
}
