//! Consistent views of all tables, and the pair of memtables and B-tree view that they are made of.
//!
//! [`Layers`] is replaced as a whole when a memtable is frozen or flushed, under the commit lock, so one load of it
//! together with a sequence loaded while it was current is a consistent cut.

mod iter;

use std::sync::Arc;

use crate::Result;
use crate::base::SharedView;
use crate::catalogue::Catalogue;
use crate::lifetime::Lifetime;
use crate::memtable::{Found, Memtable};
use crate::store::{Sequence, Table};
pub use iter::{Iter, RangeIter};

/// Where rows are, newest first.
#[derive(Clone)]
pub(crate) struct Layers {
    pub(crate) active: Arc<Memtable>,
    pub(crate) frozen: Option<Arc<Memtable>>,
    pub(crate) base: SharedView,
    /// Everything up to here is in `base`.
    pub(crate) flushed: Sequence,
    pub(crate) catalogue: Arc<Catalogue>,
}

impl Layers {
    /// The value of a key as of `bound`, through `map`.
    #[inline]
    pub(crate) fn get<T>(
        &self,
        table: u32,
        key: &[u8],
        bound: Sequence,
        map: impl Fn(&[u8]) -> T,
    ) -> Result<Option<T>> {
        for memtable in [Some(&self.active), self.frozen.as_ref()].into_iter().flatten() {
            match memtable.get(table, key, bound, &map) {
                Found::Value(_, value) => return Ok(Some(value)),
                Found::Operand(..) => return Ok(self.resolve(table, key, bound)?.map(|value| map(&value))),
                Found::Deleted(_) => return Ok(None),
                Found::Nothing => {}
            }
        }
        self.base.get(table, key, map)
    }

    /// The newest value of a key without a snapshot, through `map`; `None` while the batch that wrote it is not all there
    /// yet (it is above `visible`, which was read before these layers), and where merge operands would have to be read
    /// together: rows may be overwritten at any time.
    #[inline]
    pub(crate) fn get_settled<T>(
        &self,
        table: u32,
        key: &[u8],
        visible: Sequence,
        map: impl Fn(&[u8]) -> T,
    ) -> Result<Option<Option<T>>> {
        for memtable in [Some(&self.active), self.frozen.as_ref()].into_iter().flatten() {
            match memtable.get(table, key, Sequence::MAX, &map) {
                Found::Value(sequence, value) if sequence <= visible => return Ok(Some(Some(value))),
                Found::Deleted(sequence) if sequence <= visible => return Ok(Some(None)),
                Found::Nothing => {}
                Found::Value(..) | Found::Deleted(_) | Found::Operand(..) => return Ok(None),
            }
        }
        self.base.get(table, key, map).map(Some)
    }

    /// [`Layers::get`] in a table with a time to live.
    pub(crate) fn get_living<T>(
        &self,
        table: u32,
        key: &[u8],
        bound: Sequence,
        lifetime: Lifetime,
        map: impl Fn(&[u8]) -> T,
    ) -> Result<Option<T>> {
        self.get(table, key, bound, |stored| lifetime.shown(stored).map(&map)).map(Option::flatten)
    }

    /// The value of a key that has merge operands in the memtables.
    fn resolve(&self, table: u32, key: &[u8], bound: Sequence) -> Result<Option<Vec<u8>>> {
        let mut operands = Vec::new();
        let mut below = None;
        for memtable in [Some(&self.active), self.frozen.as_ref()].into_iter().flatten() {
            match memtable.get(table, key, bound, <[u8]>::to_vec) {
                Found::Value(_, value) => below = Some(Some(value)),
                Found::Deleted(_) => below = Some(None),
                Found::Operand(_, operand) => {
                    let operator = memtable.table(table).and_then(|rows| rows.operator());
                    operands.extend(operator.map(|operator| (operator, operand)));
                }
                Found::Nothing => {}
            }
            if below.is_some() {
                break;
            }
        }
        let mut value = match below {
            Some(value) => value,
            None => self.base.get(table, key, <[u8]>::to_vec)?,
        };
        for (operator, operand) in operands.into_iter().rev() {
            value = Some(operator.apply(value.as_deref(), &operand));
        }
        Ok(value)
    }

    /// The newest sequence in the memtables that changed the key, if any did.
    pub(crate) fn latest(&self, table: u32, key: &[u8]) -> Option<Sequence> {
        let memtables = [Some(&self.active), self.frozen.as_ref()];
        memtables.into_iter().flatten().find_map(|memtable| match memtable.get(table, key, Sequence::MAX, |_| ()) {
            Found::Value(sequence, ()) | Found::Operand(sequence, _) | Found::Deleted(sequence) => Some(sequence),
            Found::Nothing => None,
        })
    }
}

/// A consistent view at one sequence. Holding it keeps the memtables and pages it reads, so do not keep it for ever.
#[derive(Clone)]
pub struct Snapshot {
    layers: Arc<Layers>,
    sequence: Sequence,
    /// When it was taken; only known when rows have a time to live.
    now_ms: u64,
}

impl Snapshot {
    pub(crate) fn new(layers: Arc<Layers>, sequence: Sequence, now_ms: u64) -> Snapshot {
        Snapshot { layers, sequence, now_ms }
    }

    fn lifetime(&self, table: Table) -> Option<Lifetime> {
        self.layers.catalogue.lifetime(table.0).map(|lifetime| lifetime.at(self.now_ms))
    }

    /// Everything committed up to here is seen, nothing after.
    pub fn sequence(&self) -> Sequence {
        self.sequence
    }

    pub fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>> {
        self.get_with(table, key, <[u8]>::to_vec)
    }

    /// [`Snapshot::get`] without a copy: `map` sees the value where it lies.
    pub fn get_with<T>(&self, table: Table, key: &[u8], map: impl Fn(&[u8]) -> T) -> Result<Option<T>> {
        match self.lifetime(table) {
            None => self.layers.get(table.0, key, self.sequence, map),
            Some(lifetime) => self.layers.get_living(table.0, key, self.sequence, lifetime, map),
        }
    }

    /// An iterator over `start <= key < end`, not positioned yet: call a `seek` first.
    pub fn iter(&self, table: Table, start: &[u8], end: Option<&[u8]>) -> Iter {
        Iter::new(self.layers.clone(), self.sequence, table.0, self.lifetime(table), start, end)
    }

    /// An iterator over the keys that begin with `prefix`, not positioned yet.
    pub fn prefix(&self, table: Table, prefix: &[u8]) -> Iter {
        self.iter(table, prefix, prefix_end(prefix).as_deref())
    }

    /// The rows of a range as a Rust iterator, in both directions.
    pub fn range<'a>(&self, table: Table, range: impl std::ops::RangeBounds<&'a [u8]>) -> RangeIter {
        use std::ops::Bound;
        let behind = |key: &[u8]| [key, &[0]].concat();
        let start = match range.start_bound() {
            Bound::Included(key) => key.to_vec(),
            Bound::Excluded(key) => behind(key),
            Bound::Unbounded => Vec::new(),
        };
        let end = match range.end_bound() {
            Bound::Included(key) => Some(behind(key)),
            Bound::Excluded(key) => Some(key.to_vec()),
            Bound::Unbounded => None,
        };
        RangeIter::new(self.iter(table, &start, end.as_deref()), self.iter(table, &start, end.as_deref()))
    }
}

impl std::fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Snapshot").field("sequence", &self.sequence).finish_non_exhaustive()
    }
}

/// The least key above all keys with this prefix; `None` when there is none.
pub fn prefix_end(prefix: &[u8]) -> Option<Vec<u8>> {
    let last = prefix.iter().rposition(|byte| *byte != 0xff)?;
    let mut end = prefix[..=last].to_vec();
    end[last] += 1;
    Some(end)
}
