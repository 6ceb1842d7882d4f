//! `countersign contract diff`.

mod comparison;
mod pairs;

use self::comparison::Comparison;
use super::input::Documents;
use super::shared::SharedArguments;
use super::{ContractError, Outcome, input};
use clap::{Args, ValueEnum};
use countersign_contract_diff::{Options as DiffOptions, PathPrefix};
use countersign_contract_finding::{Rule, Severity, Verdict};
use countersign_contract_profile::{self as profile, DiffProfile};
use std::io::Write;

#[derive(Debug, Args)]
pub(super) struct DiffArguments {
    /// The version that clients use: a document, or a directory or a pattern for several.
    old: String,

    /// The new version. The documents of two directories are paired by their paths.
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
    let rule = profile::rules_of_diff().find(|rule| rule.id == id);
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
    let (old, new) = (Documents::of(&arguments.old)?, Documents::of(&arguments.new)?);
    let pairs = pairs::pairs(&old, &new)?;
    let several = format!(" ({} documents)", pairs.len());
    let mut title = format!("{} → {}", input::shown(&arguments.old), input::shown(&arguments.new));
    if let Documents::Several { .. } = new {
        title.push_str(if pairs.len() == 1 { " (1 document)" } else { &several });
    }
    let mut comparison = Comparison::new(arguments, new.place(), today)?;
    let mut failures = Vec::new();
    for pair in &pairs {
        failures.extend(comparison.add(*pair)?);
    }
    arguments.shared.input.keep(arguments.shared.output.file())?;
    comparison.report(failures, &title, output)
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
