//! `countersign contract learn`.

use super::check::base;
use super::proxy::{self, Event};
use super::{ContractError, Outcome, recording};
use clap::Args;
use countersign_contract_check::learn::learn;
use reqwest::Url;
use std::fmt::Write as _;
use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(super) struct LearnArguments {
    /// URL of the server, with the path that all operations have in common: https://example.com/api. It becomes the first
    /// server of the document.
    #[arg(long, value_name = "BASE", value_parser = base)]
    url: Url,

    /// Read a recording: HAR 1.2, as browsers export it.
    #[arg(long, value_name = "FILE", required_unless_present = "listen", conflicts_with = "listen")]
    har: Option<PathBuf>,

    /// Forward requests to the server from this address, as `proxy` does, and learn from them when the program is stopped. They
    /// are kept in memory until then.
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,

    /// A path with variables that would not be recognised, as in /files/{name}; can be repeated.
    #[arg(long, value_name = "TEMPLATE", value_parser = template)]
    path: Vec<String>,

    /// Write to this file instead of standard output.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

fn template(text: &str) -> Result<String, String> {
    let is_variable = |segment: &str| {
        let name = segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
        name.is_some_and(|name| !name.is_empty() && !name.contains(['{', '}']))
    };
    let is_valid = |segment: &str| is_variable(segment) || !segment.contains(['{', '}']);
    match text.strip_prefix('/').is_some_and(|rest| rest.split('/').all(is_valid)) {
        true => Ok(text.to_owned()),
        false => Err("expected a path whose variables are whole segments: /files/{name}".to_owned()),
    }
}

pub(super) fn run(arguments: &LearnArguments, output: &mut (dyn Write + Send)) -> Result<Outcome, ContractError> {
    let (mut exchanges, mut dropped) = (Vec::new(), 0);
    match (&arguments.har, arguments.listen) {
        (Some(file), _) => exchanges = recording::read(file, &arguments.url)?,
        (None, Some(address)) => {
            dropped = proxy::forward(address, &arguments.url, |event| {
                if let Event::Answered(exchange) = event {
                    exchanges.push(exchange);
                }
                Ok(())
            })?;
        }
        (None, None) => {}
    }
    let learned = learn(&exchanges, arguments.url.as_str(), &arguments.path)?;
    if learned.operations == 0 {
        return Err(ContractError::NothingLearned { url: arguments.url.to_string() });
    }
    let text = format!("{:#}\n", learned.document);
    let mut summary = format!("{} operations, learned from {} requests", learned.operations, learned.requests);
    if dropped > 0 {
        // Writing to a String cannot fail.
        let _ = write!(summary, "; {dropped} more came too fast and were left out");
    }
    let failed = |path: Option<PathBuf>| move |source| ContractError::Output { path, source };
    match &arguments.output {
        Some(path) => {
            std::fs::write(path, text).map_err(failed(Some(path.clone())))?;
            writeln!(output, "{summary}; written to {}", path.display()).map_err(failed(None))?;
        }
        None => {
            output.write_all(text.as_bytes()).map_err(failed(None))?;
            // The summary is no part of the document.
            let _ = writeln!(std::io::stderr(), "{summary}");
        }
    }
    Ok(Outcome::Fine)
}

#[cfg(test)]
mod tests {
    use super::template;

    #[test]
    fn variables_of_given_paths_are_whole_segments() {
        for (text, is_valid) in [
            ("/files/{name}", true),
            ("/", true),
            ("files/{name}", false),
            ("/{name}.json", false),
            ("/{}", false),
            ("/{a", false),
        ] {
            assert_eq!(template(text).is_ok(), is_valid, "{text}");
        }
    }
}
