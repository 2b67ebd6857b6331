//! The change feed: committed batches in order, from any retained sequence on, then live. Nothing is left out:
//! where a batch is lost, to retention or to a rollback, the feed ends with an error.
//!
//! A feed reads the segment files of the log, whether a batch is an hour or a microsecond old, so a slow reader costs one
//! read buffer and no queue. What bounds it is retention: a reader that falls behind
//! [`crate::Options::log_retention_bytes`] is told so ([`Error::FeedLost`]) and starts again from a snapshot.

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::batch::rows::{Row, Rows};
use crate::catalogue::StoredName;
use crate::lifetime::STAMP_BYTES;
use crate::log::arrivals::Follower;
use crate::log::local::LocalLog;
use crate::log::reader::SegmentReader;
use crate::store::Shared;
use crate::{Durability, Error, Operation, Result, Sequence, Store, Table};

/// How often a segment may vanish under the reader before that counts as losing the race for good.
const REOPENS_MAX: u32 = 8;

/// One committed batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedBatch {
    sequence: Sequence,
    time_ms: u64,
    event: Vec<u8>,
    rows: Vec<u8>,
}

/// A table that a batch created or dropped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TableChange {
    Created { table: Table, name: String },
    Dropped { table: Table, name: String },
}

impl FeedBatch {
    pub fn sequence(&self) -> Sequence {
        self.sequence
    }

    /// Wall time when the batch was written or shortly before, milliseconds since 1970 UTC.
    pub fn time_ms(&self) -> u64 {
        self.time_ms
    }

    /// What the writer set with [`crate::WriteBatch::set_event`].
    pub fn event(&self) -> &[u8] {
        &self.event
    }

    /// The row changes in the order they were staged.
    pub fn operations(&self) -> impl Iterator<Item = Operation<'_>> {
        self.rows().filter_map(|row| match row {
            Row::Put { table, key, value } => Some(Operation::Put { table: Table(table), key, value }),
            Row::PutStamped { table, key, value } => {
                Some(Operation::Put { table: Table(table), key, value: &value[STAMP_BYTES..] })
            }
            Row::Delete { table, key } => Some(Operation::Delete { table: Table(table), key }),
            Row::DeleteRange { table, start, end } => Some(Operation::DeleteRange { table: Table(table), start, end }),
            Row::Merge { table, key, operand } => Some(Operation::Merge { table: Table(table), key, operand }),
            Row::CreateTable { .. } | Row::DropTable { .. } => None,
        })
    }

    /// The tables that it created or dropped.
    pub fn table_changes(&self) -> impl Iterator<Item = TableChange> {
        self.rows().filter_map(|row| match row {
            Row::CreateTable { table, name, .. } => {
                Some(TableChange::Created { table: Table(table), name: StoredName::parse(name).name.to_owned() })
            }
            Row::DropTable { table, name, .. } => {
                Some(TableChange::Dropped { table: Table(table), name: StoredName::parse(name).name.to_owned() })
            }
            _ => None,
        })
    }

    fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        // They were decoded once when the record was checked.
        Rows::new(&self.rows).map_while(std::result::Result::ok)
    }
}

/// A reader of the change feed, made by [`crate::Store::feed`].
///
/// ```
/// use std::time::Duration;
/// use ennead_store::{Durability, Operation, Options, Store, TableKind, WriteBatch};
/// # let directory = tempfile::tempdir()?;
/// let store = Store::open(Options::new(directory.path()))?;
/// let table = store.create_table("t", TableKind::Ordered)?;
/// let mut feed = store.feed(store.committed() + 1)?;
/// let mut batch = WriteBatch::new();
/// batch.put(table, b"k", b"v");
/// batch.set_event(b"put");
/// let commit = store.write(&batch, Durability::EverySec)?;
///
/// let change = feed.next(Duration::from_secs(5))?.expect("it was written");
/// assert_eq!((change.sequence(), change.event()), (commit.sequence, &b"put"[..]));
/// let operations: Vec<_> = change.operations().collect();
/// assert_eq!(operations, [Operation::Put { table, key: b"k", value: b"v" }]);
/// assert!(feed.next(Duration::ZERO)?.is_none());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Feed {
    shared: Arc<Shared>,
    follower: Follower,
    /// The sequence of the next batch to hand out.
    next: Sequence,
    reader: Option<SegmentReader>,
    time_ms: u64,
    durability: Durability,
    /// Rollbacks that it knows of.
    rollbacks: u64,
}

impl Store {
    /// The change feed from the batch `from` on (1 for the first ever, `committed() + 1` for only what comes): first from
    /// the log's files, then live, in order and without a gap. Any number of feeds may read at one time.
    ///
    /// # Errors
    /// `FeedLost` when the log does not reach back that far; `Invalid` when `from` is in the future.
    pub fn feed(&self, from: Sequence) -> Result<Feed> {
        Feed::new(self.shared().clone(), from)
    }
}

impl Feed {
    fn new(shared: Arc<Shared>, from: Sequence) -> Result<Feed> {
        let next = from.max(1);
        let rollbacks = shared.syncer.rollbacks();
        let follower = shared.arrivals.follow();
        let appended = shared.log.appended();
        if next > appended + 1 {
            return Err(Error::Invalid(format!("the feed cannot begin at {next}: the newest batch is {appended}")));
        }
        let durability = Durability::EverySec;
        let mut feed = Feed { shared, follower, next, reader: None, time_ms: 0, durability, rollbacks };
        if next <= feed.shared.log.written() {
            match feed.shared.local_log.clone() {
                Some(local) => feed.open_segment(&local)?,
                None => feed.shared.log.read(next, &mut |_| Ok(false))?,
            }
        }
        Ok(feed)
    }

    /// Hands out only batches that are this durable. The default is `EverySec`: what the kernel has. With `Always` no power
    /// cut, and no leader that loses its office, takes back what was handed out; only [`Store::rollback_after`] to a
    /// sequence below [`Store::durable`] does, which the feed tells as it tells any rollback.
    pub fn with_durability(mut self, durability: Durability) -> Self {
        self.durability = durability;
        self
    }

    /// The sequence of the next batch to hand out: what to begin with next time.
    pub fn position(&self) -> Sequence {
        self.next
    }

    /// The next batch, waiting for it up to `timeout`; `None` when none came. Blocks the thread.
    ///
    /// # Errors
    /// `FeedLost` when retention has removed what comes next; `RolledBack` when [`Store::rollback_after`] has taken back
    /// a batch that was handed out; `Poisoned` when nothing will ever come.
    pub fn next(&mut self, timeout: Duration) -> Result<Option<FeedBatch>> {
        let deadline = Instant::now() + timeout;
        loop {
            let generation = self.follower.generation();
            if let Some(batch) = self.try_next()? {
                return Ok(Some(batch));
            }
            self.shared.health.check()?;
            if !self.follower.wait(generation, deadline) {
                return Ok(None);
            }
        }
    }

    /// The next batch if it is there. Errors as for [`Feed::next`].
    pub fn try_next(&mut self) -> Result<Option<FeedBatch>> {
        loop {
            self.note_rollbacks()?;
            let next = self.next;
            let result = self.read_next();
            if result.is_err() && self.shared.options.rollback {
                // Perhaps for want of what is being taken back in this moment, which is done under this lock.
                drop(self.shared.committing.lock());
            }
            if matches!(result, Ok(None)) || self.shared.syncer.rollbacks() == self.rollbacks {
                return result;
            }
            // It cannot be told whether it was read before the rollback or after.
            (self.next, self.reader) = (next, None);
        }
    }

    /// After a rollback nothing is read out of a buffer or an open file any more.
    ///
    /// # Errors
    /// `RolledBack` when something was taken back that was handed out.
    fn note_rollbacks(&mut self) -> Result<()> {
        let rollbacks = self.shared.syncer.rollbacks();
        if rollbacks == self.rollbacks {
            return Ok(());
        }
        self.reader = None;
        if self.shared.syncer.is_gone(self.next - 1, self.rollbacks) {
            return Err(Error::RolledBack(format!(
                "batch {} of the change feed is not the log's any more",
                self.next - 1
            )));
        }
        self.rollbacks = rollbacks;
        Ok(())
    }

    fn read_next(&mut self) -> Result<Option<FeedBatch>> {
        if self.next > self.ready() {
            // A batch that nobody asked to hand over would otherwise wait for the next sync.
            let appended = self.shared.log.appended();
            if self.durability == Durability::Always || appended < self.next || self.shared.log.written() >= appended {
                return Ok(None);
            }
            self.shared.hand_over(appended)?;
            if self.next > self.ready() {
                return Ok(None);
            }
        }
        let Some(local) = self.shared.local_log.clone() else { return self.read_other() };
        let mut reopens = 0;
        loop {
            if self.reader.is_none() {
                self.open_segment(&local)?;
            }
            if let Some(batch) = self.read()? {
                return Ok(Some(batch));
            }
            // Its successor has the batch, or the file was taken for another segment meanwhile.
            self.reader = None;
            reopens += 1;
            if reopens > REOPENS_MAX {
                return Err(Error::Corrupted(format!("the log has no batch {} where it should be", self.next)));
            }
        }
    }

    /// Calls `waker` from the log's threads whenever more may be there, and once when the store is poisoned. It must not
    /// block; it may be called without need.
    pub fn set_waker(&self, waker: impl Fn() + Send + Sync + 'static) {
        self.follower.set_waker(Arc::new(waker));
    }

    fn ready(&self) -> Sequence {
        match self.durability {
            Durability::Always => self.shared.log.durable(),
            Durability::EverySec | Durability::None => self.shared.log.written(),
        }
    }

    /// Reads the next batch out of a log that is not on this machine's disk.
    fn read_other(&mut self) -> Result<Option<FeedBatch>> {
        let mut found = None;
        self.shared.log.read(self.next, &mut |entry| {
            found = Some(FeedBatch {
                sequence: entry.sequence,
                time_ms: entry.time_ms,
                event: entry.batch.event().to_vec(),
                rows: entry.batch.encoded().to_vec(),
            });
            Ok(false)
        })?;
        if let Some(batch) = &found {
            self.next = batch.sequence + 1;
        }
        Ok(found)
    }

    /// Reads on in the open segment; `None` at its end.
    fn read(&mut self) -> Result<Option<FeedBatch>> {
        let Some(reader) = self.reader.as_mut() else { return Ok(None) };
        loop {
            let Ok(record) = reader.next()? else { return Ok(None) };
            self.time_ms = record.header.time_ms.unwrap_or(self.time_ms);
            if record.sequence < self.next {
                continue;
            }
            self.next = record.sequence + 1;
            return Ok(Some(FeedBatch {
                sequence: record.sequence,
                time_ms: self.time_ms,
                event: record.header.event.to_vec(),
                rows: record.row_bytes().to_vec(),
            }));
        }
    }

    /// Opens the segment that holds the next batch, positioned at its first one.
    fn open_segment(&mut self, local: &LocalLog) -> Result<()> {
        let mut attempt = 0;
        loop {
            let segments = local.segments();
            let holder = segments.partition_point(|segment| segment.first <= self.next);
            let Some(segment) = holder.checked_sub(1).map(|index| &segments[index]) else {
                let oldest = segments.first().map_or(self.shared.log.written() + 1, |segment| segment.first);
                return Err(Error::FeedLost { wanted: self.next, oldest });
            };
            match SegmentReader::open(local.disk(), &segment.path) {
                Ok(Some(reader)) if reader.header().first == segment.first => {
                    self.time_ms = reader.header().time_ms;
                    self.reader = Some(reader);
                    return Ok(());
                }
                // Retention took the file between the listing and the opening: the next listing says so.
                _ if attempt < REOPENS_MAX => attempt += 1,
                Ok(_) => return Err(Error::Corrupted(format!("{} is no segment", segment.path.display()))),
                Err(error) => return Err(error),
            }
        }
    }
}
