//! Components: their names, and whether anything uses them.

use super::Lint;
use super::reach::component_name;
use super::words::short;
use countersign_contract_document::grammar::Kind;
use countersign_contract_finding::{Rule, Verdict};

pub(super) const NAME: Rule = Rule {
    id: "component-name-invalid",
    verdict: Verdict::Error,
    what: "The name of a component has characters that OpenAPI does not allow.",
    why: "Names consist of letters, digits, `.`, `-` and `_` (OpenAPI 3.0.3, Components Object); references to other names break \
          in some tools.",
};
pub(super) const UNUSED: Rule = Rule {
    id: "component-unused",
    verdict: Verdict::Warning,
    what: "A component is not used by any operation.",
    why: "Generators create types that nothing uses, and readers search for its use. Remove it, or refer to it.",
};

pub(super) fn check(lint: &Lint<'_>) {
    let used = lint.reach.used();
    for id in lint.tree.ids() {
        let Some((section, name)) = component_name(&lint.tree, id) else { continue };
        let is_proper =
            !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte));
        if !is_proper {
            lint.report(&NAME, id, &[], format!("`{}` is not a name for a component", short(name)));
        }
        // A document without operations is a library of components. Security schemes have a rule of their own.
        if !used.is_empty() && !used.contains(&id) && lint.tree.node(id).kind != Kind::SecurityScheme {
            let message = format!("no operation uses `{}` of `components/{section}`", short(name));
            lint.report(&UNUSED, id, &[], message);
        }
    }
}
