//! Which service takes a request: that of keys, which gets nearly all of them, at a glance, the others by their route.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tonic::body::Body;
use tonic::codegen::{BoxFuture, Service, http};
use tonic::server::NamedService;
use tonic::service::Routes;

use super::Api;
use super::made::etcdserverpb::kv_server::KvServer;

/// All services. Routes have the service of keys as well.
#[derive(Clone)]
pub(crate) struct Directory {
    pub(super) keys: KvServer<Api>,
    pub(crate) routes: Routes,
}

/// The answer of either.
pub(crate) enum Answering {
    Keys(BoxFuture<http::Response<Body>, Infallible>),
    Routed(Box<<Routes as Service<http::Request<Body>>>::Future>),
}

impl Service<http::Request<Body>> for Directory {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Answering;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        ready!(Service::<http::Request<Body>>::poll_ready(&mut self.keys, context))?;
        Service::<http::Request<Body>>::poll_ready(&mut self.routes, context)
    }

    fn call(&mut self, request: http::Request<Body>) -> Answering {
        let path = request.uri().path().strip_prefix('/');
        let method = path.and_then(|path| path.strip_prefix(<KvServer<Api> as NamedService>::NAME));
        if method.is_some_and(|method| method.starts_with('/')) {
            return Answering::Keys(self.keys.call(request));
        }
        Answering::Routed(Box::new(self.routes.call(request)))
    }
}

impl Future for Answering {
    type Output = Result<http::Response<Body>, Infallible>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match self.get_mut() {
            Answering::Keys(answer) => answer.as_mut().poll(context),
            Answering::Routed(answer) => Pin::new(answer).poll(context),
        }
    }
}
