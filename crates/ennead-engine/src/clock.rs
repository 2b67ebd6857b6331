//! Time as requests see it: the wall clock is read once a turn of the event loop, and one monotonic reading a request
//! both ends it for the slow log and begins the next.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// One per worker, not shared.
#[derive(Debug, Clone)]
pub struct Clock {
    anchor: Instant,
    anchor_unix_us: i64,
    last: Instant,
}

impl Default for Clock {
    fn default() -> Self {
        Clock::new()
    }
}

impl Clock {
    pub fn new() -> Self {
        let now = Instant::now();
        Clock { anchor: now, anchor_unix_us: system_us(), last: now }
    }

    /// Reads both clocks: at the start of a turn, so that a step of the wall clock is followed.
    pub fn turn(&mut self) {
        *self = Clock::new();
    }

    /// The time since the last reading, which this one replaces.
    #[inline]
    pub fn lap(&mut self) -> Duration {
        let now = Instant::now();
        let lap = now.duration_since(self.last);
        self.last = now;
        lap
    }

    /// The last reading.
    #[inline]
    pub fn instant(&self) -> Instant {
        self.last
    }

    /// The last reading as microseconds of Unix time.
    #[inline]
    pub fn unix_us(&self) -> i64 {
        self.anchor_unix_us + self.last.duration_since(self.anchor).as_micros() as i64
    }

    /// The last reading as milliseconds of Unix time.
    #[inline]
    pub fn unix_ms(&self) -> i64 {
        self.unix_us() / 1000
    }
}

fn system_us() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros() as i64)
}
