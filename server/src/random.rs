//! The operating system's randomness.
//!
//! This is the only module that reads it. Everything else takes a generator, or a [`Randomness`] that lends one.

use countersign_flows::random::Randomness;
use uuid::Builder;

/// Lends a generator that is seeded by the operating system.
#[must_use]
pub fn system() -> Randomness {
    Randomness::new(|draw| {
        #[expect(clippy::disallowed_methods, reason = "this is the one place that randomness comes from")]
        let mut random = rand::rng();
        draw(&mut random);
    })
}

/// A UUID of version 4 (RFC 9562, 5.4), for what has to be told apart and is no secret.
#[must_use]
pub fn uuid() -> String {
    let mut bytes = [0; 16];
    system().draw(|random| random.fill_bytes(&mut bytes));
    Builder::from_random_bytes(bytes).into_uuid().to_string()
}
