//! The page at which redirects end that have no page of an application.

use countersign_api::Reply;
use countersign_api::better_auth::{Error, replies, requests};
use countersign_api::reply::HtmlPage;
use http::HeaderValue;
use http::header::CONTENT_SECURITY_POLICY;

/// Nothing is loaded, and nothing runs.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);

/// `GET /error`
pub(super) fn show(query: &requests::ErrorPage) -> Result<Reply<replies::ErrorPage>, Error> {
    let code = query.error.as_deref().filter(|code| is_code(code)).unwrap_or("UNKNOWN");
    let description = query.error_description.as_deref().filter(|text| !text.is_empty());
    let text = page(code, description.unwrap_or("Something went wrong. Go back and try it again."));
    Ok(Reply::ok(HtmlPage(text)).with_header(CONTENT_SECURITY_POLICY, POLICY))
}

fn is_code(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"'_-".contains(&byte))
}

fn page(code: &str, description: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>Error</title>\n\
         <style>body {{ font-family: system-ui, sans-serif; max-width: 40rem; margin: 4rem auto; padding: 0 1rem; \
         overflow-wrap: anywhere; color-scheme: light dark; }}</style>\n</head>\n<body>\n<h1>Error</h1>\n<p>{}</p>\n\
         <p>Code: <code>{}</code></p>\n</body>\n</html>\n",
        escaped(description),
        escaped(code)
    )
}

fn escaped(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut escaped, letter| {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
        escaped
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_request_becomes_markup() {
        let shown = page("a'b", "<script>alert(\"1\")</script> & more");
        assert!(!shown.contains("<script") && shown.contains("&lt;script&gt;alert(&quot;1&quot;)"), "{shown}");
        assert!(shown.contains("<code>a&#39;b</code>") && shown.contains("&amp; more"), "{shown}");
    }

    #[test]
    fn a_code_has_letters_digits_and_little_else() {
        assert!(is_code("INVALID_TOKEN") && is_code("it's-1"));
        for odd in ["", "a b", "<b>", "ä", "a&b"] {
            assert!(!is_code(odd), "{odd}");
        }
    }
}
