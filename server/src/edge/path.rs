//! Canonical paths.
//!
//! Routers, limits and lists of disabled paths must see the same path, so exactly one spelling is accepted and every other
//! is not found (GHSA-x732-6j76-qmhm came from a limiter and a router that disagreed about `//`).

use http::Uri;
use http::uri::PathAndQuery;
use std::collections::BTreeSet;

/// Whether `path`, as sent, has no empty, dot or percent-encoded part and no slash at its end, unless it is the root.
#[must_use]
pub fn is_canonical(path: &str) -> bool {
    let Some(rest) = path.strip_prefix('/') else { return false };
    if rest.is_empty() {
        return true;
    }
    !path.bytes().any(|byte| byte == b'%' || byte == b'\\' || !byte.is_ascii_graphic())
        && rest.split('/').all(|segment| !matches!(segment, "" | "." | ".."))
}

/// The URI with another path, and the same query.
#[must_use]
pub fn with_path(uri: &Uri, path: &'static str) -> Uri {
    let path_and_query = match uri.query() {
        Some(query) => PathAndQuery::try_from(format!("{path}?{query}")),
        None => Ok(PathAndQuery::from_static(path)),
    };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(path_and_query.expect("a path and a query that were parsed before"));
    Uri::from_parts(parts).expect("the parts of a URI")
}

/// Operations that are switched off, by their path in the contract; `{name}` stands for any one segment.
#[derive(Clone, Debug, Default)]
pub struct DisabledPaths(BTreeSet<String>);

impl DisabledPaths {
    /// Disables the operations at `paths`.
    #[must_use]
    pub fn new(paths: BTreeSet<String>) -> Self {
        Self(paths)
    }

    /// Whether `path` is that of a disabled operation.
    #[must_use]
    pub fn contains(&self, path: &str) -> bool {
        self.0.contains(path) || self.0.iter().any(|template| template.contains('{') && matches(template, path))
    }
}

/// Whether `path` has the form of `template`, in which `{name}` stands for any one segment.
#[must_use]
pub fn matches(template: &str, path: &str) -> bool {
    let is_variable = |segment: &str| segment.starts_with('{') && segment.ends_with('}');
    let (mut wanted, mut given) = (template.split('/'), path.split('/'));
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return true,
            (Some(wanted), Some(given)) if wanted == given || is_variable(wanted) => {}
            _ => return false,
        }
    }
}

/// An unrouted path as it is logged. A wrong path can hold secrets, so only segments that look like words are kept.
#[must_use]
pub fn masked(path: &str) -> String {
    let is_word = |segment: &str| {
        segment.len() <= 32 && segment.bytes().all(|byte| byte.is_ascii_lowercase() || b"-_.".contains(&byte))
    };
    let segments: Vec<&str> =
        path.split('/').take(8).map(|segment| if is_word(segment) { segment } else { "*" }).collect();
    segments.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_spelling_of_a_path_is_one_32() {
        for path in ["/", "/api/auth/sign-in/email", "/healthz", "/api/user/two-factor/0b7c1e0a"] {
            assert!(is_canonical(path), "{path}");
        }
        for path in [
            "",
            "//",
            "/.",
            "*",
            "api/auth",
            "//api/auth/ok",
            "/api//auth/ok",
            "/api/auth/ok/",
            "/api/auth/./ok",
            "/api/auth/../ok",
            "/api/auth/ok/..",
            "/api/auth%2Fok",
            "/api/auth/%6fk",
            "/api\\auth/ok",
            "/api/auth/ök",
        ] {
            assert!(!is_canonical(path), "{path}");
        }
    }

    #[test]
    fn another_path_keeps_the_rest() {
        for (uri, expected) in [
            ("/a/b/?c=%20d", "/a/b?c=%20d"),
            ("/a/b/", "/a/b"),
            ("/a/b/?", "/a/b?"),
            ("http://x.example/a/b/?c", "http://x.example/a/b?c"),
        ] {
            assert_eq!(with_path(&uri.parse().expect("a URI"), "/a/b").to_string(), expected);
        }
    }

    #[test]
    fn disabled_paths_match_exactly_or_by_template() {
        let paths = ["/api/auth/sign-up/email".to_owned(), "/api/user/{userId}/codes".to_owned()];
        let disabled = DisabledPaths::new(paths.into());
        assert!(disabled.contains("/api/auth/sign-up/email") && disabled.contains("/api/user/7/codes"));
        for path in ["/api/auth/sign-up", "/api/auth/sign-up/email/x", "/api/user/7", "/api/user/7/8/codes"] {
            assert!(!disabled.contains(path), "{path}");
        }
    }

    #[test]
    fn unrouted_paths_are_logged_without_what_may_be_secret() {
        assert_eq!(masked("/api/auth/two-factor/verify"), "/api/auth/two-factor/verify");
        assert_eq!(masked("/api/two-factor/2fa-AbC123/x"), "/api/two-factor/*/x");
        assert_eq!(masked("/1/2/3/4/5/6/7/8/9"), "/*/*/*/*/*/*/*");
    }
}
