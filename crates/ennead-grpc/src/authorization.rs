//! Name and password of a user as metadata `authorization: Basic ...`, or the password of `default` as `Bearer ...`.
//! Asked for unless `default` needs none, and never by health checks.

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
        if given.is_some_and(|value| users.login_by_field(value).is_ok()) {
            return Ok(request);
        }
        Err(Status::unauthenticated(
            "the password is missing or wrong, or the user is disabled; send authorization: Bearer PASSWORD, or Basic \
             with the base64 of USER:PASSWORD",
        ))
    }
}
