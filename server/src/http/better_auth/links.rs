//! Links that are mailed, and where requests and links go on.

use super::Context;
use super::origin::{self, CallbackField};
use super::rules;
use crate::net::origin::ascii_url;
use countersign_api::DialectName;
use countersign_api::Reply;
use countersign_api::better_auth::Error;
use countersign_api::reply::{Gives, NoBody};
use countersign_flows::mailed_links::LinkTarget;
use dropshot::ErrorStatusCode as Status;
use form_urlencoded::{byte_serialize, parse};
use http::HeaderValue;
use http::header::LOCATION;

/// The link to an operation: the token goes between the two texts.
pub(super) fn target(context: &Context, before_token: &str, after_token: String) -> LinkTarget {
    let base = &context.context().base_url;
    LinkTarget { before_token: format!("{base}{}{before_token}", DialectName::BetterAuth.base_path()), after_token }
}

/// A page as the value of a query parameter. Without one it is the root of the server's own origin.
pub(super) fn encoded(page: Option<&str>) -> String {
    byte_serialize(page.filter(|page| !page.is_empty()).unwrap_or("/").as_bytes()).collect()
}

/// The page that a link leads to, if it names one.
///
/// # Errors
/// 403 `INVALID_CALLBACK_URL` if it leads to no trusted origin.
pub(super) fn page(context: &Context, callback_url: Option<String>) -> Result<Option<String>, Error> {
    let page = callback_url.filter(|page| !page.is_empty());
    if let Some(page) = &page {
        let app = context.context();
        origin::check_url(&app.trusted_origins, page, CallbackField::Callback)
            .map_err(|refusal| rules::refused(refusal, &app.untrusted_origins))?;
    }
    Ok(page)
}

/// 400: a parameter of the query is missing.
pub(super) fn missing_parameter(name: &str) -> Error {
    let message = format!("[query.{name}] Invalid input: expected string, received undefined");
    Error::new(Status::BAD_REQUEST, "VALIDATION_ERROR", message)
}

/// A redirect to a page.
pub(super) fn redirect<R: Gives<302, Body = NoBody>>(page: &str) -> Reply<R> {
    Reply::new::<302>(NoBody).with_header(LOCATION, location(page))
}

/// A page that may be led to, as the value of `Location`, which is ASCII (RFC 9110, 10.2.2, and RFC 3986, 2).
pub(super) fn location(page: &str) -> HeaderValue {
    let ascii = ascii_url(page).and_then(|page| HeaderValue::try_from(&*page).ok());
    ascii.unwrap_or(HeaderValue::from_static("/"))
}

/// The URL of a page, which may be a path, on the server's own origin.
pub(super) fn absolute(context: &Context, page: &str) -> String {
    if page.starts_with('/') { format!("{}{page}", context.context().base_url) } else { page.to_owned() }
}

/// The page for links that name no page.
pub(super) fn error_page(context: &Context) -> String {
    format!("{}{}/error", context.context().base_url, DialectName::BetterAuth.base_path())
}

/// A URL with a parameter in its query, in the place of those of the same name.
pub(super) fn with_parameter(url: &str, name: &str, value: &str) -> String {
    let (url, fragment) = url.split_once('#').map_or((url, None), |(url, fragment)| (url, Some(fragment)));
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    let is_other = |pair: &&str| parse(pair.as_bytes()).all(|(other, _)| other != name);
    let pair = format!("{name}={}", byte_serialize(value.as_bytes()).collect::<String>());
    let pairs: Vec<&str> = query.split('&').filter(|pair| !pair.is_empty()).filter(is_other).chain([&*pair]).collect();
    let fragment = fragment.map(|fragment| format!("#{fragment}")).unwrap_or_default();
    format!("{path}?{}{fragment}", pairs.join("&"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_takes_the_place_of_those_of_its_name() {
        for (url, expected) in [
            ("/reset", "/reset?token=a-b"),
            ("/reset?", "/reset?token=a-b"),
            ("/reset?x=1&y=%20", "/reset?x=1&y=%20&token=a-b"),
            ("/reset?token=theirs&x=1&%74oken=2", "/reset?x=1&token=a-b"),
            ("https://app.example.com", "https://app.example.com?token=a-b"),
            ("https://app.example.com/a?b#c?token=d", "https://app.example.com/a?b&token=a-b#c?token=d"),
        ] {
            assert_eq!(with_parameter(url, "token", "a-b"), expected, "{url}");
        }
        assert_eq!(with_parameter("/", "error", "a b&c"), "/?error=a+b%26c");
    }

    #[test]
    fn a_location_is_ascii() {
        for (page, expected) in [
            ("/a?b=c#d", "/a?b=c#d"),
            ("https://app.example.com/a%20b?c", "https://app.example.com/a%20b?c"),
            ("https://bücher.example:8443/é?ü=1#ß", "https://xn--bcher-kva.example:8443/%C3%A9?%C3%BC=1#%C3%9F"),
            ("https://app.example.com/\u{202e}", "https://app.example.com/%E2%80%AE"),
            ("https://app.example.com/a\r\nset-cookie: b", "/"),
        ] {
            assert_eq!(location(page), expected, "{page}");
        }
    }

    #[test]
    fn a_page_is_one_value_and_the_root_where_none_is_given() {
        for (page, expected) in [(None, "%2F"), (Some(""), "%2F"), (Some("/y?x=1&z"), "%2Fy%3Fx%3D1%26z")] {
            assert_eq!(encoded(page), expected);
        }
    }
}
