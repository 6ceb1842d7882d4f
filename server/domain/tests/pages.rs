//! Links of the project's pages lead to files and headings that exist.

use std::collections::BTreeSet;
use std::path::Path;

const PAGES: [&str; 8] = [
    "README.md",
    ".github/CONTRIBUTING.md",
    ".github/SECURITY.md",
    "openapi/README.md",
    "server/CHANGELOG.md",
    "server/README.md",
    "server/store/README.md",
    "tests/schemathesis/README.md",
];

/// The page without its code blocks.
fn prose(text: &str) -> String {
    text.split("```").step_by(2).collect()
}

/// Targets of Markdown links, without those on other sites.
fn links(text: &str) -> impl Iterator<Item = &str> {
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    targets.filter(|target| !target.contains("://"))
}

/// Anchors of the headings, as GitHub makes them.
fn anchors(text: &str) -> BTreeSet<String> {
    let headings =
        text.lines().filter_map(|line| line.strip_prefix('#')).map(|line| line.trim_start_matches('#').trim());
    headings
        .map(|heading| {
            let kept = heading.chars().filter(|letter| letter.is_alphanumeric() || " -_".contains(*letter));
            kept.collect::<String>().to_lowercase().replace(' ', "-")
        })
        .collect()
}

#[test]
fn links_lead_somewhere() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let read = |path: &Path| prose(&std::fs::read_to_string(path).expect("a page can be read"));
    let mut broken = Vec::new();
    for page in PAGES {
        let path = root.join(page);
        let text = read(&path);
        for link in links(&text) {
            let (file, anchor) = link.split_once('#').map_or((link, None), |(file, anchor)| (file, Some(anchor)));
            let target = if file.is_empty() { path.clone() } else { path.with_file_name("").join(file) };
            let leads_to_heading = |anchor| anchors(&read(&target)).contains(anchor);
            if !target.exists() || !anchor.is_none_or(leads_to_heading) {
                broken.push(format!("{page}: {link}"));
            }
        }
    }
    assert!(broken.is_empty(), "links lead nowhere:\n{}", broken.join("\n"));
}
