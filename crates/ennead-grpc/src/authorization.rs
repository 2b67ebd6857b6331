//! Who may ask anything at all. Asked of all services but health checks and the login of etcd's API.
//!
//! Name and password of a user as metadata `authorization: Basic ...`, the password of `default` as `Bearer ...`, or the
//! token that a login gave out. Nothing is asked for while `default` needs no password; and where the permissions of etcd's
//! API are switched on, its services ask for tokens themselves.

use ennead_engine::Engine;
use tonic::metadata::MetadataMap;
use tonic::service::Interceptor;
use tonic::{Request, Status};

#[derive(Clone)]
pub(crate) struct Guard {
    engine: Engine,
}

/// What etcd's clients show after a login.
pub(crate) fn token(metadata: &MetadataMap) -> Option<&str> {
    let text = |name| metadata.get(name).and_then(|value| value.to_str().ok());
    text("token").or_else(|| text("authorization"))
}

impl Guard {
    pub(crate) fn new(engine: Engine) -> Self {
        Guard { engine }
    }

    pub(crate) fn check(&self, metadata: &MetadataMap) -> Result<(), Status> {
        let users = self.engine.users();
        if users.is_open() || self.engine.coord().auth_enabled() {
            return Ok(());
        }
        let given = metadata.get("authorization").and_then(|value| value.to_str().ok());
        if given.is_some_and(|value| users.login_by_field(value).is_ok())
            || token(metadata).is_some_and(|token| self.engine.is_coord_token(token))
        {
            return Ok(());
        }
        Err(Status::unauthenticated(
            "the password is missing or wrong, or the user is disabled; send authorization: Bearer PASSWORD, or Basic \
             with the base64 of USER:PASSWORD, or the token of a login",
        ))
    }
}

impl Interceptor for Guard {
    fn call(&mut self, request: Request<()>) -> Result<Request<()>, Status> {
        self.check(request.metadata())?;
        Ok(request)
    }
}
