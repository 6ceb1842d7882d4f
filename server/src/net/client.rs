//! HTTP clients for what operators configure: a gateway for text messages, a collector of traces, receivers of webhooks.

use super::origin::Origin;
use super::public;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
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

/// A client for URLs whose hosts have names. It connects to addresses of the public internet only, follows no redirect, and uses no
/// proxy, which would resolve names by itself.
///
/// # Errors
/// When there are no root certificates.
pub fn public_client(timeout: Duration) -> Result<reqwest::Client, reqwest::Error> {
    let client = reqwest::Client::builder().timeout(timeout).redirect(reqwest::redirect::Policy::none());
    client.no_proxy().dns_resolver(PublicHosts).build()
}

/// Resolves names, and refuses those that do not lead to the public internet.
struct PublicHosts;

impl Resolve for PublicHosts {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            // The port is that of the URL.
            let addresses = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let addresses: Addrs = Box::new(public::check_all(addresses)?.into_iter());
            Ok(addresses)
        })
    }
}

/// Whether the host of a URL is this machine.
#[must_use]
pub fn is_local(url: &str) -> bool {
    let host = Origin::of_url(url).map(|origin| origin.host().to_owned()).unwrap_or_default();
    ["localhost", "127.0.0.1", "[::1]", "::1"].contains(&host.as_str())
}
