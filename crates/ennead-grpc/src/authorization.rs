//! The password, as metadata `authorization: Bearer ...`. Asked for only when one is set, and never by health checks.

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
        let password =
            given.and_then(|value| value.split_once(' ')).filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
        match password {
            Some((_, password)) if users.login(None, password.trim().as_bytes()).is_ok() => Ok(request),
            _ => Err(Status::unauthenticated(
                "the password is missing or wrong; send it as authorization: Bearer PASSWORD",
            )),
        }
    }
}
