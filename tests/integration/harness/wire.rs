//! The way to a server: where it is, what is seen there, what it mails, what time it is for it.

use super::caller::Caller;
use super::contract::{Pairs, Recorder};
use super::outbox::Outbox;
use super::raw::Raw;
use super::user::User;
use super::world::WorldClock;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A handle on a server, in this process or another. Clones lead to the same server, also after it was restarted.
#[derive(Clone)]
pub(crate) struct Wire(Arc<State>);

struct State {
    address: Mutex<SocketAddr>,
    base_url: String,
    http: reqwest::Client,
    recorder: Recorder,
    outbox: Outbox,
    clock: Arc<WorldClock>,
}

impl Wire {
    pub(super) fn new(address: SocketAddr, base_url: String, outbox: PathBuf, clock: Arc<WorldClock>) -> Self {
        // A connection that has been idle for long may be closed by the server in the moment in which it is used again.
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy();
        let http = http.pool_idle_timeout(Duration::from_secs(5)).build().unwrap();
        let state = State {
            address: Mutex::new(address),
            base_url,
            http,
            recorder: Recorder::default(),
            outbox: Outbox::new(outbox),
            clock,
        };
        Self(Arc::new(state))
    }

    pub(super) fn moved_to(&self, address: SocketAddr) {
        *self.0.address.lock().unwrap() = address;
    }

    pub(super) fn http(&self) -> &reqwest::Client {
        &self.0.http
    }

    pub(super) fn recorder(&self) -> &Recorder {
        &self.0.recorder
    }

    /// Where the server listens.
    pub(crate) fn address(&self) -> SocketAddr {
        *self.0.address.lock().unwrap()
    }

    /// What its clients see, and the origin that its own pages have.
    pub(crate) fn base_url(&self) -> &str {
        &self.0.base_url
    }

    /// The clock that it goes by.
    pub(crate) fn clock(&self) -> &Arc<WorldClock> {
        &self.0.clock
    }

    /// What it mailed.
    pub(crate) fn outbox(&self) -> &Outbox {
        &self.0.outbox
    }

    /// The code that was mailed last to that address.
    pub(crate) fn last_code_for(&self, email: &str) -> String {
        self.0.outbox.last_code_for(email)
    }

    /// The link that was mailed to that address as the `count`th: its path and query.
    pub(crate) async fn link_for(&self, email: &str, count: usize) -> String {
        let link = self.0.outbox.link_for(email, count).await;
        link.strip_prefix(&self.0.base_url).unwrap_or_else(|| panic!("{link} is no link to this server")).to_owned()
    }

    /// Each (operation, status) that was answered so far.
    pub(crate) fn produced(&self) -> Pairs {
        self.0.recorder.pairs()
    }

    /// A new browser on a page of the server's own origin, without any cookie.
    pub(crate) fn browser(&self) -> Caller {
        Caller::browser(self.clone())
    }

    /// A client that sends this token as bearer, and neither keeps cookies nor names an origin.
    pub(crate) fn bearer(&self, token: impl AsRef<str>) -> Caller {
        Caller::bearer(self.clone(), token.as_ref())
    }

    /// A client that says nothing about itself, like curl.
    pub(crate) fn stranger(&self) -> Caller {
        Caller::stranger(self.clone())
    }

    /// A connection for what no HTTP client would say.
    pub(crate) async fn raw(&self) -> Raw {
        Raw::connect(self.address()).await
    }

    /// Signs `name@example.com` up in a new browser, which holds the session.
    pub(crate) async fn user(&self, name: &str) -> User {
        User::sign_up(self, name).await
    }
}
