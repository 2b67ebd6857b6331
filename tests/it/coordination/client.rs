//! A client of etcd's API, as small as the tests need it.

use std::str::FromStr;

use ennead_coord::api::etcdserverpb::watch_request::RequestUnion;
use ennead_coord::api::etcdserverpb::{
    LeaseGrantRequest, LeaseGrantResponse, LeaseKeepAliveRequest, LeaseKeepAliveResponse, LeaseTimeToLiveRequest,
    LeaseTimeToLiveResponse, PutRequest, PutResponse, RangeRequest, RangeResponse, WatchCreateRequest, WatchRequest,
    WatchResponse,
};
use prost::Message;
use tokio_stream::{Stream, StreamExt};
use tonic::client::Grpc;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::metadata::MetadataValue;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status, Streaming};
use tonic_prost::ProstCodec;

use crate::daemon::process::Daemon;
use crate::wait::TIMEOUT;

#[derive(Clone)]
pub(super) struct Client {
    channel: Channel,
    password: Option<String>,
}

fn path(method: &str) -> PathAndQuery {
    PathAndQuery::from_str(&format!("/etcdserverpb.{method}")).unwrap()
}

fn bytes(text: &str) -> Vec<u8> {
    text.as_bytes().to_vec()
}

impl Client {
    pub(super) async fn connect(daemon: &Daemon) -> Client {
        let endpoint = Endpoint::from_shared(format!("http://{}", daemon.address("grpc"))).unwrap();
        Client { channel: endpoint.connect().await.unwrap(), password: None }
    }

    pub(super) fn with_password(self, password: &str) -> Client {
        Client { password: Some(password.to_owned()), ..self }
    }

    async fn grpc(&self) -> Grpc<Channel> {
        let mut grpc = Grpc::new(self.channel.clone());
        grpc.ready().await.unwrap();
        grpc
    }

    async fn call<Q, A>(&self, method: &str, message: Q) -> Result<A, Status>
    where
        Q: Message + Send + Sync + 'static,
        A: Message + Default + Send + Sync + 'static,
    {
        let mut request = Request::new(message);
        if let Some(password) = &self.password {
            let value = MetadataValue::from_str(&format!("Bearer {password}")).unwrap();
            request.metadata_mut().insert("authorization", value);
        }
        let mut grpc = self.grpc().await;
        let answer = grpc.unary(request, path(method), ProstCodec::<Q, A>::default());
        let answer = tokio::time::timeout(TIMEOUT, answer).await.expect("no answer came");
        answer.map(tonic::Response::into_inner)
    }

    /// A stream with one request, that stays open.
    async fn stream<Q, A>(&self, method: &str, first: Q) -> Streaming<A>
    where
        Q: Message + Send + Sync + 'static,
        A: Message + Default + Send + Sync + 'static,
    {
        let requests: std::pin::Pin<Box<dyn Stream<Item = Q> + Send>> =
            Box::pin(tokio_stream::once(first).chain(tokio_stream::pending()));
        let codec = ProstCodec::<Q, A>::default();
        self.grpc().await.streaming(Request::new(requests), path(method), codec).await.unwrap().into_inner()
    }

    /// Puts, and answers the revision.
    pub(super) async fn put(&self, key: &str, value: &str, lease: i64) -> Result<i64, Status> {
        let (key, value) = (bytes(key).into(), bytes(value).into());
        let request = PutRequest { key, value, lease, ..PutRequest::default() };
        let response: PutResponse = self.call("KV/Put", request).await?;
        Ok(response.header.unwrap().revision)
    }

    /// How many keys there are in a range, and at which revision.
    pub(super) async fn count(&self, key: &str, end: &str) -> (i64, i64) {
        let (key, range_end) = (bytes(key).into(), bytes(end).into());
        let request = RangeRequest { key, range_end, count_only: true, ..RangeRequest::default() };
        let response: RangeResponse = self.call("KV/Range", request).await.unwrap();
        (response.count, response.header.unwrap().revision)
    }

    async fn watch_from(&self, key: &str, end: &str, start_revision: i64) -> Streaming<WatchResponse> {
        let (key, range_end) = (bytes(key).into(), bytes(end).into());
        let create = WatchCreateRequest { key, range_end, start_revision, ..WatchCreateRequest::default() };
        let request = WatchRequest { request_union: Some(RequestUnion::CreateRequest(create)) };
        let mut answers: Streaming<WatchResponse> = self.stream("Watch/Watch", request).await;
        assert!(answers.next().await.unwrap().unwrap().created);
        answers
    }

    pub(super) async fn open_watch(&self, key: &str, end: &str) -> Streaming<WatchResponse> {
        self.watch_from(key, end, 0).await
    }

    /// So many events of a range from a revision on: revisions and keys.
    pub(super) async fn watch(&self, key: &str, end: &str, start: i64, count: usize) -> Vec<(i64, String)> {
        let mut answers = self.watch_from(key, end, start).await;
        let mut events = Vec::new();
        while events.len() < count {
            let answer = tokio::time::timeout(TIMEOUT, answers.next()).await.expect("no event came");
            for event in answer.unwrap().unwrap().events {
                let pair = event.kv.unwrap();
                events.push((pair.mod_revision, String::from_utf8(pair.key.to_vec()).unwrap()));
            }
        }
        events
    }

    pub(super) async fn grant(&self, request: LeaseGrantRequest) -> i64 {
        let response: LeaseGrantResponse = self.call("Lease/LeaseGrant", request).await.unwrap();
        response.id
    }

    pub(super) async fn time_to_live(&self, request: LeaseTimeToLiveRequest) -> LeaseTimeToLiveResponse {
        self.call("Lease/LeaseTimeToLive", request).await.unwrap()
    }

    /// Opens a stream of keep-alives and waits for the first answer.
    pub(super) async fn keep_alive(&self, request: LeaseKeepAliveRequest) -> Streaming<LeaseKeepAliveResponse> {
        let mut answers: Streaming<LeaseKeepAliveResponse> = self.stream("Lease/LeaseKeepAlive", request).await;
        answers.next().await.unwrap().unwrap();
        answers
    }
}
