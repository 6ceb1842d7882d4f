//! The contracts and the reference page, as they are served. How the page works in a browser is tested in
//! `tests/browser`.

use crate::harness::{Response, World};
use countersign::config::values::DialectName;
use countersign_contract_document::Document;
use countersign_test_postgres::{DatabaseKind, on_each_database};
use flate2::read::GzDecoder;
use std::io::Read as _;
use std::path::Path;

const APIS: [(&str, DialectName); 3] =
    [("better-auth", DialectName::BetterAuth), ("fusionauth", DialectName::FusionAuth), ("admin", DialectName::Admin)];

/// What stands in the repository.
fn file(path: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(path.trim_start_matches('/'))).unwrap()
}

async fn get(world: &World, path: &str) -> Response {
    world.stranger().call("GET", path).undocumented().await
}

async fn status(world: &World, path: &str) -> u16 {
    get(world, path).await.status
}

/// Every path that the page about an API mentions, in the order of the page.
fn links(page: &Response) -> Vec<String> {
    let text = String::from_utf8(page.raw.clone()).unwrap();
    let parts = ["href=\"", "src=\"", "data-contract=\""].map(|name| text.split(name).skip(1).collect::<Vec<_>>());
    parts.concat().into_iter().map(|rest| rest.split_once('"').unwrap().0.to_owned()).collect()
}

#[on_each_database]
async fn contracts_are_served_byte_for_byte_and_as_json(database: DatabaseKind) {
    let world = World::start(database).await;
    for (name, _) in APIS {
        let path = format!("/openapi/{name}.yaml");
        let yaml = get(&world, &path).await.ok();
        assert_eq!(yaml.raw, file(&path), "{path}");
        assert_eq!(yaml.header("content-type"), Some("application/yaml"));

        let json = get(&world, &format!("/openapi/{name}.json")).await.ok();
        let contract = Document::load(name, &String::from_utf8(yaml.raw.clone()).unwrap()).unwrap();
        assert_eq!(&json.body, contract.value());
        assert_eq!(json.header("content-type"), Some("application/json"));

        for response in [yaml, json] {
            assert_eq!(response.header("access-control-allow-origin"), Some("*"), "{response}");
            assert_eq!(response.header("access-control-allow-credentials"), None, "{response}");
            assert_eq!(response.header("x-content-type-options"), Some("nosniff"), "{response}");
        }
    }
}

/// Somebody who tries the address of the server comes to the root first.
#[on_each_database]
async fn the_root_leads_to_the_page_or_to_a_contract(database: DatabaseKind) {
    let lead = async |world: &World, target: &str| {
        for method in ["GET", "HEAD"] {
            let root = world.stranger().call(method, "/").undocumented().await.is(307);
            assert_eq!((root.header("location"), root.raw.len()), (Some(target), 0), "{root}");
        }
        get(world, target).await.ok();
        world.stranger().call("POST", "/").undocumented().await.is(404);
        world.stranger().call("GET", "//").undocumented().await.is(404);
    };
    lead(&World::start(database).await, "/docs").await;
    let world = World::with(database, |settings| settings.docs_are_on = false).await;
    lead(&world, "/openapi/better-auth.yaml").await;
    let fusionauth = World::with(database, |settings| {
        settings.docs_are_on = false;
        settings.dialects = [DialectName::FusionAuth].into();
    });
    lead(&fusionauth.await, "/openapi/fusionauth.yaml").await;
}

#[on_each_database]
async fn the_page_may_do_what_it_needs_and_no_more(database: DatabaseKind) {
    let world = World::start(database).await;
    let by_default = get(&world, "/docs").await.ok();
    for (name, _) in APIS {
        let page = get(&world, &format!("/docs/{name}")).await.ok();
        for (header, value) in [
            ("content-type", "text/html; charset=utf-8"),
            (
                "content-security-policy",
                "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
                 connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
            ),
            ("referrer-policy", "same-origin"),
            ("cross-origin-opener-policy", "same-origin"),
            ("x-content-type-options", "nosniff"),
            ("cache-control", "no-cache"),
        ] {
            assert_eq!(page.header(header), Some(value), "{page}");
        }
        assert_eq!(page.header("access-control-allow-origin"), None, "{page}");
        assert!(page.set_cookies().is_empty());
        let links = links(&page);
        assert!(links.contains(&format!("/openapi/{name}.yaml")) && links.len() >= 9, "{links:?}");
        for link in links {
            assert!(link.starts_with('/') && !link.starts_with("//"), "{link} leads away");
            assert_eq!(status(&world, &link).await, 200, "{link}");
        }
    }
    assert_eq!(by_default.raw, get(&world, "/docs/better-auth").await.raw);
}

#[on_each_database]
async fn files_are_packed_for_those_who_take_it(database: DatabaseKind) {
    let world = World::start(database).await;
    let mut paths = links(&get(&world, "/docs").await);
    paths.retain(|path| path.contains('.'));
    for path in paths {
        let plain = get(&world, &path).await.ok();
        assert_eq!(plain.header("content-encoding"), None, "{path}");
        let packed =
            world.stranger().call("GET", &path).header("accept-encoding", "gzip, br").undocumented().await.ok();
        assert_eq!(packed.header("content-encoding"), Some("gzip"), "{path}");
        let mut unpacked = Vec::new();
        GzDecoder::new(packed.raw.as_slice()).read_to_end(&mut unpacked).unwrap();
        assert!(unpacked == plain.raw, "{path} differs");
        for response in [plain, packed] {
            assert_eq!(response.header("vary"), Some("accept-encoding"), "{path}");
            assert_eq!(response.header("content-length"), Some(response.raw.len().to_string().as_str()), "{path}");
            assert_eq!(
                response.header("access-control-allow-origin").is_some(),
                path.starts_with("/openapi/"),
                "{path}"
            );
        }
    }
}

#[on_each_database]
async fn what_a_client_has_is_not_sent_again(database: DatabaseKind) {
    let world = World::start(database).await;
    for path in ["/openapi/better-auth.yaml", "/openapi/fusionauth.json", "/docs", "/docs/swagger-ui-bundle.js"] {
        let whole = get(&world, path).await.ok();
        let etag = whole.header("etag").unwrap().to_owned();
        assert_eq!(whole.header("cache-control"), Some("no-cache"), "{path}");
        for method in ["GET", "HEAD"] {
            let call = |tag: &str| world.stranger().call(method, path).header("if-none-match", tag).undocumented();
            for known in [etag.as_str(), "*", &format!("\"older\", {etag}")] {
                let unchanged = call(known).await.is(304);
                assert!(unchanged.raw.is_empty() && unchanged.header("content-type").is_none(), "{unchanged}");
                assert_eq!(unchanged.header("etag"), Some(etag.as_str()));
                for name in ["cache-control", "vary", "access-control-allow-origin", "content-security-policy"] {
                    assert_eq!(unchanged.header(name), whole.header(name), "{name} of {path}");
                }
            }
            call("\"older\"").await.ok();
        }
        let head = world.stranger().call("HEAD", path).undocumented().await.ok();
        assert!(head.raw.is_empty());
        for name in ["content-length", "content-type", "etag", "vary", "content-security-policy"] {
            assert_eq!(head.header(name), whole.header(name), "{name} of {path}");
        }
    }
}

#[on_each_database]
async fn a_dialect_that_is_off_has_neither_contract_nor_page(database: DatabaseKind) {
    for (off, name) in APIS {
        let world = World::with(database, |settings| settings.dialects.retain(|dialect| *dialect != name)).await;
        for path in [format!("/openapi/{off}.yaml"), format!("/openapi/{off}.json"), format!("/docs/{off}")] {
            assert_eq!(status(&world, &path).await, 404, "{path}");
        }
        let page = get(&world, "/docs").await.ok();
        assert!(!String::from_utf8_lossy(&page.raw).contains(off), "{page}");
        let others: Vec<_> = APIS.iter().map(|(on, _)| *on).filter(|on| *on != off).collect();
        for on in &others {
            assert_eq!(status(&world, &format!("/openapi/{on}.yaml")).await, 200);
        }
        assert_eq!(page.raw, get(&world, &format!("/docs/{}", others[0])).await.ok().raw);
    }
}

#[on_each_database]
async fn without_the_page_the_contracts_are_still_served(database: DatabaseKind) {
    let world = World::with(database, |settings| settings.docs_are_on = false).await;
    for path in ["/docs", "/docs/better-auth", "/docs/swagger-ui-bundle.js", "/docs/reference.js"] {
        assert_eq!(status(&world, path).await, 404, "{path}");
    }
    for (name, _) in APIS {
        assert_eq!(status(&world, &format!("/openapi/{name}.yaml")).await, 200);
        assert_eq!(status(&world, &format!("/openapi/{name}.json")).await, 200);
    }
}

#[on_each_database]
async fn there_is_nothing_but_what_is_listed(database: DatabaseKind) {
    let world = World::start(database).await;
    for path in [
        "/docs/",
        "/docs/index.html",
        "/docs/embed.rs",
        "/docs/page.rs",
        "/docs/swagger-ui.js",
        "/docs/reference.js/",
        "/docs/Reference.js",
        "/docs//reference.js",
        "/docs/./reference.js",
        "/docs/../openapi/better-auth.yaml",
        "/docs/%2e%2e/openapi/better-auth.yaml",
        "/docs/..%2fopenapi%2fbetter-auth.yaml",
        "/docs/reference%2ejs",
        "/docs/reference.js%00",
        "/docs/..\\Cargo.toml",
        "/docs/openapi/better-auth.yaml",
        "/docs/fusionauth.yaml",
        "/openapi",
        "/openapi/",
        "/openapi/better-auth",
        "/openapi/better-auth.yml",
        "/openapi/README.md",
        "/openapi/../Cargo.toml",
        "/openapi/reference.js",
    ] {
        let (status, text) = world.raw().await.call("GET", path).await;
        assert_eq!(status, 404, "{path}: {text}");
    }
    for method in ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"] {
        for path in ["/docs", "/docs/reference.js", "/openapi/better-auth.yaml"] {
            assert_eq!(world.stranger().call(method, path).undocumented().await.status, 404, "{method} {path}");
        }
    }
}

#[on_each_database]
async fn reading_is_not_counted_against_a_client(database: DatabaseKind) {
    let world = World::with(database, |settings| settings.rate_limits_are_on = true).await;
    for _ in 0..150 {
        get(&world, "/openapi/better-auth.json").await.ok();
    }
    world.stranger().get("/ok").await.ok();
}
