//! The address of a collector of traces.

use super::origin::Origin;

/// Where OTLP over HTTP is taken, such as `http://127.0.0.1:4318/v1/traces`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtlpEndpoint(String);

impl OtlpEndpoint {
    /// Reads a URL. One without a path gets the path of OTLP (`/v1/traces`).
    ///
    /// # Errors
    /// Says what was expected, without repeating the text.
    pub fn parse(text: &str) -> Result<Self, String> {
        // Not repeated: somebody may have put credentials into it.
        const EXPECTED: &str =
            "expected a URL such as http://127.0.0.1:4318/v1/traces; credentials belong in OTEL_EXPORTER_OTLP_HEADERS";
        let origin = Origin::of_url(text).filter(|origin| ["http", "https"].contains(&origin.scheme()));
        let (Some(_), Some((_, rest))) = (origin, text.split_once("://")) else { return Err(EXPECTED.to_owned()) };
        if rest.contains(['@', '?', '#']) {
            return Err(EXPECTED.to_owned());
        }
        Ok(Self(match rest.trim_end_matches('/').contains('/') {
            true => text.to_owned(),
            false => format!("{}/v1/traces", text.trim_end_matches('/')),
        }))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Where traces go, and how many requests are traced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Collector {
    pub endpoint: OtlpEndpoint,
    /// Of a hundred requests.
    pub percent: u8,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_has_a_path() {
        for (text, endpoint) in [
            ("http://127.0.0.1:4318", "http://127.0.0.1:4318/v1/traces"),
            ("https://otel.example/", "https://otel.example/v1/traces"),
            ("https://otel.example/otlp/v1/traces", "https://otel.example/otlp/v1/traces"),
        ] {
            assert_eq!(OtlpEndpoint::parse(text).expect(text).as_str(), endpoint);
        }
        for text in [
            "",
            "127.0.0.1:4318",
            "grpc://otel.example",
            "https://user:hunter2@otel.example",
            "https://otel.example?key=hunter2",
        ] {
            let problem = OtlpEndpoint::parse(text).expect_err(text);
            assert!(problem.contains("OTEL_EXPORTER_OTLP_HEADERS") && !problem.contains("hunter2"), "{problem}");
        }
    }
}
