//! Why a call failed, and what HTTP says then: the status that stands for gRPC's code, and `{"code", "message"}`.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

pub(super) const INVALID_ARGUMENT: i32 = 3;
pub(super) const DEADLINE_EXCEEDED: i32 = 4;
pub(super) const NOT_FOUND: i32 = 5;
pub(super) const PERMISSION_DENIED: i32 = 7;
pub(super) const UNIMPLEMENTED: i32 = 12;
pub(super) const INTERNAL: i32 = 13;
const UNAUTHENTICATED: i32 = 16;

/// Why a call failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Refusal {
    /// gRPC's number for the kind.
    pub code: i32,
    pub message: String,
}

impl Refusal {
    pub(super) fn new(code: i32, message: impl Into<String>) -> Refusal {
        Refusal { code, message: message.into() }
    }

    /// The status that stands for the code.
    pub(super) fn status(&self) -> StatusCode {
        match self.code {
            // Cancelled by the client: a status that has no name.
            1 => StatusCode::from_u16(499).unwrap_or(StatusCode::REQUEST_TIMEOUT),
            // Invalid arguments, failed preconditions, out of range.
            3 | 9 | 11 => StatusCode::BAD_REQUEST,
            4 => StatusCode::GATEWAY_TIMEOUT,
            5 => StatusCode::NOT_FOUND,
            // What is there already, and what was aborted.
            6 | 10 => StatusCode::CONFLICT,
            7 => StatusCode::FORBIDDEN,
            8 => StatusCode::TOO_MANY_REQUESTS,
            12 => StatusCode::NOT_IMPLEMENTED,
            14 => StatusCode::SERVICE_UNAVAILABLE,
            16 => StatusCode::UNAUTHORIZED,
            // Unknown, internal, data loss.
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let challenge = (self.code == UNAUTHENTICATED).then(|| HeaderValue::from_str(&self.message));
        let mut response = (self.status(), Json(self)).into_response();
        if let Some(Ok(challenge)) = challenge {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}
