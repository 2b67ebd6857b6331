//! The tests' client of etcd's API: the messages of the project's protocol over a plain gRPC channel.

use std::net::SocketAddr;
use std::time::Duration;

use ennead_engine::coord::api::etcdserverpb as pb;
use prost::Message;
use tokio::runtime::Runtime;
use tokio::sync::mpsc;
use tokio_stream::Stream;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::metadata::AsciiMetadataValue;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Status, Streaming};
use tonic_prost::ProstCodec;

/// Of one answer: a range may have all keys.
const ANSWER_BYTES_MAX: usize = 64 << 20;
/// For connecting and for an answer. Generous: the machine may be busy building.
const PATIENCE: Duration = Duration::from_secs(20);

/// A request that has one answer.
pub(crate) trait Call: Message + Default + Clone + 'static {
    type Answer: Message + Default + 'static;
    const PATH: &'static str;
}

macro_rules! calls {
    ($($request:ident => $answer:ident, $path:literal;)*) => {
        $(impl Call for pb::$request {
            type Answer = pb::$answer;
            const PATH: &'static str = concat!("/etcdserverpb.", $path);
        })*
    };
}

calls! {
    RangeRequest => RangeResponse, "KV/Range";
    PutRequest => PutResponse, "KV/Put";
    DeleteRangeRequest => DeleteRangeResponse, "KV/DeleteRange";
    TxnRequest => TxnResponse, "KV/Txn";
    CompactionRequest => CompactionResponse, "KV/Compact";
    LeaseGrantRequest => LeaseGrantResponse, "Lease/LeaseGrant";
    LeaseRevokeRequest => LeaseRevokeResponse, "Lease/LeaseRevoke";
    LeaseTimeToLiveRequest => LeaseTimeToLiveResponse, "Lease/LeaseTimeToLive";
    LeaseLeasesRequest => LeaseLeasesResponse, "Lease/LeaseLeases";
    AuthEnableRequest => AuthEnableResponse, "Auth/AuthEnable";
    AuthenticateRequest => AuthenticateResponse, "Auth/Authenticate";
    AuthUserAddRequest => AuthUserAddResponse, "Auth/UserAdd";
    AuthUserGrantRoleRequest => AuthUserGrantRoleResponse, "Auth/UserGrantRole";
    MemberAddRequest => MemberAddResponse, "Cluster/MemberAdd";
    MemberRemoveRequest => MemberRemoveResponse, "Cluster/MemberRemove";
    MemberUpdateRequest => MemberUpdateResponse, "Cluster/MemberUpdate";
    MemberListRequest => MemberListResponse, "Cluster/MemberList";
    MemberPromoteRequest => MemberPromoteResponse, "Cluster/MemberPromote";
}

/// A connection, which many may share.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    channel: Channel,
    /// What goes with each request, when it is to be that of a user.
    authorization: Option<AsciiMetadataValue>,
}

/// Where to send further requests of a stream.
pub(crate) type Requests<Q> = mpsc::UnboundedSender<Q>;

impl Client {
    /// Waits until the server answers, which may be starting.
    pub(crate) async fn connect(address: SocketAddr) -> Client {
        let begun = std::time::Instant::now();
        loop {
            if let Some(client) = Client::attempt(address).await {
                return client;
            }
            assert!(begun.elapsed() < PATIENCE, "the server at {address} does not answer");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// None when nobody answers there now.
    pub(crate) async fn attempt(address: SocketAddr) -> Option<Client> {
        let endpoint = Endpoint::from_shared(format!("http://{address}")).ok()?.tcp_nodelay(true);
        let channel = endpoint.connect_timeout(Duration::from_secs(1)).connect().await.ok()?;
        let client = Client { channel, authorization: None };
        let probe = client.call(pb::RangeRequest { key: "probe".into(), ..Default::default() });
        match tokio::time::timeout(Duration::from_secs(2), probe).await.ok()? {
            // One that wants to know who asks answers, too.
            Err(status) if status.code() != Code::Unauthenticated => None,
            _ => Some(client),
        }
    }

    /// The same connection with the password of the server.
    pub(crate) fn with_password(self, password: &str) -> Client {
        self.with_token(&format!("Bearer {password}"))
    }

    /// The same connection with the token of a login.
    pub(crate) fn with_token(self, token: &str) -> Client {
        Client { authorization: Some(token.parse().expect("a token is ASCII")), ..self }
    }

    fn request<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        if let Some(authorization) = &self.authorization {
            request.metadata_mut().insert("authorization", authorization.clone());
        }
        request
    }

    pub(crate) async fn call<Q: Call>(&self, request: Q) -> Result<Q::Answer, Status> {
        let mut grpc = tonic::client::Grpc::new(self.channel.clone()).max_decoding_message_size(ANSWER_BYTES_MAX);
        let answer = async {
            grpc.ready().await.map_err(|error| Status::unavailable(error.to_string()))?;
            let codec: ProstCodec<Q, Q::Answer> = ProstCodec::default();
            grpc.unary(self.request(request), PathAndQuery::from_static(Q::PATH), codec).await
        };
        match tokio::time::timeout(PATIENCE, answer).await {
            Ok(answer) => answer.map(tonic::Response::into_inner),
            Err(_) => Err(Status::new(Code::DeadlineExceeded, "no answer")),
        }
    }

    pub(crate) async fn watch(
        &self,
        first: pb::WatchRequest,
    ) -> Result<(Requests<pb::WatchRequest>, Streaming<pb::WatchResponse>), Status> {
        self.stream("/etcdserverpb.Watch/Watch", first).await
    }

    pub(crate) async fn keep_alive(
        &self,
        first: pb::LeaseKeepAliveRequest,
    ) -> Result<(Requests<pb::LeaseKeepAliveRequest>, Streaming<pb::LeaseKeepAliveResponse>), Status> {
        self.stream("/etcdserverpb.Lease/LeaseKeepAlive", first).await
    }

    /// A server may say nothing, not even that the stream stands, before the first request.
    async fn stream<Q, A>(&self, path: &'static str, first: Q) -> Result<(Requests<Q>, Streaming<A>), Status>
    where
        Q: Message + Default + 'static,
        A: Message + Default + 'static,
    {
        let (send, requests) = mpsc::unbounded_channel();
        send.send(first).map_err(|_| Status::internal("nobody receives the requests"))?;
        let mut grpc = tonic::client::Grpc::new(self.channel.clone()).max_decoding_message_size(ANSWER_BYTES_MAX);
        grpc.ready().await.map_err(|error| Status::unavailable(error.to_string()))?;
        let codec: ProstCodec<Q, A> = ProstCodec::default();
        let path = PathAndQuery::from_static(path);
        let answers = grpc.streaming(self.request(Sending(requests)), path, codec).await?.into_inner();
        Ok((send, answers))
    }
}

/// The receiving end of a channel as the stream that it is.
struct Sending<Q>(mpsc::UnboundedReceiver<Q>);

impl<Q> Stream for Sending<Q> {
    type Item = Q;

    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Q>> {
        self.0.poll_recv(context)
    }
}

/// A watch request that makes a watch.
pub(crate) fn create(request: pb::WatchCreateRequest) -> pb::WatchRequest {
    pb::WatchRequest { request_union: Some(pb::watch_request::RequestUnion::CreateRequest(request)) }
}

/// One that cancels a watch.
pub(crate) fn cancel(watch_id: i64) -> pb::WatchRequest {
    let request = pb::WatchCancelRequest { watch_id };
    pb::WatchRequest { request_union: Some(pb::watch_request::RequestUnion::CancelRequest(request)) }
}

/// One that asks how far all watches of the stream are.
pub(crate) fn progress() -> pb::WatchRequest {
    let request = pb::WatchProgressRequest::default();
    pb::WatchRequest { request_union: Some(pb::watch_request::RequestUnion::ProgressRequest(request)) }
}

/// Where the clients of a test run.
pub(crate) fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}
