//! Part of the build script: compresses the contracts and the files of the reference page, so that the program needs no
//! files.
//!
//! `docs.rs` in the build's output directory is the table of packed files; only these can be served.

use countersign_contract_document::Document;
use flate2::Compression;
use flate2::write::GzEncoder;
use std::hash::{DefaultHasher, Hasher as _};
use std::io::{Cursor, Read as _, Write as _};
use std::path::Path;
use utoipa_swagger_ui_vendored::SWAGGER_UI_VENDORED;
use zip::ZipArchive;

/// Files of Swagger UI's archive: name there, name below `/docs/`, media type. Its licence requires the last two.
const SWAGGER_UI: [(&str, &str, &str); 5] = [
    ("dist/swagger-ui-bundle.js", "swagger-ui-bundle.js", "text/javascript; charset=utf-8"),
    ("dist/swagger-ui.css", "swagger-ui.css", "text/css; charset=utf-8"),
    ("dist/favicon-32x32.png", "favicon-32x32.png", "image/png"),
    ("LICENSE", "swagger-ui-license.txt", "text/plain; charset=utf-8"),
    ("NOTICE", "swagger-ui-notice.txt", "text/plain; charset=utf-8"),
];

/// Our own files: name in [`FOLDER`] and below `/docs/`, media type.
const OURS: [(&str, &str); 2] =
    [("reference.js", "text/javascript; charset=utf-8"), ("reference.css", "text/css; charset=utf-8")];

const FOLDER: &str = "server/src/http/docs";

/// Writes the packed files and their table to `out`. `contracts` are the contract files and their documents.
pub(crate) fn embed(out: &Path, contracts: &[(&str, Document)]) -> Result<(), String> {
    let mut table = String::new();
    for (file, contract) in contracts {
        let path = format!("/{}", file.trim_end_matches(".yaml"));
        // YAML is UTF-8, and its media type has no parameter to say so (RFC 9512).
        table += &pack(out, &format!("{path}.yaml"), "application/yaml", &read(file)?)?;
        table += &pack(out, &format!("{path}.json"), "application/json", contract.value().to_string().as_bytes())?;
    }
    let mut archive = ZipArchive::new(Cursor::new(SWAGGER_UI_VENDORED)).map_err(in_archive)?;
    let root = archive.name_for_index(0).unwrap_or_default().trim_end_matches('/').to_owned();
    for (name, served_as, content_type) in SWAGGER_UI {
        let mut bytes = Vec::new();
        let mut file = archive.by_name(&format!("{root}/{name}")).map_err(in_archive)?;
        file.read_to_end(&mut bytes).map_err(|error| format!("{name} of Swagger UI: {error}"))?;
        table += &pack(out, &format!("/docs/{served_as}"), content_type, &bytes)?;
    }
    for (name, content_type) in OURS {
        table += &pack(out, &format!("/docs/{name}"), content_type, &read(&format!("{FOLDER}/{name}"))?)?;
    }
    let version = root.trim_start_matches("swagger-ui-");
    let count = table.lines().count();
    let text = format!(
        "pub(super) const SWAGGER_UI_VERSION: &str = {version:?};\n\
         pub(super) static FILES: [File; {count}] = [\n{table}];\n"
    );
    std::fs::write(out.join("docs.rs"), text).map_err(|error| format!("docs.rs cannot be written: {error}"))
}

fn in_archive(error: zip::result::ZipError) -> String {
    format!("the archive of Swagger UI: {error}")
}

fn read(file: &str) -> Result<Vec<u8>, String> {
    println!("cargo::rerun-if-changed={file}");
    std::fs::read(file).map_err(|error| format!("{file}: {error}"))
}

/// Compresses a file into the output directory, and returns its line of the table.
fn pack(out: &Path, path: &str, content_type: &str, bytes: &[u8]) -> Result<String, String> {
    let packed = format!("{}.gz", path.trim_start_matches('/').replace('/', "-"));
    let broken = |error| format!("{packed} cannot be written: {error}");
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).map_err(broken)?;
    std::fs::write(out.join(&packed), encoder.finish().map_err(broken)?).map_err(broken)?;
    // Not cryptographic: a collision only shows a stale page.
    let mut version = DefaultHasher::new();
    version.write(bytes);
    let etag = format!("W/\"{:016x}\"", version.finish());
    let included = format!("/{packed}");
    Ok(format!(
        "    File::packed({path:?}, {content_type:?}, {etag:?}, include_bytes!(concat!(env!(\"OUT_DIR\"), {included:?}))),\n"
    ))
}
