//! Somebody who has no part in a race, and uses both dialects at both nodes meanwhile.

use super::Nodes;
use crate::harness::{Caller, Response, Service};
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// How long a request of somebody else takes at most, on a machine that does nothing else.
const BOUND: Duration = Duration::from_millis(250);
const PAUSE: Duration = Duration::from_millis(20);

/// Durations of the requests of one kind.
struct Times {
    what: &'static str,
    all: Vec<Duration>,
}

impl Times {
    async fn of(&mut self, request: impl Future<Output = Response>) -> Response {
        let began = Instant::now();
        let response = request.await.ok();
        self.all.push(began.elapsed());
        response
    }
}

pub(super) struct Bystander {
    is_over: Arc<AtomicBool>,
    running: JoinHandle<[Times; 4]>,
}

impl Bystander {
    pub(super) async fn start(nodes: &Nodes) -> Self {
        let user = nodes.user(usize::MAX).await;
        let browsers: Vec<Caller> = nodes.nodes.iter().map(|node| node.bearer(&user.first_token)).collect();
        let services = nodes.services().await;
        let holder = services[0].user().await;
        let login = services[0].log_in(&holder).await.ok();
        let (token, refresh) = (login.text("/token"), login.text("/refreshToken"));
        let is_over = Arc::new(AtomicBool::new(false));
        let until = Arc::clone(&is_over);
        let running = tokio::spawn(async move { use_both(&until, &browsers, &services, &token, refresh).await });
        Self { is_over, running }
    }

    /// Ends it. No request failed, and none took longer than the bound and the slowest race, in milliseconds: who waits behind one
    /// race does not wait behind a second. How many took longer than the bound alone is printed; on a machine that does nothing else
    /// none does.
    #[expect(clippy::print_stdout, reason = "the measurement")]
    pub(super) async fn assert_undisturbed(self, slowest_race: u64) {
        self.is_over.store(true, Ordering::Relaxed);
        let slowest_race = Duration::from_millis(slowest_race);
        println!("the slowest race took {slowest_race:?}");
        for Times { what, mut all } in self.running.await.unwrap() {
            all.sort_unstable();
            let at = |share: usize| all[(all.len() - 1) * share / 100];
            let over = all.iter().filter(|time| **time > BOUND).count();
            println!(
                "{what}: {} requests, {:?} 99 of 100, {:?} all, {over} over {BOUND:?}",
                all.len(),
                at(99),
                at(100)
            );
            assert!(at(100) < BOUND + slowest_race, "{what} took {:?}", at(100));
        }
    }
}

async fn use_both(
    is_over: &AtomicBool,
    browsers: &[Caller],
    services: &[Service],
    token: &str,
    mut refresh: String,
) -> [Times; 4] {
    // The first needs no database.
    let kinds = ["GET /api/auth/ok", "GET /api/auth/get-session", "GET /api/jwt/validate", "POST /api/jwt/refresh"];
    let [mut idle, mut session, mut validated, mut refreshed] = kinds.map(|what| Times { what, all: Vec::new() });
    for index in 0.. {
        if is_over.load(Ordering::Relaxed) {
            break;
        }
        let (browser, service) = (&browsers[index % browsers.len()], &services[index % services.len()]);
        idle.of(browser.get("/ok").send()).await;
        session.of(browser.get("/get-session").send()).await.text("/user/id");
        validated.of(service.with_token(token, "GET", "/jwt/validate").send()).await;
        let body = json!({"refreshToken": refresh});
        refresh = refreshed.of(service.open("/jwt/refresh", body).send()).await.text("/refreshToken");
        tokio::time::sleep(PAUSE).await;
    }
    [idle, session, validated, refreshed]
}
