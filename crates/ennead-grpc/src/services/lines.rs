//! `v3lockpb.Lock` and `v3electionpb.Election`. In etcd these are clients of the other services, and what fails there has
//! the words here but no code.

use ennead_engine::coord::api::v3electionpb::{
    CampaignRequest, CampaignResponse, LeaderRequest, LeaderResponse, ProclaimRequest, ProclaimResponse, ResignRequest,
    ResignResponse,
};
use ennead_engine::coord::api::v3lockpb::{LockRequest, LockResponse, UnlockRequest, UnlockResponse};
use ennead_engine::coord::{Error, Observation};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};

use super::made::v3electionpb::election_server::Election;
use super::made::v3lockpb::lock_server::Lock;
use super::{Api, STREAM_ANSWERS_MAX};
use crate::error::status;

#[tonic::async_trait]
impl Lock for Api {
    async fn lock(&self, request: Request<LockRequest>) -> Result<Response<LockResponse>, Status> {
        let coord = self.coord_for(&request)?;
        self.room().await?;
        let locked = self.unless_stopped(coord.lock(request.get_ref(), self.now_ms())).await?;
        locked.map(Response::new).map_err(failure)
    }

    async fn unlock(&self, request: Request<UnlockRequest>) -> Result<Response<UnlockResponse>, Status> {
        self.room().await?;
        self.coord_for(&request)?.unlock(request.get_ref()).await.map(Response::new).map_err(failure)
    }
}

#[tonic::async_trait]
impl Election for Api {
    async fn campaign(&self, request: Request<CampaignRequest>) -> Result<Response<CampaignResponse>, Status> {
        let coord = self.coord_for(&request)?;
        self.room().await?;
        let won = self.unless_stopped(coord.campaign(request.get_ref(), self.now_ms())).await?;
        won.map(Response::new).map_err(failure)
    }

    async fn proclaim(&self, request: Request<ProclaimRequest>) -> Result<Response<ProclaimResponse>, Status> {
        self.room().await?;
        self.coord_for(&request)?.proclaim(request.get_ref(), self.now_ms()).await.map(Response::new).map_err(failure)
    }

    async fn leader(&self, request: Request<LeaderRequest>) -> Result<Response<LeaderResponse>, Status> {
        let coord = self.coord_for(&request)?;
        self.read(coord, move |coord| Ok(coord.leader(request.get_ref()))).await?.map(Response::new).map_err(failure)
    }

    type ObserveStream = ReceiverStream<Result<LeaderResponse, Status>>;

    async fn observe(&self, request: Request<LeaderRequest>) -> Result<Response<Self::ObserveStream>, Status> {
        let (told, stream) = mpsc::channel(STREAM_ANSWERS_MAX);
        tokio::spawn(observe(self.clone(), self.coord_for(&request)?.observe(request.get_ref()), told));
        Ok(Response::new(ReceiverStream::new(stream)))
    }

    async fn resign(&self, request: Request<ResignRequest>) -> Result<Response<ResignResponse>, Status> {
        self.room().await?;
        self.coord_for(&request)?.resign(request.get_ref()).await.map(Response::new).map_err(failure)
    }
}

/// Failures of this server are told as such.
fn failure(error: Error) -> Status {
    match error {
        Error::Stopped | Error::Store(_) => status(error),
        error => Status::unknown(error.to_string()),
    }
}

/// Follows an election until either side ends it.
async fn observe(mut api: Api, mut observation: Observation, told: mpsc::Sender<Result<LeaderResponse, Status>>) {
    loop {
        let next = tokio::select! {
            next = observation.next() => next.map_err(failure),
            () = told.closed() => return,
            () = api.stopped() => return,
        };
        let failed = next.is_err();
        if told.send(next).await.is_err() || failed {
            return;
        }
    }
}
