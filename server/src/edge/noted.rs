//! What a handler finds out about a request, for its line in the log.

use countersign_domain::ids::ApiKeyId;
use std::cell::Cell;

tokio::task_local! {
    static API_KEY: Cell<Option<ApiKeyId>>;
}

/// Notes the API key that the request was allowed by. Without effect outside of a request.
pub fn api_key(id: ApiKeyId) {
    let _ = API_KEY.try_with(|noted| noted.set(Some(id)));
}

/// Runs a handler; returns what it noted besides.
pub(super) async fn collect<F: Future>(handler: F) -> (F::Output, Option<ApiKeyId>) {
    let collecting = async {
        let output = handler.await;
        (output, API_KEY.with(Cell::get))
    };
    API_KEY.scope(Cell::new(None), collecting).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_noted_belongs_to_one_request() {
        let id = ApiKeyId::parse("0b7c1e0a-0000-4000-8000-00000000000a").expect("an id");
        api_key(id);
        assert_eq!(collect(async { 1 }).await, (1, None));
        assert_eq!(collect(async { api_key(id) }).await, ((), Some(id)));
        assert_eq!(collect(async {}).await.1, None);
    }
}
