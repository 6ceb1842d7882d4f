//! What a handler finds out about a request, for its line in the log.

use countersign_domain::ids::{AccountId, ApiKeyId};
use std::cell::Cell;

tokio::task_local! {
    static NOTED: Cell<Noted>;
}

/// Who a request was allowed to, and whose account it was for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Noted {
    pub(super) api_key: Option<ApiKeyId>,
    pub(super) account: Option<AccountId>,
}

/// Notes the API key that the request was allowed by. Without effect outside of a request.
pub fn api_key(id: ApiKeyId) {
    let _ = NOTED.try_with(|noted| noted.set(Noted { api_key: Some(id), ..noted.get() }));
}

/// Notes the account that the request was for, once that is proven. Without effect outside of a request.
pub fn account(id: AccountId) {
    let _ = NOTED.try_with(|noted| noted.set(Noted { account: Some(id), ..noted.get() }));
}

/// Runs a handler; returns what it noted besides.
pub(super) async fn collect<F: Future>(handler: F) -> (F::Output, Noted) {
    let collecting = async {
        let output = handler.await;
        (output, NOTED.with(Cell::get))
    };
    NOTED.scope(Cell::default(), collecting).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_noted_belongs_to_one_request() {
        let id = ApiKeyId::parse("0b7c1e0a-0000-4000-8000-00000000000a").expect("an id");
        let user = AccountId::parse("0b7c1e0a-0000-4000-8000-00000000000b").expect("an id");
        api_key(id);
        assert_eq!(collect(async { 1 }).await, (1, Noted::default()));
        let both = async {
            api_key(id);
            account(user);
        };
        assert_eq!(collect(both).await, ((), Noted { api_key: Some(id), account: Some(user) }));
        assert_eq!(collect(async {}).await.1, Noted::default());
    }
}
