//! etcd's API as JSON below `/v3/`: each path is a method of the gRPC services, its body the method's message in the JSON
//! of protobuf, the answer likewise, and a stream of answers one line each.
//!
//! It knows messages by their descriptors only. What they mean is known to whoever runs the calls ([`Calls`]), which asks
//! for passwords and tokens as well.

mod answers;
mod documents;
mod json;
mod metadata;
mod refusal;
mod table;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State as Shared};
use axum::http::Method;
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use bytes::Bytes;
use prost_reflect::{DescriptorPool, MethodDescriptor};
use tokio_stream::Stream;

use crate::{Options, State};
use answers::Answering;
use documents::Documents;

pub use refusal::Refusal;
pub use table::PATHS;

/// Where all paths of the gateway begin.
pub const PREFIX: &str = "/v3/";

/// Encoded messages of one call.
pub type Messages = Pin<Box<dyn Stream<Item = Bytes> + Send>>;

/// Encoded answers of one call. A refusal is the last. Dropping them ends the call.
pub type Answers = Pin<Box<dyn Stream<Item = Result<Bytes, Refusal>> + Send>>;

/// One call of a method.
pub struct Call {
    /// The method, as its path in gRPC.
    pub path: &'static str,
    /// What came beside the message, by name: tokens and passwords.
    pub metadata: Vec<(String, String)>,
    /// One, unless the method takes a stream of them.
    pub messages: Messages,
}

/// Whoever runs the methods.
pub trait Calls: Send + Sync {
    /// Runs one.
    ///
    /// # Errors
    /// When it is refused before there is an answer.
    fn call(&self, call: Call) -> Pin<Box<dyn Future<Output = Result<Answers, Refusal>> + Send>>;
}

/// What requests to the gateway share.
struct Gateway {
    calls: Arc<dyn Calls>,
    /// By path below the prefix.
    methods: HashMap<&'static str, (&'static str, MethodDescriptor)>,
    body_bytes_max: usize,
    /// For the body of a request with one message.
    timeout: Duration,
}

/// The routes of the gateway.
///
/// # Errors
/// When the protocol that was compiled in lacks a method of the table.
pub(crate) fn router(options: &Options) -> std::io::Result<Router<State>> {
    let gateway = Gateway {
        calls: Arc::clone(&options.coordination),
        methods: methods().map_err(std::io::Error::other)?,
        body_bytes_max: options.body_bytes_max,
        timeout: options.timeout,
    };
    Ok(Router::new().route("/v3/{*path}", any(answer).with_state(Arc::new(gateway))))
}

fn methods() -> Result<HashMap<&'static str, (&'static str, MethodDescriptor)>, String> {
    let pool = DescriptorPool::decode(ennead_engine::coord::api::DESCRIPTORS).map_err(|error| error.to_string())?;
    let all: Vec<_> = pool.services().flat_map(|service| service.methods().collect::<Vec<_>>()).collect();
    let find = |path: &str| {
        let same = |method: &&MethodDescriptor| {
            path.strip_prefix('/').and_then(|path| path.split_once('/'))
                == Some((method.parent_service().full_name(), method.name()))
        };
        all.iter().find(same).cloned().ok_or_else(|| format!("the protocol has no {path}"))
    };
    PATHS.iter().map(|(below, path)| Ok((*below, (*path, find(path)?)))).collect()
}

async fn answer(Shared(gateway): Shared<Arc<Gateway>>, request: Request) -> Response {
    gateway.answer(request).await.unwrap_or_else(Refusal::into_response)
}

impl Gateway {
    async fn answer(&self, request: Request) -> Result<Response, Refusal> {
        let below = request.uri().path().strip_prefix(PREFIX).unwrap_or_default();
        let Some((path, method)) = self.methods.get(below) else {
            return Err(Refusal::new(refusal::NOT_FOUND, "Not Found"));
        };
        if request.method() != Method::POST {
            return Err(Refusal::new(refusal::UNIMPLEMENTED, "Method Not Allowed"));
        }
        metadata::check_origin(request.headers())?;
        let deadline = metadata::deadline(request.headers())?;
        let metadata = metadata::pairs(request.headers());
        let (failed, failure) = tokio::sync::oneshot::channel();
        let messages: Messages = if method.is_client_streaming() {
            let body = request.into_body().into_data_stream();
            Box::pin(Documents::new(body, method.input(), self.body_bytes_max, failed))
        } else {
            let document = self.collect(request.into_body()).await?;
            Box::pin(tokio_stream::once(json::read(method.input(), document).await?))
        };
        let call = self.calls.call(Call { path, metadata, messages });
        let begun = Answering::begin(call, failure, deadline).await;
        if method.is_server_streaming() {
            return Ok(answers::stream(begun, method.output()).await);
        }
        let first = begun?.next().await.transpose()?;
        let first = first.ok_or_else(|| Refusal::new(refusal::INTERNAL, "the call ended without an answer"))?;
        Ok(answers::single(json::write(method.output(), first).await?))
    }

    async fn collect(&self, body: Body) -> Result<Bytes, Refusal> {
        match tokio::time::timeout(self.timeout, to_bytes(body, self.body_bytes_max)).await {
            Ok(Ok(document)) => Ok(document),
            Ok(Err(_)) => {
                let message = format!("the body is cut off, or has more than {} bytes", self.body_bytes_max);
                Err(Refusal::new(refusal::INVALID_ARGUMENT, message))
            }
            Err(_) => {
                let message = format!("the body did not come within {:?}", self.timeout);
                Err(Refusal::new(refusal::DEADLINE_EXCEEDED, message))
            }
        }
    }
}
