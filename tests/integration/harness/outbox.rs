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
        let messages = self.messages();
        let mine = messages.iter().filter(|message| message["to"] == email);
        mine.map(|message| message["code"].as_str().unwrap().to_owned()).collect()
    }

    /// The code that was mailed last to that address.
    #[track_caller]
    pub(crate) fn last_code_for(&self, email: &str) -> String {
        self.codes_for(email).pop().unwrap_or_else(|| panic!("nothing was mailed to {email}"))
    }
}
