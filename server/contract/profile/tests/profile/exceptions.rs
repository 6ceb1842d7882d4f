//! Accepted findings: what they have in common with those of a later run, and the file that holds them.

use countersign_contract_diff::{Options as DiffOptions, diff};
use countersign_contract_document::Document;
use countersign_contract_finding::Finding;
use countersign_contract_lint::lint;
use countersign_contract_profile::exceptions::{Acceptance, Examined, Exceptions, fingerprint};
use std::collections::BTreeSet;

fn document(text: &str) -> Document {
    Document::load("api.yaml", text).unwrap_or_else(|error| panic!("{}\n{text}", error.on_one_line()))
}

const OLD: &str = "\
openapi: 3.0.3
info: {title: t, version: 1.0.0}
paths:
  /users:
    post:
      operationId: a
      parameters:
        - {name: q, in: query, schema: {type: string, maxLength: 5}}
      requestBody: {content: {application/json: {schema: {$ref: '#/components/schemas/User'}}}}
      responses: {200: {description: d}}
components:
  schemas:
    User:
      type: object
      properties:
        name: {type: string, maxLength: 9}
        kind: {type: string, enum: [a, b, c]}
";

/// Two changes in a component, and one in a parameter.
fn changed(text: &str) -> String {
    text.replace("maxLength: 5", "maxLength: 4").replace("maxLength: 9", "maxLength: 8").replace(", b, c]", ", c]")
}

fn compared(old: &str, new: &str) -> Vec<Finding> {
    let findings = diff(&document(old), &document(new), &DiffOptions::default());
    findings.into_iter().filter(|finding| finding.rule.id.starts_with("request-")).collect()
}

fn fingerprints(findings: &[Finding]) -> BTreeSet<String> {
    findings.iter().map(fingerprint).collect()
}

#[test]
fn unrelated_edits_and_moved_lines_leave_fingerprints_as_they_are() {
    let before = fingerprints(&compared(OLD, &changed(OLD)));
    assert_eq!(before.len(), 3);
    for (from, to) in [
        ("info:", "# a comment\n\ninfo:"),
        // A parameter before the one that changed.
        ("        - {name: q", "        - {name: p, in: query, schema: {type: string}}\n        - {name: q"),
        // Another operation with the same component, at a path that comes first.
        (
            "  /users:",
            "  /a: {put: {requestBody: {content: {application/json: {schema: {$ref: '#/components/schemas/User'}}}}, responses: {200: {description: d}}}}\n  /users:",
        ),
        // A value before the one that changed.
        ("enum: [a", "enum: [z, a"),
        ("        name:", "        other: {type: string}\n        name:"),
        ("operationId: a", "operationId: b"),
    ] {
        let edited = OLD.replace(from, to);
        assert_ne!(edited, OLD, "{from}");
        assert_eq!(fingerprints(&compared(&edited, &changed(&edited))), before, "{to}");
    }
}

#[test]
fn other_values_places_and_rules_have_other_fingerprints() {
    let before = fingerprints(&compared(OLD, &changed(OLD)));
    for (from, to) in [
        ("maxLength: 4", "maxLength: 3"),
        ("maxLength: 8", "maxLength: 7"),
        ("[a, c]", "[a, b]"),
        ("maxLength: 8", "maxLength: 9, minLength: 1"),
    ] {
        let new = changed(OLD).replace(from, to);
        let after = fingerprints(&compared(OLD, &new));
        assert_eq!((after.difference(&before).count(), before.difference(&after).count()), (1, 1), "{to}");
    }
    // Of long values, the end counts as well.
    let long =
        |end: &str| changed(OLD).replace("maxLength: 8", &format!("maxLength: 9, pattern: '{}{end}'", "a".repeat(100)));
    assert_ne!(fingerprints(&compared(OLD, &long("b"))), fingerprints(&compared(OLD, &long("c"))));
    // The same change of two parameters, two properties and two alternatives.
    let twice = "\
openapi: 3.0.3
info: {title: t, version: 1.0.0}
paths:
  /users:
    post:
      parameters:
        - {name: q, in: query, schema: {type: string, maxLength: 5}}
        - {name: r, in: query, schema: {type: string, maxLength: 5}}
      requestBody: {content: {application/json: {schema: {$ref: '#/components/schemas/User'}}}}
      responses: {200: {description: d}}
components:
  schemas:
    User:
      type: object
      properties:
        first: {type: string, maxLength: 9}
        last: {type: string, maxLength: 9}
";
    assert_eq!(fingerprints(&compared(twice, &changed(twice))).len(), 4);
}

#[test]
fn findings_of_lint_have_fingerprints_that_stay() {
    let text = OLD.replace("type: object", "type: object\n      required: [nam, name]");
    let of_rule = |text: &str| {
        let findings = lint(&document(text)).into_iter();
        let own = findings.filter(|finding| finding.rule.id == "required-property-undefined");
        fingerprints(&own.collect::<Vec<_>>())
    };
    let before = of_rule(&text);
    assert_eq!(before.len(), 1);
    assert_eq!(of_rule(&text.replace("paths:", "\n\npaths:").replace("[nam, name]", "[name, nam]")), before);
    assert_ne!(of_rule(&text.replace("[nam, name]", "[nme, name]")), before);
}

fn acceptance(reason: &str, until: Option<&str>) -> Acceptance {
    Acceptance { reason: reason.to_owned(), until: until.map(str::to_owned) }
}

const TODAY: &str = "2027-01-31";

/// Rules and messages of the findings about entries.
fn outdated(exceptions: &Exceptions, found: &[Finding], today: &str) -> Vec<String> {
    let findings = exceptions.outdated(found, today, Examined::Changes("api.yaml")).into_iter();
    findings.map(|finding| format!("{} {} {}", finding.span, finding.rule.id, finding.message)).collect()
}

#[test]
fn accepted_findings_are_gone_until_their_day_has_passed() {
    let found = compared(OLD, &changed(OLD));
    let mut exceptions = Exceptions::new("exceptions.toml");
    let two: Vec<&Finding> = found.iter().take(2).collect();
    exceptions.accept("api.yaml", &two, &acceptance("no client sends more", Some(TODAY))).unwrap();
    let exceptions = Exceptions::parse("exceptions.toml", &exceptions.to_string()).unwrap();

    let mut left = found.clone();
    assert_eq!(exceptions.remove_accepted(&mut left, TODAY), 2);
    assert_eq!(left, found[2..]);
    assert_eq!(outdated(&exceptions, &found, TODAY), [""; 0]);

    let mut left = found.clone();
    assert_eq!(exceptions.remove_accepted(&mut left, "2027-02-01"), 0);
    assert_eq!(left, found);
    let told = outdated(&exceptions, &found, "2027-02-01");
    let expected = format!(
        "exceptions.toml:4:1 exception-expired {} was accepted until {TODAY}: no client sends more",
        found[0].rule.id
    );
    assert_eq!((told.len(), told[0].as_str()), (2, expected.as_str()));
}

#[test]
fn entries_without_a_finding_are_stale_if_it_could_have_been_found() {
    let found = compared(OLD, &changed(OLD));
    let mut exceptions = Exceptions::new("exceptions.toml");
    exceptions.accept("api.yaml", &[&found[0]], &acceptance("r", None)).unwrap();
    let told = outdated(&exceptions, &found[1..], TODAY);
    assert!(told.len() == 1 && told[0].contains("exception-stale"), "{told:?}");
    for examined in [Examined::Changes("other.yaml"), Examined::Documents(&["api.yaml"]), Examined::Parts] {
        assert_eq!(exceptions.outdated(&found[1..], TODAY, examined), [], "{examined:?}");
    }
}

#[test]
fn the_file_keeps_its_comments_and_order() {
    let found = compared(OLD, &changed(OLD));
    let mut exceptions = Exceptions::new("exceptions.toml");
    exceptions.accept("api.yaml", &[&found[0]], &acceptance("first", None)).unwrap();
    let text = exceptions.to_string().replace("reason = ", "# agreed by mail\nreason   = ") + "\n# the end\n";
    let mut exceptions = Exceptions::parse("exceptions.toml", &text).unwrap();
    exceptions.accept("api.yaml", &[&found[1]], &acceptance("second", Some(TODAY))).unwrap();
    let longer = exceptions.to_string();
    assert!(longer.starts_with("# Findings of `diff` and `lint` that are accepted."), "{longer}");
    let position = |part: &str| longer.find(part).unwrap_or_else(|| panic!("no {part} in\n{longer}"));
    assert!(position("# agreed by mail\nreason   = \"first\"") < position("reason = \"second\"\nuntil = 2027-01-31\n"));
    position("# the end");

    // Accepted anew, an entry has the new reason and day and stays where it is.
    exceptions.accept("api.yaml", &[&found[0]], &acceptance("third", Some(TODAY))).unwrap();
    let entries = Exceptions::parse("exceptions.toml", &exceptions.to_string()).unwrap().entries().to_vec();
    let reasons: Vec<&str> = entries.iter().map(|entry| entry.reason.as_str()).collect();
    assert_eq!(reasons, ["third", "second"]);
    assert_eq!(entries[0].until.as_deref(), Some(TODAY));
}

#[test]
fn a_file_that_cannot_be_used_is_an_error_with_a_position() {
    let entry =
        "[[accepted]]\nfingerprint = 'f'\nrule = 'r'\ndocument = 'd'\nplace = 'p'\nfinding = 'f'\nreason = 'r'\n";
    assert_eq!(Exceptions::parse("e.toml", entry).unwrap().entries().len(), 1);
    for (text, expected) in [
        (format!("{entry}untill = 2027-01-31"), "e.toml:8:1: unknown field `untill`"),
        (format!("{entry}until = '2027-01-31'"), "e.toml:8:9: "),
        (format!("{entry}until = 2027-01-31T10:00:00"), "expected a day: until = 2027-01-31"),
        (entry.replace("reason = 'r'\n", ""), "missing field `reason`"),
        ("accepted = [{}]".to_owned(), "missing field `fingerprint`"),
        ("accepted = 1".to_owned(), "e.toml:1:12: invalid type"),
    ] {
        let error = Exceptions::parse("e.toml", &text).unwrap_err().to_string();
        assert!(error.contains(expected), "{text}\n{error}");
    }
}
