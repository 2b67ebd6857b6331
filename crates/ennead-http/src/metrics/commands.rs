//! Calls, failures and latencies of each command that was called, by name.

use std::fmt;

use ennead_engine::{BUCKETS, CommandFigures, Engine};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;

pub(super) struct Commands {
    engine: Engine,
}

impl Commands {
    pub(super) fn new(engine: Engine) -> Self {
        Commands { engine }
    }
}

impl fmt::Debug for Commands {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Commands")
    }
}

impl Collector for Commands {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let totals = self.engine.figures().totals();
        let commands = self.engine.registry().commands();
        let called: Vec<(&str, &CommandFigures)> = commands
            .iter()
            .zip(&totals.commands)
            .filter(|(_, figures)| figures.calls + figures.rejected > 0)
            .map(|(command, figures)| (command.spec.name, figures))
            .collect();
        for (name, help, value) in COUNTERS {
            let mut family = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
            for (command, figures) in &called {
                let labels = [("command", *command)];
                family.encode_family(&labels)?.encode_counter::<NoLabelSet, _, u64>(&value(figures), None)?;
            }
        }
        let help = "Time from the start of a command to its reply in the buffer, seconds";
        let mut family = encoder.encode_descriptor("command_duration_seconds", help, None, MetricType::Histogram)?;
        for (command, figures) in &called {
            let labels = [("command", *command)];
            let sum = figures.nanos as f64 / 1e9;
            family.encode_family(&labels)?.encode_histogram::<NoLabelSet>(
                sum,
                figures.calls,
                &buckets(figures),
                None,
            )?;
        }
        Ok(())
    }
}

type Counter = (&'static str, &'static str, fn(&CommandFigures) -> u64);

const COUNTERS: &[Counter] = &[
    ("command_calls", "Commands executed", |figures| figures.calls),
    ("command_failures", "Commands that answered an error", |figures| figures.failed),
    ("command_rejections", "Commands refused before they were executed", |figures| figures.rejected),
];

/// Upper bounds in seconds, each with its own calls. The engine's first and last buckets are joined where nobody needs
/// that detail: below 1 us there is little to see, and above 8 s it is one bucket.
fn buckets(figures: &CommandFigures) -> Vec<(f64, u64)> {
    const LAST: usize = 23;
    let mut found: Vec<(f64, u64)> =
        (0..LAST).map(|bucket| ((1u64 << bucket) as f64 / 1e6, figures.buckets[bucket])).collect();
    found.push((f64::INFINITY, figures.buckets[LAST..BUCKETS].iter().sum()));
    found
}
