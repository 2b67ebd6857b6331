//! Requests about the server itself.

use super::{Coord, Shared};
use crate::api::etcdserverpb::alarm_request::AlarmAction;
use crate::api::etcdserverpb::{
    AlarmRequest, AlarmResponse, AlarmType, HashKvRequest, HashKvResponse, HashResponse, StatusResponse,
};
use crate::error::{Error, Result};
use crate::publication::Answer;
use crate::record;
use crate::revision::Revision;
use crate::space::Alarm;
use crate::span::Span;
use crate::writer::{Effect, Writer};

/// The version of etcd that this model answers like.
pub const ETCD_VERSION: &str = "3.6.16";
/// The version of the layout that a snapshot has.
pub const STORAGE_VERSION: &str = "3.6.0";

/// What hashes of the history begin with, in etcd the name of its table.
const HISTORY_NAME: &[u8] = b"key";

impl Coord {
    /// Reads, raises or takes back alarms.
    ///
    /// # Durability
    /// The answer waits for the disk.
    pub fn alarm(&self, request: &AlarmRequest) -> Result<Answer<AlarmResponse>> {
        let shared = self.shared();
        self.write(|writer| {
            if request.action == AlarmAction::Get as i32 {
                writer.state.auth.check_known(&self.caller)?;
            } else {
                writer.state.auth.check_admin(&self.caller)?;
            }
            let alarm = Alarm { member: request.member_id, kind: request.alarm };
            let known = writer.state.space.alarms.contains(&alarm);
            let alarms = match AlarmAction::try_from(request.action) {
                Ok(AlarmAction::Get) => {
                    let all = request.alarm == AlarmType::None as i32;
                    let alarms = writer.state.space.alarms.iter();
                    alarms.filter(|alarm| all || alarm.kind == request.alarm).map(|alarm| alarm.message()).collect()
                }
                Ok(AlarmAction::Activate) if request.alarm != AlarmType::None as i32 => {
                    set_alarm(writer, alarm, true);
                    vec![alarm.message()]
                }
                Ok(AlarmAction::Deactivate) if known => {
                    set_alarm(writer, alarm, false);
                    vec![alarm.message()]
                }
                Ok(AlarmAction::Activate | AlarmAction::Deactivate) | Err(_) => Vec::new(),
            };
            Ok(AlarmResponse { header: Some(shared.identity.header(writer.state.revision)), alarms })
        })
    }

    /// The state of this server.
    pub fn status(&self) -> Result<StatusResponse> {
        let shared = self.shared();
        let sequence = shared.rows.store.durable();
        let state = shared.state.read();
        state.auth.check_known(&self.caller)?;
        let errors = state.space.alarms.iter().map(|alarm| {
            let kind = AlarmType::try_from(alarm.kind).map_or("", |kind| kind.as_str_name());
            format!("memberID:{} alarm:{kind} ", alarm.member)
        });
        Ok(StatusResponse {
            header: Some(self.header()),
            version: ETCD_VERSION.to_owned(),
            db_size: state.space.used_bytes as i64,
            leader: shared.identity.member_id,
            raft_index: sequence,
            raft_term: shared.identity.term,
            raft_applied_index: sequence,
            errors: errors.collect(),
            db_size_in_use: state.space.used_bytes as i64,
            is_learner: false,
            storage_version: STORAGE_VERSION.to_owned(),
            db_size_quota: state.space.quota_bytes as i64,
            downgrade_info: Some(crate::api::etcdserverpb::DowngradeInfo::default()),
        })
    }

    /// A hash of all rows, for tests. Takes as long as reading them.
    pub fn hash(&self) -> Result<HashResponse> {
        self.check_admin()?;
        let shared = self.shared();
        let snapshot = shared.rows.store.snapshot();
        let mut hash = 0;
        for table in [shared.rows.history, shared.rows.leases] {
            let mut iter = snapshot.iter(table, &[], None);
            iter.seek_to_first();
            while iter.valid() {
                hash = crc32c::crc32c_append(crc32c::crc32c_append(hash, iter.key()), iter.value());
                iter.next();
            }
            iter.status()?;
        }
        Ok(HashResponse { header: Some(self.header()), hash })
    }

    /// The hash of the history up to a revision, equal to etcd's over the same history. Takes as long as reading it.
    ///
    /// # Errors
    /// `Compacted` and `FutureRevision` for a revision that cannot be read.
    pub fn hash_kv(&self, request: &HashKvRequest) -> Result<HashKvResponse> {
        self.check_admin()?;
        let shared = self.shared();
        let (current, compacted) = (self.revision(), shared.state.read().compacted);
        let revision = match request.revision {
            asked if asked > 0 && asked < compacted => return Err(Error::Compacted),
            asked if asked > current => return Err(Error::FutureRevision),
            0 => current,
            asked => asked,
        };
        let hash = shared.hash_history(revision, compacted)?;
        let header = Some(shared.identity.header(current));
        Ok(HashKvResponse { header, hash, compact_revision: compacted, hash_revision: revision })
    }

    /// Whether the caller may look after the server.
    pub fn check_admin(&self) -> Result<()> {
        self.shared().state.read().auth.check_admin(&self.caller)
    }

    /// Whether the caller has said who it is, where that is a question.
    pub fn check_known(&self) -> Result<()> {
        self.shared().state.read().auth.check_known(&self.caller)
    }

    /// Which member this is.
    pub fn member_id(&self) -> u64 {
        self.shared().identity.member_id
    }
}

/// Raises an alarm, or takes it back.
pub(super) fn set_alarm(writer: &mut Writer<'_>, alarm: Alarm, on: bool) {
    alarm.stage(writer.rows, &mut writer.batch, on);
    writer.effects.push(Effect::Alarm(alarm, on));
}

impl Shared {
    fn hash_history(&self, revision: i64, compacted: i64) -> Result<u32> {
        let snapshot = self.rows.store.snapshot();
        let end = Revision::new(revision.saturating_add(1).max(0), 0).row_key();
        let mut hash = crc32c::crc32c(HISTORY_NAME);
        let mut iter = snapshot.iter(self.rows.history, &[], Some(&end));
        let keeps_any = self.has_keys_at(revision);
        iter.seek_to_first();
        while iter.valid() {
            let change = Revision::from_row_key(iter.key()).ok_or(Error::Corrupt)?;
            let head = record::head(iter.value())?;
            let is_tombstone = head.generation.is_none();
            // What a compaction under way has not come to yet does not count.
            let forgotten = change.main <= compacted
                && keeps_any
                && self.state.read().index.find(head.key, revision) != Some(change);
            let may_be_forgotten = is_tombstone && change.main == compacted;
            if !forgotten && !may_be_forgotten {
                hash = crc32c::crc32c_append(hash, &change.etcd_key(is_tombstone));
                hash = crc32c::crc32c_append(hash, iter.value());
            }
            iter.next();
        }
        iter.status()?;
        Ok(hash)
    }

    fn has_keys_at(&self, revision: i64) -> bool {
        let mut any = false;
        self.state.read().index.visit(&Span::From(b"".as_slice()), revision, |_, _| {
            any = true;
            false
        });
        any
    }
}
