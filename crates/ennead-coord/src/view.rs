//! Reads: which revisions a request finds, the pairs behind them, and the shape of the answer.

use crate::api::etcdserverpb::range_request::{SortOrder, SortTarget};
use crate::api::etcdserverpb::{RangeRequest, RangeResponse, ResponseHeader};
use crate::api::mvccpb::KeyValue;
use crate::error::{Error, Result};
use crate::revision::Revision;
use crate::rows::Rows;
use crate::span::Span;
use crate::state::State;

/// The keys as a transaction or a reader sees them, under the lock.
pub(crate) struct View<'a> {
    pub(crate) state: &'a State,
    pub(crate) rows: &'a Rows,
    /// The newest revision of this view.
    pub(crate) revision: i64,
    /// Changes of the transaction under way, which is the newest revision, by sub revision.
    pub(crate) pending: &'a [KeyValue],
}

/// What a range found in the index.
pub(crate) struct Found {
    pub(crate) revisions: Vec<Revision>,
    /// Keys in the range, those beyond the limit among them.
    pub(crate) count: i64,
}

impl View<'_> {
    /// The revision to read at, for one that a request names; 0 and less for the newest.
    pub(crate) fn resolve(&self, asked: i64) -> Result<i64> {
        if asked > self.revision {
            return Err(Error::FutureRevision);
        }
        if asked <= 0 {
            // Also while a compaction of it, or of a later one, is not on disk yet.
            return Ok(self.revision);
        }
        if asked < self.state.compacted { Err(Error::Compacted) } else { Ok(asked) }
    }

    pub(crate) fn find(&self, request: &RangeRequest, at: i64) -> Found {
        let span = Span::new(&request.key[..], &request.range_end[..]);
        let limit = if request.count_only { 0 } else { fetch_limit(request) };
        let mut found = Found { revisions: Vec::new(), count: 0 };
        self.state.index.visit(&span, at, |_, revision| {
            found.count += 1;
            if found.revisions.len() < limit {
                found.revisions.push(revision);
            }
            true
        });
        found
    }

    /// The pair that a revision of the index leads to.
    pub(crate) fn pair(&self, revision: Revision) -> Result<KeyValue> {
        if revision.main == self.revision
            && let Some(pair) = self.pending.get(revision.sub as usize)
        {
            return Ok(pair.clone());
        }
        self.rows.pair(revision)?.ok_or(Error::Corrupt)
    }

    /// The newest pair of a key.
    pub(crate) fn newest(&self, key: &[u8]) -> Result<Option<KeyValue>> {
        self.state.index.find(key, self.revision).map(|revision| self.pair(revision)).transpose()
    }

    /// The newest pairs of a span, in order.
    pub(crate) fn pairs(&self, span: &Span<&[u8]>) -> Result<Vec<KeyValue>> {
        let mut revisions = Vec::new();
        self.state.index.visit(span, self.revision, |_, revision| {
            revisions.push(revision);
            true
        });
        revisions.into_iter().map(|revision| self.pair(revision)).collect()
    }

    /// A whole range under the lock.
    pub(crate) fn range(&self, request: &RangeRequest) -> Result<RangeResponse> {
        let at = self.resolve(request.revision)?;
        let found = self.find(request, at);
        let pairs = found.revisions.iter().map(|revision| self.pair(*revision)).collect::<Result<_>>()?;
        Ok(shape(request, pairs, found.count, self.revision))
    }
}

/// Pairs to fetch; with one more than asked for, to know whether there are more.
fn fetch_limit(request: &RangeRequest) -> usize {
    let shaped = request.sort_order != SortOrder::None as i32
        || [
            request.min_mod_revision,
            request.max_mod_revision,
            request.min_create_revision,
            request.max_create_revision,
        ]
        .iter()
        .any(|bound| *bound != 0);
    match usize::try_from(request.limit) {
        Ok(limit) if limit > 0 && !shaped => limit.saturating_add(1),
        _ => usize::MAX,
    }
}

/// Filters, sorts and cuts the pairs of a range as the request says.
pub(crate) fn shape(request: &RangeRequest, mut kvs: Vec<KeyValue>, count: i64, revision: i64) -> RangeResponse {
    let below = |bound: i64, value: i64| bound == 0 || value <= bound;
    let above = |bound: i64, value: i64| bound == 0 || value >= bound;
    kvs.retain(|pair| {
        below(request.max_mod_revision, pair.mod_revision)
            && above(request.min_mod_revision, pair.mod_revision)
            && below(request.max_create_revision, pair.create_revision)
            && above(request.min_create_revision, pair.create_revision)
    });
    sort(request, &mut kvs);
    let more = request.limit > 0 && kvs.len() as i64 > request.limit;
    if more {
        kvs.truncate(request.limit as usize);
    }
    if request.keys_only {
        kvs.iter_mut().for_each(|pair| pair.value.clear());
    }
    let header = Some(ResponseHeader { revision, ..ResponseHeader::default() });
    RangeResponse { header, kvs, more, count }
}

fn sort(request: &RangeRequest, kvs: &mut [KeyValue]) {
    let (order, target) = (request.sort_order(), request.sort_target());
    if target == SortTarget::Key && order != SortOrder::Descend {
        // As they come.
        return;
    }
    let compare = |left: &KeyValue, right: &KeyValue| match target {
        SortTarget::Key => left.key.cmp(&right.key),
        SortTarget::Version => left.version.cmp(&right.version),
        SortTarget::Create => left.create_revision.cmp(&right.create_revision),
        SortTarget::Mod => left.mod_revision.cmp(&right.mod_revision),
        SortTarget::Value => left.value.cmp(&right.value),
    };
    let directed = |left: &KeyValue, right: &KeyValue| match order {
        SortOrder::Descend => compare(right, left),
        SortOrder::None | SortOrder::Ascend => compare(left, right),
    };
    kvs.sort_by(directed);
}
