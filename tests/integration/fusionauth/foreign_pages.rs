//! Pages of other origins in a browser that holds this dialect's cookies. `SameSite` keeps the pages of other sites away from them,
//! and not those of other origins of the same site.

use crate::harness::caller::Call;
use crate::harness::contract::{example_body, fusionauth as operations};
use crate::harness::{Caller, FusionAuthUser, Response, Service, World, cheap_passwords};
use countersign::net::cookie_scope::SameSite;
use countersign::net::origin::OriginPattern;
use countersign_test_postgres::{DatabaseKind, on_each_database};

/// Another site, other origins of the same site, a page in a sandbox.
const FOREIGN: [&str; 6] = [
    "https://evil.example",
    "http://evil.countersign.test",
    "http://countersign.test:8080",
    "https://countersign.test",
    "http://countersign.test.evil.example",
    "null",
];
const TRUSTED: &str = "http://app.countersign.test";

/// A user who logged in in a browser.
struct LoggedIn {
    world: World,
    service: Service,
    user: FusionAuthUser,
    cookies: String,
}

impl LoggedIn {
    async fn start(database: DatabaseKind) -> Self {
        let world = World::with(database, |settings| {
            cheap_passwords(settings);
            settings.origin_patterns = vec![OriginPattern::parse(TRUSTED).unwrap()];
        });
        let world = world.await;
        let service = world.service().await;
        let user = service.user().await;
        let login = service.log_in(&user).await.ok();
        let cookies = ["access_token", "refresh_token"].map(|name| {
            let cookie = login.set_cookies().into_iter().find(|cookie| cookie.name == name).unwrap();
            format!("{name}={}", cookie.value)
        });
        Self { world, service, user, cookies: cookies.join("; ") }
    }

    /// What the browser sends with a request of a page.
    fn page(&self, origin: &str) -> Caller {
        self.world.stranger().with_header("cookie", &self.cookies).with_header("origin", origin)
    }

    /// The bodies that a page sends without a preflight, and the one that it may not send.
    fn calls(&self, caller: &Caller, method: &str, path: &str, operation_id: &str) -> Vec<Call> {
        let path = path.replace("{userId}", &self.user.id);
        let body = example_body(operation_id).unwrap_or_default().to_string();
        let call = || caller.call(method, &path);
        vec![
            call(),
            call().body("text/plain", body.clone()),
            call().body("", body.clone()),
            call().body("application/json", body),
        ]
    }

    /// Everything that a request could change.
    fn state(&self) -> [i64; 4] {
        let count = |what: &str| self.world.database().number(&format!("SELECT count(*) AS number FROM {what}"));
        [
            count("methods"),
            count("mailed_codes"),
            count("refresh_tokens"),
            count("refresh_tokens WHERE used_at IS NOT NULL"),
        ]
    }
}

fn says(response: &Response) -> (u16, &[u8]) {
    (response.status, &response.raw)
}

#[on_each_database]
async fn a_page_of_another_origin_has_no_access_token_by_the_cookie(database: DatabaseKind) {
    let browser = LoggedIn::start(database).await;
    let before = browser.state();
    let takes_cookie = |security: &[&[&str]]| security.iter().any(|schemes| schemes.contains(&"accessTokenCookie"));
    let all: Vec<_> = operations().filter(|entry| takes_cookie(entry.security)).collect();
    assert!(all.len() >= 6, "operations of the contract");
    for entry in all {
        for origin in FOREIGN {
            let calls = browser.calls(&browser.page(origin), entry.method, entry.path, entry.operation_id);
            let without = browser.page(origin).with_header("cookie", "theme=dark");
            let same = browser.calls(&without, entry.method, entry.path, entry.operation_id);
            for (call, stranger) in calls.into_iter().zip(same) {
                let (response, stranger) = (call.await, stranger.await);
                assert_eq!(says(&response), says(&stranger), "{origin} has what nobody has: {response}");
                assert_eq!(response.status, 401, "{origin}: {response}");
                assert_eq!(response.header("access-control-allow-origin"), None, "{response}");
            }
            let preflight = browser.page(origin).call("OPTIONS", &entry.path.replace("{userId}", &browser.user.id));
            let preflight = preflight.header("access-control-request-method", entry.method);
            let preflight = preflight.header("access-control-request-headers", "content-type").undocumented().await;
            assert_eq!((preflight.status, preflight.header("access-control-allow-origin")), (404, None));
        }
        // Its own pages, those of trusted origins, and a page that is opened by a link.
        let first = |origin: &str| {
            browser.calls(&browser.page(origin), entry.method, entry.path, entry.operation_id).swap_remove(0)
        };
        for call in [first(TRUSTED), first(browser.world.base_url()), first("null").without("origin")] {
            let response = call.await;
            assert_ne!(response.status, 401, "{response}");
        }
    }
    assert_eq!(browser.state(), before);
}

/// A body is not needed to use the refresh token up, so a page could do it without a preflight; the user's own page would then
/// present it a second time, which ends the login.
#[on_each_database]
async fn a_page_of_another_origin_does_not_use_up_the_refresh_token(database: DatabaseKind) {
    let browser = LoggedIn::start(database).await;
    let before = browser.state();
    for origin in FOREIGN {
        let call = || browser.page(origin).call("POST", "/api/jwt/refresh");
        for call in [call(), call().body("text/plain", "{}"), call().body("application/json", "{}")] {
            let response = call.await.wrong("[blank]refreshToken");
            assert!(response.set_cookies().is_empty());
        }
    }
    assert_eq!(browser.state(), before);
    let renewed = browser.page(browser.world.base_url()).call("POST", "/api/jwt/refresh").await.ok();
    let read = browser.service.with_token(&renewed.text("/token"), "GET", "/user").await.ok();
    assert_eq!(read.text("/user/id"), browser.user.id);
}

/// Then pages of all sites can make a browser send them.
#[on_each_database]
async fn cookies_that_all_sites_send_count_from_trusted_pages_only(database: DatabaseKind) {
    let world = World::with(database, |settings| {
        settings.base_url = countersign::config::values::BaseUrl::parse("https://countersign.test").unwrap();
        settings.cookies.same_site = SameSite::None;
    });
    let world = world.await;
    let service = world.service().await;
    let user = service.user().await;
    let login = service.log_in(&user).await.ok();
    let cookies = format!("access_token={}; refresh_token={}", login.text("/token"), login.text("/refreshToken"));
    let page = |origin: &str| world.stranger().with_header("cookie", &cookies).with_header("origin", origin);
    for origin in ["https://evil.example", "null", "https://countersign.test.evil.example"] {
        page(origin).call("GET", "/api/user").await.is(401);
        page(origin).call("POST", "/api/jwt/refresh").await.wrong("[blank]refreshToken");
    }
    page("https://countersign.test").call("GET", "/api/user").await.ok();
    page("https://countersign.test").call("POST", "/api/jwt/refresh").await.ok();

    let other = world.user("ada").await;
    other.browser.post("/sign-out").header("origin", "https://evil.example").await.refused(403, "INVALID_ORIGIN");
}
