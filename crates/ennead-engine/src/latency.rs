//! The latency monitor: for each sort of event the latest seconds in which one took longer than a threshold.

use std::collections::{BTreeMap, VecDeque};

use parking_lot::Mutex;

/// Samples kept for an event.
const SAMPLES_MAX: usize = 160;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample {
    pub unix_seconds: i64,
    pub millis: u64,
}

#[derive(Debug, Clone, Default)]
pub struct Event {
    /// Oldest first; one a second, its worst.
    pub samples: VecDeque<Sample>,
    pub max_millis: u64,
}

#[derive(Debug, Default)]
pub struct LatencyMonitor(Mutex<BTreeMap<&'static str, Event>>);

impl LatencyMonitor {
    pub fn record(&self, event: &'static str, sample: Sample) {
        let mut events = self.0.lock();
        let event = events.entry(event).or_default();
        event.max_millis = event.max_millis.max(sample.millis);
        match event.samples.back_mut() {
            Some(last) if last.unix_seconds == sample.unix_seconds => last.millis = last.millis.max(sample.millis),
            _ => {
                if event.samples.len() == SAMPLES_MAX {
                    event.samples.pop_front();
                }
                event.samples.push_back(sample);
            }
        }
    }

    pub fn events(&self) -> BTreeMap<&'static str, Event> {
        self.0.lock().clone()
    }

    /// Forgets the named events, or all when none is named. Gives how many there were.
    pub fn reset(&self, names: &[&[u8]]) -> usize {
        let mut events = self.0.lock();
        let before = events.len();
        events.retain(|event, _| {
            !names.is_empty() && !names.iter().any(|name| event.as_bytes().eq_ignore_ascii_case(name))
        });
        before - events.len()
    }
}
