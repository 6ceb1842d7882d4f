//! `countersign contract diff`.

use super::output::{self, OutputArguments};
use super::root::RootArguments;
use super::{ContractError, Outcome, input};
use clap::{Args, ValueEnum};
use countersign_contract::{DiffOptions, Finding, Rule, Verdict, diff};
use std::collections::HashMap;
use std::io::Write;

#[derive(Debug, Args)]
pub(super) struct DiffArguments {
    /// The version that clients use.
    old: String,

    /// The new version.
    new: String,

    /// The mildest verdict that makes the exit status 1.
    #[arg(long, value_enum, value_name = "VERDICT", default_value = "breaking")]
    fail_on: FailOn,

    /// The mildest verdict that is shown.
    #[arg(long, value_enum, value_name = "VERDICT", default_value = "documentation")]
    at_least: Level,

    /// Use another verdict for a rule, as in `operation-tag-removed=breaking`; can be repeated.
    #[arg(long, value_name = "RULE=VERDICT", value_parser = treatment)]
    treat: Vec<(&'static Rule, Verdict)>,

    #[command(flatten)]
    root: RootArguments,

    #[command(flatten)]
    output: OutputArguments,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum FailOn {
    /// Clients that follow the document stop working.
    Breaking,
    /// Some clients may stop working.
    Risky,
    /// Any change, including documentation.
    Any,
    /// Never.
    Nothing,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Level {
    Breaking,
    Risky,
    Compatible,
    Documentation,
}

impl From<Level> for Verdict {
    fn from(level: Level) -> Self {
        match level {
            Level::Breaking => Self::Breaking,
            Level::Risky => Self::Risky,
            Level::Compatible => Self::Compatible,
            Level::Documentation => Self::Documentation,
        }
    }
}

fn treatment(text: &str) -> Result<(&'static Rule, Verdict), String> {
    let (id, verdict) = text.split_once('=').ok_or("expected RULE=VERDICT")?;
    let rule = diff::rules::rule(id).ok_or_else(|| format!("there is no rule `{id}`"))?;
    let verdict = Level::from_str(verdict, false)
        .map_err(|_| format!("`{verdict}` is none of breaking, risky, compatible, documentation"))?;
    Ok((rule, verdict.into()))
}

pub(super) fn run(
    arguments: &DiffArguments,
    today: &str,
    output: &mut (dyn Write + Send),
) -> Result<Outcome, ContractError> {
    if arguments.old == "-" && arguments.new == "-" {
        return Err(ContractError::OneInput);
    }
    let (old, new) = (input::load(&arguments.old, &arguments.root)?, input::load(&arguments.new, &arguments.root)?);
    let mut findings = diff(&old, &new, &DiffOptions { today: Some(today.to_owned()) });
    treat(&mut findings, &arguments.treat);
    let (fails_from, nothing_fails) = match arguments.fail_on {
        FailOn::Breaking => (Verdict::Breaking, false),
        FailOn::Risky => (Verdict::Risky, false),
        FailOn::Any => (Verdict::Documentation, false),
        FailOn::Nothing => (Verdict::Error, true),
    };
    let title = format!("{} → {}", arguments.old, arguments.new);
    // Findings below --at-least count for the exit status, too.
    let fails = !nothing_fails && findings.iter().any(|finding| finding.verdict >= fails_from);
    findings.retain(|finding| finding.verdict >= arguments.at_least.into());
    output::write(&arguments.output, &findings, &title, fails_from, output)?;
    Ok(if fails { Outcome::Findings } else { Outcome::Fine })
}

/// Applies the verdicts of --treat.
fn treat(findings: &mut [Finding], treatments: &[(&'static Rule, Verdict)]) {
    let treated: HashMap<&str, Verdict> = treatments.iter().map(|(rule, verdict)| (rule.id, *verdict)).collect();
    for finding in findings {
        finding.verdict = treated.get(finding.rule.id).copied().unwrap_or(finding.verdict);
    }
}
