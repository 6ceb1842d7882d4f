//! Renders findings as JUnit test results, which most CI systems show.
//!
//! One suite, named after what was examined, with a case for each finding: failed from a given verdict on, otherwise passed
//! with the finding in its output. Without findings there is one passed case, because CI systems treat a report without
//! cases as missing. No times and no ids, because they would differ between runs.

use super::sections::worst_first;
use super::{details, headline, places, subject, visible};
use countersign_contract_finding::{Finding, Verdict};
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

/// Renders the findings as JUnit XML. Verdicts from `fails_from` on are failures.
#[must_use]
pub fn render(findings: &[Finding], title: &str, fails_from: Verdict) -> String {
    let title = visible(title);
    let mut suite = TestSuite::new(&title);
    suite.add_test_cases(worst_first(findings).into_iter().map(|finding| case(finding, fails_from)));
    if findings.is_empty() {
        let mut nothing = TestCase::new("no findings", TestCaseStatus::success());
        nothing.set_classname(&title);
        suite.add_test_case(nothing);
    }
    let mut report = Report::new(&title);
    report.add_test_suite(suite);
    report.to_string().expect("a report in memory can be written")
}

fn case(finding: &Finding, fails_from: Verdict) -> TestCase {
    let rule = finding.rule;
    let fails = finding.verdict >= fails_from;
    let mut status = match fails {
        true => TestCaseStatus::non_success(NonSuccessKind::Failure),
        false => TestCaseStatus::success(),
    };
    let description = description(finding);
    if fails {
        status.set_message(headline(finding)).set_type(rule.id).set_description(&description);
    }
    let place = Some(visible(&finding.place)).filter(|place| !place.is_empty());
    let place = place.map(|place| format!(" {place}")).unwrap_or_default();
    let span = finding.span.to_string();
    let mut case = TestCase::new(format!("{}{place} ({})", rule.id, visible(&span)), status);
    case.set_classname(subject(&finding.operations));
    case.extra.insert("file".into(), visible(&finding.span.document).into());
    if finding.span.position.line > 0 {
        case.extra.insert("line".into(), finding.span.position.line.to_string().into());
    }
    if !fails {
        case.set_system_out(description);
    }
    case
}

fn description(finding: &Finding) -> String {
    let operations: Vec<_> = finding.operations.iter().map(|operation| visible(operation)).collect();
    let operations = Some(operations).filter(|operations| !operations.is_empty());
    let mut lines = vec![
        format!("{}: {}", finding.verdict, visible(&finding.message)),
        format!("at {}", places(finding)),
        format!("why: {}", finding.rule.why),
    ];
    lines.extend(details(finding).into_iter().map(|(label, text)| format!("{label}: {text}")));
    lines.extend(operations.map(|operations| format!("operations: {}", operations.join(", "))));
    lines.join("\n")
}
