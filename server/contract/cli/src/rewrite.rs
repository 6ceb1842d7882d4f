//! `bundle` and `convert`, which write documents.

use super::input::InputArguments;
use super::{ContractError, Outcome, input};
use clap::{Args, ValueEnum};
use countersign_contract_document::convert::to_3_0;
use countersign_contract_document::visible;
use serde_json::Value;
use std::io::Write;
use std::path::{Path, PathBuf};

#[derive(Debug, Args)]
pub(super) struct BundleArguments {
    /// The document.
    file: String,

    /// Write to this file instead of standard output.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,

    #[command(flatten)]
    input: InputArguments,
}

#[derive(Debug, Args)]
pub(super) struct ConvertArguments {
    /// The document.
    file: String,

    /// The version of OpenAPI to write.
    #[arg(long, value_enum)]
    to: Target,

    /// The file to write. Standard output gets the list of what the version cannot say.
    #[arg(long, value_name = "FILE")]
    output: PathBuf,

    #[command(flatten)]
    input: InputArguments,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Target {
    #[value(name = "3.0")]
    V3_0,
}

pub(super) fn bundle(arguments: &BundleArguments, output: &mut (dyn Write + Send)) -> Result<Outcome, ContractError> {
    input::keep([&arguments.file], arguments.output.as_deref())?;
    let document = input::bundle(&arguments.file, &arguments.input)?;
    match &arguments.output {
        Some(path) => write_file(path, &document)?,
        None => print(output, &format!("{document:#}\n"))?,
    }
    Ok(Outcome::Fine)
}

pub(super) fn convert(arguments: &ConvertArguments, output: &mut (dyn Write + Send)) -> Result<Outcome, ContractError> {
    input::keep([&arguments.file], Some(&arguments.output))?;
    let document = input::load(&arguments.file, &arguments.input)?;
    let Target::V3_0 = arguments.to;
    let converted = to_3_0(&document);
    write_file(&arguments.output, &converted.value)?;
    for lost in &converted.lost {
        let pointer = if lost.pointer.is_empty() { "the document" } else { &lost.pointer };
        print(output, &format!("{}: {} was left out\n", visible(&lost.span.to_string()), visible(pointer)))?;
    }
    let count = match converted.lost.len() {
        0 => "nothing was left out".to_owned(),
        1 => "1 field was left out".to_owned(),
        many => format!("{many} fields were left out"),
    };
    print(output, &format!("{} is OpenAPI 3.0: {count}\n", arguments.output.display()))?;
    Ok(if converted.lost.is_empty() { Outcome::Fine } else { Outcome::Findings })
}

fn write_file(path: &Path, document: &Value) -> Result<(), ContractError> {
    let text = format!("{document:#}\n");
    std::fs::write(path, text).map_err(|source| ContractError::Output { path: Some(path.to_owned()), source })
}

fn print(output: &mut (dyn Write + Send), text: &str) -> Result<(), ContractError> {
    output.write_all(text.as_bytes()).map_err(|source| ContractError::Output { path: None, source })
}
