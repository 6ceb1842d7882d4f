//! Countersign: a two-factor authentication server that speaks published APIs, contract first.
//!
//! A request comes in through [`edge`], a dialect in [`http`] parses it and calls one flow of `countersign_flows`; the flow
//! makes its change in one call of `countersign_store`, inside which `countersign_domain` decides. The map of the whole is
//! in `server/README.md`; which module may use which is held by `tests/integration/architecture.rs`.
//!
//! | module | contents |
//! |---|---|
//! | [`cli`], [`config`], [`first_run`], [`server`], [`app`] | commands, settings, start and stop, wiring |
//! | [`edge`] | everything before a handler: limits, deadline, routing, bodies |
//! | [`http`] | the dialects |
//! | [`administration`] | what the command line and the administration API have in common |
//! | [`delivery`] | mails, text messages and the outbox file |
//! | [`metrics`], [`traces`], [`observers`] | what operators see of a running server, and what hands it on to both |
//! | [`net`] | web origins, the reach of cookies, addresses of the mail server, of a gateway for text messages, of a collector of traces |
//! | [`clock`], [`random`] | the system's time and randomness |
//! | [`backup`] | backups of the embedded database, and their way back |
//! | [`housekeeping`], [`audit_seal`] | deleting expired rows, bringing user names to their form; sealing the audit trail |
//! | [`operations`] | the table of operations, from the contracts |

pub mod administration;
pub mod app;
pub mod audit_seal;
pub mod backup;
pub mod cli;
pub mod clock;
pub mod config;
pub mod delivery;
pub mod edge;
pub mod first_run;
pub mod housekeeping;
pub mod http;
pub mod key_watch;
pub mod listener;
pub mod metrics;
pub mod net;
pub mod observers;
pub mod process;
pub mod random;
pub mod server;
pub mod terminal;
pub mod traces;
pub mod webhooks;

/// The operations of the contracts, written by the build script from `openapi/`.
pub mod operations {
    include!(concat!(env!("OUT_DIR"), "/operations.rs"));

    use countersign_api::DialectName;
    use countersign_contract_compare::OperationEntry;

    /// The operations of a dialect's contract.
    #[must_use]
    pub const fn of(dialect: DialectName) -> &'static [OperationEntry] {
        match dialect {
            DialectName::BetterAuth => BETTER_AUTH,
            DialectName::FusionAuth => FUSIONAUTH,
            DialectName::Admin => ADMIN,
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
