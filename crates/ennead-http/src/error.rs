//! The one place where failures become HTTP: a status and `{code, message, retryable}`.

#[cfg(test)]
mod tests;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use ennead_engine::ErrorCode;
use serde::Serialize;

#[derive(Debug)]
pub(crate) struct Failure {
    code: ErrorCode,
    message: String,
    /// In place of the code's own, where HTTP has a finer word.
    status: Option<StatusCode>,
}

#[derive(Serialize)]
struct Body<'a> {
    code: &'a str,
    message: &'a str,
    retryable: bool,
}

impl Failure {
    pub(crate) fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Failure { code, message: message.into(), status: None }
    }

    pub(crate) fn with_status(mut self, status: StatusCode) -> Self {
        self.status = Some(status);
        self
    }
}

/// Status, the word for clients, and whether the same request may succeed later.
pub(crate) fn words(code: ErrorCode) -> (StatusCode, &'static str, bool) {
    match code {
        ErrorCode::InvalidArgument => (StatusCode::BAD_REQUEST, "invalid_argument", false),
        ErrorCode::WrongType => (StatusCode::CONFLICT, "wrong_type", false),
        ErrorCode::NotFound => (StatusCode::NOT_FOUND, "not_found", false),
        ErrorCode::AlreadyExists => (StatusCode::CONFLICT, "already_exists", false),
        ErrorCode::Conflict => (StatusCode::CONFLICT, "conflict", true),
        ErrorCode::NotLeader => (StatusCode::SERVICE_UNAVAILABLE, "not_leader", true),
        ErrorCode::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, "unavailable", true),
        ErrorCode::Timeout => (StatusCode::GATEWAY_TIMEOUT, "timeout", true),
        ErrorCode::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "too_large", false),
        ErrorCode::Unauthenticated => (StatusCode::UNAUTHORIZED, "unauthenticated", false),
        ErrorCode::PermissionDenied => (StatusCode::FORBIDDEN, "permission_denied", false),
        ErrorCode::Unsupported => (StatusCode::METHOD_NOT_ALLOWED, "unsupported", false),
        ErrorCode::Corrupted => (StatusCode::INTERNAL_SERVER_ERROR, "corrupted", false),
        // Codes that a later store may add are told like a fault of ours.
        _ => (StatusCode::INTERNAL_SERVER_ERROR, "internal", false),
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let (status, code, retryable) = words(self.code);
        let status = self.status.unwrap_or(status);
        let mut response = (status, Json(Body { code, message: &self.message, retryable })).into_response();
        if status == StatusCode::UNAUTHORIZED {
            let challenge = HeaderValue::from_static("Basic realm=\"ennead\"");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}
