//! The scripts that clients have sent, by the hash of their text, and the thread that runs them.

use std::borrow::Borrow;
use std::collections::{HashMap, HashSet};
use std::hash::{Hash, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use parking_lot::{Mutex, RwLock};
use sha1::{Digest, Sha1};

use super::flags::ScriptFlags;
use super::libraries::cjson::{Settings, SharedSettings};
use super::program::Pace;
use super::running::Stage;
use super::shebang;
use super::thread::{Job, Thread};
use crate::Engine;
use crate::figures::Shard;

/// Numbers of scripts that were given.
static NUMBERS: AtomicU64 = AtomicU64::new(0);

#[derive(Debug)]
pub(crate) struct Script {
    /// No other of this process has it: interpreters know by it what they have compiled.
    pub(super) number: u64,
    /// Of the text: 40 hexadecimal digits.
    pub(crate) sha: String,
    pub(crate) text: Vec<u8>,
    pub(crate) flags: ScriptFlags,
    pub(super) pace: Pace,
}

impl Script {
    /// What of the text is Lua.
    pub(super) fn code(&self) -> &[u8] {
        shebang::script(&self.text).map_or(&self.text[..], |(_, code)| code)
    }
}

/// Scripts by the hash of their text, and by their text, so that EVAL need not compute the hash of one that is known.
#[derive(Debug, Default)]
struct Known {
    by_sha: HashMap<String, Arc<Script>>,
    by_text: HashSet<ByText>,
}

/// A script that is found by its text.
#[derive(Debug)]
struct ByText(Arc<Script>);

impl Borrow<[u8]> for ByText {
    fn borrow(&self) -> &[u8] {
        &self.0.text
    }
}

impl Hash for ByText {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.text[..].hash(state);
    }
}

impl PartialEq for ByText {
    fn eq(&self, other: &ByText) -> bool {
        self.0.text == other.0.text
    }
}

impl Eq for ByText {}

/// Scripts by hash. They are forgotten when the server ends, as in Redis.
#[derive(Debug, Default)]
pub(crate) struct Scripts {
    known: RwLock<Known>,
    pub(crate) stage: Arc<Stage>,
    /// What scripts have set in `cjson`: whichever thread runs the next one, it finds that.
    pub(super) json: SharedSettings,
    thread: Mutex<Option<Thread>>,
    /// Where the commands of scripts are counted that run in the thread.
    shard: OnceLock<Arc<Shard>>,
}

impl Scripts {
    pub(crate) fn get(&self, sha: &[u8]) -> Option<Arc<Script>> {
        let sha = std::str::from_utf8(sha).ok()?.to_ascii_lowercase();
        self.known.read().by_sha.get(&sha).cloned()
    }

    /// # Errors
    /// The first line names an engine or flags that there are not; the text for the client.
    pub(crate) fn add(&self, text: &[u8]) -> Result<Arc<Script>, String> {
        if let Some(ByText(known)) = self.known.read().by_text.get(text) {
            return Ok(Arc::clone(known));
        }
        let (flags, _) = shebang::script(text)?;
        let (number, sha) = (NUMBERS.fetch_add(1, Ordering::Relaxed), sha1_hex(text));
        let script = Arc::new(Script { number, sha, text: text.to_vec(), flags, pace: Pace::default() });
        let mut known = self.known.write();
        if !known.by_text.contains(text) {
            known.by_sha.insert(script.sha.clone(), Arc::clone(&script));
            known.by_text.insert(ByText(Arc::clone(&script)));
        }
        Ok(script)
    }

    /// A script that did not compile is not kept.
    pub(crate) fn forget(&self, sha: &str) {
        let mut known = self.known.write();
        if let Some(script) = known.by_sha.remove(sha) {
            known.by_text.remove(&script.text[..]);
        }
    }

    pub(crate) fn count(&self) -> usize {
        self.known.read().by_sha.len()
    }

    pub(crate) fn flush(&self) {
        *self.known.write() = Known::default();
        *self.json.lock() = Settings::default();
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
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = Sha1::digest(text).into_iter().flat_map(|byte| [byte >> 4, byte & 0xf]);
    digits.map(|digit| char::from(DIGITS[usize::from(digit)])).collect()
}
