//! `etcdserverpb.Cluster`: there is one member, this server.

use ennead_engine::coord::Error;
use ennead_engine::coord::api::etcdserverpb::{
    Member, MemberAddRequest, MemberAddResponse, MemberListRequest, MemberListResponse, MemberPromoteRequest,
    MemberPromoteResponse, MemberRemoveRequest, MemberRemoveResponse, MemberUpdateRequest, MemberUpdateResponse,
    ResponseHeader,
};
use tonic::{Request, Response, Status};

use super::Api;
use super::made::etcdserverpb::cluster_server::Cluster;
use crate::error::status;

/// etcd's name for a member that was given none.
const NAME: &str = "default";

const NO_PEERS: Error = Error::Unsupported("there is one member, and others cannot be added yet");

#[tonic::async_trait]
impl Cluster for Api {
    async fn member_add(&self, request: Request<MemberAddRequest>) -> Result<Response<MemberAddResponse>, Status> {
        self.coord_for(&request)?.check_admin().map_err(status)?;
        Err(status(NO_PEERS))
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
        self.check_member(&request, request.get_ref().id)?;
        Err(status(NO_PEERS))
    }

    async fn member_list(&self, request: Request<MemberListRequest>) -> Result<Response<MemberListResponse>, Status> {
        let coord = self.coord_for(&request)?;
        coord.check_known().map_err(status)?;
        // Membership is not a part of the keys' history, so that etcd leaves the revision out.
        let header = Some(ResponseHeader { revision: 0, ..coord.header() });
        let member = Member {
            id: coord.member_id(),
            name: NAME.to_owned(),
            peer_ur_ls: Vec::new(),
            client_ur_ls: vec![self.url.to_string()],
            is_learner: false,
        };
        Ok(Response::new(MemberListResponse { header, members: vec![member] }))
    }

    async fn member_promote(
        &self,
        request: Request<MemberPromoteRequest>,
    ) -> Result<Response<MemberPromoteResponse>, Status> {
        self.check_member(&request, request.get_ref().id)?;
        Err(status(Error::MemberNotLearner))
    }
}

impl Api {
    fn check_member<T>(&self, request: &Request<T>, id: u64) -> Result<(), Status> {
        let coord = self.coord_for(request)?;
        coord.check_admin().map_err(status)?;
        if id == coord.member_id() { Ok(()) } else { Err(status(Error::MemberNotFound)) }
    }
}
