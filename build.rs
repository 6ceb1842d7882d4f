//! Compares the endpoints with the contracts in `openapi/`, writes the table of operations, and packs the contracts and
//! the reference page into the program.
//!
//! Any difference fails the build with one line that says where it is. Nothing is written into `openapi/`.

#[path = "server/src/http/docs/embed.rs"]
mod embed;

use countersign_api::{DialectName, published_documents};
use countersign_contract_compare::{compare, merge, operations, render_table};
use countersign_contract_document::Document;
use std::path::Path;
use std::process::ExitCode;

/// The contract and the table of its operations, or the lines that say why the build fails.
fn check(dialect: DialectName) -> Result<(Document, String), Vec<String>> {
    let file = dialect.contract_file();
    let one = |problem: String| vec![problem];
    let broken = |error: countersign_contract_document::Error| vec![error.on_one_line()];
    let text = std::fs::read_to_string(file).map_err(|error| one(format!("{file}: {error}")))?;
    let contract = Document::load(file, &text).map_err(broken)?;
    let published = published_documents(dialect).map_err(|error| one(format!("{file}: endpoints: {error}")))?;
    let code = Document::from_value("endpoints", merge(published).map_err(broken)?).map_err(broken)?;
    let differences = compare(&contract, &code, contract.base_path());
    if !differences.is_empty() {
        return Err(differences.iter().map(ToString::to_string).collect());
    }
    let list = operations(&contract, contract.base_path()).map_err(broken)?;
    Ok((contract, render_table(&dialect.module().to_uppercase(), file, &list)))
}

fn main() -> ExitCode {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=server/src/http/docs/embed.rs");
    let (mut tables, mut contracts, mut problems) = (String::new(), Vec::new(), Vec::new());
    for dialect in DialectName::ALL {
        let file = dialect.contract_file();
        println!("cargo::rerun-if-changed={file}");
        match check(dialect) {
            Ok((contract, table)) => {
                tables.push_str(&table);
                contracts.push((file, contract));
            }
            Err(lines) => problems.extend(lines),
        }
    }
    let out = std::env::var_os("OUT_DIR").expect("cargo sets OUT_DIR for build scripts");
    let out = Path::new(&out);
    if let Err(error) = std::fs::write(out.join("operations.rs"), tables) {
        problems.push(format!("operations.rs cannot be written: {error}"));
    }
    problems.extend(embed::embed(out, &contracts).err());
    for problem in &problems {
        println!("cargo::error={problem}");
    }
    if problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
