//! The paths, and the order in which a request passes limits and the password.

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::StatusCode;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use ennead_engine::ErrorCode;

use crate::error::Failure;
use crate::{Options, State, authorization, console, health, metrics};

pub(crate) fn router(state: &State, options: &Options) -> Router {
    let (timeout, header_bytes_max) = (options.timeout, options.header_bytes_max);
    let guarded = Router::new()
        .route("/", get(health::banner))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(metrics::scrape))
        .route("/console", get(console::redirect))
        .route("/console/", get(console::page))
        .route("/console/{*path}", get(console::file))
        .fallback(unknown)
        .method_not_allowed_fallback(wrong_method)
        .layer(middleware::from_fn_with_state(state.clone(), authorization::check));
    Router::new()
        .route("/healthz", get(health::alive))
        .method_not_allowed_fallback(wrong_method)
        .merge(guarded)
        .layer(DefaultBodyLimit::max(options.body_bytes_max))
        .layer(middleware::from_fn(move |request: Request, next: Next| async move {
            let header_bytes = header_bytes(&request);
            if header_bytes > header_bytes_max {
                let message =
                    format!("the head of the request has {header_bytes} bytes, {header_bytes_max} are allowed");
                let status = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
                return Failure::new(ErrorCode::TooLarge, message).with_status(status).into_response();
            }
            match tokio::time::timeout(timeout, next.run(request)).await {
                Ok(response) => response,
                Err(_) => Failure::new(ErrorCode::Timeout, format!("no answer within {timeout:?}")).into_response(),
            }
        }))
        .with_state(state.clone())
}

async fn unknown(request: Request) -> Response {
    Failure::new(ErrorCode::NotFound, format!("there is nothing at {}", request.uri().path())).into_response()
}

async fn wrong_method(request: Request) -> Response {
    let message = format!("{} does not answer {}", request.uri().path(), request.method());
    Failure::new(ErrorCode::Unsupported, message).into_response()
}

fn header_bytes(request: &Request) -> usize {
    let target = request.uri().path_and_query().map_or(0, |target| target.as_str().len());
    target + request.headers().iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum::<usize>()
}
