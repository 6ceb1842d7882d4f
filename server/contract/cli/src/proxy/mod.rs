//! `countersign contract proxy`, and the traffic that `learn` reads from a proxy.

mod forward;
mod queue;
mod server;
mod tee;

pub(super) use self::forward::Event;

use super::check::base;
use super::input::InputArguments;
use super::output::{self, OutputArguments};
use super::root::RootArguments;
use super::{ContractError, Outcome, chain, input};
use clap::Args;
use countersign_contract_check::{Check, Observer};
use countersign_contract_finding::{Finding, Verdict};
use countersign_contract_report::{Notes, text};
use reqwest::Url;
use std::fmt::Write as _;
use std::io::Write;
use std::net::SocketAddr;

const STOP: &str = "\
Stop it with Ctrl-C (SIGINT or SIGTERM). Exit status: 0 without findings, 1 with some, 2 if nothing was forwarded, or if a file or \
the command line is invalid.";

#[derive(Debug, Args)]
#[command(after_help = STOP)]
pub(super) struct ProxyArguments {
    /// The document that the server implements.
    file: String,

    /// URL of the document's first server, with its base path: http://localhost:3000/api/auth.
    #[arg(long, value_name = "BASE", value_parser = base)]
    url: Url,

    /// Address to listen on; port 0 is any that is free. Anyone who reaches it reaches the server.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:0")]
    listen: SocketAddr,

    /// Show credentials and values such as passwords in findings, so that the commands of `curl` can be run as they are.
    #[arg(long)]
    show_secrets: bool,

    #[command(flatten)]
    root: RootArguments,

    #[command(flatten)]
    output: OutputArguments,
}

pub(super) fn run(arguments: &ProxyArguments, output: &mut (dyn Write + Send)) -> Result<Outcome, ContractError> {
    input::keep([&arguments.file], arguments.output.file())?;
    let document = match input::load(&arguments.file, &InputArguments::below(&arguments.root)) {
        Ok(document) => document,
        Err(error) => return Err(arguments.output.write_failures(vec![error], &arguments.file, output)),
    };
    let check = Check::new(&document);
    let mut observer = Observer::new(&check, arguments.url.as_str(), arguments.show_secrets);
    let mut findings = Vec::new();
    let is_shown_at_once = arguments.output.is_text_on_standard_output();
    let mut show = |found: Vec<Finding>| {
        let text = text::render_findings(&found);
        let shown = match is_shown_at_once {
            true => output.write_all(text.as_bytes()).and_then(|()| output.flush()),
            // The report follows at the end, in its format.
            false => std::io::stderr().write_all(text.as_bytes()),
        };
        findings.extend(found);
        shown.map_err(|source| ContractError::Output { path: None, source })
    };
    let dropped = forward(arguments.listen, &arguments.url, |event| {
        show(match event {
            Event::Answered(exchange) => observer.observe(&exchange),
            Event::Unanswered(request, why) => observer.no_response(&request, &why),
        })
    })?;
    if observer.requests() == 0 {
        return Err(ContractError::NothingForwarded { url: arguments.url.to_string() });
    }
    let coverage = observer.coverage();
    match is_shown_at_once {
        true => show(coverage)?,
        false => findings.extend(coverage),
    }
    let mut title = format!(
        "{} responses to {} operations of {}, forwarded from {}",
        observer.responses(),
        observer.operations(),
        arguments.file,
        arguments.url
    );
    if dropped > 0 {
        // Writing to a String cannot fail.
        let _ = write!(title, "; {dropped} more requests came too fast and were not validated");
    }
    let counts = (Verdict::Warning, &Notes::default());
    match is_shown_at_once {
        true => output::write_summary(&findings, &title, counts, output),
        false => output::write(&arguments.output, &findings, &title, counts, output),
    }
}

/// Forwards requests to a server until the program is told to stop. Returns the number of requests that were forwarded and not
/// reported, because they came too fast.
pub(super) fn forward(
    listen: SocketAddr,
    url: &Url,
    report: impl FnMut(Event) -> Result<(), ContractError>,
) -> Result<usize, ContractError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|source| ContractError::Runtime { source })?;
    let started = |address| {
        let path = url.path().trim_end_matches('/');
        // A closed standard error is no reason not to start.
        let _ = writeln!(std::io::stderr(), "http://{address}{path} is forwarded to {url}; stop with Ctrl-C");
    };
    runtime.block_on(server::serve(listen, url, started, report))
}
