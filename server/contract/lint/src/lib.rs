//! Finds errors in one document, and usage that causes problems for clients and generators.
//!
//! A document is walked once along the grammar of its version of OpenAPI; each rule examines objects of one kind. A value of the
//! wrong type is reported once (`field-type`) and ignored by all other rules. Examples, defaults, values of enums and `x-…`
//! are data and not examined as OpenAPI.
//!
//! | rules about | are in |
//! |---|---|
//! | fields, types, keywords, references | `fields`, along the grammar |
//! | the document: version, servers, tags, links | `general` |
//! | paths and their parameters | `paths`, `parameters` |
//! | operations and their responses | `operations`, `responses` |
//! | schemas: limits, properties, patterns, unnamed types | `schemas`, `properties`, `ecma`, `unions` |
//! | examples, defaults, enums | `examples`, `enums` |
//! | security | `security` |
//! | components | `components` |

mod components;
mod ecma;
mod enums;
mod examples;
mod fields;
mod general;
mod operations;
mod parameters;
mod paths;
mod properties;
mod reach;
mod responses;
mod schemas;
mod security;
mod unions;
mod words;

use countersign_contract_document::Document;
use countersign_contract_document::grammar::Kind;
use countersign_contract_document::tree::{Id, Tree};
use countersign_contract_finding::{Finding, Operations, Rule, Side};
use reach::Reach;
use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

pub use words::nearest;

/// All rules, in the order of the modules above.
pub const RULES: &[Rule] = &[
    fields::UNKNOWN,
    fields::MISSING,
    fields::TYPE,
    fields::VALUE,
    fields::SIBLINGS,
    fields::BROKEN,
    general::VERSION,
    general::SERVER_MISSING,
    general::SERVER_VARIABLE,
    general::TAG_UNDECLARED,
    general::TAG_DUPLICATE,
    general::TAG_PARENT,
    general::DIALECT,
    general::LINK,
    paths::SLASH_MISSING,
    paths::SLASH_TRAILING,
    paths::TEMPLATE_INVALID,
    paths::TEMPLATE_DUPLICATE,
    paths::UNDECLARED,
    paths::NOT_IN_PATH,
    paths::NOT_REQUIRED,
    parameters::DUPLICATE,
    parameters::RESERVED,
    parameters::WITHOUT_SCHEMA,
    parameters::DESCRIPTION,
    operations::ID_MISSING,
    operations::ID_DUPLICATE,
    operations::ID_COLLISION,
    operations::ID_INVALID,
    operations::TAG_MISSING,
    operations::DESCRIPTION,
    operations::BODY_ON_GET,
    responses::MISSING,
    responses::SUCCESS_MISSING,
    responses::STATUS,
    responses::DESCRIPTION,
    responses::SUCCESS_WITHOUT_SCHEMA,
    responses::ERROR_WITHOUT_SCHEMA,
    responses::REQUEST_WITHOUT_SCHEMA,
    responses::MEDIA_TYPE,
    schemas::ITEMS,
    schemas::BOUNDS,
    schemas::PATTERN,
    schemas::TIME_PATTERN,
    schemas::NULLABLE,
    properties::COLLIDE,
    properties::REQUIRED,
    properties::READ_AND_WRITE,
    properties::DESCRIPTION,
    unions::UNION,
    unions::OBJECT,
    unions::DISCRIMINATOR_MISSING,
    unions::DISCRIMINATOR_OPTIONAL,
    unions::DISCRIMINATOR_INLINE,
    unions::DISCRIMINATOR_MAPPING,
    examples::EXAMPLE,
    examples::DEFAULT,
    examples::ENUM_VALUE,
    examples::ENUM_DUPLICATE,
    examples::BOTH,
    examples::UNCHECKED,
    enums::SHARED,
    security::MISSING,
    security::UNDEFINED,
    security::UNUSED,
    security::SCOPE,
    components::NAME,
    components::UNUSED,
];

/// Rules about single generators or habits, which are noise to others. They are off unless they are asked for.
pub const OPTIONAL: &[Rule] = &[enums::SHARED, properties::DESCRIPTION, unions::UNION, unions::OBJECT];

/// Lints a document by all rules but the [`OPTIONAL`] ones. The findings are in the order of the text.
#[must_use]
pub fn lint(document: &Document) -> Vec<Finding> {
    lint_with(document, &[])
}

/// The same with some of the optional rules, by their ids.
#[must_use]
pub fn lint_with(document: &Document, optional: &[String]) -> Vec<Finding> {
    let tree = Tree::new(document.value(), Kind::Document, document.version());
    let reach = Reach::new(document, &tree);
    let broken = document.broken().iter().map(|broken| broken.pointer.clone()).collect();
    let (findings, operations) = (RefCell::default(), RefCell::default());
    let lint = Lint { document, tree, reach, broken, optional, findings, operations };
    fields::check(&lint);
    general::check(&lint);
    paths::check(&lint);
    parameters::check(&lint);
    operations::check(&lint);
    responses::check(&lint);
    schemas::check(&lint);
    properties::check(&lint);
    unions::check(&lint);
    examples::check(&lint);
    enums::check(&lint);
    security::check(&lint);
    components::check(&lint);
    in_order(lint.findings.into_inner(), document.name())
}

/// Sorts findings by position, those in other files last, and removes duplicates that YAML aliases cause.
fn in_order(mut findings: Vec<Finding>, own: &str) -> Vec<Finding> {
    findings.sort_by(|one, other| {
        let key = |finding: &Finding| finding.span.document != own;
        (key(one), &one.span, one.rule.id).cmp(&(key(other), &other.span, other.rule.id))
    });
    findings.dedup_by(|later, earlier| {
        let is_same = later.span.position.line > 0
            && (later.rule, &later.span, &later.message) == (earlier.rule, &earlier.span, &earlier.message);
        if is_same {
            let known: HashSet<&Arc<str>> = earlier.operations.iter().collect();
            let more = later.operations.iter().filter(|name| !known.contains(name));
            let all: Operations = earlier.operations.iter().chain(more).cloned().collect();
            earlier.operations = all;
        }
        is_same
    });
    findings
}

/// The document, and the findings so far.
struct Lint<'a> {
    document: &'a Document,
    tree: Tree<'a>,
    reach: Reach,
    /// JSON pointers of the references that cannot be resolved.
    broken: HashSet<String>,
    /// Optional rules that are asked for, by their ids.
    optional: &'a [String],
    findings: RefCell<Vec<Finding>>,
    /// Cache of the operations that use a part.
    operations: RefCell<HashMap<Id, Operations>>,
}

impl Lint<'_> {
    /// Reports a finding about a node, or about the value at the relative path `inner`, for all operations that use it.
    fn report(&self, rule: &'static Rule, node: Id, inner: &[&str], message: impl Into<String>) {
        self.report_for(rule, node, inner, message, self.operations(node));
    }

    /// As [`Lint::report`], for the given operations.
    fn report_for(
        &self,
        rule: &'static Rule,
        node: Id,
        inner: &[&str],
        message: impl Into<String>,
        operations: Operations,
    ) {
        if self.is_off(rule) {
            return;
        }
        let pointer = self.tree.pointer(node) + &countersign_contract_document::pointer::from_tokens(inner);
        let mut place = self.tree.place(node);
        for part in inner {
            match part.parse::<usize>() {
                Ok(index) => place.push(format!("{}", index + 1)),
                Err(_) => place.push((*part).to_owned()),
            }
        }
        let span = self.document.span(&pointer);
        let pointer = self.document.pointer_in_file(&pointer);
        self.findings.borrow_mut().push(Finding {
            rule,
            verdict: rule.verdict,
            operations,
            place: place.join(" › "),
            message: message.into(),
            span: span.clone(),
            old: None,
            new: Some(Side { span, pointer, value: None }),
            example: None,
            request: None,
        });
    }

    /// Whether a rule is an optional one that was not asked for.
    fn is_off(&self, rule: &Rule) -> bool {
        OPTIONAL.contains(rule) && !self.optional.iter().any(|id| id == rule.id)
    }

    /// Labels of the operations that use a node.
    fn operations(&self, node: Id) -> Operations {
        let owner = self.tree.node(node).owner;
        if owner == 0 {
            return Operations::default();
        }
        self.operations.borrow_mut().entry(owner).or_insert_with(|| self.reach.operations(owner)).clone()
    }
}
