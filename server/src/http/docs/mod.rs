//! The contracts as files, and a reference page on which calls can be tried.
//!
//! | path | content |
//! |---|---|
//! | `/openapi/better-auth.yaml`, `/openapi/fusionauth.yaml` | a contract, byte for byte as it stands in `openapi/` |
//! | `/openapi/better-auth.json`, `/openapi/fusionauth.json` | the same as JSON |
//! | `/docs`, `/docs/better-auth`, `/docs/fusionauth` | the page; without a name, about the first API that is served |
//! | `/docs/…` | files of the page: Swagger UI as its authors publish it, and `reference.js`, `reference.css` |
//! | `/` | leads to the page, or to the first contract where there is no page |
//!
//! All of it is part of the program (`embed.rs` belongs to the build script) and the same for every client, so responses
//! may be cached and revalidated with their `ETag`. Each path is a literal: no part of a request becomes part of a file
//! name. A dialect that is switched off has neither contract nor page.

mod files;
mod page;

use super::ops::endpoint;
use countersign_api::DialectName;
use dropshot::{ApiDescription, ApiDescriptionRegisterError, Body, HttpError, RequestContext, ServerContext};
use files::{FILES, File};
use http::header::{self, HeaderName, HeaderValue};
use http::{Method, Response, StatusCode};
use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hasher as _};
use std::sync::Arc;

/// Headers of the page. Links to other origins send no referrer, and windows of other origins cannot script it.
const PAGE_HEADERS: [(HeaderName, &str); 5] = [
    (header::CONTENT_TYPE, "text/html; charset=utf-8"),
    (header::CONTENT_SECURITY_POLICY, page::CONTENT_SECURITY_POLICY),
    (header::REFERRER_POLICY, "same-origin"),
    (header::CACHE_CONTROL, "no-cache"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
];

/// Endpoints for the contracts of `dialects`, and for the page unless it is switched off.
///
/// # Errors
/// When dropshot rejects the endpoints.
pub fn api<C: ServerContext>(
    dialects: &BTreeSet<DialectName>,
    has_page: bool,
) -> Result<ApiDescription<C>, ApiDescriptionRegisterError> {
    let mut api = ApiDescription::new();
    if let Some(first) = dialects.first() {
        let contract = format!("/{}", first.contract_file());
        register_root(&mut api, if has_page { "/docs" } else { &contract })?;
    }
    let is_contract = |file: &File| dialects.iter().any(|dialect| is_contract_of(file, *dialect));
    for file in FILES.iter().filter(|file| is_contract(file)) {
        register_file(&mut api, file, true)?;
    }
    if has_page {
        for file in FILES.iter().filter(|file| file.path.starts_with("/docs/")) {
            register_file(&mut api, file, false)?;
        }
        for dialect in dialects {
            register_page(&mut api, &format!("docs/{}", dialect.as_str()), *dialect, dialects)?;
        }
        if let Some(first) = dialects.first() {
            register_page(&mut api, "docs", *first, dialects)?;
        }
    }
    Ok(api)
}

/// A redirect from the root, where somebody who tries the address of the server comes first.
fn register_root<C: ServerContext>(
    api: &mut ApiDescription<C>,
    target: &str,
) -> Result<(), ApiDescriptionRegisterError> {
    let target = HeaderValue::from_str(target).expect("paths of this module are ASCII");
    for method in [Method::GET, Method::HEAD] {
        let target = target.clone();
        let handler = move |_: RequestContext<C>| {
            let mut response = Response::new(Body::empty());
            // What it leads to depends on settings, so it is not permanent.
            *response.status_mut() = StatusCode::TEMPORARY_REDIRECT;
            response.headers_mut().insert(header::LOCATION, target.clone());
            async move { Ok::<_, HttpError>(response) }
        };
        api.register(endpoint("", handler, &method))?;
    }
    Ok(())
}

fn is_contract_of(file: &File, dialect: DialectName) -> bool {
    let without_extension = |path: &'static str| path.rsplit_once('.').map(|(path, _)| path);
    let path = file.path.strip_prefix('/').and_then(without_extension);
    path == without_extension(dialect.contract_file())
}

/// With `is_public`, pages of all origins may read the file; `*` excludes requests with cookies.
fn register_file<C: ServerContext>(
    api: &mut ApiDescription<C>,
    file: &'static File,
    is_public: bool,
) -> Result<(), ApiDescriptionRegisterError> {
    for method in [Method::GET, Method::HEAD] {
        let handler = move |context: RequestContext<C>| async move {
            let request = &context.request;
            let mut response = file.respond(request.method(), request.headers()).await;
            if is_public {
                response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
            }
            Ok::<_, HttpError>(response)
        };
        api.register(endpoint(file.path.trim_start_matches('/'), handler, &method))?;
    }
    Ok(())
}

fn register_page<C: ServerContext>(
    api: &mut ApiDescription<C>,
    path: &str,
    dialect: DialectName,
    dialects: &BTreeSet<DialectName>,
) -> Result<(), ApiDescriptionRegisterError> {
    let text: Arc<str> = page::page(dialect, dialects).into();
    let mut version = DefaultHasher::new();
    version.write(text.as_bytes());
    let etag = format!("W/\"{:016x}\"", version.finish());
    for method in [Method::GET, Method::HEAD] {
        let (text, etag) = (Arc::clone(&text), etag.clone());
        let handler = move |context: RequestContext<C>| {
            let response = page_response(&text, &etag, &context.request);
            async move { Ok::<_, HttpError>(response) }
        };
        api.register(endpoint(path, handler, &method))?;
    }
    Ok(())
}

fn page_response(text: &str, etag: &str, request: &dropshot::RequestInfo) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    let headers = response.headers_mut();
    for (name, value) in PAGE_HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.insert(header::ETAG, HeaderValue::from_str(etag).expect("quotes and hex digits are valid"));
    if files::is_known(request.headers(), etag) {
        headers.remove(header::CONTENT_TYPE);
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        return response;
    }
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(text.len()));
    if request.method() != Method::HEAD {
        *response.body_mut() = Body::from(text.to_owned());
    }
    response
}
