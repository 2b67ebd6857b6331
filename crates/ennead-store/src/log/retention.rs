//! How long a local log keeps its segments: until they are flushed, archived, and beyond what is retained for readers.
//!
//! Invariant: segments go from the oldest on, so the log never has a gap.

use std::sync::atomic::Ordering;

use super::local::LocalLog;
use super::segment::Segment;
use crate::store::Sequence;

impl LocalLog {
    /// Gives up the oldest segments that neither recovery, nor retention, nor the archive needs any more.
    pub(super) fn give_up_before(&self, flushed: Sequence) {
        let archived = self.archive_closed();
        let mut segments = self.segments.lock();
        let finished = segments.partition_point(|s| s.first < self.finished_below.load(Ordering::Relaxed));
        // The last segment is written to, one that is not cut to its length yet must not be another one by then, and one
        // whose successor begins above `flushed + 1` still holds what recovery needs.
        let needed_from = segments
            .windows(2)
            .position(|pair| pair[1].first > flushed + 1)
            .unwrap_or(segments.len().saturating_sub(1))
            .min(finished)
            .min(archived);
        let mut kept: u64 = segments[..needed_from].iter().map(|segment| segment.bytes).sum();
        let mut gone = 0;
        while gone < needed_from && kept > self.settings.retention_bytes {
            let segment = &segments[gone];
            kept -= segment.bytes;
            if let Err(error) = self.give_up(segment) {
                tracing::warn!(path = %segment.path.display(), %error, "cannot remove a log segment");
                break;
            }
            gone += 1;
        }
        segments.drain(..gone);
    }

    /// Keeps the closed segments that are on disk for good. Answers how many of the oldest the log may give up.
    fn archive_closed(&self) -> usize {
        let Some(archive) = &self.settings.archive else { return usize::MAX };
        let durable = self.durable.load(Ordering::Acquire);
        let segments = self.segments.lock().clone();
        for (index, pair) in segments.windows(2).enumerate() {
            if pair[1].first > durable + 1 {
                return index;
            }
            if pair[0].first <= self.archived.load(Ordering::Relaxed) {
                continue;
            }
            if let Err(error) = archive.keep(&pair[0]) {
                tracing::error!(path = %pair[0].path.display(), %error, "the log grows: a segment cannot be archived");
                return index;
            }
            self.archived.store(pair[0].first, Ordering::Relaxed);
        }
        segments.len().saturating_sub(1)
    }

    /// Gives a segment's file up. One that is linked into the archive must not be written to again.
    fn give_up(&self, segment: &Segment) -> std::io::Result<()> {
        match self.settings.archive {
            Some(_) => self.settings.disk.remove(&segment.path),
            None => self.shelf.give(segment),
        }
    }
}
