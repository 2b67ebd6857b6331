//! How many workers share the connections, and who moves where.
//!
//! One worker that serves many connections a turn needs less processor time for each request than two that serve few: it
//! sleeps and wakes less often, hands the log over for more of them at once, and shares no cache line with anybody. So
//! all connections begin on one worker. A further one joins in when those there are never idle and the machine has a
//! processor to spare, and goes again when the others could do its work, or when they wait for processors which the
//! others would fill alone. Where most of the time goes into requests that have the keyspace to themselves, as scripts
//! do, workers would only wait for each other: there is one.
//!
//! Workers tell what they see at the end of a window of time; there is no thread for this, and an idle server does nothing.

#[cfg(test)]
mod tests;

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

use ennead_engine::Engine;

use crate::options::Options;

/// How long a worker watches itself before it looks at the result.
const WINDOW: Duration = Duration::from_millis(20);
/// The share of a window, in thousandths, from which on a worker counts as never idle.
const SATURATED: u64 = 950;
/// Windows in a row that a worker has to be saturated before another one joins in.
const SATURATED_WINDOWS: u32 = 4;
/// Processor time that nobody used meanwhile, in thousandths of one processor, without which another worker would only
/// take it from the clients.
const SPARE: u64 = 150;
/// The share of time, in thousandths, that a worker waits for a processor from which on there are too few: of two workers
/// each would run while the other waits.
const CROWDED: u64 = 100;
/// Windows in a row that it has to be so before a worker goes.
const CROWDED_WINDOWS: u32 = 10;
/// The share of a processor, in thousandths each, that the remaining workers may need when one goes for want of processors.
const FILLING: u64 = 950;
/// A share is averaged over about so many windows.
const SMOOTHED_WINDOWS: u64 = 8;
/// The share of a window, in thousandths, from which on requests that have the keyspace to themselves are most of the work.
const EXCLUSIVE: u64 = 500;
/// What the remaining workers may be loaded with, in thousandths each, when one goes.
const COMFORTABLE: u64 = 700;
/// A load that was told so long ago is none.
const STALE_MS: u64 = 500;

/// What one worker said last; shares in thousandths.
#[derive(Debug, Default)]
struct Load {
    busy: AtomicU64,
    /// The share of a processor that it used, on average.
    ran: AtomicU64,
    /// Milliseconds since the start.
    told_at: AtomicU64,
    connections: AtomicUsize,
}

/// The workers as a whole.
pub(crate) struct Spread {
    started: Instant,
    unneeded_after: Duration,
    /// The workers below this number get connections.
    active: AtomicUsize,
    loads: Vec<Load>,
    /// Where `active` is told.
    engine: Option<Engine>,
}

impl Spread {
    pub(crate) fn new(options: &Options, engine: impl Into<Option<Engine>>) -> Spread {
        let workers = options.workers.max(1);
        let spread = Spread {
            started: Instant::now(),
            unneeded_after: options.unneeded_after,
            active: AtomicUsize::new(options.workers_at_first.clamp(1, workers)),
            loads: (0..workers).map(|_| Load::default()).collect(),
            engine: engine.into(),
        };
        spread.tell_active();
        spread
    }

    fn tell_active(&self) {
        if let Some(engine) = &self.engine {
            engine.figures().resp_workers.store(self.active() as u64, Relaxed);
        }
    }

    pub(crate) fn active(&self) -> usize {
        self.active.load(Relaxed)
    }

    /// The worker that the next connection should go to.
    pub(crate) fn least_connected(&self) -> usize {
        (0..self.active()).min_by_key(|worker| self.loads[*worker].connections.load(Relaxed)).unwrap_or(0)
    }

    pub(crate) fn connected(&self, worker: usize) {
        self.loads[worker].connections.fetch_add(1, Relaxed);
    }

    pub(crate) fn disconnected(&self, worker: usize) {
        self.loads[worker].connections.fetch_sub(1, Relaxed);
    }

    fn tell(&self, worker: usize, busy: u64, ran: u64, now: Instant) {
        let load = &self.loads[worker];
        load.busy.store(busy, Relaxed);
        load.ran.store(ran, Relaxed);
        load.told_at.store(self.millis(now), Relaxed);
    }

    /// How busy the active workers are together.
    fn busy(&self, now: Instant) -> u64 {
        self.fresh(now).map(|load| load.busy.load(Relaxed)).sum()
    }

    /// What the active workers use of processors together.
    fn ran(&self, now: Instant) -> u64 {
        self.fresh(now).map(|load| load.ran.load(Relaxed)).sum()
    }

    fn fresh(&self, now: Instant) -> impl Iterator<Item = &Load> {
        let fresh_from = self.millis(now).saturating_sub(STALE_MS);
        self.loads.iter().take(self.active()).filter(move |load| load.told_at.load(Relaxed) >= fresh_from)
    }

    fn millis(&self, now: Instant) -> u64 {
        now.saturating_duration_since(self.started).as_millis() as u64
    }

    fn change_active(&self, from: usize, to: usize) {
        if (1..=self.loads.len()).contains(&to) && self.active.compare_exchange(from, to, Relaxed, Relaxed).is_ok() {
            tracing::debug!(workers = to, "connections are spread anew");
            self.tell_active();
        }
    }
}

/// What a worker has spent its time with, in all.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Spent {
    /// It slept for want of events.
    pub(crate) idle: Duration,
    /// It was on a processor.
    pub(crate) ran: Duration,
    /// It had something to do, and no processor.
    pub(crate) waited: Duration,
    /// Its requests had the keyspace to themselves, or waited for it.
    pub(crate) exclusive: Duration,
}

/// What one worker keeps to watch itself.
#[derive(Debug)]
pub(crate) struct Watch {
    number: usize,
    began: Instant,
    /// Until the window began.
    spent: Spent,
    /// Thousandths of the last windows.
    ran: u64,
    waited: u64,
    crowded: u32,
    saturated: u32,
    /// When the worker became saturated, what it had waited then, and the processor time that the machine had not used.
    saturated_since: Instant,
    waited_before: Duration,
    spare: Duration,
    unneeded_since: Option<Instant>,
    /// Active workers when connections were given away last.
    seen: usize,
    /// Connections that are to be given away, and the workers that get them by turns.
    surplus: usize,
    targets: std::ops::Range<usize>,
    given: usize,
}

impl Watch {
    pub(crate) fn new(number: usize, active: usize, now: Instant) -> Watch {
        Watch {
            number,
            began: now,
            spent: Spent::default(),
            ran: 0,
            waited: 0,
            crowded: 0,
            saturated: 0,
            saturated_since: now,
            waited_before: Duration::ZERO,
            spare: Duration::ZERO,
            unneeded_since: None,
            seen: active,
            surplus: 0,
            targets: 0..1,
            given: 0,
        }
    }

    /// To be called once a turn. `spare` is how long the machine's processors have had nothing to do.
    #[inline]
    pub(crate) fn look(
        &mut self,
        spread: &Spread,
        now: Instant,
        spent: impl FnOnce() -> Spent,
        spare: impl Fn() -> Duration,
    ) {
        if spread.loads.len() > 1 && now.saturating_duration_since(self.began) >= WINDOW {
            self.end_window(spread, now, spent(), spare);
        }
    }

    fn end_window(&mut self, spread: &Spread, now: Instant, spent: Spent, spare: impl Fn() -> Duration) {
        let window = now - self.began;
        let before = std::mem::replace(&mut self.spent, spent);
        self.began = now;
        let share = |time: Duration, before: Duration| thousandths(time.saturating_sub(before), window);
        let busy = 1000 - share(spent.idle, before.idle);
        let is_exclusive = share(spent.exclusive, before.exclusive) >= EXCLUSIVE;
        self.ran = smoothed(self.ran, share(spent.ran, before.ran));
        self.waited = smoothed(self.waited, share(spent.waited, before.waited));
        spread.tell(self.number, busy, self.ran, now);
        self.settle(spread);
        let active = spread.active();
        if self.needs_help(spread, now, if is_exclusive { 0 } else { busy }, spare) {
            spread.change_active(active, active + 1);
        }
        if self.is_unneeded(spread, now, is_exclusive) || self.is_in_the_way(spread, now) {
            spread.change_active(active, active - 1);
        }
        self.settle(spread);
    }

    /// Whether the workers there are have been saturated for a while, and the machine could run one more.
    fn needs_help(&mut self, spread: &Spread, now: Instant, busy: u64, spare: impl Fn() -> Duration) -> bool {
        if busy < SATURATED {
            self.saturated = 0;
            return false;
        }
        self.saturated += 1;
        if self.saturated == 1 {
            (self.saturated_since, self.waited_before, self.spare) = (now, self.spent.waited, spare());
        }
        if self.saturated <= SATURATED_WINDOWS {
            return false;
        }
        self.saturated = 0;
        let elapsed = now - self.saturated_since;
        let unused = spare().saturating_sub(self.spare).as_micros() as u64;
        let is_crowded = thousandths(self.spent.waited.saturating_sub(self.waited_before), elapsed) >= CROWDED;
        // As long as one of those there has time, the connections only have to get to it.
        !is_crowded
            && unused * 1000 >= SPARE * elapsed.as_micros() as u64
            && spread.busy(now) >= SATURATED * spread.active() as u64
    }

    /// Whether this is the last worker, and has waited for a processor for a while, as the others would not without it.
    fn is_in_the_way(&mut self, spread: &Spread, now: Instant) -> bool {
        let others = spread.active() - 1;
        let crowds = others > 0 && self.number == others && self.waited >= CROWDED;
        if !crowds || spread.ran(now) > FILLING * others as u64 {
            self.crowded = 0;
            return false;
        }
        self.crowded += 1;
        let over = self.crowded >= CROWDED_WINDOWS;
        if over {
            self.crowded = 0;
        }
        over
    }

    /// Whether this is the last worker, and the others could have done its work for a while.
    fn is_unneeded(&mut self, spread: &Spread, now: Instant, is_exclusive: bool) -> bool {
        let others = spread.active() - 1;
        let could = is_exclusive || spread.busy(now) <= COMFORTABLE * others as u64;
        if others == 0 || self.number != others || !could {
            self.unneeded_since = None;
            return false;
        }
        let over = now - *self.unneeded_since.get_or_insert(now) >= spread.unneeded_after;
        if over {
            self.unneeded_since = None;
        }
        over
    }

    /// Notices that there are more or fewer workers, and how many connections that leaves too many here.
    fn settle(&mut self, spread: &Spread) {
        let active = spread.active();
        let before = std::mem::replace(&mut self.seen, active);
        if (before..active).contains(&self.number) {
            // What was when it went is not what is now.
            (self.ran, self.waited, self.crowded) = (0, 0, 0);
        }
        let own = spread.loads[self.number].connections.load(Relaxed);
        if self.number >= active {
            (self.surplus, self.targets) = (own, 0..active);
        } else if active > before {
            (self.surplus, self.targets) = (own * (active - before) / active, before..active);
        } else if active < before {
            self.surplus = 0;
        }
    }

    /// Whether a connection is to be given away.
    #[inline]
    pub(crate) fn has_surplus(&self) -> bool {
        self.surplus > 0
    }

    /// The worker that gets the next connection which is given away.
    pub(crate) fn give(&mut self) -> usize {
        self.surplus = self.surplus.saturating_sub(1);
        self.given += 1;
        self.targets.start + self.given % self.targets.len().max(1)
    }
}

/// The share of a time in another one, at most all of it.
fn thousandths(time: Duration, of: Duration) -> u64 {
    let of = (of.as_micros() as u64).max(1);
    (time.as_micros() as u64).min(of) * 1000 / of
}

fn smoothed(average: u64, share: u64) -> u64 {
    (average * (SMOOTHED_WINDOWS - 1) + share) / SMOOTHED_WINDOWS
}
