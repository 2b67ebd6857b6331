//! The paths, and the order in which a request passes limits and the password. The gateway's own order is that of gRPC: its
//! calls may wait long, and its services ask for passwords and tokens.

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::StatusCode;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use ennead_engine::ErrorCode;

use crate::error::Failure;
use crate::{Options, State, authorization, console, gateway, health, metrics};

/// Methods, paths, whether the password is asked for, and what is there: for the reference. Those of the gateway are
/// [`gateway::PATHS`].
pub const ROUTES: &[(&str, &str, bool, &str)] = &[
    ("GET", "/", true, "name, version and age of the server, and the paths that there are"),
    ("GET", "/healthz", false, "200 while the process lives"),
    ("GET", "/readyz", true, "200 while requests are served in full: it neither stops nor refuses writes"),
    ("GET", "/metrics", true, "figures in the format of OpenMetrics"),
    ("GET", "/console/", true, "the console"),
];

/// # Errors
/// Those of the gateway's own router.
pub(crate) fn router(state: &State, options: &Options) -> std::io::Result<Router> {
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
    let plain = Router::new()
        .route("/healthz", get(health::alive))
        .method_not_allowed_fallback(wrong_method)
        .merge(guarded)
        .layer(DefaultBodyLimit::max(options.body_bytes_max))
        .layer(middleware::from_fn(move |request: Request, next: Next| async move {
            match tokio::time::timeout(timeout, next.run(request)).await {
                Ok(response) => response,
                Err(_) => Failure::new(ErrorCode::Timeout, format!("no answer within {timeout:?}")).into_response(),
            }
        }));
    let router = plain
        .merge(gateway::router(options)?)
        .layer(middleware::from_fn(move |request: Request, next: Next| async move {
            let header_bytes = header_bytes(&request);
            if header_bytes > header_bytes_max {
                let message =
                    format!("the head of the request has {header_bytes} bytes, {header_bytes_max} are allowed");
                let status = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
                return Failure::new(ErrorCode::TooLarge, message).with_status(status).into_response();
            }
            next.run(request).await
        }))
        .with_state(state.clone());
    Ok(router)
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
