//! What a scenario is: a test, and a part of the proof that every documented answer is given.

use super::super::harness::Pairs;
use std::future::Future;
use std::pin::Pin;

/// A scenario as the proof sees it.
pub(super) struct Scenario {
    /// What it is called.
    pub(super) name: &'static str,
    /// Runs it, unless its own test did already in this process, and says which answers it got.
    pub(super) pairs: fn() -> Pin<Box<dyn Future<Output = Pairs> + Send>>,
}

/// Makes a test of each function, and lists them all in `ALL`. A function ends with the pairs that it is
/// there for; it runs once in a process, however often it is asked for.
macro_rules! scenarios {
    ($($(#[doc = $doc:literal])+ async fn $name:ident() -> Pairs $body:block)*) => {
        pub(super) const ALL: &[super::scenario::Scenario] = &[
            $(super::scenario::Scenario { name: stringify!($name), pairs: || Box::pin($name::pairs()) }),*
        ];
        $(
            $(#[doc = $doc])+
            mod $name {
                use super::*;

                async fn scenario() -> Pairs $body

                pub(super) async fn pairs() -> Pairs {
                    static PAIRS: tokio::sync::OnceCell<Pairs> = tokio::sync::OnceCell::const_new();
                    PAIRS.get_or_init(scenario).await.clone()
                }

                #[tokio::test(flavor = "multi_thread")]
                async fn scenario_holds() {
                    pairs().await;
                }
            }
        )*
    };
}
pub(super) use scenarios;
