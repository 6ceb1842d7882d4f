//! The least a dropshot server can do: one endpoint, nothing behind it. What the real server is held against.

use anyhow::{Context as _, Result};
use dropshot::{ApiDescription, ConfigDropshot, HttpError, HttpResponseOk, RequestContext, ServerBuilder, endpoint};
use schemars::JsonSchema;
use serde::Serialize;
use std::io::{Read as _, Write as _};

/// Where the endpoint is.
pub(crate) const PATH: &str = "/plain";

/// Its response.
#[derive(Clone, Debug, Serialize, JsonSchema)]
struct Plain {
    /// Text of the length that was asked for.
    text: String,
}

impl Plain {
    /// The response whose JSON has so many bytes, if that is possible.
    fn of(bytes: usize) -> Self {
        Self { text: "x".repeat(bytes.saturating_sub(r#"{"text":""}"#.len())) }
    }
}

/// Sends the same response each time.
#[endpoint { method = GET, path = "/plain" }]
async fn plain(context: RequestContext<Plain>) -> Result<HttpResponseOk<Plain>, HttpError> {
    Ok(HttpResponseOk(context.context().clone()))
}

/// Serves until standard input ends, so that it never outlives whoever started it.
pub(crate) fn serve(bytes: usize) -> Result<()> {
    let runtime = tokio::runtime::Runtime::new().context("failed to start a runtime")?;
    let _inside = runtime.enter();
    let mut api = ApiDescription::new();
    api.register(plain).context("failed to register the plain endpoint")?;
    let log = slog::Logger::root(slog::Discard, slog::o!());
    let config = ConfigDropshot { bind_address: ([127, 0, 0, 1], 0).into(), ..ConfigDropshot::default() };
    let server = ServerBuilder::new(api, Plain::of(bytes), log).config(config).start();
    let server = server.map_err(|error| anyhow::anyhow!("failed to start a plain server: {error}"))?;
    let mut output = std::io::stdout();
    writeln!(output, "listening on http://{}", server.local_addr()).context("failed to say where it listens")?;
    output.flush().context("failed to say where it listens")?;
    std::io::stdin().read_to_end(&mut Vec::new()).context("failed to wait for the end")?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn responses_have_the_length_that_was_asked_for() {
        for bytes in [11, 12, 533] {
            assert_eq!(serde_json::to_string(&Plain::of(bytes)).expect("plain").len(), bytes);
        }
    }
}
