//! `countersign contract check`.

mod client;
mod har;
mod statistics;

use self::client::{Client, Received};
use self::statistics::Statistics;
use super::input::InputArguments;
use super::output::{self, OutputArguments};
use super::root::RootArguments;
use super::{ContractError, Outcome, chain, input};
use clap::Args;
use countersign_contract_check::{Check, Probe, Purpose, Wanted};
use countersign_contract_document::Document;
use countersign_contract_finding::{Finding, Verdict};
use countersign_contract_report::Notes;
use http::{HeaderName, HeaderValue};
use reqwest::Url;
use std::collections::HashSet;
use std::io::{IsTerminal as _, Write};
use std::path::PathBuf;

const EXIT_STATUS: &str = "\
Exit status: 0 without findings, 1 with some, 2 if the server cannot be reached or has none of the document's paths, \
which means that --url is wrong, or if a file or the command line is invalid.";

#[derive(Debug, Args)]
#[command(after_help = EXIT_STATUS)]
pub(super) struct CheckArguments {
    /// The document that the server implements.
    file: String,

    /// URL of the document's first server, with its base path: http://localhost:3000/api/auth.
    #[arg(long, value_name = "BASE", value_parser = base)]
    url: Url,

    /// Greatest number of requests. Operations take turns.
    #[arg(long, value_name = "NUMBER", default_value_t = 1000)]
    max_requests: usize,

    /// Header to send with each request, as in 'Authorization: Bearer …'; can be repeated. Requests that test missing
    /// credentials omit `Authorization`, `Cookie` and headers of security schemes. Findings show `[masked]` for the values.
    #[arg(long, value_name = "NAME: VALUE", value_parser = header)]
    header: Vec<(HeaderName, HeaderValue)>,

    /// Show the values of --header and --value in findings, and those of secrets in a recording, so that the commands of `curl` can be run as they are.
    #[arg(long)]
    show_secrets: bool,

    /// Value that is valid for parameters and properties of this name, such as an id or a password that the server knows; can be
    /// repeated. Findings show `[masked]` for them.
    #[arg(long, value_name = "NAME=VALUE", value_parser = value)]
    value: Vec<(String, String)>,

    /// Send safe methods only (GET, HEAD, OPTIONS, TRACE). Without this option, all operations are called, including
    /// deletions: use a disposable server.
    #[arg(long)]
    only_safe: bool,

    /// Seed of generated values; the same seed gives the same requests, if the responses are the same.
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    seed: u64,

    /// Timeout for each response, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    timeout: u64,

    /// Send nothing, and validate the requests and responses in a recording: HAR 1.2, as browsers export it.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["max_requests", "header", "value", "only_safe", "seed", "timeout"])]
    har: Option<PathBuf>,

    #[command(flatten)]
    root: RootArguments,

    #[command(flatten)]
    output: OutputArguments,
}

pub(super) fn base(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| error.to_string())?;
    match url.scheme() {
        _ if !url.username().is_empty() || url.password().is_some() => Err("expected no credentials".to_owned()),
        "http" | "https" if url.query().is_none() && url.fragment().is_none() => Ok(url),
        _ => Err("expected http://… or https://…, without query and fragment".to_owned()),
    }
}

pub(super) fn header(text: &str) -> Result<(HeaderName, HeaderValue), String> {
    let (name, value) = text.split_once(':').ok_or("expected NAME: VALUE")?;
    let name = name.trim().parse().map_err(|_| format!("`{name}` is not a valid header name"))?;
    let mut value: HeaderValue =
        value.trim().parse().map_err(|_| "the value has characters that a header cannot contain")?;
    value.set_sensitive(true);
    Ok((name, value))
}

fn value(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("expected NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

pub(super) fn run(arguments: &CheckArguments, output: &mut (dyn Write + Send)) -> Result<Outcome, ContractError> {
    let input = InputArguments::below(&arguments.root);
    let loaded = input::load(&arguments.file, &input);
    input.keep(arguments.output.file())?;
    let document = match loaded {
        Ok(document) => document,
        Err(error) => return Err(arguments.output.write_failures(vec![error], &arguments.file, output)),
    };
    let check = Check::new(&document);
    if let Some(file) = &arguments.har {
        return har::run(&check, file, arguments, output);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|source| ContractError::Runtime { source })?;
    let (statistics, findings) = runtime.block_on(send_requests(&check, &document, arguments))?;
    let operations = check.operations(&wanted(arguments));
    let title = format!(
        "{} responses of {} to {operations} operations of {} ({statistics})",
        statistics.sent, arguments.url, arguments.file
    );
    output::write(&arguments.output, &findings, &title, (Verdict::Warning, &Notes::default()), output)
}

fn wanted(arguments: &CheckArguments) -> Wanted {
    Wanted {
        only_safe: arguments.only_safe,
        seed: arguments.seed,
        requests: arguments.max_requests,
        values: arguments.value.clone(),
    }
}

/// Number of requests without any response after which the server counts as unreachable.
const UNANSWERED: usize = 3;

/// Number of responses, none of them by an operation of the document, after which the URL counts as wrong.
const FOREIGN: usize = 100;

/// Sends the requests one after the other. Returns statistics and findings.
async fn send_requests(
    check: &Check,
    document: &Document,
    arguments: &CheckArguments,
) -> Result<(Statistics, Vec<Finding>), ContractError> {
    let client = Client::new(document, arguments)?;
    let (mut statistics, mut findings, mut known) = (Statistics::default(), Vec::new(), HashSet::new());
    let mut probes = check.probes(&wanted(arguments));
    while let Some(probe) = probes.next() {
        if statistics.is_silent(&probe) {
            continue;
        }
        let found = match client.send(&probe).await {
            Ok(received) => {
                let headers: Vec<_> = received.header_lines().collect();
                let found = match &received.body {
                    Some(body) => check.check_response(&probe, received.status, headers.iter().copied(), body),
                    None => check.check_long_response(&probe, received.status),
                };
                statistics.count(&probe, &received, &found);
                probes.learn(&probe, received.status, &headers, received.body.as_deref().unwrap_or_default());
                found
            }
            Err(error) => {
                if error.is_timeout() {
                    statistics.count_timeout(&probe);
                }
                let why = chain(&error.without_url());
                statistics.count_failure(&why);
                vec![check.no_response(&probe, &why)]
            }
        };
        // Equal findings about an operation are reported once.
        let is_new =
            |finding: &Finding| known.insert((finding.rule.id, finding.operations.clone(), finding.message.clone()));
        let with_request = |finding| Finding { request: Some(client.curl(&probe)), ..finding };
        findings.extend(found.into_iter().filter(is_new).map(with_request));
        if statistics.answered == 0 && statistics.sent == UNANSWERED
            || statistics.recognised == 0 && statistics.sent == FOREIGN
        {
            break;
        }
        if statistics.sent.is_multiple_of(25) && std::io::stderr().is_terminal() {
            eprint_progress(statistics.sent, arguments.max_requests, findings.len());
        }
    }
    if statistics.sent >= 25 && std::io::stderr().is_terminal() {
        // The result must not follow the progress on its line.
        let _ = writeln!(std::io::stderr());
    }
    statistics.examine(&arguments.url)?;
    if statistics.succeeded.is_empty() && statistics.sent > 0 {
        findings.push(check.nothing_succeeded(statistics.sent));
    }
    findings.sort_by(|one, other| (&one.operations, &one.span).cmp(&(&other.operations, &other.span)));
    Ok((statistics, findings))
}

fn eprint_progress(sent: usize, most: usize, findings: usize) {
    // Progress is optional, so errors are ignored.
    let _ = write!(std::io::stderr(), "\r{sent} of {most} requests, {findings} findings ");
}
