//! The state made from rows.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64};

use ennead_store::{Store, WriteBatch};
use parking_lot::RwLock;

use super::{Identity, Options, Shared};
use crate::auth::Auth;
use crate::compaction::Compactor;
use crate::error::{Error, Result};
use crate::index::{Index, Restoring};
use crate::lease::{Lease, Leases};
use crate::publication::Publication;
use crate::record;
use crate::revision::Revision;
use crate::rows::{Rows, Word};
use crate::space::Space;
use crate::state::State;
use crate::watch::Hub;

/// The revision of a keyspace that nobody has written to.
const FIRST_REVISION: i64 = 1;
/// No compaction yet: every revision can be read.
const NEVER_COMPACTED: i64 = -1;

impl Shared {
    pub(super) fn start(store: Store, options: &Options) -> Result<Shared> {
        let rows = Rows::open(store)?;
        let number = |word| rows.number(word).map(|number| number.map(|number| number as i64));
        let compacted = number(Word::Compacted)?.unwrap_or(NEVER_COMPACTED);
        let compaction_done = number(Word::CompactionDone)?.unwrap_or(NEVER_COMPACTED);
        let clock_base_ms = rows.number(Word::Clock)?.unwrap_or(0);
        let Restored { index, leases, newest, used_bytes } = restore(&rows)?;
        let revision = newest.max(compacted).max(FIRST_REVISION);
        let identity = identify(&rows, options.seed)?;
        let hub = Arc::new(Hub::new(revision));
        let onward = Arc::clone(&hub);
        let publication =
            Publication::new(rows.store.durable(), revision, Box::new(move |committed| onward.push(committed)));
        let space = Space { used_bytes, quota_bytes: options.quota_bytes, alarms: Space::stored_alarms(&rows)? };
        let auth = Auth::stored(&rows)?;
        let auth_enabled = Arc::new(AtomicBool::new(auth.enabled));
        let state = State {
            index,
            revision,
            compacted,
            sequence: rows.store.committed(),
            leases,
            space,
            auth,
            peer_urls: rows.peer_urls()?,
            auth_enabled: Arc::clone(&auth_enabled),
        };
        Ok(Shared {
            state: RwLock::new(state),
            publication: Arc::new(publication),
            hub,
            compactor: Compactor::new(compacted, compaction_done),
            identity,
            clock_base_ms,
            clock_stored_ms: AtomicU64::new(clock_base_ms),
            auth_enabled,
            lease_ids: AtomicU64::new(options.seed),
            rows,
        })
    }
}

/// Who this is: made up at the first start. Each start is a term.
fn identify(rows: &Rows, seed: u64) -> Result<Identity> {
    let cluster_id = rows.number(Word::ClusterId)?.unwrap_or_else(|| mixed(seed));
    let member_id = rows.number(Word::MemberId)?.unwrap_or_else(|| mixed(seed.wrapping_add(1)));
    let term = rows.number(Word::Term)?.unwrap_or(1) + 1;
    let mut batch = WriteBatch::new();
    rows.put_number(&mut batch, Word::ClusterId, cluster_id);
    rows.put_number(&mut batch, Word::MemberId, member_id);
    rows.put_number(&mut batch, Word::Term, term);
    rows.store.commit(&batch)?;
    Ok(Identity { cluster_id, member_id, term })
}

/// Another number for each seed, and never 0.
pub(super) fn mixed(seed: u64) -> u64 {
    let mut word = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (word ^ (word >> 31)).max(1)
}

/// What the rows say.
struct Restored {
    index: Index,
    leases: Leases,
    /// The newest revision that has a row.
    newest: i64,
    used_bytes: u64,
}

/// Reads the leases, then the history once.
fn restore(rows: &Rows) -> Result<Restored> {
    let snapshot = rows.store.snapshot();
    let mut leases = Leases::default();
    for row in snapshot.range(rows.leases, ..) {
        let (id, row) = row?;
        let id = i64::from_be_bytes(id.try_into().map_err(|_| Error::Corrupt)?);
        leases.insert(id, Lease::from_row(&row).ok_or(Error::Corrupt)?);
    }
    let mut restoring = Restoring::default();
    let (mut newest, mut used_bytes) = (0, 0);
    let mut history = snapshot.iter(rows.history, &[], None);
    history.seek_to_first();
    while history.valid() {
        let revision = Revision::from_row_key(history.key()).ok_or(Error::Corrupt)?;
        let head = record::head(history.value())?;
        restoring.take(head.key, revision, head.generation);
        if !leases.is_empty() {
            leases.attach(head.key, head.lease);
        }
        newest = revision.main;
        used_bytes += (history.key().len() + history.value().len()) as u64;
        history.next();
    }
    history.status()?;
    Ok(Restored { index: restoring.finish(), leases, newest, used_bytes })
}
