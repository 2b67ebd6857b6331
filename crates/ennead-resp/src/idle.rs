//! How long this thread has slept for want of events, ran and waited for a processor, and how long the machine's processors
//! have had nothing to do.

use std::cell::Cell;
use std::time::{Duration, Instant};

thread_local! {
    static SLEEPS_SINCE: Cell<Option<Instant>> = const { Cell::new(None) };
    static SLEPT: Cell<Duration> = const { Cell::new(Duration::ZERO) };
    static SCHEDULED: Cell<(Duration, Duration)> = const { Cell::new((Duration::ZERO, Duration::ZERO)) };
}

/// The thread is about to wait for events.
pub(crate) fn falls_asleep() {
    SLEEPS_SINCE.set(Some(Instant::now()));
}

/// It has some.
pub(crate) fn wakes() {
    if let Some(since) = SLEEPS_SINCE.take() {
        SLEPT.set(SLEPT.get() + since.elapsed());
    }
}

/// How long this thread has slept in all.
pub(crate) fn slept() -> Duration {
    SLEPT.get()
}

/// How long this thread has run, and how long it was ready to and had no processor. Where the system does not tell, what it
/// told last.
pub(crate) fn scheduled() -> (Duration, Duration) {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok().and_then(|text| from_schedstat(&text));
    let scheduled = told.unwrap_or(SCHEDULED.get());
    SCHEDULED.set(scheduled);
    scheduled
}

/// Nanoseconds on a processor, and on its queue.
fn from_schedstat(text: &str) -> Option<(Duration, Duration)> {
    let mut columns = text.split_ascii_whitespace().map(|word| word.parse().map(Duration::from_nanos));
    Some((columns.next()?.ok()?, columns.next()?.ok()?))
}

/// Unused time of all processors together since the machine started, in steps of 10 ms. Where the system does not tell,
/// time passes as if one were never used.
pub(crate) fn machine() -> Duration {
    thread_local!(static FIRST: Instant = Instant::now());
    from_proc_stat(&std::fs::read_to_string("/proc/stat").unwrap_or_default())
        .unwrap_or_else(|| FIRST.with(Instant::elapsed))
}

/// The columns `idle` and `iowait` of the first line, in hundredths of a second.
fn from_proc_stat(text: &str) -> Option<Duration> {
    let mut columns = text.lines().next()?.strip_prefix("cpu ")?.split_ascii_whitespace().skip(3);
    let idle: u64 = columns.next()?.parse().ok()?;
    let waiting: u64 = columns.next()?.parse().ok()?;
    Some(Duration::from_millis((idle + waiting) * 10))
}

#[cfg(test)]
mod tests;
