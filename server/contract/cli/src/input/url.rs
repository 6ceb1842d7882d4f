//! Reads documents from `http` and `https` URLs.

use super::LONGEST_FILE;
use crate::ContractError;
use crate::http_client::client_for;
use http::{HeaderName, HeaderValue};
use reqwest::Url;
use reqwest::redirect::Policy;
use std::time::Duration;

/// Time for one file, with redirects.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Most redirects that are followed.
const MOST_REDIRECTS: usize = 5;

/// Reads the text at a URL. `name` is how messages call it.
pub(super) fn read(name: &str, url: &Url, headers: &[(HeaderName, HeaderValue)]) -> Result<String, ContractError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|source| ContractError::Runtime { source })?;
    let client = client_for(url).timeout(TIMEOUT).redirect(redirects(url, headers));
    let client = client.build().map_err(|source| ContractError::Client { source })?;
    let failed = |why: String| ContractError::Url { name: name.to_owned(), why };
    runtime.block_on(async {
        let mut request = client.get(url.clone());
        for (name, value) in headers {
            request = request.header(name, value);
        }
        // The URL may contain credentials.
        let described = |error: reqwest::Error| failed(crate::chain(&error.without_url()));
        let mut response = request.send().await.map_err(described)?;
        if !response.status().is_success() {
            return Err(failed(format!("the server responds with {}", response.status())));
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(described)? {
            body.extend_from_slice(&chunk);
            if body.len() as u64 > LONGEST_FILE {
                return Err(failed("it is longer than 64 MiB".to_owned()));
            }
        }
        String::from_utf8(body).map_err(|_| failed("it is not UTF-8".to_owned()))
    })
}

/// Headers are meant for the origin of the URL and may be secret: with them, no redirect leads elsewhere.
fn redirects(url: &Url, headers: &[(HeaderName, HeaderValue)]) -> Policy {
    let origin = url.origin();
    let stays = !headers.is_empty() || !url.username().is_empty();
    Policy::custom(move |attempt| {
        if attempt.previous().len() > MOST_REDIRECTS {
            attempt.error("too many redirects")
        } else if stays && attempt.url().origin() != origin {
            attempt.error("it redirects to another origin, which is not followed with headers")
        } else {
            attempt.follow()
        }
    })
}
