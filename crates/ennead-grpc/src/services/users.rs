//! `etcdserverpb.Auth`.

use ennead_engine::coord::Result as CoordResult;
use ennead_engine::coord::api::etcdserverpb::{
    AuthDisableRequest, AuthDisableResponse, AuthEnableRequest, AuthEnableResponse, AuthRoleAddRequest,
    AuthRoleAddResponse, AuthRoleDeleteRequest, AuthRoleDeleteResponse, AuthRoleGetRequest, AuthRoleGetResponse,
    AuthRoleGrantPermissionRequest, AuthRoleGrantPermissionResponse, AuthRoleListRequest, AuthRoleListResponse,
    AuthRoleRevokePermissionRequest, AuthRoleRevokePermissionResponse, AuthStatusRequest, AuthStatusResponse,
    AuthUserAddRequest, AuthUserAddResponse, AuthUserChangePasswordRequest, AuthUserChangePasswordResponse,
    AuthUserDeleteRequest, AuthUserDeleteResponse, AuthUserGetRequest, AuthUserGetResponse, AuthUserGrantRoleRequest,
    AuthUserGrantRoleResponse, AuthUserListRequest, AuthUserListResponse, AuthUserRevokeRoleRequest,
    AuthUserRevokeRoleResponse, AuthenticateRequest, AuthenticateResponse,
};
use ennead_engine::coord::{Answer, Coord};
use tonic::{Request, Response, Status};

use super::Api;
use super::made::etcdserverpb::auth_server::Auth;
use crate::error::status;

type Answered<T> = Result<Response<T>, Status>;

impl Api {
    /// A change by the model for the caller.
    async fn change<Q, A: Unpin>(
        &self,
        request: Request<Q>,
        run: impl FnOnce(&Coord, &Q) -> CoordResult<Answer<A>>,
    ) -> Answered<A> {
        let coord = self.coord_for(&request)?;
        self.write(|| run(&coord, request.get_ref())).await.map(Response::new)
    }
}

#[tonic::async_trait]
impl Auth for Api {
    async fn auth_enable(&self, request: Request<AuthEnableRequest>) -> Answered<AuthEnableResponse> {
        self.change(request, |coord, _| coord.auth_enable()).await
    }

    async fn auth_disable(&self, request: Request<AuthDisableRequest>) -> Answered<AuthDisableResponse> {
        self.change(request, |coord, _| coord.auth_disable()).await
    }

    async fn auth_status(&self, request: Request<AuthStatusRequest>) -> Answered<AuthStatusResponse> {
        self.coord_for(&request)?.auth_status().map(Response::new).map_err(status)
    }

    async fn authenticate(&self, request: Request<AuthenticateRequest>) -> Answered<AuthenticateResponse> {
        self.engine.coord_login(request.get_ref()).map(Response::new).map_err(status)
    }

    async fn user_add(&self, request: Request<AuthUserAddRequest>) -> Answered<AuthUserAddResponse> {
        self.change(request, |coord, request| self.engine.coord_user_add(coord, request)).await
    }

    async fn user_get(&self, request: Request<AuthUserGetRequest>) -> Answered<AuthUserGetResponse> {
        self.coord_for(&request)?.user_get(request.get_ref()).map(Response::new).map_err(status)
    }

    async fn user_list(&self, request: Request<AuthUserListRequest>) -> Answered<AuthUserListResponse> {
        self.coord_for(&request)?.user_list().map(Response::new).map_err(status)
    }

    async fn user_delete(&self, request: Request<AuthUserDeleteRequest>) -> Answered<AuthUserDeleteResponse> {
        self.change(request, |coord, request| self.engine.coord_user_delete(coord, request)).await
    }

    async fn user_change_password(
        &self,
        request: Request<AuthUserChangePasswordRequest>,
    ) -> Answered<AuthUserChangePasswordResponse> {
        self.change(request, |coord, request| self.engine.coord_change_password(coord, request)).await
    }

    async fn user_grant_role(&self, request: Request<AuthUserGrantRoleRequest>) -> Answered<AuthUserGrantRoleResponse> {
        self.change(request, Coord::user_grant_role).await
    }

    async fn user_revoke_role(
        &self,
        request: Request<AuthUserRevokeRoleRequest>,
    ) -> Answered<AuthUserRevokeRoleResponse> {
        self.change(request, Coord::user_revoke_role).await
    }

    async fn role_add(&self, request: Request<AuthRoleAddRequest>) -> Answered<AuthRoleAddResponse> {
        self.change(request, Coord::role_add).await
    }

    async fn role_get(&self, request: Request<AuthRoleGetRequest>) -> Answered<AuthRoleGetResponse> {
        self.coord_for(&request)?.role_get(request.get_ref()).map(Response::new).map_err(status)
    }

    async fn role_list(&self, request: Request<AuthRoleListRequest>) -> Answered<AuthRoleListResponse> {
        self.coord_for(&request)?.role_list().map(Response::new).map_err(status)
    }

    async fn role_delete(&self, request: Request<AuthRoleDeleteRequest>) -> Answered<AuthRoleDeleteResponse> {
        self.change(request, Coord::role_delete).await
    }

    async fn role_grant_permission(
        &self,
        request: Request<AuthRoleGrantPermissionRequest>,
    ) -> Answered<AuthRoleGrantPermissionResponse> {
        self.change(request, Coord::role_grant_permission).await
    }

    async fn role_revoke_permission(
        &self,
        request: Request<AuthRoleRevokePermissionRequest>,
    ) -> Answered<AuthRoleRevokePermissionResponse> {
        self.change(request, Coord::role_revoke_permission).await
    }
}
