//! Methods: the second factors of a person, but for the backup codes.

use crate::address::{Address, MethodKind};
use crate::ids::MethodId;
use crate::random::{self, CAPITALS};
use crate::time::Timestamp;
use rand_core::CryptoRng;
use std::fmt;

/// Characters of a handle.
const HANDLE_LENGTH: usize = 4;

/// The short name of a method, unique for its account: what the FusionAuth dialect calls the method's id.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct MethodHandle(String);

impl MethodHandle {
    /// A new one.
    #[must_use]
    pub fn generate(random: &mut dyn CryptoRng) -> Self {
        Self(random::text(HANDLE_LENGTH, CAPITALS, random))
    }

    /// Takes what a client presented; `None` when it cannot be one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_handle = text.len() == HANDLE_LENGTH && text.bytes().all(|byte| CAPITALS.contains(&byte));
        is_handle.then(|| Self(text.to_owned()))
    }

    /// The handle.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for MethodHandle {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// A confirmed second factor, without its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Method {
    /// Its name for us.
    pub id: MethodId,
    /// Its name for clients.
    pub handle: MethodHandle,
    /// What it is.
    pub kind: MethodKind,
    /// What the person calls it.
    pub name: Option<String>,
    /// Where its codes go; an authenticator app has none.
    pub address: Option<Address>,
    /// When it last completed a sign-in.
    pub last_used_at: Option<Timestamp>,
}

/// The method that a code is sent by when the person is not asked: the first for mail, else the first for SMS.
#[must_use]
pub fn primary_address(methods: &[Method]) -> Option<&Method> {
    let first = |kind| methods.iter().find(|method| method.kind == kind);
    first(MethodKind::Email).or_else(|| first(MethodKind::Sms))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

    #[test]
    fn a_handle_reads_back_and_nothing_else_does() {
        let handle = MethodHandle::generate(&mut ChaCha20Rng::seed_from_u64(1));
        assert_eq!(MethodHandle::parse(handle.as_str()), Some(handle));
        for odd in ["", "KLR", "KLRTX", "klrt", "KL/T", "ÄÄ"] {
            assert_eq!(MethodHandle::parse(odd), None, "{odd:?}");
        }
    }
}
