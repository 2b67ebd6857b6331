//! A client of etcd's API, of this server's as of another's: for what a program has to ask that copies one to the other.

use std::error::Error as _;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use ennead_engine::coord::WatchAnswer;
use ennead_engine::coord::api::etcdserverpb::watch_request::RequestUnion;
use ennead_engine::coord::api::etcdserverpb::{
    AuthStatusRequest, AuthStatusResponse, AuthenticateRequest, DeleteRangeRequest, DeleteRangeResponse,
    LeaseGrantRequest, LeaseGrantResponse, LeaseKeepAliveRequest, LeaseLeasesRequest, LeaseLeasesResponse,
    LeaseRevokeRequest, LeaseRevokeResponse, LeaseTimeToLiveRequest, LeaseTimeToLiveResponse, RangeRequest,
    RangeResponse, TxnRequest, TxnResponse, WatchCreateRequest, WatchRequest, WatchResponse,
};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio_rustls::TlsConnector;
use tokio_stream::wrappers::ReceiverStream;
use tonic::metadata::AsciiMetadataValue;
use tonic::transport::{Channel, Endpoint, Uri};
use tonic::{Code, Request, Response, Status, Streaming};

use crate::calls::Refusal;
use crate::services::made::etcdserverpb::auth_client::AuthClient;
use crate::services::made::etcdserverpb::kv_client::KvClient;
use crate::services::made::etcdserverpb::lease_client::LeaseClient;
use crate::services::made::etcdserverpb::watch_client::WatchClient;

/// Metadata of LeaseKeepAlive that this server knows and etcd does not: the seconds that a lease is given instead of its whole
/// time, at most as many.
pub(crate) const LEASE_LEFT: &str = "ennead-lease-left";

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often a silent connection is looked after.
const KEEP_ALIVE: Duration = Duration::from_secs(20);

/// Who a client says it is.
#[derive(Debug, Clone)]
pub enum Login {
    /// Nobody.
    None,
    /// A user, by name and password, for a token.
    User(String, String),
    /// The password of this server's user `default`.
    Password(String),
}

/// Where a server is.
#[derive(Debug, Clone)]
pub struct Server {
    pub host: String,
    pub port: u16,
    /// Speaks TLS when it is there.
    pub tls: Option<Arc<ClientConfig>>,
    pub login: Login,
    /// The largest answer that is taken.
    pub answer_bytes_max: usize,
}

/// A connection, which clones share. It is made again when it breaks.
#[derive(Clone)]
pub struct Client {
    channel: Channel,
    server: Arc<Server>,
    token: Arc<RwLock<Option<AsciiMetadataValue>>>,
}

/// The answers of a watch stream.
pub struct Watching {
    answers: Streaming<WatchAnswer>,
    /// The stream ends with it.
    _requests: mpsc::Sender<WatchRequest>,
}

impl Client {
    /// Connects and logs in.
    ///
    /// # Errors
    /// As text of one line: nobody answers there, or not to this client.
    pub async fn connect(server: Server) -> Result<Client, String> {
        let place = place(&server);
        let scheme = if server.tls.is_some() { "https" } else { "http" };
        let uri =
            |scheme: &str| format!("{scheme}://{place}").parse::<Uri>().map_err(|error| format!("{place}: {error}"));
        // TLS is the connector's business.
        let endpoint = Endpoint::from(uri("http")?)
            .origin(uri(scheme)?)
            .connect_timeout(CONNECT_TIMEOUT)
            .http2_keep_alive_interval(KEEP_ALIVE)
            .tcp_nodelay(true);
        let channel = match server.tls.clone() {
            None => endpoint.connect().await,
            Some(config) => {
                let host = server.host.clone();
                let port = server.port;
                let config = with_http2(&config);
                let connector = tower::service_fn(move |_: Uri| secure(host.clone(), port, Arc::clone(&config)));
                endpoint.connect_with_connector(connector).await
            }
        };
        let channel = channel.map_err(|error| format!("{place}: {}; is the server running there?", causes(&error)))?;
        let client = Client { channel, server: Arc::new(server), token: Arc::default() };
        client.log_in().await.map_err(|refusal| format!("{place}: {}", refusal.message))?;
        Ok(client)
    }

    /// Host and port, for messages.
    pub fn place(&self) -> String {
        place(&self.server)
    }

    async fn log_in(&self) -> Result<(), Refusal> {
        let token = match &self.server.login {
            Login::None => return Ok(()),
            Login::Password(password) => format!("Bearer {password}"),
            Login::User(name, password) => {
                let request = AuthenticateRequest { name: name.clone(), password: password.clone() };
                match AuthClient::new(self.channel.clone()).authenticate(request).await {
                    Ok(answer) => answer.into_inner().token,
                    // Then nothing is asked for. etcd's clients go on as well.
                    Err(status) if status.message() == "etcdserver: authentication is not enabled" => return Ok(()),
                    Err(status) => return Err(refusal(&status)),
                }
            }
        };
        let token =
            token.try_into().map_err(|_| refusal(&Status::invalid_argument("the password is no text of ASCII")))?;
        *self.token.write().unwrap_or_else(PoisonError::into_inner) = Some(token);
        Ok(())
    }

    fn signed<Q>(&self, message: Q) -> Request<Q> {
        let mut request = Request::new(message);
        if let Some(token) = &*self.token.read().unwrap_or_else(PoisonError::into_inner) {
            request.metadata_mut().insert("authorization", token.clone());
        }
        request
    }

    /// Runs a call, a second time when the token was over.
    async fn call<Q: Clone, A, F>(&self, message: Q, run: impl Fn(Channel, Request<Q>) -> F) -> Result<A, Refusal>
    where
        F: Future<Output = Result<Response<A>, Status>>,
    {
        let attempt = || {
            let mut request = self.signed(message.clone());
            request.set_timeout(PATIENCE);
            run(self.channel.clone(), request)
        };
        let answer = match attempt().await {
            Err(status) if status.code() == Code::Unauthenticated && matches!(self.server.login, Login::User(..)) => {
                self.log_in().await?;
                attempt().await
            }
            answer => answer,
        };
        answer.map(Response::into_inner).map_err(|status| refusal(&status))
    }

    /// Gives a lease its whole time again, or, by this server, so many seconds. The seconds that it has then, 0 when it is not
    /// there.
    ///
    /// # Errors
    /// Those of the call.
    pub async fn lease_keep_alive(&self, id: i64, left_s: Option<i64>) -> Result<i64, Refusal> {
        let mut request = self.signed(tokio_stream::once(LeaseKeepAliveRequest { id }));
        if let Some(left_s) = left_s {
            request.metadata_mut().insert(LEASE_LEFT, left_s.into());
        }
        let answer = async {
            let mut answers = LeaseClient::new(self.channel.clone()).lease_keep_alive(request).await?.into_inner();
            answers.message().await
        };
        let answer = tokio::time::timeout(PATIENCE, answer).await;
        let answer = answer.unwrap_or_else(|_| Err(Status::deadline_exceeded("no answer")));
        answer.map(|answer| answer.map_or(0, |answer| answer.ttl)).map_err(|status| refusal(&status))
    }

    /// Opens a stream with one watch.
    ///
    /// # Errors
    /// Those of the call.
    pub async fn watch(&self, create: WatchCreateRequest) -> Result<Watching, Refusal> {
        let (requests, receiver) = mpsc::channel(1);
        let create = WatchRequest { request_union: Some(RequestUnion::CreateRequest(create)) };
        // It has room for one.
        let _ = requests.try_send(create);
        let request = self.signed(ReceiverStream::new(receiver));
        let mut client = WatchClient::new(self.channel.clone()).max_decoding_message_size(usize::MAX);
        let answers = client.watch(request).await.map_err(|status| refusal(&status))?.into_inner();
        Ok(Watching { answers, _requests: requests })
    }
}

macro_rules! calls {
    ($($method:ident: $client:ident, $request:ident => $answer:ident;)*) => {
        impl Client {
            $(
                /// The call of this name.
                ///
                /// # Errors
                /// Those of the call.
                pub async fn $method(&self, message: $request) -> Result<$answer, Refusal> {
                    let bytes_max = self.server.answer_bytes_max;
                    self.call(message, |channel, request| async move {
                        $client::new(channel).max_decoding_message_size(bytes_max).$method(request).await
                    })
                    .await
                }
            )*
        }
    };
}

calls! {
    range: KvClient, RangeRequest => RangeResponse;
    delete_range: KvClient, DeleteRangeRequest => DeleteRangeResponse;
    txn: KvClient, TxnRequest => TxnResponse;
    lease_grant: LeaseClient, LeaseGrantRequest => LeaseGrantResponse;
    lease_revoke: LeaseClient, LeaseRevokeRequest => LeaseRevokeResponse;
    lease_time_to_live: LeaseClient, LeaseTimeToLiveRequest => LeaseTimeToLiveResponse;
    lease_leases: LeaseClient, LeaseLeasesRequest => LeaseLeasesResponse;
    auth_status: AuthClient, AuthStatusRequest => AuthStatusResponse;
}

impl Watching {
    /// The next answer; none when the server ends the stream.
    ///
    /// # Errors
    /// When the stream breaks.
    pub async fn next(&mut self) -> Result<Option<WatchResponse>, Refusal> {
        let answer = self.answers.message().await.map_err(|status| refusal(&status))?;
        Ok(answer.map(WatchAnswer::into_response))
    }
}

fn place(server: &Server) -> String {
    let Server { host, port, .. } = server;
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}

fn with_http2(config: &Arc<ClientConfig>) -> Arc<ClientConfig> {
    let mut config = ClientConfig::clone(config);
    config.alpn_protocols = vec![b"h2".to_vec()];
    Arc::new(config)
}

async fn secure(
    host: String,
    port: u16,
    config: Arc<ClientConfig>,
) -> std::io::Result<TokioIo<tokio_rustls::client::TlsStream<TcpStream>>> {
    let socket = TcpStream::connect((host.as_str(), port)).await?;
    socket.set_nodelay(true)?;
    let name = ServerName::try_from(host).map_err(std::io::Error::other)?;
    Ok(TokioIo::new(TlsConnector::from(config).connect(name, socket).await?))
}

/// A failure with what caused it: the failure itself often says no more than that there was one.
fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = error.source();
    }
    text
}

fn refusal(status: &Status) -> Refusal {
    let message = match status.source() {
        Some(cause) => format!("{}: {}", status.message(), causes(cause)),
        None => status.message().to_owned(),
    };
    Refusal { code: status.code().into(), message }
}
