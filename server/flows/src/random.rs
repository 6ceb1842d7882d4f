//! Randomness as a value that is passed in, so that nothing draws from an ambient generator.

use rand_core::CryptoRng;
use std::sync::Arc;

type Lend = dyn Fn(&mut dyn FnMut(&mut dyn CryptoRng)) + Send + Sync;

/// Lends a cryptographic generator for one use.
#[derive(Clone)]
pub struct Randomness(Arc<Lend>);

impl Randomness {
    /// `lend` calls its argument once, with a generator.
    #[must_use]
    pub fn new(lend: impl Fn(&mut dyn FnMut(&mut dyn CryptoRng)) + Send + Sync + 'static) -> Self {
        Self(Arc::new(lend))
    }

    /// Draws something.
    ///
    /// # Panics
    /// When the source lends no generator.
    pub fn draw<T>(&self, draw: impl FnOnce(&mut dyn CryptoRng) -> T) -> T {
        let (mut draw, mut drawn) = (Some(draw), None);
        (self.0)(&mut |random| drawn = draw.take().map(|draw| draw(random)));
        drawn.expect("the source lends a generator once")
    }
}
