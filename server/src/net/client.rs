//! HTTP clients for what operators configure: a gateway for text messages, a collector of traces.

use super::origin::Origin;
use std::time::Duration;

/// A client for one URL. It follows no redirect, which would lead to a server that nobody has configured; and uses no proxy for this
/// machine.
///
/// # Errors
/// When there are no root certificates.
pub fn client_for(url: &str, timeout: Duration) -> Result<reqwest::Client, reqwest::Error> {
    let client = reqwest::Client::builder().timeout(timeout).redirect(reqwest::redirect::Policy::none());
    let client = if is_local(url) { client.no_proxy() } else { client };
    client.build()
}

/// Whether the host of a URL is this machine.
#[must_use]
pub fn is_local(url: &str) -> bool {
    let host = Origin::of_url(url).map(|origin| origin.host().to_owned()).unwrap_or_default();
    ["localhost", "127.0.0.1", "[::1]", "::1"].contains(&host.as_str())
}
