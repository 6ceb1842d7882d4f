//! The reference page: Swagger UI on one contract, with links to the others.
//!
//! The page has no inline scripts and styles, so its policy needs no exception for them.

use super::files::SWAGGER_UI_VERSION;
use countersign_api::DialectName;
use std::collections::BTreeSet;

/// Content Security Policy Level 3. Only this server is loaded from and called, with one exception: `data:` for images in
/// Swagger UI's style sheet. Framing is forbidden (clickjacking): a signed-in user can change their account on the page.
pub(super) const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
     img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The page about `dialect`, one of `dialects`.
pub(super) fn page(dialect: DialectName, dialects: &BTreeSet<DialectName>) -> String {
    let tab = |other: &DialectName| {
        let current = if *other == dialect { " aria-current=\"page\"" } else { "" };
        format!("<a href=\"/docs/{}\"{current}>{}</a>", other.as_str(), other.title())
    };
    let tabs: String = dialects.iter().map(tab).collect();
    let title = dialect.title();
    let yaml = format!("/{}", dialect.contract_file());
    let json = format!("{}.json", yaml.trim_end_matches(".yaml"));
    format!(
        r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} API – Countersign</title>
<link rel="icon" type="image/png" href="/docs/favicon-32x32.png">
<link rel="stylesheet" href="/docs/swagger-ui.css">
<link rel="stylesheet" href="/docs/reference.css">
<script src="/docs/swagger-ui-bundle.js" defer></script>
<script src="/docs/reference.js" defer></script>
</head>
<body>
<header>
<p class="name">Countersign</p>
<nav aria-label="APIs">{tabs}</nav>
<p class="hint">Calls that you try go to this server and are real. Signing in sets its cookies in this browser, and later calls send them.</p>
</header>
<noscript><p class="hint">This page needs JavaScript. The contract does not: <a href="{yaml}">YAML</a>, <a href="{json}">JSON</a>.</p></noscript>
<main id="reference" data-contract="{yaml}"></main>
<footer>
<p>The contract as a file: <a href="{yaml}">YAML</a>, <a href="{json}">JSON</a>. Shown by Swagger UI {SWAGGER_UI_VERSION} (<a href="/docs/swagger-ui-license.txt">license</a>, <a href="/docs/swagger-ui-notice.txt">notice</a>).</p>
</footer>
</body>
</html>
"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_names_the_apis_that_are_served_and_no_others() {
        let both = BTreeSet::from([DialectName::BetterAuth, DialectName::FusionAuth]);
        let text = page(DialectName::FusionAuth, &both);
        assert!(text.contains("<a href=\"/docs/better-auth\">Better Auth</a>"), "{text}");
        assert!(text.contains("<a href=\"/docs/fusionauth\" aria-current=\"page\">FusionAuth</a>"), "{text}");
        assert!(text.contains("data-contract=\"/openapi/fusionauth.yaml\""), "{text}");
        let one = page(DialectName::FusionAuth, &BTreeSet::from([DialectName::FusionAuth]));
        assert!(!one.contains("better-auth"), "{one}");
    }

    #[test]
    fn the_page_has_nothing_that_its_policy_would_block() {
        let text = page(DialectName::BetterAuth, &BTreeSet::from([DialectName::BetterAuth]));
        for forbidden in ["<style", "style=", "onclick", "onload", "javascript:", "http://", "https://", "//cdn"] {
            assert!(!text.contains(forbidden), "{forbidden}");
        }
        assert_eq!(text.matches("<script").count(), text.matches("<script src=\"/docs/").count());
    }
}
