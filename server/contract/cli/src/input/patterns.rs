//! Names of files with wildcards, for shells that do not expand them and configuration that is read by none.

use crate::ContractError;
use std::path::Path;

/// Replaces each pattern by the files that match it, in alphabetical order. A name that is a file is no pattern.
pub(crate) fn expand(names: &[String]) -> Result<Vec<String>, ContractError> {
    let mut out = Vec::new();
    for name in names {
        if !name.contains(['*', '?', '[']) || name.contains("://") || Path::new(name).exists() {
            out.push(name.clone());
            continue;
        }
        let failed = |why: String| ContractError::Pattern { name: name.clone(), why };
        let before = out.len();
        for path in glob::glob(name).map_err(|error| failed(error.to_string()))? {
            let path = path.map_err(|error| failed(error.to_string()))?;
            if path.is_file() {
                out.push(path.to_string_lossy().into_owned());
            }
        }
        if out.len() == before {
            return Err(failed("no file matches".to_owned()));
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::expand;

    #[test]
    fn a_pattern_stands_for_the_files_that_match_and_for_at_least_one() {
        let directory = tempfile::tempdir().expect("a directory");
        let at = |path: &str| directory.path().join(path).to_string_lossy().into_owned();
        for name in ["b.yaml", "a.yaml", "c.json", "[d].yaml"] {
            std::fs::write(at(name), "").expect("written");
        }
        let expanded = |name: &str| expand(&[at(name)]);
        assert_eq!(expanded("?.yaml").expect("matches"), [at("a.yaml"), at("b.yaml")]);
        assert_eq!(expanded("[d].yaml").expect("a file"), [at("[d].yaml")]);
        assert_eq!(expanded("missing.yaml").expect("no pattern"), [at("missing.yaml")]);
        assert!(expanded("*.toml").is_err());
        assert!(expanded("***.toml").is_err());
    }
}
