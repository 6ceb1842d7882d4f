//! `countersign contract check`.

use super::output::{self, OutputArguments};
use super::{ContractError, Outcome, input};
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

/// Longest body that is read of a response, in bytes.
const LONGEST_BODY: usize = 16 << 20;

#[derive(Debug, Args)]
pub(super) struct CheckArguments {
    /// The document that the server promises to keep.
    file: String,

    /// Where the document's first server is, base path included: http://localhost:3000/api/auth.
    #[arg(long, value_name = "BASE", value_parser = base)]
    url: Url,

    /// The most requests that are sent. Operations take turns.
    #[arg(long, value_name = "NUMBER", default_value_t = 1000)]
    max_requests: usize,

    /// Sent with each request, as in 'Authorization: Bearer …'; can be repeated. Left out where credentials are to be
    /// missing, if it is `Authorization`, `Cookie`, or a header that a security scheme names.
    #[arg(long, value_name = "NAME: VALUE", value_parser = header)]
    header: Vec<(HeaderName, HeaderValue)>,

    /// Send only methods that change nothing (GET, HEAD, OPTIONS, TRACE). Without it, everything that the document
    /// allows is sent, deletions included: take a server that nobody needs.
    #[arg(long)]
    only_safe: bool,

    /// Where generated values begin: the same number gives the same requests.
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    seed: u64,

    /// How long a response may take, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    timeout: u64,

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
    let name = name.trim().parse().map_err(|_| format!("`{name}` is no name of a header"))?;
    let mut value: HeaderValue =
        value.trim().parse().map_err(|_| "the value has characters that no header may have")?;
    value.set_sensitive(true);
    Ok((name, value))
}

pub(super) fn run(arguments: &CheckArguments, output: &mut (dyn Write + Send)) -> Result<Outcome, ContractError> {
    let document = input::load(&arguments.file)?;
    let check = Check::new(&document);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|source| ContractError::Runtime { source })?;
    let (seen, findings) = runtime.block_on(ask(&check, &document, arguments))?;
    let operations = check.operations(wanted(arguments));
    let title = format!(
        "{} responses of {} to {operations} operations of {} ({seen})",
        seen.sent, arguments.url, arguments.file
    );
    output::write(&arguments.output, &findings, &title, Verdict::Warning, output)
}

fn wanted(arguments: &CheckArguments) -> Wanted {
    Wanted { only_safe: arguments.only_safe, seed: arguments.seed }
}

/// What came of the requests.
#[derive(Debug, Default)]
struct Seen {
    sent: usize,
    /// How many responses had each status.
    statuses: BTreeMap<u16, usize>,
    /// Operations that answered what they document with success.
    succeeded: HashSet<String>,
}

impl fmt::Display for Seen {
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

/// Sends the requests, one after the other; what came of them, and what was wrong with the responses.
async fn ask(
    check: &Check,
    document: &countersign_contract::Document,
    arguments: &CheckArguments,
) -> Result<(Seen, Vec<Finding>), ContractError> {
    let client = Client::builder().timeout(Duration::from_secs(arguments.timeout)).redirect(Policy::none());
    let client = client.build().map_err(|source| ContractError::Client { source })?;
    let secret = secret_headers(document);
    let (mut seen, mut findings, mut known) = (Seen::default(), Vec::new(), HashSet::new());
    let mut last_failure = None;
    for probe in check.probes(wanted(arguments)).take(arguments.max_requests) {
        let found = match send(&client, arguments, &secret, &probe).await {
            Ok((status, headers, body)) => {
                *seen.statuses.entry(status).or_default() += 1;
                if status < 400 && matches!(probe.purpose, Purpose::Documented(_)) {
                    seen.succeeded.insert(probe.operation.clone());
                }
                let headers = headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
                check.check_response(&probe, status, headers, &body)
            }
            Err(error) => {
                let why = crate::error_chain(&error.without_url());
                last_failure = Some(why.clone());
                vec![check.no_response(&probe, &why)]
            }
        };
        seen.sent += 1;
        // The same thing in the same operation is told once, however often it is seen.
        findings.extend(
            found
                .into_iter()
                .filter(|finding| known.insert((finding.rule.id, finding.operations.clone(), finding.message.clone()))),
        );
        if seen.statuses.is_empty() && seen.sent == 3 {
            break;
        }
        if seen.sent % 25 == 0 && std::io::stderr().is_terminal() {
            eprint_progress(seen.sent, arguments.max_requests, findings.len());
        }
    }
    if seen.sent >= 25 && std::io::stderr().is_terminal() {
        // The result is not to stand behind the progress.
        let _ = writeln!(std::io::stderr());
    }
    match (seen.statuses.is_empty(), last_failure) {
        (true, Some(why)) => Err(ContractError::Unreachable { url: arguments.url.to_string(), why }),
        _ => {
            if seen.succeeded.is_empty() && seen.sent > 0 {
                findings.push(check.nothing_succeeded(seen.sent));
            }
            findings.sort_by(|one, other| (&one.operations, &one.span).cmp(&(&other.operations, &other.span)));
            Ok((seen, findings))
        }
    }
}

fn eprint_progress(sent: usize, most: usize, findings: usize) {
    // If nobody can be told, the result still says it.
    let _ = write!(std::io::stderr(), "\r{sent} of {most} requests, {findings} findings ");
}

/// Names of headers that carry credentials.
fn secret_headers(document: &countersign_contract::Document) -> Vec<HeaderName> {
    let schemes = document.value().pointer("/components/securitySchemes").and_then(|schemes| schemes.as_object());
    let named = schemes.into_iter().flatten().filter(|(_, scheme)| scheme["in"] == "header");
    let named = named.filter_map(|(_, scheme)| scheme["name"].as_str()?.parse().ok());
    named.chain([http::header::AUTHORIZATION, http::header::COOKIE]).collect()
}

type Answer = (u16, Vec<(String, String)>, Vec<u8>);

async fn send(
    client: &Client,
    arguments: &CheckArguments,
    secret: &[HeaderName],
    probe: &Probe,
) -> Result<Answer, reqwest::Error> {
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
