//! Shows people at a terminal how far a long command is.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

const INTERVAL: Duration = Duration::from_millis(200);
/// Characters of a full bar.
const BAR: u64 = 24;

pub(crate) struct Meter {
    started: Instant,
    shown: Option<Instant>,
    visible: bool,
}

impl Meter {
    pub(crate) fn new() -> Meter {
        Meter { started: Instant::now(), shown: None, visible: std::io::stderr().is_terminal() }
    }

    /// Runs a work that tells bytes done and in all, 0 for not known.
    pub(crate) fn run<T>(mut self, work: impl FnOnce(&mut dyn FnMut(u64, u64)) -> T) -> T {
        let outcome = work(&mut |done, total| {
            let of = if total > 0 { format!(" of {}", total >> 20) } else { String::new() };
            self.show(|| format!("{}{of} MiB", done >> 20));
        });
        self.clear();
        outcome
    }

    /// Shows a line in the place of the last, unless that was a moment ago.
    pub(crate) fn show(&mut self, line: impl FnOnce() -> String) {
        if !self.visible || self.shown.is_some_and(|at| at.elapsed() < INTERVAL) {
            return;
        }
        self.shown = Some(Instant::now());
        let _ = write!(std::io::stderr(), "\r\x1b[K{}", line());
    }

    /// The line of the meter gives way to what is said next.
    pub(crate) fn clear(&mut self) {
        if self.shown.take().is_some() {
            let _ = write!(std::io::stderr(), "\r\x1b[K");
        }
    }

    /// Since the beginning.
    pub(crate) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }
}

/// A bar with its percentage; nothing where the total is not known.
pub(crate) fn bar(done: u64, total: u64) -> String {
    if total == 0 {
        return String::new();
    }
    let done = done.min(total);
    let full = (u128::from(done) * u128::from(BAR) / u128::from(total)) as usize;
    let percent = u128::from(done) * 100 / u128::from(total);
    format!("[{}{}] {percent:3}% ", "#".repeat(full), "-".repeat(BAR as usize - full))
}
