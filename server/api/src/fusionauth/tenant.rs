//! The header that names a tenant.

use async_trait::async_trait;
use dropshot::{
    ApiEndpointBodyContentType, ExtractorMetadata, Header, HttpError, RequestContext, ServerContext, SharedExtractor,
};
use schemars::JsonSchema;
use serde::Deserialize;

/// Name of the header.
const NAME: &str = "X-FusionAuth-TenantId";

/// The tenant that the request names, as sent. The handler looks it up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantHeader(Option<String>);

impl TenantHeader {
    /// The value, if the header was sent.
    #[must_use]
    pub fn into_inner(self) -> Option<String> {
        self.0
    }
}

/// The header as it is documented.
#[derive(Deserialize, JsonSchema)]
#[expect(dead_code, reason = "it is only printed")]
struct Documented {
    /// Id of the tenant.
    #[serde(rename = "X-FusionAuth-TenantId")]
    tenant_id: Option<String>,
}

#[async_trait]
impl SharedExtractor for TenantHeader {
    // dropshot's own extractor fails if any header of the request is not ASCII.
    async fn from_request<Context: ServerContext>(context: &RequestContext<Context>) -> Result<Self, HttpError> {
        let sent = context.request.headers().get(NAME);
        let sent = sent.map(|value| String::from_utf8_lossy(value.as_bytes()).trim().to_owned());
        Ok(Self(sent.filter(|value| !value.is_empty())))
    }

    fn metadata(content_type: ApiEndpointBodyContentType) -> ExtractorMetadata {
        Header::<Documented>::metadata(content_type)
    }
}
