//! The scripts that clients have sent, by the hash of their text, and the thread that runs them.

use std::collections::HashMap;
use std::fmt::Write;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use parking_lot::{Mutex, RwLock};
use sha1::{Digest, Sha1};

use super::running::Stage;
use super::thread::{Job, Thread};
use crate::Engine;
use crate::figures::Shard;

/// What the first line of a script says about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct ScriptFlags {
    pub(crate) no_writes: bool,
    /// It may run when memory is full; so may one without a first line of this kind, whose calls are then checked.
    pub(crate) allow_oom: bool,
    pub(crate) declared: bool,
}

#[derive(Debug)]
pub(crate) struct Script {
    /// Of the text: 40 hexadecimal digits.
    pub(crate) sha: String,
    pub(crate) text: Vec<u8>,
    pub(crate) flags: ScriptFlags,
    /// Runs in a row that were over at once.
    quick_runs: AtomicU32,
}

/// A run that takes no longer is over at once.
const QUICK: Duration = Duration::from_micros(300);
/// After so many of them the next is expected to be one, too.
const QUICK_RUNS: u32 = 8;

impl Script {
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

/// Scripts by hash. They are forgotten when the server ends, as in Redis.
#[derive(Debug, Default)]
pub(crate) struct Scripts {
    known: RwLock<HashMap<String, Arc<Script>>>,
    pub(crate) stage: Arc<Stage>,
    thread: Mutex<Option<Thread>>,
    /// Where the commands of scripts are counted that run in the thread.
    shard: OnceLock<Arc<Shard>>,
}

impl Scripts {
    pub(crate) fn get(&self, sha: &[u8]) -> Option<Arc<Script>> {
        let sha = std::str::from_utf8(sha).ok()?.to_ascii_lowercase();
        self.known.read().get(&sha).cloned()
    }

    /// # Errors
    /// The first line names an engine or flags that there are not; the text for the client.
    pub(crate) fn add(&self, text: &[u8]) -> Result<Arc<Script>, String> {
        let sha = sha1_hex(text);
        if let Some(known) = self.known.read().get(&sha) {
            return Ok(Arc::clone(known));
        }
        let flags = parse_flags(text)?;
        let script = Arc::new(Script { sha: sha.clone(), text: text.to_vec(), flags, quick_runs: AtomicU32::new(0) });
        self.known.write().insert(sha, Arc::clone(&script));
        Ok(script)
    }

    /// A script that did not compile is not kept.
    pub(crate) fn forget(&self, sha: &str) {
        self.known.write().remove(sha);
    }

    pub(crate) fn flush(&self) {
        self.known.write().clear();
    }

    pub(crate) fn shard(&self, engine: &Engine) -> Arc<Shard> {
        Arc::clone(self.shard.get_or_init(|| engine.figures().shard()))
    }

    /// Has the thread run a script.
    ///
    /// # Errors
    /// The system gives no thread.
    pub(crate) fn submit(&self, job: Job) -> std::io::Result<()> {
        let mut thread = self.thread.lock();
        if thread.is_none() {
            *thread = Some(Thread::start()?);
        }
        if let Some(thread) = &*thread {
            thread.submit(job);
        }
        Ok(())
    }
}

pub(crate) fn sha1_hex(text: &[u8]) -> String {
    Sha1::digest(text).iter().fold(String::with_capacity(40), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// Whether the first line of a script says that it does not write.
pub(crate) fn declares_no_writes(text: &[u8]) -> bool {
    parse_flags(text).is_ok_and(|flags| flags.no_writes)
}

fn parse_flags(text: &[u8]) -> Result<ScriptFlags, String> {
    let Some(line) = text.strip_prefix(b"#!") else { return Ok(ScriptFlags::default()) };
    let line = line.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let line = String::from_utf8_lossy(line).into_owned();
    let mut words = line.split_ascii_whitespace();
    match words.next() {
        Some("lua") => {}
        engine => return Err(format!("ERR Unexpected engine in script shebang: #!{}", engine.unwrap_or_default())),
    }
    let mut flags = ScriptFlags { declared: true, ..ScriptFlags::default() };
    for word in words {
        let Some(list) = word.strip_prefix("flags=") else {
            return Err(format!("ERR Unknown lua shebang option: {word}"));
        };
        for flag in list.split(',').filter(|flag| !flag.is_empty()) {
            match flag {
                "no-writes" => flags.no_writes = true,
                "allow-oom" => flags.allow_oom = true,
                "allow-stale" | "no-cluster" | "allow-cross-slot-keys" => {}
                other => return Err(format!("ERR Unexpected flag in script shebang: {other}")),
            }
        }
    }
    Ok(flags)
}
