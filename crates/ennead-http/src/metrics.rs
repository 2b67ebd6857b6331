//! `/metrics`: figures that the engine and the store keep anyway, read when Prometheus asks. Nothing is counted here.

mod commands;
mod server;

use axum::extract::State as Shared;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use ennead_engine::{Engine, ErrorCode};
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;

use crate::State;
use crate::error::Failure;

const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

pub(crate) fn registry(engine: &Engine) -> Registry {
    let mut registry = Registry::with_prefix("ennead");
    registry.register_collector(Box::new(commands::Commands::new(engine.clone())));
    registry.register_collector(Box::new(server::Server::new(engine.clone())));
    registry
}

pub(crate) async fn scrape(Shared(state): Shared<State>) -> Response {
    let mut text = String::with_capacity(64 << 10);
    match encode(&mut text, &state.registry) {
        Ok(()) => ([(header::CONTENT_TYPE, CONTENT_TYPE)], text).into_response(),
        Err(error) => Failure::new(ErrorCode::Internal, format!("metrics: {error}")).into_response(),
    }
}
