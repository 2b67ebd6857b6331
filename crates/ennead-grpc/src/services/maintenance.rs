//! `etcdserverpb.Maintenance`.

use ennead_engine::coord::api::etcdserverpb::downgrade_request::DowngradeAction;
use ennead_engine::coord::api::etcdserverpb::{
    AlarmRequest, AlarmResponse, DefragmentRequest, DefragmentResponse, DowngradeRequest, DowngradeResponse,
    HashKvRequest, HashKvResponse, HashRequest, HashResponse, MoveLeaderRequest, MoveLeaderResponse, SnapshotRequest,
    SnapshotResponse, StatusRequest, StatusResponse,
};
use ennead_engine::coord::{ETCD_VERSION, Error};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};

use super::made::etcdserverpb::maintenance_server::Maintenance;
use super::{Api, STREAM_ANSWERS_MAX};
use crate::error::status;

#[tonic::async_trait]
impl Maintenance for Api {
    async fn alarm(&self, request: Request<AlarmRequest>) -> Result<Response<AlarmResponse>, Status> {
        let coord = self.coord_for(&request)?;
        self.write(|| coord.alarm(request.get_ref())).await.map(Response::new)
    }

    async fn status(&self, request: Request<StatusRequest>) -> Result<Response<StatusResponse>, Status> {
        self.coord_for(&request)?.status().map(Response::new).map_err(status)
    }

    async fn defragment(&self, request: Request<DefragmentRequest>) -> Result<Response<DefragmentResponse>, Status> {
        self.coord_for(&request)?.check_admin().map_err(status)?;
        let store = self.engine.store().clone();
        let compacted = tokio::task::spawn_blocking(move || store.compact(&mut |_, _| ())).await;
        let compacted = compacted.map_err(|failure| Status::internal(failure.to_string()))?;
        compacted.map_err(|error| status(error.into()))?;
        Ok(Response::new(DefragmentResponse::default()))
    }

    async fn hash(&self, request: Request<HashRequest>) -> Result<Response<HashResponse>, Status> {
        self.read(self.coord_for(&request)?, |coord| coord.hash()).await.map(Response::new)
    }

    async fn hash_kv(&self, request: Request<HashKvRequest>) -> Result<Response<HashKvResponse>, Status> {
        let coord = self.coord_for(&request)?;
        self.read(coord, move |coord| coord.hash_kv(request.get_ref())).await.map(Response::new)
    }

    type SnapshotStream = ReceiverStream<Result<SnapshotResponse, Status>>;

    async fn snapshot(&self, request: Request<SnapshotRequest>) -> Result<Response<Self::SnapshotStream>, Status> {
        let (parts, stream) = mpsc::channel(STREAM_ANSWERS_MAX);
        let coord = self.coord_for(&request)?;
        coord.check_admin().map_err(status)?;
        tokio::task::spawn_blocking(move || {
            // Sending fails when the client is gone, who need not know then.
            let send = |part| drop(parts.blocking_send(part));
            if let Err(error) = coord.snapshot(|| !parts.is_closed(), |part| send(Ok(part))) {
                send(Err(status(error)));
            }
        });
        Ok(Response::new(ReceiverStream::new(stream)))
    }

    async fn move_leader(&self, request: Request<MoveLeaderRequest>) -> Result<Response<MoveLeaderResponse>, Status> {
        let coord = self.coord_for(&request)?;
        coord.check_admin().map_err(status)?;
        // It is the leader already.
        if request.get_ref().target_id == coord.member_id() {
            return Ok(Response::new(MoveLeaderResponse::default()));
        }
        Err(status(Error::BadLeaderTransferee))
    }

    async fn downgrade(&self, request: Request<DowngradeRequest>) -> Result<Response<DowngradeResponse>, Status> {
        let coord = self.coord_for(&request)?;
        coord.check_admin().map_err(status)?;
        let request = request.get_ref();
        // There is no older version of this to go back to.
        Err(status(match DowngradeAction::try_from(request.action) {
            // None is under way, which etcd takes for a success.
            Ok(DowngradeAction::Cancel) => {
                let version = ETCD_VERSION.rsplit_once('.').map_or(ETCD_VERSION, |(version, _)| version).to_owned();
                return Ok(Response::new(DowngradeResponse { header: Some(coord.header()), version }));
            }
            _ if is_version(&request.version) => Error::InvalidDowngradeTarget,
            _ => Error::WrongDowngradeVersion,
        }))
    }
}

/// Two or three numbers with dots between them.
fn is_version(text: &str) -> bool {
    let numbers: Vec<_> = text.split('.').map(str::parse::<u32>).collect();
    (2..=3).contains(&numbers.len()) && numbers.iter().all(Result::is_ok)
}
