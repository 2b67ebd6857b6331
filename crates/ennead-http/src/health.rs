//! Whether the process lives, whether it takes writes, and what it is.

use std::sync::atomic::Ordering;

use axum::Json;
use axum::extract::State as Shared;
use axum::response::{IntoResponse, Response};
use ennead_engine::ErrorCode;
use serde_json::{Value, json};

use crate::State;
use crate::error::Failure;

/// The process answers; never asks for a password.
pub(crate) async fn alive() -> Json<Value> {
    Json(json!({ "status": "ok" }))
}

/// Requests are served in full: neither stopping nor refusing writes.
pub(crate) async fn ready(Shared(state): Shared<State>) -> Response {
    if state.stopping.load(Ordering::Relaxed) {
        return Failure::new(ErrorCode::Unavailable, "the server is stopping").into_response();
    }
    if let Some(reason) = state.engine.store().poisoned() {
        return Failure::new(ErrorCode::Unavailable, format!("writes are refused: {reason}")).into_response();
    }
    Json(json!({ "status": "ok" })).into_response()
}

pub(crate) async fn banner(Shared(state): Shared<State>) -> Json<Value> {
    Json(json!({
        "name": "ennead",
        "version": env!("CARGO_PKG_VERSION"),
        "run_id": state.engine.run_id(),
        "uptime_seconds": state.engine.uptime().as_secs(),
        "paths": ["/healthz", "/readyz", "/metrics", "/console/", "/v3/"],
    }))
}
