//! The version that a document should have after its changes, by semantic versioning (semver.org 2.0.0).

use countersign_contract_document::Document;
use countersign_contract_finding::{Finding, Operations, Rule, Side, Verdict};
use semver::{BuildMetadata, Prerelease, Version};

/// The version of the new document is too low. Only checked on request.
pub static VERSION_TOO_LOW: Rule = Rule {
    id: "version-too-low",
    verdict: Verdict::Breaking,
    what: "The version of the contract (`info.version`) is lower than its changes ask for. Only with `check-version`.",
    why: "Clients take the version for a promise: a new major version for breaking changes, a new minor version for others \
          (semver.org). Raise the version, or undo the change.",
};

/// JSON pointer of the version.
const POINTER: &str = "/info/version";

/// The version after these changes; `None` without changes, or if the old version is not a semantic one.
///
/// Breaking changes ask for a new major version, others for a new minor version, and documentation for a new patch version.
/// Of a version 0.y.z, breaking changes raise y and others z. A pre-release may change in any way: its release is enough.
#[must_use]
pub fn suggested_version(old: &Document, findings: &[Finding]) -> Option<Version> {
    let changes = findings.iter().filter(|finding| finding.rule.id != "info-version-changed");
    let worst = changes.map(|finding| finding.verdict).max()?;
    let Version { major, minor, patch, pre, .. } = version(old)?;
    let (major, minor, patch) = match (worst, major) {
        _ if !pre.is_empty() => (major, minor, patch),
        (Verdict::Documentation, _) | (Verdict::Compatible | Verdict::Risky, 0) => {
            (major, minor, patch.checked_add(1)?)
        }
        (Verdict::Compatible | Verdict::Risky, _) | (_, 0) => (major, minor.checked_add(1)?, 0),
        _ => (major.checked_add(1)?, 0, 0),
    };
    Some(Version { major, minor, patch, pre: Prerelease::EMPTY, build: BuildMetadata::EMPTY })
}

/// Finds that the version of the new document is lower than its changes ask for, or that one of the versions is not a
/// semantic one.
#[must_use]
pub fn check_version(old: &Document, new: &Document, findings: &[Finding]) -> Option<Finding> {
    let is_change = |finding: &Finding| finding.rule.id != "info-version-changed";
    if !findings.iter().any(is_change) {
        return None;
    }
    let message = match (suggested_version(old, findings), version(new)) {
        (Some(suggested), Some(found)) if release(&found) < suggested => {
            format!("the changes ask for version {suggested}")
        }
        (Some(_), Some(_)) => return None,
        (None, _) => "the old version is not a semantic version such as 1.2.3".to_owned(),
        (_, None) => "the new version is not a semantic version such as 1.2.3".to_owned(),
    };
    let side = |document: &Document| Side {
        span: document.span(POINTER),
        pointer: document.pointer_in_file(POINTER),
        value: document.value().pointer(POINTER).map(ToString::to_string),
    };
    Some(Finding {
        rule: &VERSION_TOO_LOW,
        verdict: VERSION_TOO_LOW.verdict,
        operations: Operations::default(),
        place: "info › version".to_owned(),
        message,
        span: new.span(POINTER),
        old: Some(side(old)),
        new: Some(side(new)),
        example: None,
        request: None,
    })
}

/// The release that a pre-release leads to.
fn release(version: &Version) -> Version {
    Version { pre: Prerelease::EMPTY, build: BuildMetadata::EMPTY, ..version.clone() }
}

fn version(document: &Document) -> Option<Version> {
    Version::parse(document.value().pointer(POINTER)?.as_str()?).ok()
}

#[cfg(test)]
mod tests {
    use super::{check_version, suggested_version};
    use crate::{Options, diff};
    use countersign_contract_document::Document;

    fn document(version: &str, rest: &str) -> Document {
        let text =
            format!("openapi: 3.0.3\ninfo: {{title: t, version: {version}}}\npaths:\n  /a: {{get: {{{rest}}}}}\n");
        Document::load("a.yaml", &text).expect("a document")
    }

    const SAME: &str = "summary: a";
    const DOCUMENTATION: &str = "summary: b";
    const COMPATIBLE: &str = "summary: a, deprecated: true";
    const RISKY: &str = "summary: a, operationId: a";
    const BREAKING: &str = "summary: a, parameters: [{name: q, in: query, required: true, schema: {type: string}}]";

    #[test]
    fn versions_follow_the_worst_change() {
        for (old, change, expected) in [
            ("1.2.3", SAME, None),
            ("1.2.3", DOCUMENTATION, Some("1.2.4")),
            ("1.2.3", COMPATIBLE, Some("1.3.0")),
            ("1.2.3", RISKY, Some("1.3.0")),
            ("1.2.3", BREAKING, Some("2.0.0")),
            ("0.2.3", DOCUMENTATION, Some("0.2.4")),
            ("0.2.3", COMPATIBLE, Some("0.2.4")),
            ("0.2.3", BREAKING, Some("0.3.0")),
            ("2.0.0-rc.1", BREAKING, Some("2.0.0")),
            ("1.2.3+5", COMPATIBLE, Some("1.3.0")),
            ("'2027-01-31'", BREAKING, None),
            ("1.2", BREAKING, None),
        ] {
            let (old, new) = (document(old, SAME), document("9.9.9", change));
            let findings = diff(&old, &new, &Options::default());
            let suggested = suggested_version(&old, &findings).map(|version| version.to_string());
            assert_eq!(suggested.as_deref(), expected, "{:?} {change}", old.value()["info"]["version"]);
        }
    }

    #[test]
    fn a_version_that_promises_too_much_is_found() {
        let checked = |old: &str, new: &str, change: &str| {
            let (old, new) = (document(old, SAME), document(new, change));
            let findings = diff(&old, &new, &Options::default());
            check_version(&old, &new, &findings).map(|finding| finding.message)
        };
        for (old, new, change, expected) in [
            ("1.2.3", "1.3.0", BREAKING, Some("the changes ask for version 2.0.0")),
            ("1.2.3", "2.0.0-rc.1", BREAKING, None),
            ("1.2.3", "2.0.0", BREAKING, None),
            ("1.2.3", "3.1.0", BREAKING, None),
            ("1.2.3", "1.2.3", SAME, None),
            ("1.2.3", "1.2.3", COMPATIBLE, Some("the changes ask for version 1.3.0")),
            ("one", "2.0.0", COMPATIBLE, Some("the old version is not a semantic version such as 1.2.3")),
            ("1.2.3", "two", COMPATIBLE, Some("the new version is not a semantic version such as 1.2.3")),
        ] {
            assert_eq!(checked(old, new, change).as_deref(), expected, "{old} {new} {change}");
        }
    }
}
