//! Name and password of a user as `Authorization: Basic`, or the password of `default` as `Bearer`. Asked for unless
//! `default` needs none.

use axum::extract::{Request, State as Shared};
use axum::http::header;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use ennead_engine::ErrorCode;

use crate::State;
use crate::error::Failure;

pub(crate) async fn check(Shared(state): Shared<State>, request: Request, next: Next) -> Response {
    let users = state.engine.users();
    if users.is_open() {
        return next.run(request).await;
    }
    let given = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    if given.is_some_and(|value| users.login_by_field(value).is_ok()) {
        next.run(request).await
    } else {
        Failure::new(ErrorCode::Unauthenticated, "the password is missing or wrong, or the user is disabled")
            .into_response()
    }
}
