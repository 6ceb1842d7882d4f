//! `countersign contract check`.

use super::output::{self, OutputArguments};
use super::root::RootArguments;
use super::{ContractError, Outcome, chain, input};
use clap::Args;
use countersign_contract::check::{Check, Probe, Purpose, Wanted};
use countersign_contract::{Finding, Verdict};
use http::{HeaderName, HeaderValue, Method};
use reqwest::redirect::Policy;
use reqwest::{Client, Url};
use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::io::{IsTerminal as _, Write};
use std::time::Duration;

/// Most bytes of a response body that are read.
const LONGEST_BODY: usize = 16 << 20;

#[derive(Debug, Args)]
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
    /// credentials omit `Authorization`, `Cookie` and headers of security schemes.
    #[arg(long, value_name = "NAME: VALUE", value_parser = header)]
    header: Vec<(HeaderName, HeaderValue)>,

    /// Send safe methods only (GET, HEAD, OPTIONS, TRACE). Without this option, all operations are called, including
    /// deletions: use a disposable server.
    #[arg(long)]
    only_safe: bool,

    /// Seed of generated values; the same seed gives the same requests.
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    seed: u64,

    /// Timeout for each response, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    timeout: u64,

    #[command(flatten)]
    root: RootArguments,

    #[command(flatten)]
    output: OutputArguments,
}

fn base(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| error.to_string())?;
    match url.scheme() {
        "http" | "https" if url.query().is_none() && url.fragment().is_none() => Ok(url),
        _ => Err("expected http://… or https://…, without query and fragment".to_owned()),
    }
}

fn header(text: &str) -> Result<(HeaderName, HeaderValue), String> {
    let (name, value) = text.split_once(':').ok_or("expected NAME: VALUE")?;
    let name = name.trim().parse().map_err(|_| format!("`{name}` is not a valid header name"))?;
    let mut value: HeaderValue =
        value.trim().parse().map_err(|_| "the value has characters that a header cannot contain")?;
    value.set_sensitive(true);
    Ok((name, value))
}

pub(super) fn run(arguments: &CheckArguments, output: &mut (dyn Write + Send)) -> Result<Outcome, ContractError> {
    let document = input::load(&arguments.file, &arguments.root)?;
    let check = Check::new(&document);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|source| ContractError::Runtime { source })?;
    let (statistics, findings) = runtime.block_on(send_requests(&check, &document, arguments))?;
    let operations = check.operations(wanted(arguments));
    let title = format!(
        "{} responses of {} to {operations} operations of {} ({statistics})",
        statistics.sent, arguments.url, arguments.file
    );
    output::write(&arguments.output, &findings, &title, Verdict::Warning, output)
}

fn wanted(arguments: &CheckArguments) -> Wanted {
    Wanted { only_safe: arguments.only_safe, seed: arguments.seed }
}

/// Statistics of the run.
#[derive(Debug, Default)]
struct Statistics {
    sent: usize,
    /// Number of responses by status.
    statuses: BTreeMap<u16, usize>,
    /// Operations with a successful response to a valid request.
    succeeded: HashSet<String>,
}

impl fmt::Display for Statistics {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (status, count) in &self.statuses {
            write!(formatter, "{status}: {count}, ")?;
        }
        match self.succeeded.len() {
            1 => formatter.write_str("1 operation succeeded"),
            many => write!(formatter, "{many} operations succeeded"),
        }
    }
}

/// Sends the requests one after the other. Returns statistics and findings.
async fn send_requests(
    check: &Check,
    document: &countersign_contract::Document,
    arguments: &CheckArguments,
) -> Result<(Statistics, Vec<Finding>), ContractError> {
    let client = Client::builder().timeout(Duration::from_secs(arguments.timeout)).redirect(Policy::none());
    let client = client.build().map_err(|source| ContractError::Client { source })?;
    let secret = secret_headers(document);
    let (mut statistics, mut findings, mut known) = (Statistics::default(), Vec::new(), HashSet::new());
    let mut last_failure = None;
    for probe in check.probes(wanted(arguments)).take(arguments.max_requests) {
        let found = match send(&client, arguments, &secret, &probe).await {
            Ok((status, headers, body)) => {
                *statistics.statuses.entry(status).or_default() += 1;
                if status < 400 && matches!(probe.purpose, Purpose::Documented(_)) {
                    statistics.succeeded.insert(probe.operation.clone());
                }
                let headers = headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
                check.check_response(&probe, status, headers, &body)
            }
            Err(error) => {
                let why = chain(&error.without_url());
                last_failure = Some(why.clone());
                vec![check.no_response(&probe, &why)]
            }
        };
        statistics.sent += 1;
        // Equal findings about an operation are reported once.
        findings.extend(
            found
                .into_iter()
                .filter(|finding| known.insert((finding.rule.id, finding.operations.clone(), finding.message.clone()))),
        );
        if statistics.statuses.is_empty() && statistics.sent == 3 {
            break;
        }
        if statistics.sent % 25 == 0 && std::io::stderr().is_terminal() {
            eprint_progress(statistics.sent, arguments.max_requests, findings.len());
        }
    }
    if statistics.sent >= 25 && std::io::stderr().is_terminal() {
        // The result must not follow the progress on its line.
        let _ = writeln!(std::io::stderr());
    }
    match (statistics.statuses.is_empty(), last_failure) {
        (true, Some(why)) => Err(ContractError::Unreachable { url: arguments.url.to_string(), why }),
        _ => {
            if statistics.succeeded.is_empty() && statistics.sent > 0 {
                findings.push(check.nothing_succeeded(statistics.sent));
            }
            findings.sort_by(|one, other| (&one.operations, &one.span).cmp(&(&other.operations, &other.span)));
            Ok((statistics, findings))
        }
    }
}

fn eprint_progress(sent: usize, most: usize, findings: usize) {
    // Progress is optional, so errors are ignored.
    let _ = write!(std::io::stderr(), "\r{sent} of {most} requests, {findings} findings ");
}

/// Names of headers with credentials.
fn secret_headers(document: &countersign_contract::Document) -> Vec<HeaderName> {
    let schemes = document.value().pointer("/components/securitySchemes").and_then(|schemes| schemes.as_object());
    let named = schemes.into_iter().flatten().filter(|(_, scheme)| scheme["in"] == "header");
    let named = named.filter_map(|(_, scheme)| scheme["name"].as_str()?.parse().ok());
    named.chain([http::header::AUTHORIZATION, http::header::COOKIE]).collect()
}

type Received = (u16, Vec<(String, String)>, Vec<u8>);

async fn send(
    client: &Client,
    arguments: &CheckArguments,
    secret: &[HeaderName],
    probe: &Probe,
) -> Result<Received, reqwest::Error> {
    let address = format!("{}{}", arguments.url.as_str().trim_end_matches('/'), probe.target);
    let method = Method::from_bytes(probe.method.as_bytes()).unwrap_or(Method::GET);
    let mut request = client.request(method, address);
    for (name, value) in &probe.headers {
        request = request.header(name, value);
    }
    let without = probe.purpose == Purpose::WithoutCredentials;
    for (name, value) in arguments.header.iter().filter(|(name, _)| !without || !secret.contains(name)) {
        request = request.header(name, value);
    }
    if !probe.body.is_empty() {
        request = request.body(probe.body.clone());
    }
    let mut response = request.send().await?;
    let status = response.status().as_u16();
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let headers = response.headers().iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect();
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        body.extend_from_slice(&chunk);
        if body.len() > LONGEST_BODY {
            break;
        }
    }
    Ok((status, headers, body))
}
