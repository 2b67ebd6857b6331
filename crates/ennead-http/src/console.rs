//! The console: files of `web-ui/dist`, compiled into the binary.

use axum::extract::Path;
use axum::http::header;
use axum::response::{IntoResponse, Redirect, Response};
use ennead_engine::ErrorCode;

use crate::error::Failure;

/// Path, type, content.
const FILES: &[(&str, &str, &str)] = &[
    ("index.html", "text/html; charset=utf-8", include_str!("../../../web-ui/dist/index.html")),
    ("console.css", "text/css; charset=utf-8", include_str!("../../../web-ui/dist/console.css")),
];

pub(crate) async fn redirect() -> Redirect {
    Redirect::permanent("/console/")
}

pub(crate) async fn page() -> Response {
    answer("index.html")
}

pub(crate) async fn file(Path(path): Path<String>) -> Response {
    answer(&path)
}

fn answer(path: &str) -> Response {
    let Some((_, kind, content)) = FILES.iter().find(|(name, ..)| *name == path) else {
        return Failure::new(ErrorCode::NotFound, format!("the console has no file {path}")).into_response();
    };
    let headers = [
        (header::CONTENT_TYPE, *kind),
        (header::CONTENT_SECURITY_POLICY, "default-src 'self'"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, *content).into_response()
}
