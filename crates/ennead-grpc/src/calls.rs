//! etcd's API called from within the process, messages as bytes in and out: for a listener that carries the same calls in
//! another form. They go through the same services as those of the gRPC listener, and through the same guard.

use std::pin::Pin;

use bytes::{Buf, BufMut, Bytes};
use ennead_engine::Engine;
use tokio::sync::watch;
use tokio_stream::{Stream, StreamExt};
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::codegen::http::uri::PathAndQuery;
use tonic::metadata::{MetadataKey, MetadataMap, MetadataValue};
use tonic::service::Routes;
use tonic::{Request, Status};

use crate::{authorization, services};

/// The services, which many may call at a time.
#[derive(Clone)]
pub struct Calls(Routes);

/// Why a call failed: gRPC's number for the kind, and the words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub code: i32,
    pub message: String,
}

/// Encoded requests of one call. One, unless the call takes a stream of them.
pub type Messages = Pin<Box<dyn Stream<Item = Bytes> + Send>>;

/// Encoded answers of one call. A refusal is the last. Dropping them ends the call.
pub type Answers = Pin<Box<dyn Stream<Item = Result<Bytes, Refusal>> + Send>>;

impl Calls {
    /// Clients are told that this server is reached at `url`. Streams end, and calls that wait, when `stopping` turns true.
    pub fn new(engine: &Engine, url: String, stopping: watch::Receiver<bool>) -> Calls {
        let guard = authorization::Guard::new(engine.clone());
        Calls(services::with(Routes::default(), engine, &guard, url, stopping).routes)
    }

    /// Calls a method by its path, such as `/etcdserverpb.KV/Range`, with metadata by name. Returns when the first answer
    /// is there or on its way.
    ///
    /// # Errors
    /// When the call is refused before there is an answer.
    pub async fn call(
        &self,
        path: &'static str,
        metadata: Vec<(String, String)>,
        messages: Messages,
    ) -> Result<Answers, Refusal> {
        let mut request = Request::new(messages);
        write_metadata(request.metadata_mut(), metadata);
        let mut grpc = tonic::client::Grpc::new(self.0.clone()).max_decoding_message_size(usize::MAX);
        grpc.ready().await.map_err(|error| Status::internal(error.to_string())).map_err(Refusal::from)?;
        let answered = grpc.streaming(request, PathAndQuery::from_static(path), Raw).await;
        let answers = answered.map_err(Refusal::from)?.into_inner();
        Ok(Box::pin(answers.map(|answer| answer.map_err(Refusal::from))))
    }
}

impl From<Status> for Refusal {
    fn from(status: Status) -> Refusal {
        Refusal { code: status.code().into(), message: status.message().to_owned() }
    }
}

/// What is no metadata is left out, as gRPC would not carry it.
fn write_metadata(map: &mut MetadataMap, pairs: Vec<(String, String)>) {
    for (name, value) in pairs {
        if let (Ok(name), Ok(value)) = (MetadataKey::from_bytes(name.as_bytes()), MetadataValue::try_from(value)) {
            map.append(name, value);
        }
    }
}

/// Messages stay as they are.
struct Raw;

impl Codec for Raw {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Raw;
    type Decoder = Raw;

    fn encoder(&mut self) -> Raw {
        Raw
    }

    fn decoder(&mut self) -> Raw {
        Raw
    }
}

impl Encoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, message: Bytes, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put(message);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(buffer.copy_to_bytes(buffer.remaining())))
    }
}
