//! Results of pipelined statements.

/// A tuple of results, in the order in which the statements were sent.
pub(crate) trait Results {
    type Values;
    type Error;

    /// All values, or the first error.
    fn all(self) -> Result<Self::Values, Self::Error>;
}

macro_rules! results {
    ($($value:ident $result:ident),+) => {
        impl<E, $($value),+> Results for ($(Result<$value, E>),+) {
            type Values = ($($value),+);
            type Error = E;

            fn all(self) -> Result<Self::Values, E> {
                let ($($result),+) = self;
                Ok(($($result?),+))
            }
        }
    };
}

results!(A a, B b);
results!(A a, B b, C c);
results!(A a, B b, C c, D d);
results!(A a, B b, C c, D d, F f);
results!(A a, B b, C c, D d, F f, G g);
results!(A a, B b, C c, D d, F f, G g, H h);
results!(A a, B b, C c, D d, F f, G g, H h, I i, J j);
results!(A a, B b, C c, D d, F f, G g, H h, I i, J j, K k, L l, M m, N n);
results!(A a, B b, C c, D d, F f, G g, H h, I i, J j, K k, L l, M m, N n, O o);
