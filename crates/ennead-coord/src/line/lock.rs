//! Locks: whoever is at the front holds it, until the key or its lease goes.

use bytes::Bytes;

use super::{Place, lease_for};
use crate::api::etcdserverpb::range_request::SortOrder;
use crate::api::etcdserverpb::{DeleteRangeRequest, RangeRequest};
use crate::api::v3lockpb::{LockRequest, LockResponse, UnlockRequest, UnlockResponse};
use crate::coord::Coord;
use crate::error::{Error, Result};

impl Coord {
    /// Waits for a lock and takes it. Dropping the future before it ends leaves the line.
    ///
    /// # Errors
    /// `SessionExpired` when the lease ended while it waited.
    pub async fn lock(&self, request: &LockRequest, now_ms: u64) -> Result<LockResponse> {
        let lease = lease_for(self, request.lease, now_ms).await?;
        let (place, header, _) = Place::take(self, &request.name, lease, Bytes::new()).await?;
        let front = self.range(&super::end_of_line(&place.prefix, SortOrder::Ascend, 0))?;
        if front.kvs.first().is_some_and(|first| first.create_revision == place.revision) {
            return Ok(LockResponse { header: Some(header), key: place.keep() });
        }
        place.come_to_front().await?;
        let own = self.range(&RangeRequest { key: place.key.clone(), ..RangeRequest::default() })?;
        if own.kvs.is_empty() {
            return Err(Error::SessionExpired);
        }
        Ok(LockResponse { header: own.header, key: place.keep() })
    }

    /// Gives a lock back: deletes its key.
    pub async fn unlock(&self, request: &UnlockRequest) -> Result<UnlockResponse> {
        let delete = DeleteRangeRequest { key: request.key.clone(), ..DeleteRangeRequest::default() };
        Ok(UnlockResponse { header: self.delete_range(&delete)?.await?.header })
    }
}
