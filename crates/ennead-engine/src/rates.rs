//! How much is done a second, averaged over the time since somebody last asked (at least a tenth of a second).

use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::Totals;

const INTERVAL_MIN: Duration = Duration::from_millis(100);

#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct PerSecond {
    pub(crate) commands: u64,
    pub(crate) input_bytes: u64,
    pub(crate) output_bytes: u64,
}

#[derive(Debug)]
struct Sample {
    at: Instant,
    totals: [u64; 3],
    rates: PerSecond,
}

#[derive(Debug)]
pub(crate) struct Rates(Mutex<Sample>);

impl Default for Rates {
    fn default() -> Self {
        Rates(Mutex::new(Sample { at: Instant::now(), totals: [0; 3], rates: PerSecond::default() }))
    }
}

impl Rates {
    pub(crate) fn sample(&self, totals: &Totals) -> PerSecond {
        let mut sample = self.0.lock();
        let elapsed = sample.at.elapsed();
        if elapsed >= INTERVAL_MIN {
            let now = [totals.calls(), totals.net_input_bytes, totals.net_output_bytes];
            let rate =
                |index: usize| (now[index].saturating_sub(sample.totals[index]) as f64 / elapsed.as_secs_f64()) as u64;
            sample.rates = PerSecond { commands: rate(0), input_bytes: rate(1), output_bytes: rate(2) };
            sample.totals = now;
            sample.at = Instant::now();
        }
        sample.rates
    }
}
