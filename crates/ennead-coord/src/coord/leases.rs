//! Requests about leases, and what happens when one is over. `now_ms` is the time since the model was opened, by a clock
//! that is never set.

use std::sync::atomic::Ordering;

use ennead_store::WriteBatch;

use super::start::mixed;
use super::{Coord, Shared};
use crate::api::etcdserverpb::{
    LeaseGrantRequest, LeaseGrantResponse, LeaseKeepAliveRequest, LeaseKeepAliveResponse, LeaseLeasesResponse,
    LeaseRevokeRequest, LeaseRevokeResponse, LeaseStatus, LeaseTimeToLiveRequest, LeaseTimeToLiveResponse,
};
use crate::auth::Access;
use crate::error::{Error, Result};
use crate::lease::{HELD_S, Lease, TTL_MAX, TTL_MIN, deadline};
use crate::publication::Answer;
use crate::rows::Word;
use crate::space::LEASE_BYTES;
use crate::writer::{Effect, Writer};

/// How often the time is stored while there are leases.
const CLOCK_EVERY_MS: u64 = 1000;
/// Leases that are ended in one go.
const ENDED_AT_ONCE: usize = 256;

impl Coord {
    /// Grants a lease; with an id of its own when none is given.
    ///
    /// # Durability
    /// The answer waits for the disk.
    pub fn lease_grant(&self, request: &LeaseGrantRequest, now_ms: u64) -> Result<Answer<LeaseGrantResponse>> {
        let shared = self.shared();
        if request.ttl > TTL_MAX {
            return Err(Error::LeaseTtlTooLarge);
        }
        let ttl = request.ttl.max(TTL_MIN);
        let lease = Lease { ttl, deadline_ms: deadline(shared.time(now_ms), ttl), ..Lease::default() };
        self.write_within_quota(LEASE_BYTES, |writer| {
            writer.state.auth.check_known(&self.caller)?;
            let id = if request.id == 0 { shared.new_lease_id(writer) } else { request.id };
            if writer.state.leases.contains(id) {
                return Err(Error::LeaseExists);
            }
            put(writer, id, &lease, shared.time(now_ms));
            writer.effects.push(Effect::Grant(id, lease));
            let header = Some(shared.identity.header(writer.state.revision));
            Ok(LeaseGrantResponse { header, id, ttl, error: String::new() })
        })
    }

    /// Ends a lease: deletes its keys, as one revision.
    ///
    /// # Durability
    /// The answer waits for the disk.
    pub fn lease_revoke(&self, request: &LeaseRevokeRequest) -> Result<Answer<LeaseRevokeResponse>> {
        let identity = self.shared().identity;
        self.write(|writer| {
            writer.state.space.check_sound()?;
            writer.state.auth.check_known(&self.caller)?;
            writer.state.check_lease(&self.caller, request.id)?;
            end(writer, request.id)?;
            Ok(LeaseRevokeResponse { header: Some(identity.header(writer.revision())) })
        })
    }

    /// Gives a lease its whole time again, or so many seconds of it. A lease that is not there has a time of 0 in the answer.
    ///
    /// # Durability
    /// The answer waits for the disk: the next start must not end the lease earlier than it says.
    pub fn lease_keep_alive(
        &self,
        request: &LeaseKeepAliveRequest,
        left_s: Option<i64>,
        now_ms: u64,
    ) -> Result<Answer<LeaseKeepAliveResponse>> {
        let shared = self.shared();
        let time = shared.time(now_ms);
        self.write(|writer| {
            let header = Some(shared.identity.header(writer.state.revision));
            writer.state.auth.check_known(&self.caller)?;
            writer.state.check_lease(&self.caller, request.id)?;
            // One that is over may be waiting for its end, and does not come back.
            let found = writer.state.leases.get(request.id).filter(|lease| lease.deadline_ms > time);
            let Some(ttl) = found.map(|lease| lease.ttl) else {
                return Ok(LeaseKeepAliveResponse { header, id: request.id, ttl: 0 });
            };
            let left = left_s.map_or(ttl, |left| left.clamp(0, ttl.max(HELD_S)));
            let renewed = Lease { ttl, deadline_ms: deadline(time, left), ..Lease::default() };
            put(writer, request.id, &renewed, time);
            writer.effects.push(Effect::Extend(request.id, renewed.deadline_ms));
            Ok(LeaseKeepAliveResponse { header, id: request.id, ttl: left })
        })
    }

    /// What is left of a lease, whole seconds, and the keys on it if they are asked for; -1 for one that is not there.
    pub fn lease_time_to_live(&self, request: &LeaseTimeToLiveRequest, now_ms: u64) -> Result<LeaseTimeToLiveResponse> {
        let shared = self.shared();
        let time = shared.time(now_ms);
        let header = Some(self.header());
        let state = shared.state.read();
        state.auth.check_known(&self.caller)?;
        let found = state.leases.get(request.id).filter(|lease| lease.deadline_ms > time);
        if let Some(lease) = found.filter(|_| request.keys) {
            lease.keys.iter().try_for_each(|key| state.auth.check(&self.caller, key, b"", Access::Read))?;
        }
        Ok(match found {
            Some(lease) => LeaseTimeToLiveResponse {
                header,
                id: request.id,
                ttl: (lease.remaining_ms(time) / 1000) as i64,
                granted_ttl: lease.ttl,
                keys: if request.keys { lease.keys.iter().cloned().collect() } else { Vec::new() },
            },
            None => LeaseTimeToLiveResponse { header, id: request.id, ttl: -1, ..LeaseTimeToLiveResponse::default() },
        })
    }

    /// All leases, those first that are over first.
    pub fn lease_leases(&self) -> Result<LeaseLeasesResponse> {
        let state = self.shared().state.read();
        state.auth.check_known(&self.caller)?;
        let leases = state.leases.by_time().map(|id| LeaseStatus { id }).collect();
        drop(state);
        Ok(LeaseLeasesResponse { header: Some(self.header()), leases })
    }

    /// Ends the leases that are over, each as a revision of its own when it has keys, and stores the time. Answers whether
    /// there may be more. To be called several times a second.
    ///
    /// # Errors
    /// Those of the store; the leases stay then, until the next call.
    pub fn expire(&self, now_ms: u64) -> Result<bool> {
        let shared = self.shared();
        let time = shared.time(now_ms);
        shared.store_clock(time)?;
        let due: Vec<i64> = shared.state.read().leases.due(time).take(ENDED_AT_ONCE).collect();
        for id in &due {
            let ended = shared.write(|writer| {
                // It may have been kept alive, or revoked, since it was looked for.
                let is_over = writer.state.leases.get(*id).is_some_and(|lease| lease.deadline_ms <= time);
                if is_over { end(writer, *id) } else { Ok(()) }
            });
            // Nobody waits for it; its watchers hear of it when it is on disk.
            drop(ended?);
        }
        Ok(due.len() == ENDED_AT_ONCE)
    }
}

/// Stages a lease, with the time that its end goes by.
fn put(writer: &mut Writer<'_>, id: i64, lease: &Lease, time: u64) {
    writer.batch.put(writer.rows.leases, &id.to_be_bytes(), &lease.row());
    writer.rows.put_number(&mut writer.batch, Word::Clock, time);
}

/// Deletes a lease and its keys.
fn end(writer: &mut Writer<'_>, id: i64) -> Result<()> {
    let lease = writer.state.leases.get(id).ok_or(Error::LeaseNotFound)?;
    let keys: Vec<_> = lease.keys.iter().cloned().collect();
    for key in keys {
        writer.delete(key)?;
    }
    writer.batch.delete(writer.rows.leases, &id.to_be_bytes());
    writer.effects.push(Effect::Revoke(id));
    Ok(())
}

impl Shared {
    /// The model's time.
    pub(crate) fn time(&self, now_ms: u64) -> u64 {
        self.clock_base_ms.saturating_add(now_ms)
    }

    /// Another positive id, that no lease has.
    fn new_lease_id(&self, writer: &Writer<'_>) -> i64 {
        loop {
            let seed = self.lease_ids.fetch_add(1, Ordering::Relaxed);
            let id = (mixed(seed) & i64::MAX as u64) as i64;
            if id != 0 && !writer.state.leases.contains(id) {
                return id;
            }
        }
    }

    /// Stores the time now and then, so that a start knows how much of the leases was left.
    fn store_clock(&self, time: u64) -> Result<()> {
        let stored = self.clock_stored_ms.load(Ordering::Relaxed);
        if time < stored + CLOCK_EVERY_MS || self.state.read().leases.is_empty() {
            return Ok(());
        }
        let mut batch = WriteBatch::new();
        self.rows.put_number(&mut batch, Word::Clock, time);
        self.rows.store.commit(&batch)?;
        self.clock_stored_ms.store(time, Ordering::Relaxed);
        Ok(())
    }
}
