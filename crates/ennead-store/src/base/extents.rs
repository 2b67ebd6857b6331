//! How many rows a table has in the B-tree, and where: key stretches of some thousand rows each, with exact counts.
//!
//! A flush learns from every row it writes what that row replaced, so the counts stay exact without a walk. Stored with
//! the rows in the same transaction. Invariant: extents are in key order and cover every key; the first begins at the
//! empty key, each ends where the next begins.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// Rows of an extent before it is divided.
pub(crate) const EXTENT_ROWS_MAX: u64 = 8192;
/// Bytes of an extent before it is divided.
pub(crate) const EXTENT_BYTES_MAX: u64 = 4 << 20;
/// An extent is divided into this many: dividing reads its rows, so a table that grows is read through once for each time
/// that it has grown by this factor.
const PARTS: u64 = 8;

/// The extents of all tables of a tree.
pub(crate) type ExtentsByTable = BTreeMap<u32, Arc<Extents>>;

/// A stretch of keys.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Extent {
    #[serde(with = "serde_bytes")]
    pub(crate) first: Vec<u8>,
    pub(crate) rows: u64,
    /// Bytes of keys and values.
    pub(crate) bytes: u64,
    /// No row here was written before this time, milliseconds; only of tables with a time to live.
    pub(crate) oldest_ms: Option<u64>,
}

impl Extent {
    fn fits(&self, rows: u64, bytes: u64) -> bool {
        self.rows + rows <= EXTENT_ROWS_MAX / PARTS && self.bytes + bytes <= EXTENT_BYTES_MAX / PARTS
    }

    fn add(&mut self, rows: u64, bytes: u64, oldest_ms: Option<u64>) {
        self.rows += rows;
        self.bytes += bytes;
        self.note(oldest_ms);
    }

    fn note(&mut self, written_ms: Option<u64>) {
        self.oldest_ms = match (self.oldest_ms, written_ms) {
            (Some(oldest), Some(written)) => Some(oldest.min(written)),
            (oldest, written) => oldest.or(written),
        };
    }
}

/// The extents of one table, in key order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Extents(Vec<Extent>);

/// What one row changed: bytes of key and value that were there, and that are there now.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Change {
    pub(crate) before: Option<u64>,
    pub(crate) after: Option<u64>,
    pub(crate) written_ms: Option<u64>,
}

impl Extents {
    pub(crate) fn encode(&self) -> Vec<u8> {
        #[expect(clippy::expect_used, reason = "numbers and bytes into a Vec cannot fail")]
        rmp_serde::to_vec(self).expect("extents are encoded in memory")
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Extents> {
        rmp_serde::from_slice(bytes)
            .map_err(|error| Error::Corrupted(format!("the stored sizes of a table are not readable: {error}")))
    }

    /// Rows, and bytes of their keys and values.
    pub(crate) fn total(&self) -> (u64, u64) {
        self.0.iter().fold((0, 0), |(rows, bytes), extent| (rows + extent.rows, bytes + extent.bytes))
    }

    /// Each extent with the first key behind it.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Extent, Option<&[u8]>)> {
        let ends = self.0.iter().skip(1).map(|next| Some(next.first.as_slice())).chain([None]);
        self.0.iter().zip(ends)
    }

    /// Counts a changed row. `hint` is where the row before was; it makes rows in key order cheap.
    pub(crate) fn change(&mut self, hint: &mut usize, key: &[u8], change: Change) {
        if self.0.is_empty() {
            self.0.push(Extent::default());
        }
        if self.0.get(*hint).is_none_or(|extent| key < extent.first.as_slice()) {
            *hint = self.0.partition_point(|extent| extent.first.as_slice() <= key).saturating_sub(1);
        }
        while self.0.get(*hint + 1).is_some_and(|next| next.first.as_slice() <= key) {
            *hint += 1;
        }
        let extent = &mut self.0[*hint];
        if let Some(bytes) = change.before {
            extent.rows = extent.rows.saturating_sub(1);
            extent.bytes = extent.bytes.saturating_sub(bytes);
        }
        if let Some(bytes) = change.after {
            extent.add(1, bytes, change.written_ms);
        }
    }

    /// Adds a row behind all others.
    pub(crate) fn append(&mut self, key: &[u8], bytes: u64, written_ms: Option<u64>) {
        match self.0.last_mut() {
            Some(last) if last.fits(1, bytes) => last.add(1, bytes, written_ms),
            last => {
                // The first extent begins before all keys, also before those that are still to come.
                let first = if last.is_some() { key.to_vec() } else { Vec::new() };
                self.0.push(Extent { first, rows: 1, bytes, oldest_ms: written_ms });
            }
        }
    }

    /// Begins an empty extent behind all others.
    pub(crate) fn begin(&mut self, first: &[u8]) {
        if !self.0.is_empty() {
            self.0.push(Extent { first: first.to_vec(), ..Extent::default() });
        }
    }

    pub(crate) fn set_oldest(&mut self, index: usize, oldest_ms: Option<u64>) {
        if let Some(extent) = self.0.get_mut(index) {
            extent.oldest_ms = oldest_ms;
        }
    }

    /// Adds an extent behind all others, joined with the last when both are small.
    pub(crate) fn push(&mut self, extent: &Extent) {
        match self.0.last_mut() {
            Some(last) if last.fits(extent.rows, extent.bytes) => last.add(extent.rows, extent.bytes, extent.oldest_ms),
            Some(_) => self.0.push(extent.clone()),
            None => self.0.push(Extent { first: Vec::new(), ..extent.clone() }),
        }
    }
}
