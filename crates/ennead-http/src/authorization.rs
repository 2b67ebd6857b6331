//! Name and password of a user as `Authorization: Basic`, or the password of `default` as `Bearer`. Asked for unless
//! `default` needs none.

use axum::extract::{Request, State as Shared};
use axum::http::header;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ennead_engine::ErrorCode;

use crate::State;
use crate::error::Failure;

pub(crate) async fn check(Shared(state): Shared<State>, request: Request, next: Next) -> Response {
    let users = state.engine.users();
    if users.is_open() {
        return next.run(request).await;
    }
    let given = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let accepted = given.and_then(credentials).is_some_and(|(user, password)| {
        let user = user.as_deref().filter(|user| !user.is_empty());
        users.login(user.map(str::as_bytes), password.as_bytes()).is_ok()
    });
    if accepted {
        next.run(request).await
    } else {
        Failure::new(ErrorCode::Unauthenticated, "the password is missing or wrong, or the user is disabled")
            .into_response()
    }
}

/// User, if one is named, and password.
fn credentials(header: &str) -> Option<(Option<String>, String)> {
    let (scheme, value) = header.split_once(' ')?;
    let value = value.trim();
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some((None, value.to_owned()));
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(STANDARD.decode(value).ok()?).ok()?;
    let (user, password) = text.split_once(':')?;
    Some((Some(user.to_owned()), password.to_owned()))
}
