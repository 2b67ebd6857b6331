//! What changes at the source after the copy, one revision there as one transaction here, until told to stop.

use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use ennead_engine::coord::api::etcdserverpb::WatchCreateRequest;
use ennead_engine::coord::api::mvccpb::Event;
use ennead_grpc::client::Watching;

use super::{Import, everything};

/// How often it is looked whether to stop, and which leases have to be kept alive.
const TICK: Duration = Duration::from_millis(200);

impl Import {
    /// Follows from behind a revision on.
    pub(super) async fn follow(&mut self, mut revision: i64) -> Result<(), String> {
        let mut watching = self.watch(revision + 1).await?;
        self.say(&format!("{} keys copied, following the source now", self.report.keys));
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let answer = tokio::select! {
                answer = watching.next() => answer,
                _ = ticks.tick() => {
                    self.leases.renew(&self.source, &self.target).await?;
                    if self.stop.load(SeqCst) {
                        self.say(&format!("stopped at revision {revision}"));
                        return Ok(());
                    }
                    let count = self.report.revisions;
                    self.meter.show(|| format!("following: {count} revisions, at {revision}"));
                    continue;
                }
            };
            let answer = match answer {
                Ok(Some(answer)) if answer.canceled && answer.compact_revision > 0 => {
                    return Err(self.lost(revision, "the source compacted what came behind it"));
                }
                Ok(Some(answer)) if answer.canceled => return Err(self.lost(revision, &answer.cancel_reason)),
                Ok(Some(answer)) => answer,
                Ok(None) => return Err(self.lost(revision, "the source closed the connection")),
                Err(refusal) => return Err(self.lost(revision, &refusal.message)),
            };
            for events in by_revision(answer.events) {
                revision = self.apply(events).await?.max(revision);
            }
        }
    }

    async fn watch(&mut self, start_revision: i64) -> Result<Watching, String> {
        let all = everything();
        let create = WatchCreateRequest {
            key: all.key,
            range_end: all.range_end,
            start_revision,
            ..WatchCreateRequest::default()
        };
        self.source.watch(create).await.map_err(|refusal| self.lost(start_revision - 1, &refusal.message))
    }

    /// Makes the changes of one revision, which is the answer.
    async fn apply(&mut self, events: Vec<Event>) -> Result<i64, String> {
        let mut revision = 0;
        let mut changes = Vec::new();
        for mut pair in events.into_iter().filter_map(|event| event.kv) {
            revision = pair.mod_revision;
            let Import { source, target, leases, report, .. } = self;
            if pair.version > 0 && !leases.require(pair.lease, source, target, report).await? {
                // Its lease is over, so the source deletes it, maybe when nobody follows any more. What the key had before is
                // gone in any case.
                pair.version = 0;
                report.ended += 1;
            }
            changes.push(pair);
        }
        self.target.apply(&changes, &mut self.report).await?;
        self.report.revisions += 1;
        Ok(revision)
    }

    fn lost(&self, revision: i64, why: &str) -> String {
        format!(
            "{}: {why}; followed up to revision {revision}: start again, with --flush or --merge",
            self.source.place()
        )
    }
}

/// Events come in the order of their revisions, those of one in one answer.
fn by_revision(events: Vec<Event>) -> Vec<Vec<Event>> {
    let revision = |event: &Event| event.kv.as_ref().map_or(0, |pair| pair.mod_revision);
    let mut groups: Vec<Vec<Event>> = Vec::new();
    for event in events {
        match groups.last_mut() {
            Some(group) if revision(&group[0]) == revision(&event) => group.push(event),
            _ => groups.push(vec![event]),
        }
    }
    groups
}
