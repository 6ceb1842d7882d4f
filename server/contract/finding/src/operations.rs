//! The operations that findings affect.

use serde::{Serialize, Serializer};
use std::ops::Deref;
use std::sync::Arc;

/// Names of operations, as `GET /users/{id}`. A document has many findings about components that many operations use, so findings
/// share their lists, and lists their names.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Operations(Arc<[Arc<str>]>);

impl Deref for Operations {
    type Target = [Arc<str>];

    fn deref(&self) -> &[Arc<str>] {
        &self.0
    }
}

impl<S: Into<Arc<str>>> FromIterator<S> for Operations {
    fn from_iter<I: IntoIterator<Item = S>>(names: I) -> Self {
        Self(names.into_iter().map(Into::into).collect())
    }
}

impl Serialize for Operations {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter().map(AsRef::<str>::as_ref))
    }
}
