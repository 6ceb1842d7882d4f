//! Schemas that describe the same value.

use countersign_contract_document::Node;

/// Schemas that describe the same value, as the parts of an `allOf` do. An empty list accepts every value.
#[derive(Debug, Clone)]
pub(crate) struct Parts<'d> {
    pub(crate) list: Vec<Node<'d>>,
    /// JSON pointer to report if the list is empty.
    pub(crate) holder: String,
    /// The alternative being compared, by JSON pointer of its `oneOf` or `anyOf`.
    pub(crate) chosen: Vec<(String, Node<'d>)>,
}

impl<'d> Parts<'d> {
    pub(crate) fn of(schema: Option<Node<'d>>, holder: &Node<'d>) -> Self {
        Self { list: schema.into_iter().collect(), holder: holder.pointer.clone(), chosen: Vec::new() }
    }

    /// The schema, if there is exactly one.
    pub(crate) fn only(&self) -> Option<&Node<'d>> {
        match self.list.as_slice() {
            [only] if self.chosen.is_empty() => Some(only),
            _ => None,
        }
    }

    /// The schema that represents it in messages.
    pub(crate) fn face(&self) -> Option<&Node<'d>> {
        self.chosen.last().map(|(_, at)| at).or(self.list.first())
    }

    pub(crate) fn pointer(&self) -> &str {
        self.face().map_or(&self.holder, |at| &at.pointer)
    }

    /// Its name in generated clients.
    pub(crate) fn name(&self) -> Option<&'d str> {
        let is_one = self.list.len() == 1 || !self.chosen.is_empty();
        let name = self.face().filter(|_| is_one)?.text("$ref")?.strip_prefix("#/components/schemas/")?;
        // A definition within a component has none.
        (!name.contains('/')).then_some(name)
    }

    /// Whether it is nothing but a named schema.
    pub(crate) fn is_component(&self) -> bool {
        self.only().is_some() && self.name().is_some()
    }

    /// Identity within its document.
    pub(crate) fn identity(&self) -> String {
        let all = self.list.iter().chain(self.chosen.iter().map(|(_, at)| at));
        all.map(|at| at.clone().resolved().pointer).collect::<Vec<_>>().join(" ")
    }
}
