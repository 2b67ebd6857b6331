//! `etcdserverpb.Cluster`: there is one member, this server.

use ennead_engine::coord::api::etcdserverpb::{
    Member, MemberAddRequest, MemberAddResponse, MemberListRequest, MemberListResponse, MemberPromoteRequest,
    MemberPromoteResponse, MemberRemoveRequest, MemberRemoveResponse, MemberUpdateRequest, MemberUpdateResponse,
    ResponseHeader,
};
use ennead_engine::coord::{Coord, Error};
use tonic::{Request, Response, Status};

use super::Api;
use super::made::etcdserverpb::cluster_server::Cluster;
use crate::error::status;

/// etcd's name for a member that was given none.
const NAME: &str = "default";

#[tonic::async_trait]
impl Cluster for Api {
    async fn member_add(&self, request: Request<MemberAddRequest>) -> Result<Response<MemberAddResponse>, Status> {
        let coord = self.coord_for(&request)?;
        Err(status(coord.member_add_refusal(&request.get_ref().peer_ur_ls)))
    }

    async fn member_remove(
        &self,
        request: Request<MemberRemoveRequest>,
    ) -> Result<Response<MemberRemoveResponse>, Status> {
        self.check_member(&request, request.get_ref().id)?;
        Err(status(Error::MemberNotEnoughStarted))
    }

    async fn member_update(
        &self,
        request: Request<MemberUpdateRequest>,
    ) -> Result<Response<MemberUpdateResponse>, Status> {
        let coord = self.coord_for(&request)?;
        self.write(|| coord.member_update(request.get_ref())).await?;
        Ok(Response::new(MemberUpdateResponse { header: header(&coord), members: vec![self.member(&coord)] }))
    }

    async fn member_list(&self, request: Request<MemberListRequest>) -> Result<Response<MemberListResponse>, Status> {
        let coord = self.coord_for(&request)?;
        coord.check_known().map_err(status)?;
        Ok(Response::new(MemberListResponse { header: header(&coord), members: vec![self.member(&coord)] }))
    }

    async fn member_promote(
        &self,
        request: Request<MemberPromoteRequest>,
    ) -> Result<Response<MemberPromoteResponse>, Status> {
        self.check_member(&request, request.get_ref().id)?;
        Err(status(Error::MemberNotLearner))
    }
}

/// Membership is not a part of the keys' history, so that etcd leaves the revision out.
fn header(coord: &Coord) -> Option<ResponseHeader> {
    Some(ResponseHeader { revision: 0, ..coord.header() })
}

impl Api {
    fn member(&self, coord: &Coord) -> Member {
        Member {
            id: coord.member_id(),
            name: NAME.to_owned(),
            peer_ur_ls: coord.peer_urls(),
            client_ur_ls: vec![self.url.to_string()],
            is_learner: false,
        }
    }

    fn check_member<T>(&self, request: &Request<T>, id: u64) -> Result<(), Status> {
        let coord = self.coord_for(request)?;
        coord.check_admin().map_err(status)?;
        if id == coord.member_id() { Ok(()) } else { Err(status(Error::MemberNotFound)) }
    }
}
