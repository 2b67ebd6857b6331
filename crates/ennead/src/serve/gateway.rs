//! The services of the gRPC listener for the JSON gateway of the HTTP listener: neither knows the other.

use std::net::SocketAddr;
use std::pin::Pin;

use ennead_engine::Engine;
use ennead_http::gateway::{Answers, Call, Calls, Refusal};
use tokio::sync::watch;
use tokio_stream::StreamExt;

use crate::listeners::Dialect;

/// etcd's API, called from within the process.
#[derive(Clone)]
pub(super) struct Coordination(ennead_grpc::Calls);

impl Coordination {
    /// Its streams end when `stopped` says so. Clients are told that it is reached where gRPC is, or else HTTP.
    pub(super) fn new(
        engine: &Engine,
        addresses: &[(Dialect, SocketAddr)],
        tls: bool,
        stopped: watch::Receiver<bool>,
    ) -> Coordination {
        let at = |wanted| addresses.iter().find(|(dialect, _)| *dialect == wanted).map(|(_, address)| address);
        let scheme = if tls { "https" } else { "http" };
        let address = at(Dialect::Grpc).or_else(|| at(Dialect::Http));
        let url = address.map(|address| format!("{scheme}://{address}")).unwrap_or_default();
        Coordination(ennead_grpc::Calls::new(engine, url, stopped))
    }
}

impl Calls for Coordination {
    fn call(&self, call: Call) -> Pin<Box<dyn Future<Output = Result<Answers, Refusal>> + Send>> {
        let calls = self.0.clone();
        Box::pin(async move {
            let answers = calls.call(call.path, call.metadata, call.messages).await.map_err(refusal)?;
            Ok(Box::pin(answers.map(|answer| answer.map_err(refusal))) as Answers)
        })
    }
}

fn refusal(refusal: ennead_grpc::Refusal) -> Refusal {
    Refusal { code: refusal.code, message: refusal.message }
}
