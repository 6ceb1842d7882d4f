//! The schemas that describe one value together.

use crate::node::Node;

/// Schemas that describe the same value together, as the parts of an `allOf` do. None of them takes anything.
#[derive(Debug, Clone)]
pub(in crate::diff) struct Parts<'d> {
    pub(in crate::diff) list: Vec<Node<'d>>,
    /// Where to point if there is none.
    pub(in crate::diff) holder: String,
    /// Of some lists of alternatives, the one that is looked at; the lists by their pointers.
    pub(in crate::diff) chosen: Vec<(String, Node<'d>)>,
}

impl<'d> Parts<'d> {
    pub(in crate::diff) fn of(schema: Option<Node<'d>>, holder: &Node<'d>) -> Self {
        Self { list: schema.into_iter().collect(), holder: holder.pointer.clone(), chosen: Vec::new() }
    }

    /// The one schema that it is, if it is one.
    pub(in crate::diff) fn only(&self) -> Option<&Node<'d>> {
        match self.list.as_slice() {
            [only] if self.chosen.is_empty() => Some(only),
            _ => None,
        }
    }

    /// The schema that tells it from its neighbours.
    pub(in crate::diff) fn face(&self) -> Option<&Node<'d>> {
        self.chosen.last().map(|(_, at)| at).or(self.list.first())
    }

    pub(in crate::diff) fn pointer(&self) -> &str {
        self.face().map_or(&self.holder, |at| &at.pointer)
    }

    /// The name that generated clients give it.
    pub(in crate::diff) fn name(&self) -> Option<&'d str> {
        let is_one = self.list.len() == 1 || !self.chosen.is_empty();
        self.face().filter(|_| is_one)?.text("$ref")?.strip_prefix("#/components/schemas/")
    }

    /// What tells it from all others of its document.
    pub(in crate::diff) fn identity(&self) -> String {
        let all = self.list.iter().chain(self.chosen.iter().map(|(_, at)| at));
        all.map(|at| at.clone().resolved().pointer).collect::<Vec<_>>().join(" ")
    }
}
