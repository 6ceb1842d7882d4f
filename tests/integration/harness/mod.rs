//! What the tests stand on.
//!
//! | to do | look at |
//! |---|---|
//! | start a server with a database, a clock and an outbox of its own | [`world`] |
//! | start the compiled program, kill it, look at its memory | [`process`] |
//! | act like a browser, a bearer client, a stranger | [`caller`] |
//! | have an authenticator with a passkey | [`authenticator`] |
//! | look at a response | [`response`] |
//! | hold each response against the contract, and remember which responses were seen | [`contract`] |
//! | sign users up, enrol their apps, bring them to a challenge | [`user`] |
//! | act like a service that calls the FusionAuth dialect, and make users through it | [`service`] |
//! | act like a client of the administration API | [`service::Administrator`] |
//! | read what was mailed | [`outbox`] |
//! | have a mail server that can be killed, hung and made to refuse | [`mail_server`] |
//! | break or read the database behind the server's back | [`database`] |
//! | say something to the server that no HTTP client would | [`raw`] |
//!
//! Every response that comes through a [`Caller`] is held against the contract, whatever the test is about.

pub(crate) mod authenticator;
pub(crate) mod caller;
pub(crate) mod contract;
pub(crate) mod database;
pub(crate) mod mail_server;
pub(crate) mod outbox;
pub(crate) mod process;
pub(crate) mod raw;
pub(crate) mod response;
pub(crate) mod service;
pub(crate) mod user;
pub(crate) mod wire;
pub(crate) mod world;

pub(crate) use authenticator::Authenticator;
pub(crate) use caller::Caller;
pub(crate) use contract::Pairs;
pub(crate) use mail_server::MailServer;
pub(crate) use process::Process;
pub(crate) use response::Response;
pub(crate) use service::{Administrator, FusionAuthUser, Service};
pub(crate) use user::{App, User};
pub(crate) use world::{World, cheap_passwords};

use countersign::config::Settings;
use countersign_domain::ids::{ApplicationId, TenantId};
use countersign_domain::tenant::{Directory, Tenant};
use std::sync::atomic::{AtomicU32, Ordering};

/// The id of the tenant that [`with_other_tenant`] adds.
pub(crate) const OTHER_TENANT: &str = "11111111-1111-4111-8111-111111111111";

pub(crate) fn other_tenant() -> TenantId {
    TenantId::parse(OTHER_TENANT).unwrap()
}

/// Two tenants, the first with the default application, and passwords that are hashed quickly.
pub(crate) fn with_other_tenant(settings: &mut Settings) {
    cheap_passwords(settings);
    let other = Tenant { id: other_tenant(), ..Tenant::default() };
    let applications = settings.directory.application(ApplicationId::DEFAULT).cloned();
    settings.directory = Directory::new(vec![Tenant::default(), other], applications.into_iter().collect()).unwrap();
}

/// What clients of every test server see, whatever port it got: trusted as an origin.
pub(crate) const BASE_URL: &str = "http://countersign.test";

/// Six digits that are none of these, and other ones each time: a wrong code that is presented again counts once.
pub(crate) fn other_than(codes: &[impl AsRef<str>]) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    loop {
        let code = format!("{:06}", NEXT.fetch_add(1, Ordering::Relaxed) % 1_000_000);
        if codes.iter().all(|other| other.as_ref() != code) {
            return code;
        }
    }
}

/// A password that every rule likes.
pub(crate) const PASSWORD: &str = "correct horse battery staple";
