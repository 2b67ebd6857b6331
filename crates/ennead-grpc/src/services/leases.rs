//! `etcdserverpb.Lease`.

use ennead_engine::coord::Coord;
use ennead_engine::coord::api::etcdserverpb::{
    LeaseGrantRequest, LeaseGrantResponse, LeaseKeepAliveRequest, LeaseKeepAliveResponse, LeaseLeasesRequest,
    LeaseLeasesResponse, LeaseRevokeRequest, LeaseRevokeResponse, LeaseTimeToLiveRequest, LeaseTimeToLiveResponse,
};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};

use super::made::etcdserverpb::lease_server::Lease;
use super::{Api, STREAM_ANSWERS_MAX};
use crate::client::LEASE_LEFT;
use crate::error::{status, too_large};

type Answers = mpsc::Sender<Result<LeaseKeepAliveResponse, Status>>;

#[tonic::async_trait]
impl Lease for Api {
    async fn lease_grant(&self, request: Request<LeaseGrantRequest>) -> Result<Response<LeaseGrantResponse>, Status> {
        let coord = self.coord_for(&request)?;
        self.write(|| coord.lease_grant(request.get_ref(), self.now_ms())).await.map(Response::new)
    }

    async fn lease_revoke(
        &self,
        request: Request<LeaseRevokeRequest>,
    ) -> Result<Response<LeaseRevokeResponse>, Status> {
        let coord = self.coord_for(&request)?;
        self.write(|| coord.lease_revoke(request.get_ref())).await.map(Response::new)
    }

    type LeaseKeepAliveStream = ReceiverStream<Result<LeaseKeepAliveResponse, Status>>;

    async fn lease_keep_alive(
        &self,
        request: Request<Streaming<LeaseKeepAliveRequest>>,
    ) -> Result<Response<Self::LeaseKeepAliveStream>, Status> {
        let (answers, stream) = mpsc::channel(STREAM_ANSWERS_MAX);
        let coord = self.coord_for(&request)?;
        let left = request.metadata().get(LEASE_LEFT).map(|value| {
            let seconds = value.to_str().ok().and_then(|text| text.parse().ok());
            seconds.ok_or_else(|| Status::invalid_argument(format!("{LEASE_LEFT} is no number of seconds")))
        });
        tokio::spawn(keep_alive(self.clone(), coord, left.transpose()?, request.into_inner(), answers));
        Ok(Response::new(ReceiverStream::new(stream)))
    }

    async fn lease_time_to_live(
        &self,
        request: Request<LeaseTimeToLiveRequest>,
    ) -> Result<Response<LeaseTimeToLiveResponse>, Status> {
        let coord = self.coord_for(&request)?;
        coord.lease_time_to_live(request.get_ref(), self.now_ms()).map(Response::new).map_err(status)
    }

    async fn lease_leases(
        &self,
        request: Request<LeaseLeasesRequest>,
    ) -> Result<Response<LeaseLeasesResponse>, Status> {
        self.coord_for(&request)?.lease_leases().map(Response::new).map_err(status)
    }
}

/// Serves one stream of keep-alives until either side ends it.
async fn keep_alive(
    mut api: Api,
    coord: Coord,
    left_s: Option<i64>,
    mut requests: Streaming<LeaseKeepAliveRequest>,
    answers: Answers,
) {
    loop {
        let request = tokio::select! {
            request = requests.message() => request,
            () = answers.closed() => return,
            () = api.stopped() => return,
        };
        let request = match request {
            Ok(Some(request)) => request,
            // The client is done.
            Ok(None) => return,
            Err(refusal) => {
                // Whoever is gone is not told.
                let _ = answers.send(Err(too_large(refusal))).await;
                return;
            }
        };
        let now_ms = api.now_ms();
        let answer = api.write(|| coord.lease_keep_alive(&request, left_s, now_ms)).await;
        let failed = answer.is_err();
        if answers.send(answer).await.is_err() || failed {
            return;
        }
    }
}
