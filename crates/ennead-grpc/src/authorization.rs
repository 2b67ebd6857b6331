//! Name and password of a user as metadata `authorization: Basic ...`, or the password of `default` as `Bearer ...`.
//! Asked for unless `default` needs none, and never by health checks.

#[cfg(test)]
mod tests;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ennead_engine::Engine;
use tonic::service::Interceptor;
use tonic::{Request, Status};

#[derive(Clone)]
pub(crate) struct Guard {
    engine: Engine,
}

impl Guard {
    pub(crate) fn new(engine: Engine) -> Self {
        Guard { engine }
    }
}

impl Interceptor for Guard {
    fn call(&mut self, request: Request<()>) -> Result<Request<()>, Status> {
        let users = self.engine.users();
        if users.is_open() {
            return Ok(request);
        }
        let given = request.metadata().get("authorization").and_then(|value| value.to_str().ok());
        let accepted = given.and_then(credentials).is_some_and(|(user, password)| {
            let user = user.as_deref().filter(|user| !user.is_empty());
            users.login(user.map(str::as_bytes), password.as_bytes()).is_ok()
        });
        if accepted {
            return Ok(request);
        }
        Err(Status::unauthenticated(
            "the password is missing or wrong, or the user is disabled; send authorization: Bearer PASSWORD, or Basic \
             with the base64 of USER:PASSWORD",
        ))
    }
}

/// User, if one is named, and password.
fn credentials(value: &str) -> Option<(Option<String>, String)> {
    let (scheme, value) = value.split_once(' ')?;
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
