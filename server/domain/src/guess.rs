//! A wrong guess at a second factor, as it is stored, so that the same one is known when it is sent again
//! ([`crate::presentation`]).

use std::fmt;

/// What is stored of the last guess that was wrong.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Guess([u8; 32]);

impl Guess {
    pub(crate) fn new(digest: [u8; 32]) -> Self {
        Self(digest)
    }

    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Reads the stored form; `None` unless it has 32 bytes.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }
}

impl fmt::Debug for Guess {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Guess([redacted])")
    }
}
