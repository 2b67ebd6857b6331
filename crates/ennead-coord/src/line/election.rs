//! Elections: whoever is at the front is the leader, and says something by the value of its key.

use std::collections::VecDeque;

use super::{Place, delete, end_of_line, if_created, lease_for, next, prefix_of, put, watch};
use crate::api::etcdserverpb::range_request::SortOrder;
use crate::api::etcdserverpb::{ResponseHeader, WatchCreateRequest};
use crate::api::mvccpb::KeyValue;
use crate::api::mvccpb::event::EventType;
use crate::api::v3electionpb::{
    CampaignRequest, CampaignResponse, LeaderKey, LeaderRequest, LeaderResponse, ProclaimRequest, ProclaimResponse,
    ResignRequest, ResignResponse,
};
use crate::coord::Coord;
use crate::error::{Error, Result};
use crate::watch::WatchStream;

impl Coord {
    /// Waits until it is the leader. Dropping the future before it ends leaves the line.
    pub async fn campaign(&self, request: &CampaignRequest, now_ms: u64) -> Result<CampaignResponse> {
        let lease = lease_for(self, request.lease, now_ms).await?;
        let (place, header, there) = Place::take(self, &request.name, lease, request.value.clone()).await?;
        if there.is_some_and(|pair| pair.value != request.value) {
            let change = if_created(&place.key, place.revision, put(&place.key, request.value.clone(), lease), None);
            if !self.txn(&change)?.await?.succeeded {
                return Err(Error::NotLeader);
            }
        }
        place.come_to_front().await?;
        let rev = place.revision;
        let leader = LeaderKey { name: request.name.clone(), key: place.keep(), rev, lease };
        Ok(CampaignResponse { header: Some(header), leader: Some(leader) })
    }

    /// Says something else as the leader.
    ///
    /// # Errors
    /// `NotLeader` for one that is not in line any more.
    pub async fn proclaim(&self, request: &ProclaimRequest, now_ms: u64) -> Result<ProclaimResponse> {
        let leader = request.leader.as_ref().ok_or(Error::LeaderNotGiven)?;
        let lease = lease_for(self, leader.lease, now_ms).await?;
        let change = if_created(&leader.key, leader.rev, put(&leader.key, request.value.clone(), lease), None);
        let response = self.txn(&change)?.await?;
        if response.succeeded { Ok(ProclaimResponse { header: response.header }) } else { Err(Error::NotLeader) }
    }

    /// Who leads, and what the leader says.
    ///
    /// # Errors
    /// `NoLeader`.
    pub fn leader(&self, request: &LeaderRequest) -> Result<LeaderResponse> {
        let response = self.range(&end_of_line(&prefix_of(&request.name), SortOrder::Ascend, 0))?;
        let kv = response.kvs.into_iter().next().ok_or(Error::NoLeader)?;
        Ok(LeaderResponse { header: response.header, kv: Some(kv) })
    }

    /// Leaves the line.
    pub async fn resign(&self, request: &ResignRequest) -> Result<ResignResponse> {
        let leader = request.leader.as_ref().ok_or(Error::LeaderNotGiven)?;
        let response = self.txn(&if_created(&leader.key, leader.rev, delete(&leader.key), None))?.await?;
        Ok(ResignResponse { header: response.header })
    }

    /// Follows who leads and what the leaders say.
    pub fn observe(&self, request: &LeaderRequest) -> Observation {
        Observation { coord: self.clone(), name: request.clone(), told: VecDeque::new(), leader: None }
    }
}

/// The leaders of an election and what they say, in order. What one says is left out when it says something else before
/// it is asked for, at the beginning of its time.
#[derive(Debug)]
pub struct Observation {
    coord: Coord,
    name: LeaderRequest,
    told: VecDeque<LeaderResponse>,
    /// What the leader says.
    leader: Option<WatchStream>,
}

impl Observation {
    /// The next thing said.
    pub async fn next(&mut self) -> Result<LeaderResponse> {
        loop {
            if let Some(told) = self.told.pop_front() {
                return Ok(told);
            }
            let Some(leader) = &self.leader else {
                let (header, kv) = self.elected().await?;
                let request = WatchCreateRequest {
                    key: kv.key.clone(),
                    start_revision: header.revision + 1,
                    ..WatchCreateRequest::default()
                };
                self.leader = Some(watch(&self.coord, request));
                return Ok(LeaderResponse { header: Some(header), kv: Some(kv) });
            };
            let response = next(leader).await?;
            for event in response.events {
                if event.r#type == EventType::Delete as i32 {
                    self.leader = None;
                    break;
                }
                self.told.push_back(LeaderResponse { header: response.header, kv: event.kv });
            }
        }
    }

    /// Whoever leads now, or the first to do so.
    async fn elected(&self) -> Result<(ResponseHeader, KeyValue)> {
        let prefix = prefix_of(&self.name.name);
        let front = end_of_line(&prefix, SortOrder::Ascend, 0);
        let response = self.coord.range(&front)?;
        let header = response.header.unwrap_or_default();
        if let Some(kv) = response.kvs.into_iter().next() {
            return Ok((header, kv));
        }
        let request = WatchCreateRequest {
            key: front.key,
            range_end: front.range_end,
            start_revision: header.revision,
            ..WatchCreateRequest::default()
        };
        let stream = watch(&self.coord, request);
        loop {
            let response = next(&stream).await?;
            let puts = response.events.into_iter().filter(|event| event.r#type == EventType::Put as i32);
            if let Some(kv) = puts.filter_map(|event| event.kv).next() {
                let header = ResponseHeader { revision: kv.mod_revision, ..response.header.unwrap_or_default() };
                return Ok((header, kv));
            }
        }
    }
}
