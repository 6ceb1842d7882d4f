//! Why a tool could not do its work.

use std::path::PathBuf;

/// Why a tool could not do its work.
#[derive(Debug, thiserror::Error)]
pub enum ContractError {
    /// The command line is invalid, or asks for help, which is not a failure.
    #[error(transparent)]
    CommandLine(#[from] clap::Error),
    /// A document could not be read.
    #[error("{name} cannot be read")]
    Unreadable {
        /// The document as named on the command line.
        name: String,
        #[source]
        source: std::io::Error,
    },
    /// git could not read the document.
    #[error("{name} cannot be read from git: {message}")]
    Git {
        /// The document as named on the command line.
        name: String,
        /// Message of git.
        message: String,
    },
    /// A document could not be read from a URL.
    #[error("{name} cannot be read: {why}")]
    Url {
        /// The URL without credentials and query.
        name: String,
        /// Why not.
        why: String,
    },
    /// A name with wildcards is no pattern, or no file matches it.
    #[error("{name}: {why}")]
    Pattern {
        /// The name on the command line.
        name: String,
        /// Why not.
        why: String,
    },
    /// The output would replace a document that is read.
    #[error("{name} is read, and --output would replace it; name another file")]
    Overwrites {
        /// The document as named on the command line.
        name: String,
    },
    /// Several documents are unusable.
    #[error("{}", several(.0))]
    Several(Vec<ContractError>),
    /// A document is invalid.
    #[error(transparent)]
    Document(#[from] countersign_contract_document::Error),
    /// The configuration or the exceptions are invalid.
    #[error(transparent)]
    Settings(#[from] countersign_contract_profile::settings::SettingsError),
    /// Findings cannot be accepted until a day that has passed.
    #[error("{until} has passed: choose a later day for --until")]
    PastDay {
        /// The day as given.
        until: String,
    },
    /// Unknown rule.
    #[error("there is no rule `{id}`{hint}; `explain` without a rule lists them all")]
    NoSuchRule {
        /// Id as given.
        id: String,
        /// A suggestion, or nothing.
        hint: String,
    },
    /// One side of a comparison is a document, and the other a directory or a pattern.
    #[error(
        "{one} is one document and {several} stands for several: name two documents, or two directories or patterns"
    )]
    OneAndSeveral {
        /// The document.
        one: String,
        /// The directory.
        several: String,
    },
    /// Both documents are standard input.
    #[error("standard input can be only one of the two documents")]
    OneInput,
    /// The async runtime could not be started.
    #[cfg(feature = "check")]
    #[error("the async runtime could not be started")]
    Runtime {
        #[source]
        source: std::io::Error,
    },
    /// The HTTP client could not be created.
    #[cfg(feature = "check")]
    #[error("the HTTP client could not be created")]
    Client {
        #[source]
        source: reqwest::Error,
    },
    /// The server responds to no request.
    #[cfg(feature = "check")]
    #[error("{url} does not respond: {why}")]
    Unreachable { url: String, why: String },
    /// The server at the URL is not that of the document.
    #[cfg(feature = "check")]
    #[error(
        "none of {sent} responses of {url} is of an operation of the document (404, 405, or a web page); expected the URL of the \
         document's first server, with its base path"
    )]
    WrongBase { url: String, sent: usize },
    /// A recording is invalid.
    #[cfg(feature = "check")]
    #[error("{name} is not a recording in HAR 1.2")]
    Recording {
        /// The file as named on the command line.
        name: String,
        #[source]
        source: serde_json::Error,
    },
    /// A recording has no request to the server.
    #[cfg(feature = "check")]
    #[error("{name} has no request to {url}; expected the URL of the document's first server, with its base path")]
    NothingRecorded { name: String, url: String },
    /// No request went through the proxy.
    #[cfg(feature = "check")]
    #[error("no request was forwarded to {url}: send those of the client to the address that the proxy printed")]
    NothingForwarded { url: String },
    /// Traffic that has no operation of an API.
    #[cfg(feature = "check")]
    #[error("no request to {url} is of an API: there are only pages, their resources, and responses from caches")]
    NothingLearned { url: String },
    /// The proxy cannot listen.
    #[cfg(feature = "check")]
    #[error("cannot listen on {address}")]
    Listen {
        /// The address as given.
        address: std::net::SocketAddr,
        #[source]
        source: std::io::Error,
    },
    /// The output could not be written.
    #[error("{} could not be written", path.as_ref().map_or_else(|| "the output".to_owned(), |path| path.display().to_string()))]
    Output {
        /// The file; `None` for standard output.
        path: Option<PathBuf>,
        #[source]
        source: std::io::Error,
    },
}

/// The message of an error with those of its causes.
#[must_use]
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

/// The messages of several errors, each on a line as the program prints a single one.
fn several(errors: &[ContractError]) -> String {
    errors.iter().map(|error| chain(error)).collect::<Vec<_>>().join("\nerror: ")
}
