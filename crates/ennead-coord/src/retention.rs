//! Compaction that nobody has to ask for: history is forgotten once it is old enough, at the times at which etcd does it.

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::time::Duration;

use crate::coord::Coord;
use crate::error::{Error, Result};

/// By what history is old.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetentionMode {
    Periodic,
    Revision,
}

/// How much history is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retention {
    /// All of it, until somebody asks for a compaction.
    All,
    Time(Duration),
    Revisions(i64),
}

/// History that is kept by time is looked at so often within it, or within the hour.
const LOOKS: u32 = 10;
const HOUR: Duration = Duration::from_secs(3600);
/// Between two compactions that keep a number of revisions.
const REVISIONS_EVERY: Duration = Duration::from_secs(300);
/// However short the time is that history is kept.
const LOOK_MIN: Duration = Duration::from_millis(1);

impl Retention {
    /// What etcd's flags `--auto-compaction-mode` and `--auto-compaction-retention` mean: a number is one of hours or of
    /// revisions, 0 is for ever, and a time has units of Go (`90s`, `1h30m`).
    ///
    /// # Errors
    /// Why the text means nothing. A time where revisions are counted is refused too; etcd takes its nanoseconds for
    /// revisions.
    pub fn parse(mode: RetentionMode, text: &str) -> Result<Retention, String> {
        let retention = match (mode, text.parse::<u32>()) {
            (RetentionMode::Revision, Ok(number)) => Retention::Revisions(i64::from(number)),
            (RetentionMode::Revision, Err(_)) => return Err(format!("`{text}` is no number of revisions")),
            (RetentionMode::Periodic, Ok(hours)) => Retention::Time(HOUR * hours),
            (RetentionMode::Periodic, Err(_)) => Retention::Time(
                go_duration(text)
                    .ok_or_else(|| format!("`{text}` is no number of hours, and no time like 30m or 1h30m"))?,
            ),
        };
        let is_nothing = matches!(retention, Retention::Revisions(0) | Retention::Time(Duration::ZERO));
        Ok(if is_nothing { Retention::All } else { retention })
    }
}

/// A time as Go writes it, not negative: numbers, each with a unit.
pub fn go_duration(text: &str) -> Option<Duration> {
    if text == "0" {
        return Some(Duration::ZERO);
    }
    let (mut rest, mut seconds) = (text, 0.0);
    while !rest.is_empty() {
        let digits = rest.find(|letter: char| !letter.is_ascii_digit() && letter != '.')?;
        let (number, tail) = rest.split_at(digits);
        let end = tail.find(|letter: char| letter.is_ascii_digit() || letter == '.').unwrap_or(tail.len());
        let (unit, next) = tail.split_at(end);
        let factor = match unit {
            "ns" => 1e-9,
            "us" | "µs" => 1e-6,
            "ms" => 1e-3,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            _ => return None,
        };
        seconds += number.parse::<f64>().ok()? * factor;
        rest = next;
    }
    // More years than etcd can count would be an overflow there.
    (!text.is_empty() && seconds < 9.2e9).then(|| Duration::from_secs_f64(seconds))
}

/// Asks for compactions when they are due. Whoever owns it calls it at the times that it names.
#[derive(Debug)]
pub struct AutoCompaction {
    coord: Coord,
    schedule: Schedule,
}

impl AutoCompaction {
    /// Nothing when all history is kept.
    pub fn new(coord: Coord, retention: Retention) -> Option<AutoCompaction> {
        Some(AutoCompaction { coord, schedule: Schedule::new(retention)? })
    }

    /// Looks, and compacts what is due. The time is the owner's, from wherever it begins. Answers when to look again.
    pub fn step(&mut self, now: Duration) -> Duration {
        let newest = self.coord.revision();
        if let Some(revision) = self.schedule.due(now, newest) {
            // It is done when it is on disk, and nobody waits for that.
            match self.coord.begin_compaction(revision).map(drop) {
                // Somebody else was quicker.
                Ok(()) | Err(Error::Compacted) => {
                    tracing::info!(
                        revision,
                        "compacts the coordination keyspace, as `coord.auto_compaction_retention` has it"
                    );
                    self.schedule.done(now, revision);
                }
                Err(error) => tracing::warn!(%error, revision, "an automatic compaction failed; it is tried again"),
            }
        }
        self.schedule.look(self.coord.revision())
    }
}

/// When to go to which revision.
#[derive(Debug)]
enum Schedule {
    Time(ByTime),
    /// So many are kept; the last compaction went to this one.
    Revisions {
        kept: i64,
        last: i64,
        begun: bool,
    },
}

#[derive(Debug)]
struct ByTime {
    kept: Duration,
    /// The newest revisions of the last looks, as many as go into the time, and one.
    looks: VecDeque<i64>,
    last: i64,
    /// None before the first look.
    compacted: Option<Duration>,
    /// The first compaction is not due before all the time is over, those behind it at least hourly.
    waits: Duration,
}

impl Schedule {
    fn new(retention: Retention) -> Option<Schedule> {
        match retention {
            Retention::All => None,
            Retention::Revisions(kept) => Some(Schedule::Revisions { kept, last: 0, begun: false }),
            Retention::Time(kept) => {
                let looks = VecDeque::new();
                Some(Schedule::Time(ByTime { kept, looks, last: 0, compacted: None, waits: kept }))
            }
        }
    }

    /// The revision to go to now.
    fn due(&mut self, now: Duration, newest: i64) -> Option<i64> {
        match self {
            Schedule::Revisions { kept, last, begun } => {
                let revision = newest - *kept;
                let is_due = std::mem::replace(begun, true) && revision > 0 && revision != *last;
                is_due.then_some(revision)
            }
            Schedule::Time(time) => {
                let since = *time.compacted.get_or_insert(now);
                let revision = *time.looks.front()?;
                if now.saturating_sub(since) < time.waits || revision == time.last {
                    return None;
                }
                time.waits = time.kept.min(HOUR);
                Some(revision)
            }
        }
    }

    fn done(&mut self, now: Duration, revision: i64) {
        match self {
            Schedule::Revisions { last, .. } => *last = revision,
            Schedule::Time(time) => (time.last, time.compacted) = (revision, Some(now)),
        }
    }

    /// Remembers what is newest, and answers when to look again.
    fn look(&mut self, newest: i64) -> Duration {
        let Schedule::Time(time) = self else { return REVISIONS_EVERY };
        let every = (time.kept.min(HOUR) / LOOKS).max(LOOK_MIN);
        time.looks.push_back(newest);
        if time.looks.len() > (time.kept.as_nanos() / every.as_nanos()) as usize + 1 {
            time.looks.pop_front();
        }
        every
    }
}
