//! Names of files as GitHub and code scanning expect them: relative to the root of the git repository.

use countersign_contract_document::{Position, SourceSpan};
use countersign_contract_finding::Finding;
use std::path::{Component, Path, PathBuf};

/// The findings with the names of their files relative to the repository's root, if they are in one. A file at a revision
/// (`REV:PATH`) becomes the file of today; the line of something that was removed is left out then, because another thing
/// is there.
pub(super) fn relative_to_root(findings: &[Finding]) -> Vec<Finding> {
    let mut findings = findings.to_vec();
    for finding in &mut findings {
        let is_removed = finding.old.is_some() && finding.new.is_none();
        rename(&mut finding.span, is_removed);
        finding.old.iter_mut().for_each(|side| rename(&mut side.span, true));
        finding.new.iter_mut().for_each(|side| rename(&mut side.span, false));
    }
    findings
}

fn rename(span: &mut SourceSpan, is_of_old: bool) {
    let name = &span.document;
    if name == "-" || name.contains("://") {
        return;
    }
    let revision = name.split_once(':').filter(|_| !Path::new(name).exists());
    let renamed = match revision {
        // Without a leading dot, git takes the path from the root already.
        Some((_, path)) if !path.starts_with('.') => Some(path.to_owned()),
        Some((_, path)) => in_repository(Path::new(path)),
        None => in_repository(Path::new(name)),
    };
    if revision.is_some() && is_of_old {
        span.position = Position::default();
    }
    if let Some(renamed) = renamed {
        span.document = renamed;
    }
}

/// The path of a file below the root of its repository, with `/` as its separator.
fn in_repository(path: &Path) -> Option<String> {
    let path = without_detours(&std::path::absolute(path).ok()?);
    let root = path.ancestors().skip(1).find(|folder| folder.join(".git").exists())?;
    let parts = path.strip_prefix(root).ok()?.components().map(|part| part.as_os_str().to_str());
    Some(parts.collect::<Option<Vec<_>>>()?.join("/"))
}

/// Removes `a/..` from an absolute path. Symbolic links are not resolved, because the repository contains the link.
fn without_detours(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir => drop(out.pop()),
            Component::CurDir => {}
            other => out.push(other),
        }
    }
    out
}
