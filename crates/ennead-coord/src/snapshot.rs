//! A consistent copy of the keyspace as a database file of etcd, which etcd's own tools check and restore.
//!
//! It is made as it is sent, without a file here: once to learn its layout, and once more for its bytes.

mod bolt;

use prost::encoding::{encode_key, encode_varint};
use sha2::{Digest, Sha256};

use crate::api::etcdserverpb::SnapshotResponse;
use crate::coord::{Coord, STORAGE_VERSION, Shared};
use crate::error::{Error, Result};
use crate::lease::Lease;
use crate::record;
use crate::revision::Revision;
use bolt::{Layout, Sink};

/// Bytes of one part.
const PART_BYTES: usize = 64 << 10;

impl Coord {
    /// Makes a snapshot as of the newest revision that is on disk, and gives it to `send` in parts, the last of which is
    /// the SHA-256 of all others. It takes as long as reading all twice; `send` may block. `wanted` is asked at each row
    /// whether there is still somebody to give it to: when not, it ends there.
    ///
    /// # Errors
    /// Those of the store.
    pub fn snapshot(&self, wanted: impl Fn() -> bool, send: impl FnMut(SnapshotResponse)) -> Result<()> {
        self.check_admin()?;
        let shared = self.shared();
        let state = shared.state.read();
        let (revision, compacted) = (self.revision(), state.compacted);
        let snapshot = shared.rows.store.snapshot();
        let source = Source { shared, snapshot, revision, compacted, wanted: &wanted };
        drop(state);
        let mut layout = Layout::default();
        if !source.write(&mut layout)? {
            return Ok(());
        }
        let plan = layout.finish();
        let parts = Parts {
            send,
            header: self.shared().identity.header(revision),
            remaining: plan.bytes(),
            part: Vec::with_capacity(PART_BYTES),
            hash: Sha256::new(),
        };
        let mut file = bolt::File::new(plan, parts);
        if source.write(&mut file)? {
            file.finish().end();
        }
        Ok(())
    }
}

/// What the snapshot is of.
struct Source<'a> {
    shared: &'a Shared,
    snapshot: ennead_store::Snapshot,
    revision: i64,
    compacted: i64,
    wanted: &'a dyn Fn() -> bool,
}

impl Source<'_> {
    /// Gives all tables to `tables`, by name, each in the order of its keys. Answers whether it came to the end.
    fn write(&self, tables: &mut impl bolt::Tables) -> Result<bool> {
        for name in ["alarm", "auth", "authRoles", "authUsers", "cluster"] {
            tables.table(name);
        }
        tables.table("key");
        if !self.write_history(tables)? {
            return Ok(false);
        }
        tables.table("lease");
        for row in self.snapshot.range(self.shared.rows.leases, ..) {
            if !(self.wanted)() {
                return Ok(false);
            }
            let (id, row) = row?;
            let lease = Lease::from_row(&row).ok_or(Error::Corrupt)?;
            let number = i64::from_be_bytes(id.as_slice().try_into().map_err(|_| Error::Corrupt)?);
            tables.row(&id, &lease_message(number, lease.ttl));
        }
        tables.table("members");
        tables.table("members_removed");
        tables.table("meta");
        if self.compacted >= 0 {
            let compacted = Revision::new(self.compacted, 0).etcd_key(false);
            tables.row(b"finishedCompactRev", &compacted);
            tables.row(b"scheduledCompactRev", &compacted);
        }
        tables.row(b"storageVersion", STORAGE_VERSION.as_bytes());
        Ok(true)
    }

    fn write_history(&self, tables: &mut impl bolt::Tables) -> Result<bool> {
        // What is not on disk yet is not a part of it.
        let end = Revision::new(self.revision.saturating_add(1), 0).row_key();
        let mut history = self.snapshot.iter(self.shared.rows.history, &[], Some(&end));
        history.seek_to_first();
        while history.valid() {
            if !(self.wanted)() {
                return Ok(false);
            }
            let revision = Revision::from_row_key(history.key()).ok_or(Error::Corrupt)?;
            let is_tombstone = record::head(history.value())?.generation.is_none();
            tables.row(&revision.etcd_key(is_tombstone), history.value());
            history.next();
        }
        history.status()?;
        Ok(true)
    }
}

/// etcd's message of a stored lease: id, seconds granted.
fn lease_message(id: i64, ttl: i64) -> Vec<u8> {
    let mut message = Vec::new();
    for (field, value) in [(1, id), (2, ttl)] {
        encode_key(field, prost::encoding::WireType::Varint, &mut message);
        encode_varint(value as u64, &mut message);
    }
    message
}

/// Cuts bytes into the parts of an answer.
struct Parts<S> {
    send: S,
    header: crate::api::etcdserverpb::ResponseHeader,
    remaining: u64,
    part: Vec<u8>,
    hash: Sha256,
}

impl<S: FnMut(SnapshotResponse)> Sink for Parts<S> {
    fn write(&mut self, bytes: &[u8]) {
        self.hash.update(bytes);
        self.remaining = self.remaining.saturating_sub(bytes.len() as u64);
        self.part.extend_from_slice(bytes);
        if self.part.len() >= PART_BYTES {
            self.flush();
        }
    }
}

impl<S: FnMut(SnapshotResponse)> Parts<S> {
    fn flush(&mut self) {
        let blob = std::mem::replace(&mut self.part, Vec::with_capacity(PART_BYTES));
        if blob.is_empty() {
            return;
        }
        let response = SnapshotResponse {
            header: Some(self.header),
            remaining_bytes: self.remaining,
            blob: blob.into(),
            version: STORAGE_VERSION.to_owned(),
        };
        (self.send)(response);
    }

    fn end(mut self) {
        self.flush();
        self.part = self.hash.finalize_reset().to_vec();
        self.remaining = 0;
        self.flush();
    }
}
