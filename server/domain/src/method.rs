//! Methods: the second factors of an account, except backup codes.

use crate::address::{Address, MethodKind};
use crate::ids::MethodId;
use crate::random::{self, CAPITALS};
use crate::time::Timestamp;
use rand_core::CryptoRng;
use std::fmt;

/// In characters.
const HANDLE_LENGTH: usize = 4;

/// Short id of a method, unique within its account; the FusionAuth dialect calls it the method's id. Not a credential.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct MethodHandle(String);

impl MethodHandle {
    #[must_use]
    pub fn generate(random: &mut dyn CryptoRng) -> Self {
        Self(random::text(HANDLE_LENGTH, CAPITALS, random))
    }

    /// Parses a handle that a client presented; `None` if it is malformed.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_handle = text.len() == HANDLE_LENGTH && text.bytes().all(|byte| CAPITALS.contains(&byte));
        is_handle.then(|| Self(text.to_owned()))
    }

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
    /// Row id; not shown to clients.
    pub id: MethodId,
    /// Id shown to clients.
    pub handle: MethodHandle,
    pub kind: MethodKind,
    /// The user's label.
    pub name: Option<String>,
    /// Address that codes are sent to; `None` for an authenticator app or a passkey.
    pub address: Option<Address>,
    /// When a code that was sent to the address was presented; `None` for an authenticator app, and for an address that nobody
    /// has proved.
    pub proved_at: Option<Timestamp>,
    /// Time of the last accepted code.
    pub last_used_at: Option<Timestamp>,
}

/// The method that a code is sent by if the caller names none: the first e-mail method, else the first SMS method.
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
