//! The listener of operators: metrics, and health beside them.

use super::{StartError, logging};
use crate::app::App;
use crate::edge::load::InFlight;
use crate::http::ops::{self, Health};
use crate::metrics::Metrics;
use dropshot::{ConfigDropshot, HttpServer, ServerBuilder};
use slog::Logger;
use std::net::SocketAddr;
use std::sync::Arc;

/// Starts to listen.
pub(super) fn start(
    address: SocketAddr,
    app: &Arc<App>,
    health: &Arc<Health>,
    metrics: Arc<Metrics>,
    in_flight: &InFlight,
    log: &Logger,
) -> Result<HttpServer<()>, StartError> {
    let (app, in_flight) = (Arc::clone(app), in_flight.clone());
    let scrape: ops::Scrape = Box::new(move || {
        let (app, metrics, requests) = (Arc::clone(&app), Arc::clone(&metrics), in_flight.taken());
        Box::pin(async move { metrics.render(&app.sample(requests).await) })
    });
    let api = ops::operations_api(health, scrape).map_err(|error| StartError::Register(Box::new(error)))?;
    ServerBuilder::new(api, (), logging::for_dropshot(log.clone()))
        .config(ConfigDropshot { bind_address: address, ..ConfigDropshot::default() })
        .start()
        .map_err(|source| StartError::Operations { address, source: Box::new(source) })
}
