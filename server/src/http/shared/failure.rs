//! The server could not do its work: which status says so, and when to come back.

use countersign_flows::FlowError;
use dropshot::ErrorStatusCode as Status;
use std::time::Duration;

/// A failure of the server, not of the caller.
#[derive(Debug, PartialEq, Eq)]
pub struct Failure {
    /// 503 where a later try may succeed, else 500.
    pub status: Status,
    pub retry_after: Option<Duration>,
    /// The chain of errors, for the log only.
    pub cause: String,
}

impl From<FlowError> for Failure {
    fn from(error: FlowError) -> Self {
        let retry_after = error.retry_after();
        let status = if retry_after.is_some() { Status::SERVICE_UNAVAILABLE } else { Status::INTERNAL_SERVER_ERROR };
        Self { status, retry_after, cause: countersign_domain::error_chain(&error) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use countersign_flows::hashing::Overloaded;

    #[test]
    fn a_failure_that_passes_is_a_503_and_any_other_a_500() {
        let retry_after = Duration::from_millis(1_500);
        let failure = Failure::from(FlowError::Overloaded(Overloaded { retry_after }));
        assert_eq!((failure.status, failure.retry_after), (Status::SERVICE_UNAVAILABLE, Some(retry_after)));
        let failure = Failure::from(FlowError::OtherGrant);
        assert_eq!((failure.status, failure.retry_after), (Status::INTERNAL_SERVER_ERROR, None));
        assert_eq!(failure.cause, FlowError::OtherGrant.to_string());
    }
}
