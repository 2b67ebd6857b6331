//! Waiting for a condition, with a limit: tests look again and again instead of sleeping for a time that is hoped to be
//! enough.

use std::time::{Duration, Instant};

/// How long anything may take. Generous: the machine may be busy building.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(30);

/// Asks until there is an answer; panics with `what` was waited for when there never is.
pub(crate) fn until<T>(what: &str, mut answer: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(answer) = answer() {
            return answer;
        }
        assert!(start.elapsed() < TIMEOUT, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}
