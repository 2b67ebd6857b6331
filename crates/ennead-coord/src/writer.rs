//! A transaction that changes keys: evaluated against the current state, then committed as one batch of rows, or undone.

use bytes::Bytes;
use ennead_store::{Sequence, WriteBatch};
use prost::Message;

use crate::api::etcdserverpb::{DeleteRangeRequest, DeleteRangeResponse, PutRequest, PutResponse, ResponseHeader};
use crate::api::mvccpb::KeyValue;
use crate::auth::Auth;
use crate::error::{Error, Result};
use crate::index::Undo;
use crate::lease::Lease;
use crate::publication::{Committed, Publication};
use crate::revision::{ROW_KEY_BYTES, Revision};
use crate::rows::Rows;
use crate::space::Alarm;
use crate::span::Span;
use crate::state::State;
use crate::view::View;

/// Changes of keys that one transaction can number.
const CHANGES_MAX: usize = 1 << 30;

/// A change of the state that nothing within its transaction looks at.
#[derive(Debug)]
pub(crate) enum Effect {
    /// A key is on a lease, or with 0 on none.
    Attach(Bytes, i64),
    Grant(i64, Lease),
    Extend(i64, u64),
    Revoke(i64),
    /// Reads below are refused.
    Compact(i64),
    /// An alarm is raised, or over.
    Alarm(Alarm, bool),
    /// Users and roles are these.
    Auth(Auth),
    /// The member has these peer URLs.
    PeerUrls(Vec<String>),
}

pub(crate) struct Writer<'a> {
    pub(crate) state: &'a mut State,
    pub(crate) rows: &'a Rows,
    /// What becomes of it when the transaction succeeds; other rows than those of keys may be added.
    pub(crate) batch: WriteBatch,
    changes: Vec<KeyValue>,
    undo: Vec<Undo>,
    /// What the state becomes when the transaction succeeds, beside the index.
    pub(crate) effects: Vec<Effect>,
    scratch: Vec<u8>,
    /// Bytes of the staged rows of history.
    bytes: u64,
}

impl<'a> Writer<'a> {
    pub(crate) fn new(state: &'a mut State, rows: &'a Rows) -> Writer<'a> {
        Writer {
            state,
            rows,
            batch: WriteBatch::new(),
            changes: Vec::new(),
            undo: Vec::new(),
            effects: Vec::new(),
            scratch: Vec::new(),
            bytes: 0,
        }
    }

    /// The keys with what the transaction has changed so far.
    pub(crate) fn view(&self) -> View<'_> {
        View { state: self.state, rows: self.rows, revision: self.revision(), pending: &self.changes }
    }

    /// The newest revision for the transaction: its own once it has changed something.
    pub(crate) fn revision(&self) -> i64 {
        self.state.revision + i64::from(!self.changes.is_empty())
    }

    fn next(&self) -> Result<Revision> {
        match u32::try_from(self.changes.len()) {
            Ok(sub) if self.changes.len() < CHANGES_MAX => Ok(Revision::new(self.state.revision + 1, sub)),
            _ => Err(Error::RequestTooLarge),
        }
    }

    fn header(&self) -> Option<ResponseHeader> {
        Some(ResponseHeader { revision: self.revision(), ..ResponseHeader::default() })
    }

    /// Puts a key. That its lease is there has been checked.
    pub(crate) fn put(&mut self, request: &PutRequest) -> Result<PutResponse> {
        let previous = if request.prev_kv || request.ignore_value || request.ignore_lease {
            self.view().newest(&request.key)?
        } else {
            None
        };
        let kept = |wanted: bool| if wanted { previous.as_ref().ok_or(Error::KeyNotFound).map(Some) } else { Ok(None) };
        let value = kept(request.ignore_value)?.map_or_else(|| request.value.clone(), |pair| pair.value.clone());
        let lease = kept(request.ignore_lease)?.map_or(request.lease, |pair| pair.lease);
        let revision = self.next()?;
        let before = self.state.index.generation(&request.key);
        let pair = KeyValue {
            key: request.key.clone(),
            create_revision: before.map_or(revision.main, |generation| generation.created),
            mod_revision: revision.main,
            version: before.map_or(0, |generation| generation.version) + 1,
            value,
            lease,
        };
        let undo = self.state.index.put(&pair.key, revision);
        self.effects.push(Effect::Attach(pair.key.clone(), lease));
        self.stage(revision, pair, undo);
        Ok(PutResponse { header: self.header(), prev_kv: previous.filter(|_| request.prev_kv) })
    }

    /// Deletes the keys of a range.
    pub(crate) fn delete_range(&mut self, request: &DeleteRangeRequest) -> Result<DeleteRangeResponse> {
        let span = Span::new(&request.key[..], &request.range_end[..]);
        let prev_kvs = if request.prev_kv { self.view().pairs(&span)? } else { Vec::new() };
        let mut keys = Vec::new();
        self.state.index.visit(&span, self.revision(), |key, _| {
            keys.push(Bytes::copy_from_slice(key));
            true
        });
        let deleted = keys.len() as i64;
        for key in keys {
            self.delete(key)?;
        }
        Ok(DeleteRangeResponse { header: self.header(), deleted, prev_kvs })
    }

    /// Deletes a key that is there.
    pub(crate) fn delete(&mut self, key: Bytes) -> Result<()> {
        let revision = self.next()?;
        let undo = self.state.index.delete(&key, revision);
        self.effects.push(Effect::Attach(key.clone(), 0));
        self.stage(revision, KeyValue { key, ..KeyValue::default() }, undo);
        Ok(())
    }

    fn stage(&mut self, revision: Revision, mut pair: KeyValue, undo: Undo) {
        self.scratch.clear();
        // A vector grows as it must.
        let _ = pair.encode(&mut self.scratch);
        self.batch.put(self.rows.history, &revision.row_key(), &self.scratch);
        self.bytes += (ROW_KEY_BYTES + self.scratch.len()) as u64;
        // Watches are told when a key was deleted; its row does not say it.
        pair.mod_revision = revision.main;
        self.changes.push(pair);
        self.undo.push(undo);
    }

    /// Makes the transaction part of the state, in one batch. Answers the sequence that its effects, or what it has seen,
    /// are durable with.
    ///
    /// # Errors
    /// Those of the store; nothing was changed then.
    pub(crate) fn commit(mut self, publication: &Publication) -> Result<Sequence> {
        if self.batch.is_empty() {
            return Ok(self.state.sequence);
        }
        let sequence = match self.rows.store.commit(&self.batch) {
            Ok(commit) => commit.sequence,
            Err(error) => {
                self.undo();
                return Err(error.into());
            }
        };
        self.state.sequence = sequence;
        self.state.space.used_bytes += self.bytes;
        self.effects.into_iter().for_each(|effect| self.state.take(effect));
        if !self.changes.is_empty() {
            self.state.revision += 1;
            publication.enqueue(Committed::new(self.state.revision, sequence, self.changes));
        }
        Ok(sequence)
    }

    /// Takes everything back.
    pub(crate) fn undo(&mut self) {
        for (pair, undo) in self.changes.drain(..).zip(self.undo.drain(..)).rev() {
            self.state.index.undo(&pair.key, undo);
        }
    }
}
