//! The current state, under one lock: held for the time that a transaction is evaluated and handed to the store, never
//! while anybody waits for a disk.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ennead_store::Sequence;

use crate::api::etcdserverpb::request_op::Request;
use crate::api::etcdserverpb::{PutRequest, TxnRequest};
use crate::auth::{Access, Auth, Caller};
use crate::error::Result;
use crate::index::Index;
use crate::lease::Leases;
use crate::space::Space;
use crate::writer::Effect;

/// What transactions read and change.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) index: Index,
    /// The newest revision, durable or not. A new keyspace has revision 1.
    pub(crate) revision: i64,
    /// Reads below are refused; -1 before the first compaction.
    pub(crate) compacted: i64,
    /// The newest commit that changed anything here: an answer that tells of the state waits for it.
    pub(crate) sequence: Sequence,
    pub(crate) leases: Leases,
    pub(crate) space: Space,
    pub(crate) auth: Auth,
    pub(crate) peer_urls: Vec<String>,
    /// As in `auth`, for those who do not want to wait for the lock.
    pub(crate) auth_enabled: Arc<AtomicBool>,
}

impl State {
    /// Whether a caller may end a lease, and so put keys on it: all its keys must be the caller's to delete.
    pub(crate) fn check_lease(&self, caller: &Caller, lease: i64) -> Result<()> {
        let Some(lease) = self.leases.get(lease).filter(|_| self.auth.enabled) else { return Ok(()) };
        lease.keys.iter().try_for_each(|key| self.auth.check(caller, key, b"", Access::Write))
    }

    pub(crate) fn check_put(&self, caller: &Caller, request: &PutRequest) -> Result<()> {
        self.auth.check(caller, &request.key, b"", Access::Write)?;
        self.check_lease(caller, request.lease)?;
        if request.prev_kv { self.auth.check(caller, &request.key, b"", Access::Read) } else { Ok(()) }
    }

    /// Both branches of a transaction have to be allowed.
    pub(crate) fn check_txn(&self, caller: &Caller, request: &TxnRequest) -> Result<()> {
        if !self.auth.enabled {
            return Ok(());
        }
        for compare in &request.compare {
            self.auth.check(caller, &compare.key, &compare.range_end, Access::Read)?;
        }
        request.success.iter().chain(&request.failure).try_for_each(|operation| match &operation.request {
            Some(Request::RequestRange(range)) => self.auth.check(caller, &range.key, &range.range_end, Access::Read),
            Some(Request::RequestPut(put)) => self.check_put(caller, put),
            Some(Request::RequestDeleteRange(delete)) => self.auth.check_delete_range(caller, delete),
            Some(Request::RequestTxn(txn)) => self.check_txn(caller, txn),
            None => Ok(()),
        })
    }

    pub(crate) fn take(&mut self, effect: Effect) {
        match effect {
            Effect::Attach(key, lease) => self.leases.attach(&key, lease),
            Effect::Grant(id, lease) => self.leases.insert(id, lease),
            Effect::Extend(id, deadline_ms) => self.leases.extend(id, deadline_ms),
            Effect::Revoke(id) => self.leases.remove(id),
            Effect::Compact(revision) => self.compacted = revision,
            Effect::Auth(auth) => {
                self.auth_enabled.store(auth.enabled, Ordering::Release);
                self.auth = auth;
            }
            Effect::PeerUrls(urls) => self.peer_urls = urls,
            Effect::Alarm(alarm, true) => {
                self.space.alarms.insert(alarm);
            }
            Effect::Alarm(alarm, false) => {
                self.space.alarms.remove(&alarm);
            }
        }
    }
}
