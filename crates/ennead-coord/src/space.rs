//! What may be written: the quota of space, and the alarms that stop writes until somebody takes them back.
//!
//! # Format
//! An alarm is a row of `coord.meta`: `alarm`, the member (8 bytes, big endian), the kind (4); its value is empty.

use std::collections::BTreeSet;

use ennead_store::WriteBatch;

use crate::api::etcdserverpb::request_op::Request;
use crate::api::etcdserverpb::{AlarmMember, AlarmType, PutRequest, RequestOp, TxnRequest};
use crate::error::{Error, Result};
use crate::rows::Rows;

/// Bytes that a pair is taken to need beside its key and value, and a lease, as etcd does.
const PAIR_BYTES: u64 = 256;
pub(crate) const LEASE_BYTES: u64 = 64;

const ALARM_PREFIX: &[u8] = b"alarm";

/// An alarm: a member, and a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Alarm {
    pub(crate) member: u64,
    pub(crate) kind: i32,
}

impl Alarm {
    pub(crate) fn message(self) -> AlarmMember {
        AlarmMember { member_id: self.member, alarm: self.kind }
    }

    fn row_key(self) -> Vec<u8> {
        [ALARM_PREFIX, &self.member.to_be_bytes(), &self.kind.to_be_bytes()].concat()
    }

    /// Stages the alarm, or its end.
    pub(crate) fn stage(self, rows: &Rows, batch: &mut WriteBatch, on: bool) {
        if on {
            batch.put(rows.meta, &self.row_key(), &[]);
        } else {
            batch.delete(rows.meta, &self.row_key());
        }
    }
}

/// Space and alarms.
#[derive(Debug)]
pub(crate) struct Space {
    /// Bytes of the rows of history.
    pub(crate) used_bytes: u64,
    pub(crate) quota_bytes: u64,
    pub(crate) alarms: BTreeSet<Alarm>,
}

impl Space {
    /// The alarms that are stored.
    pub(crate) fn stored_alarms(rows: &Rows) -> Result<BTreeSet<Alarm>> {
        let mut alarms = BTreeSet::new();
        for row in rows.store.snapshot().range(rows.meta, ALARM_PREFIX..) {
            let (key, _) = row?;
            let Some(rest) = key.strip_prefix(ALARM_PREFIX) else { break };
            let (member, kind) = rest.split_first_chunk::<8>().ok_or(Error::Corrupt)?;
            let kind = i32::from_be_bytes(kind.try_into().map_err(|_| Error::Corrupt)?);
            alarms.insert(Alarm { member: u64::from_be_bytes(*member), kind });
        }
        Ok(alarms)
    }

    fn has(&self, kind: AlarmType) -> bool {
        self.alarms.iter().any(|alarm| alarm.kind == kind as i32)
    }

    /// Whether keys may be read and changed at all.
    pub(crate) fn check_sound(&self) -> Result<()> {
        if self.alarms.is_empty() || !self.has(AlarmType::Corrupt) { Ok(()) } else { Err(Error::Corrupt) }
    }

    /// Whether so many bytes more may be written; `Err` while there is the alarm, `Ok(false)` for a reason to raise it.
    pub(crate) fn check_room(&self, cost: u64) -> Result<bool> {
        if cost == 0 {
            return Ok(true);
        }
        if !self.alarms.is_empty() && self.has(AlarmType::Nospace) {
            return Err(Error::NoSpace);
        }
        Ok(self.quota_bytes == 0 || self.used_bytes.saturating_add(cost) < self.quota_bytes)
    }
}

/// Bytes that a put is taken to need.
pub(crate) fn cost_of_put(request: &PutRequest) -> u64 {
    PAIR_BYTES + (request.key.len() + request.value.len()) as u64
}

/// Bytes that the more expensive branch is taken to need; 0 when it puts nothing.
pub(crate) fn cost_of_txn(request: &TxnRequest) -> u64 {
    let cost = |operations: &[RequestOp]| -> u64 {
        operations
            .iter()
            .map(|operation| match &operation.request {
                Some(Request::RequestPut(put)) => cost_of_put(put),
                Some(Request::RequestTxn(txn)) => cost_of_txn(txn),
                _ => 0,
            })
            .sum()
    };
    cost(&request.success).max(cost(&request.failure))
}
