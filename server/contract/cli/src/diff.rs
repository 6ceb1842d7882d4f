//! `countersign contract diff`.

use super::accepted::{Accepted, file_name};
use super::shared::SharedArguments;
use super::{ContractError, Outcome, input, output};
use clap::{Args, ValueEnum};
use countersign_contract_diff::version_bump::{VERSION_TOO_LOW, check_version, suggested_version};
use countersign_contract_diff::{Options as DiffOptions, PathPrefix, diff, rules};
use countersign_contract_finding::{Finding, Rule, Severity, Verdict};
use countersign_contract_profile::exceptions::Examined;
use countersign_contract_profile::{self as profile, DiffProfile};
use countersign_contract_report::Notes;
use std::io::Write;

#[derive(Debug, Args)]
pub(super) struct DiffArguments {
    /// The version that clients use.
    old: String,

    /// The new version.
    new: String,

    /// The mildest verdict that makes the exit status 1. Without this option, that of the configuration, or else breaking.
    #[arg(long, value_enum, value_name = "VERDICT")]
    fail_on: Option<FailOn>,

    /// The mildest verdict that is shown.
    #[arg(long, value_enum, value_name = "VERDICT", default_value = "documentation")]
    at_least: Level,

    /// Use another verdict for a rule, as in `operation-tag-removed=breaking`, or `off`; can be repeated.
    #[arg(long, value_name = "RULE=VERDICT", value_parser = treatment)]
    treat: Vec<(&'static Rule, Severity)>,

    /// Remove a prefix from the paths of one document before operations are matched, as in `old=/v1`.
    #[arg(long, value_name = "old|new=PREFIX", value_parser = prefix)]
    strip_prefix: Vec<(Side, String)>,

    /// Put a prefix before the paths of one document before operations are matched, as in `new=/api`.
    #[arg(long, value_name = "old|new=PREFIX", value_parser = prefix)]
    add_prefix: Vec<(Side, String)>,

    #[command(flatten)]
    shared: SharedArguments,
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

impl From<FailOn> for profile::FailOn {
    fn from(fail_on: FailOn) -> Self {
        match fail_on {
            FailOn::Breaking => Self::Breaking,
            FailOn::Risky => Self::Risky,
            FailOn::Any => Self::Any,
            FailOn::Nothing => Self::Nothing,
        }
    }
}

/// One of the two documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Side {
    Old,
    New,
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

fn treatment(text: &str) -> Result<(&'static Rule, Severity), String> {
    let (id, verdict) = text.split_once('=').ok_or("expected RULE=VERDICT")?;
    let rule = rules::rule(id).or_else(|| Some(&VERSION_TOO_LOW).filter(|rule| rule.id == id));
    let rule = rule.ok_or_else(|| format!("there is no rule `{id}`"))?;
    if verdict == "off" {
        return Ok((rule, Severity::Off));
    }
    let verdict = Level::from_str(verdict, false)
        .map_err(|_| format!("`{verdict}` is none of breaking, risky, compatible, documentation, off"))?;
    Ok((rule, Severity::As(verdict.into())))
}

fn prefix(text: &str) -> Result<(Side, String), String> {
    let expected = "expected old=PREFIX or new=PREFIX";
    let (side, prefix) = text.split_once('=').ok_or(expected)?;
    let side = Side::from_str(side, false).map_err(|_| expected)?;
    match prefix.starts_with('/') {
        true => Ok((side, prefix.to_owned())),
        false => Err(format!("`{prefix}` does not begin with a slash")),
    }
}

pub(super) fn run(
    arguments: &DiffArguments,
    today: &str,
    output: &mut (dyn Write + Send),
) -> Result<Outcome, ContractError> {
    if arguments.old == "-" && arguments.new == "-" {
        return Err(ContractError::OneInput);
    }
    input::keep([&arguments.old, &arguments.new], arguments.shared.output.file())?;
    let title = format!("{} → {}", input::shown(&arguments.old), input::shown(&arguments.new));
    let root = arguments.shared.input.root();
    let profile = arguments.shared.profile.load(&arguments.new, root)?.diff;
    let (old, new) = match [&arguments.old, &arguments.new].map(|name| input::load(name, &arguments.shared.input)) {
        [Ok(old), Ok(new)] => (old, new),
        sides => {
            let failures = sides.into_iter().filter_map(Result::err).collect();
            return Err(arguments.shared.output.write_failures(failures, &title, output));
        }
    };
    let options = options(arguments, &profile, today);
    let mut findings = diff(&old, &new, &options);
    let selection = arguments.shared.selection.selection();
    selection.apply(&[&old, &new], &mut findings);

    let (fails_from, nothing_fails) = threshold(arguments.fail_on.map(Into::into).or(profile.fail_on));
    let fails = |finding: &Finding| !nothing_fails && finding.verdict >= fails_from;
    let mut accepted = Accepted::open(&arguments.shared.exceptions, &arguments.new, root, today)?;
    accepted.apply(&arguments.new, &mut findings, fails)?;
    let suggested = suggested_version(&old, &findings);
    if profile.check_version {
        let mut version: Vec<Finding> = check_version(&old, &new, &findings).into_iter().collect();
        options.severities.apply(&mut version);
        findings.extend(version);
    }
    let notes = Notes { accepted: accepted.count, suggested_version: suggested.map(|version| version.to_string()) };
    let examined = match selection.is_everything() {
        true => Examined::Changes(file_name(&arguments.new)),
        false => Examined::Parts,
    };
    findings.extend(accepted.close(examined)?);

    // Findings below --at-least count for the exit status, too.
    let has_failures = findings.iter().any(fails);
    findings.retain(|finding| finding.verdict >= arguments.at_least.into());
    output::write(&arguments.shared.output, &findings, &title, (fails_from, &notes), output)?;
    Ok(if has_failures { Outcome::Findings } else { Outcome::Fine })
}

/// The options of the comparison; the flags win over the configuration.
fn options(arguments: &DiffArguments, profile: &DiffProfile, today: &str) -> DiffOptions {
    let of = |prefixes: &[(Side, String)], side: Side| {
        prefixes.iter().filter(|(of, _)| *of == side).map(|(_, prefix)| prefix.as_str()).collect()
    };
    let prefix =
        |side: Side| PathPrefix { strip: of(&arguments.strip_prefix, side), add: of(&arguments.add_prefix, side) };
    let mut options = profile.options(today);
    options.severities.extend(arguments.treat.iter().copied());
    (options.old_prefix, options.new_prefix) = (prefix(Side::Old), prefix(Side::New));
    options
}

/// The mildest verdict that fails, and whether nothing does.
fn threshold(fail_on: Option<profile::FailOn>) -> (Verdict, bool) {
    match fail_on.unwrap_or(profile::FailOn::Breaking) {
        profile::FailOn::Breaking => (Verdict::Breaking, false),
        profile::FailOn::Risky => (Verdict::Risky, false),
        profile::FailOn::Any => (Verdict::Documentation, false),
        profile::FailOn::Nothing => (Verdict::Error, true),
    }
}
