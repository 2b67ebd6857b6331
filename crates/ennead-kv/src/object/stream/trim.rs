//! Taking entries away at the front of a stream.

use super::rows::{RowSink, entry_key};
use super::{Id, Stream};

/// Which entries are too many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Limit {
    /// All but the last so many.
    Length(u64),
    /// Those with lower ids.
    Lowest(Id),
}

/// How a stream is trimmed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Trim {
    pub(crate) limit: Limit,
    /// Whether only whole chunks go.
    pub(crate) roughly: bool,
    /// Entries that go at most, in whole chunks; 0 for no such limit.
    pub(crate) most: u64,
}

impl Stream {
    /// How many entries went.
    pub(crate) fn trim(&mut self, trim: Trim, rows: RowSink<'_>) -> u64 {
        let mut went = 0;
        while let Some((&master, chunk)) = self.chunks.first_key_value() {
            let live = u64::from(chunk.live);
            let over = (self.len as u64).saturating_sub(match trim.limit {
                Limit::Length(length) => length,
                Limit::Lowest(_) => 0,
            });
            if over == 0 || trim.most != 0 && went + live > trim.most {
                break;
            }
            let whole = match trim.limit {
                Limit::Length(_) => live <= over,
                Limit::Lowest(lowest) => chunk.last < lowest,
            };
            if whole {
                chunk.entries(master).for_each(|entry| rows(&entry_key(entry.id), None));
                self.len -= live as usize;
                self.drop_chunk(master);
                went += live;
                continue;
            }
            if !trim.roughly {
                went += self.trim_first_chunk(trim.limit, over, rows);
            }
            break;
        }
        went
    }

    /// Takes entries of the first chunk away, but not all.
    fn trim_first_chunk(&mut self, limit: Limit, over: u64, rows: RowSink<'_>) -> u64 {
        let Some(mut first) = self.chunks.first_entry() else { return 0 };
        let master = *first.key();
        let chunk = first.get_mut();
        let before = chunk.size();
        let mut left = over;
        let ids = chunk.remove_first(master, |id| match limit {
            Limit::Length(_) => left.checked_sub(1).map(|less| left = less).is_some(),
            Limit::Lowest(lowest) => id < lowest,
        });
        self.bytes = self.bytes + chunk.size() - before;
        self.len -= ids.len();
        ids.iter().for_each(|id| rows(&entry_key(*id), None));
        ids.len() as u64
    }
}
