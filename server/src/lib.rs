//! Countersign: a two-factor authentication server that speaks published APIs, contract first.
//!
//! A request comes in through [`edge`], is taken apart by a dialect in [`http`], carried out by a flow in [`flows`]
//! by the rules of `countersign_domain`, and kept by `countersign_store`. Arrows point only that way.
//!
//! | module | what it is for |
//! |---|---|
//! | [`cli`], [`config`], [`first_run`], [`server`] | starting, stopping, settings |
//! | [`edge`] | everything before a handler: limits, deadline, origin rules, routing |
//! | [`http`] | the dialects |
//! | [`flows`] | what the server does, in the words of no dialect |
//! | [`delivery`] | how codes reach people |
//! | [`net`] | web origins, the mail server's address |
//! | [`hashing`], [`clock`] | bounded password hashing, the time |
//! | [`housekeeping`] | clearing away what has ended |
//! | [`operations`] | the table of operations, from the contracts |

pub mod app;
pub mod cli;
pub mod clock;
pub mod config;
pub mod delivery;
pub mod edge;
pub mod first_run;
pub mod flows;
pub mod hashing;
pub mod housekeeping;
pub mod http;
pub mod net;
pub mod server;

/// The operations of the contracts, written by the build script from `openapi/`.
pub mod operations {
    include!(concat!(env!("OUT_DIR"), "/operations.rs"));

    use countersign_api::DialectName;
    use countersign_contract::OperationEntry;

    /// The operations of a dialect's contract.
    #[must_use]
    pub const fn of(dialect: DialectName) -> &'static [OperationEntry] {
        match dialect {
            DialectName::BetterAuth => BETTER_AUTH,
            DialectName::FusionAuth => FUSIONAUTH,
        }
    }

    /// The operations of all dialects.
    pub fn all() -> impl Iterator<Item = &'static OperationEntry> {
        DialectName::ALL.into_iter().flat_map(of)
    }

    /// The paths of all operations.
    #[must_use]
    pub fn paths() -> Vec<String> {
        all().map(|operation| operation.path.to_owned()).collect()
    }
}

/// An error and its causes on one line, for logs.
#[must_use]
pub fn error_chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
