//! The operating system's randomness.
//!
//! This is the only module that reads it. Everything else takes a generator, or a [`Randomness`] that lends one.

use countersign_flows::random::Randomness;

/// Lends a generator that is seeded by the operating system.
#[must_use]
pub fn system() -> Randomness {
    Randomness::new(|draw| {
        #[expect(clippy::disallowed_methods, reason = "this is the one place that randomness comes from")]
        let mut random = rand::rng();
        draw(&mut random);
    })
}
