//! Serves the files that the build script packed.

use crate::edge::headers::items;
use dropshot::Body;
use flate2::read::GzDecoder;
use http::header::{self, HeaderMap, HeaderValue};
use http::{Method, Response, StatusCode};
use std::io::Read as _;
use std::sync::OnceLock;

include!(concat!(env!("OUT_DIR"), "/docs.rs"));

/// A file embedded in the program.
#[derive(Debug)]
pub(super) struct File {
    /// Path at which it is served.
    pub(super) path: &'static str,
    content_type: &'static str,
    /// Weak, since the packed and the unpacked form share it.
    etag: &'static str,
    packed: &'static [u8],
    /// Filled on first use: nearly all clients accept gzip.
    unpacked: OnceLock<Vec<u8>>,
}

impl File {
    const fn packed(path: &'static str, content_type: &'static str, etag: &'static str, packed: &'static [u8]) -> Self {
        Self { path, content_type, etag, packed, unpacked: OnceLock::new() }
    }

    /// The response to a request for it with these headers.
    pub(super) async fn respond(&'static self, method: &Method, request: &HeaderMap) -> Response<Body> {
        let mut response = Response::new(Body::empty());
        let headers = response.headers_mut();
        headers.insert(header::ETAG, HeaderValue::from_static(self.etag));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        if is_known(request, self.etag) {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            return response;
        }
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.content_type));
        let bytes = if accepts_gzip(request) {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            self.packed
        } else {
            self.unpacked().await
        };
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(bytes.len()));
        if *method != Method::HEAD {
            *response.body_mut() = Body::with_content(bytes);
        }
        response
    }

    /// The unpacked file. Unpacked once, on a blocking thread, because the largest takes some milliseconds.
    async fn unpacked(&'static self) -> &'static [u8] {
        if let Some(bytes) = self.unpacked.get() {
            return bytes;
        }
        let unpack = || {
            let mut bytes = Vec::new();
            GzDecoder::new(self.packed).read_to_end(&mut bytes).expect("the build script packed it");
            bytes
        };
        let unpacked = tokio::task::spawn_blocking(move || self.unpacked.get_or_init(unpack));
        unpacked.await.expect("unpacking does not panic")
    }
}

/// Whether the client's cached version is current (RFC 9110, 13.1.2).
pub(super) fn is_known(request: &HeaderMap, etag: &str) -> bool {
    let opaque = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    items(request, &header::IF_NONE_MATCH).any(|tag| tag == "*" || opaque(&tag) == opaque(etag))
}

/// Whether the client accepts gzip (RFC 9110, 12.5.3).
fn accepts_gzip(request: &HeaderMap) -> bool {
    let accepted = |wanted: &[&str]| {
        items(request, &header::ACCEPT_ENCODING).find_map(|item| {
            let (coding, weight) = item.split_once(';').unwrap_or((&item, ""));
            let coding = coding.trim().to_ascii_lowercase();
            let weight = weight.trim().trim_start_matches(['q', 'Q']).trim_start_matches('=');
            let is_refused = weight.parse::<f32>().is_ok_and(|weight| weight == 0.0);
            wanted.contains(&coding.as_str()).then_some(!is_refused)
        })
    };
    accepted(&["gzip", "x-gzip"]).or_else(|| accepted(&["*"])).unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(name: header::HeaderName, value: &'static str) -> HeaderMap {
        [(name, HeaderValue::from_static(value))].into_iter().collect()
    }

    #[test]
    fn gzip_is_sent_to_clients_that_accept_it() {
        for value in ["gzip", "br, gzip", "GZIP;q=0.5", "x-gzip", "*", "br;q=1.0, *;q=0.1", "gzip;q=1"] {
            assert!(accepts_gzip(&request(header::ACCEPT_ENCODING, value)), "{value}");
        }
        for value in ["", "identity", "br", "gzip;q=0", "gzip; q=0.0, *", "*;q=0", "gzipped"] {
            assert!(!accepts_gzip(&request(header::ACCEPT_ENCODING, value)), "{value}");
        }
        assert!(!accepts_gzip(&HeaderMap::new()));
    }

    #[test]
    fn a_version_is_known_by_its_tag() {
        for value in ["W/\"a\"", "\"a\"", "\"b\", W/\"a\"", "*"] {
            assert!(is_known(&request(header::IF_NONE_MATCH, value), "W/\"a\""), "{value}");
        }
        for value in ["", "\"b\"", "a", "W/\"b\""] {
            assert!(!is_known(&request(header::IF_NONE_MATCH, value), "W/\"a\""), "{value}");
        }
    }

    #[test]
    fn every_file_has_a_path_of_its_own() {
        let mut paths: Vec<_> = FILES.iter().map(|file| file.path).collect();
        paths.sort_unstable();
        paths.dedup();
        assert_eq!(paths.len(), FILES.len());
    }

    #[tokio::test]
    async fn every_packed_file_unpacks() {
        for file in &FILES {
            assert!(!file.unpacked().await.is_empty(), "{}", file.path);
        }
    }
}
