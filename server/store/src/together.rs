//! What several things done at once gave.

/// The outcomes of several things, in the order in which they were done.
pub(crate) trait InOrder {
    /// What they give when all went well.
    type All;
    /// Why one did not.
    type Error;

    /// All of them, or the first error.
    fn in_order(self) -> Result<Self::All, Self::Error>;
}

macro_rules! in_order {
    ($($value:ident $outcome:ident),+) => {
        impl<E, $($value),+> InOrder for ($(Result<$value, E>),+) {
            type All = ($($value),+);
            type Error = E;

            fn in_order(self) -> Result<Self::All, E> {
                let ($($outcome),+) = self;
                Ok(($($outcome?),+))
            }
        }
    };
}

in_order!(A a, B b);
in_order!(A a, B b, C c);
in_order!(A a, B b, C c, D d);
in_order!(A a, B b, C c, D d, F f, G g);
in_order!(A a, B b, C c, D d, F f, G g, H h, I i, J j);
