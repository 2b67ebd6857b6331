//! The leases of the source: granted at the target with their ids and the time they were granted for. While the import is
//! at work it keeps them alive there, since who keeps them alive at the source does not do so here; the short ones for
//! longer than they were granted for, so that a pause of the import does not end them. At the end each is given what is left
//! of it at the source.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use ennead_engine::coord::HELD_S;
use ennead_engine::coord::api::etcdserverpb::{
    LeaseGrantRequest, LeaseLeasesRequest, LeaseRevokeRequest, LeaseTimeToLiveRequest, LeaseTimeToLiveResponse,
};
use ennead_engine::coord::api::mvccpb::KeyValue;
use ennead_grpc::Refusal;
use ennead_grpc::client::Client;
use tokio::task::JoinSet;

use super::report::Report;
use super::target::Target;

/// Calls under way at a time.
const CALLS_MAX: usize = 32;
/// A lease is kept alive when this part of its time is over.
const RENEWED_AT: u32 = 3;

/// Those that the target has, by id: the seconds they are granted for, and when they were renewed last.
#[derive(Debug, Default)]
pub(super) struct Leases(HashMap<i64, (i64, Instant)>);

impl Leases {
    /// Copies all leases that the source has now and the target has not.
    ///
    /// # Errors
    /// As text.
    pub(super) async fn copy(&mut self, source: &Client, target: &Target, report: &mut Report) -> Result<(), String> {
        let all = source.lease_leases(LeaseLeasesRequest {}).await.map_err(text)?.leases;
        let new: Vec<_> = all.into_iter().map(|lease| lease.id).filter(|id| !self.0.contains_key(id)).collect();
        let ask = |id| {
            let source = source.clone();
            async move { source.lease_time_to_live(LeaseTimeToLiveRequest { id, keys: false }).await }
        };
        for some in new.chunks(CALLS_MAX) {
            for lease in at_once(some.iter().map(|id| ask(*id))).await? {
                self.grant(&lease.map_err(text)?, source, target, report).await?;
            }
            self.renew(source, target).await?;
        }
        Ok(())
    }

    /// Copies one, unless it is over.
    async fn grant(
        &mut self,
        lease: &LeaseTimeToLiveResponse,
        source: &Client,
        target: &Target,
        report: &mut Report,
    ) -> Result<(), String> {
        if lease.ttl < 0 {
            return Ok(());
        }
        match target.client.lease_grant(LeaseGrantRequest { id: lease.id, ttl: lease.granted_ttl }).await {
            Ok(_) => report.leases += 1,
            // A target that is merged into may have it; whose keys are on it cannot be told.
            Err(refusal) if refusal.message.contains("lease already exists") => report.leases_there += 1,
            Err(refusal) => return Err(target.problem(&refusal)),
        }
        match keep(&target.client, lease.id, lease.granted_ttl).await.map_err(|refusal| target.problem(&refusal))? {
            0 => self.forget(lease.id, source, target).await,
            // One that the target had may have been granted for less there.
            left => {
                self.0.insert(lease.id, (lease.granted_ttl.min(left), Instant::now()));
                Ok(())
            }
        }
    }

    /// Copies one that a change names, if it is not there. Whether it is now.
    ///
    /// # Errors
    /// As text.
    pub(super) async fn require(
        &mut self,
        id: i64,
        source: &Client,
        target: &Target,
        report: &mut Report,
    ) -> Result<bool, String> {
        if id == 0 || self.0.contains_key(&id) {
            return Ok(true);
        }
        let lease = source.lease_time_to_live(LeaseTimeToLiveRequest { id, keys: false }).await.map_err(text)?;
        self.grant(&lease, source, target, report).await?;
        Ok(self.0.contains_key(&id))
    }

    /// Leaves out the keys whose lease was over before it could be copied: so are they.
    pub(super) fn keep(&self, mut keys: Vec<KeyValue>, report: &mut Report) -> Vec<KeyValue> {
        let all = keys.len();
        keys.retain(|pair| pair.lease == 0 || self.0.contains_key(&pair.lease));
        report.ended += (all - keys.len()) as u64;
        keys
    }

    /// Keeps those alive at the target that would end there soon. To be called several times a second.
    ///
    /// # Errors
    /// As text.
    pub(super) async fn renew(&mut self, source: &Client, target: &Target) -> Result<(), String> {
        let is_due = |(granted, renewed): &(i64, Instant)| {
            renewed.elapsed() > Duration::from_secs(granted.unsigned_abs()) / RENEWED_AT
        };
        let due: Vec<(i64, i64)> =
            self.0.iter().filter(|(_, lease)| is_due(lease)).map(|(id, (granted, _))| (*id, *granted)).collect();
        let renew = |(id, granted)| {
            let client = target.client.clone();
            async move { (id, keep(&client, id, granted).await) }
        };
        for some in due.chunks(CALLS_MAX) {
            for (id, kept) in at_once(some.iter().map(|lease| renew(*lease))).await? {
                if kept.map_err(|refusal| target.problem(&refusal))? == 0 {
                    self.forget(id, source, target).await?;
                } else if let Some((_, renewed)) = self.0.get_mut(&id) {
                    *renewed = Instant::now();
                }
            }
        }
        Ok(())
    }

    /// Forgets one that ended at the target, if it did at the source as well.
    async fn forget(&mut self, id: i64, source: &Client, target: &Target) -> Result<(), String> {
        let left = source.lease_time_to_live(LeaseTimeToLiveRequest { id, keys: false }).await.map_err(text)?.ttl;
        if left >= 0 {
            return Err(format!(
                "{}, the target: lease {id:x} ended there with its keys, although the source has it: start again, with --flush",
                target.client.place()
            ));
        }
        self.0.remove(&id);
        Ok(())
    }

    /// Gives each lease at the target what is left of it at the source, and ends those that ended there.
    ///
    /// # Errors
    /// As text; also if one has ended at the target only.
    pub(super) async fn settle(&mut self, source: &Client, target: &Target, report: &mut Report) -> Result<(), String> {
        let all: Vec<i64> = self.0.keys().copied().collect();
        let settle = |id| {
            let (source, target) = (source.clone(), target.client.clone());
            async move {
                let left = source.lease_time_to_live(LeaseTimeToLiveRequest { id, keys: false }).await?.ttl;
                // Whole seconds are told, and nobody's lease may end here earlier than there.
                if left >= 0 && target.lease_keep_alive(id, Some(left + 1)).await? > 0 {
                    return Ok(None);
                }
                match target.lease_revoke(LeaseRevokeRequest { id }).await {
                    Err(refusal) if !refusal.message.contains("lease not found") => Err(refusal),
                    _ => Ok(Some(id)),
                }
            }
        };
        for some in all.chunks(CALLS_MAX) {
            for ended in at_once(some.iter().map(|id| settle(*id))).await? {
                if let Some(id) = ended.map_err(text)? {
                    self.forget(id, source, target).await?;
                    report.leases_ended += 1;
                }
            }
        }
        Ok(())
    }
}

/// Lets a lease of the target go on; the seconds that it has then, 0 if it is not there.
async fn keep(target: &Client, id: i64, granted_s: i64) -> Result<i64, Refusal> {
    target.lease_keep_alive(id, Some(granted_s.max(HELD_S))).await
}

fn text(refusal: Refusal) -> String {
    refusal.message
}

/// Runs calls at the same time.
async fn at_once<T: Send + 'static>(
    calls: impl Iterator<Item = impl Future<Output = T> + Send + 'static>,
) -> Result<Vec<T>, String> {
    let mut running: JoinSet<T> = calls.collect();
    let mut answers = Vec::new();
    while let Some(answer) = running.join_next().await {
        answers.push(answer.map_err(|failure| failure.to_string())?);
    }
    Ok(answers)
}
