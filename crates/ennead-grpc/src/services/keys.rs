//! `etcdserverpb.KV`.

use ennead_engine::coord::api::etcdserverpb::{
    CompactionRequest, CompactionResponse, DeleteRangeRequest, DeleteRangeResponse, PutRequest, PutResponse,
    RangeRequest, RangeResponse, TxnRequest, TxnResponse,
};
use tonic::{Request, Response, Status};

use super::Api;
use super::made::etcdserverpb::kv_server::Kv;
use crate::error::status;

#[tonic::async_trait]
impl Kv for Api {
    async fn range(&self, request: Request<RangeRequest>) -> Result<Response<RangeResponse>, Status> {
        let coord = self.coord_for(&request)?;
        let request = request.into_inner();
        if request.range_end.is_empty() {
            return coord.range(&request).map(Response::new).map_err(status);
        }
        // It may be all keys.
        self.read(coord, move |coord| coord.range(&request)).await.map(Response::new)
    }

    async fn put(&self, request: Request<PutRequest>) -> Result<Response<PutResponse>, Status> {
        let coord = self.coord_for(&request)?;
        self.write(|| coord.put(request.get_ref())).await.map(Response::new)
    }

    async fn delete_range(
        &self,
        request: Request<DeleteRangeRequest>,
    ) -> Result<Response<DeleteRangeResponse>, Status> {
        let coord = self.coord_for(&request)?;
        self.write(|| coord.delete_range(request.get_ref())).await.map(Response::new)
    }

    async fn txn(&self, request: Request<TxnRequest>) -> Result<Response<TxnResponse>, Status> {
        let coord = self.coord_for(&request)?;
        self.write(|| coord.txn(request.get_ref())).await.map(Response::new)
    }

    async fn compact(&self, request: Request<CompactionRequest>) -> Result<Response<CompactionResponse>, Status> {
        self.room().await?;
        self.coord_for(&request)?.compact(request.get_ref()).await.map(Response::new).map_err(status)
    }
}
