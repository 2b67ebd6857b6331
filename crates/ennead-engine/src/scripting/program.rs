//! What is run: a script or a function.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use super::flags::ScriptFlags;
use super::functions::Function;
use super::scripts::Script;

#[derive(Debug, Clone)]
pub(crate) enum Program {
    Script(Arc<Script>),
    Function(Arc<Function>),
}

impl Program {
    /// What messages call it.
    pub(super) fn name(&self) -> &str {
        match self {
            Program::Script(script) => &script.sha,
            Program::Function(function) => &function.name,
        }
    }

    pub(crate) fn flags(&self) -> ScriptFlags {
        match self {
            Program::Script(script) => script.flags,
            Program::Function(function) => function.flags,
        }
    }

    pub(crate) fn pace(&self) -> &Pace {
        match self {
            Program::Script(script) => &script.pace,
            Program::Function(function) => &function.pace,
        }
    }
}

/// How long runs have taken.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    /// Runs in a row that were over at once.
    quick_runs: AtomicU32,
}

/// A run that takes no longer is over at once. What tests look at must not depend on how busy their machine is.
const QUICK: Duration = if cfg!(test) { Duration::from_secs(60) } else { Duration::from_micros(300) };
/// After so many of them the next is expected to be one, too.
const QUICK_RUNS: u32 = 8;

impl Pace {
    /// Whether a run is so short that a change of threads would cost more than others lose by waiting.
    pub(crate) fn is_quick(&self) -> bool {
        self.quick_runs.load(Ordering::Relaxed) >= QUICK_RUNS
    }

    pub(super) fn note_run(&self, time: Duration) {
        if time > QUICK {
            self.quick_runs.store(0, Ordering::Relaxed);
        } else if !self.is_quick() {
            self.quick_runs.fetch_add(1, Ordering::Relaxed);
        }
    }
}
