//! A disk in memory that keeps what is synced apart from what is not, for the tests of this crate and of the models above.
//!
//! [`SimulatedDisk::restart`] does what a power cut does: of everything unsynced it keeps what the seed decides, sector
//! by sector. Faults are injected at the n-th call that changes something. Handles from before a restart are dead.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;

use super::{Disk, DiskFile, DiskLock};
use crate::clock::Clock;
use crate::{Options, Result, Store};

mod seeds;

pub use seeds::for_seeds;

const SECTOR: usize = 512;

/// A small random source; equal seeds give equal runs.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x2545_f491_4f6c_dd1d) ^ 0x9e37_79b9_7f4a_7c15)
    }

    #[expect(clippy::should_implement_trait, reason = "a number, not an item that may end")]
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound.max(1)
    }

    /// True once in `n` times.
    pub fn once_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }
}

/// What goes wrong at a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The device fails; a failed sync loses what was not synced, as Linux does.
    Io,
    /// No space; of a write, half arrives.
    NoSpace,
    /// The power goes off: this call and all after it fail, until the restart.
    PowerCut,
}

/// How a machine ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// Only the process died: the kernel still has everything.
    Killed,
    /// The power went off: the seed decides what of the unsynced is there.
    PowerCut(u64),
}

#[derive(Debug, Clone)]
enum Change {
    Write { offset: usize, bytes: Vec<u8> },
    Length(usize),
}

impl Change {
    fn apply(&self, to: &mut Vec<u8>) {
        match self {
            Change::Write { offset, bytes } => {
                if to.len() < offset + bytes.len() {
                    to.resize(offset + bytes.len(), 0);
                }
                to[*offset..offset + bytes.len()].copy_from_slice(bytes);
            }
            Change::Length(length) => to.resize(*length, 0),
        }
    }
}

#[derive(Debug, Default)]
struct Content {
    live: Vec<u8>,
    durable: Vec<u8>,
    unsynced: Vec<Change>,
}

impl Content {
    fn change(&mut self, change: Change) {
        change.apply(&mut self.live);
        self.unsynced.push(change);
    }
}

#[derive(Debug, Clone)]
enum NameChange {
    Set(PathBuf, usize),
    Remove(PathBuf),
}

impl NameChange {
    fn apply(&self, to: &mut BTreeMap<PathBuf, usize>) {
        match self {
            NameChange::Set(path, file) => {
                to.insert(path.clone(), *file);
            }
            NameChange::Remove(path) => {
                to.remove(path);
            }
        }
    }
}

#[derive(Debug, Default)]
struct State {
    contents: Vec<Content>,
    live: BTreeMap<PathBuf, usize>,
    durable: BTreeMap<PathBuf, usize>,
    /// In order, as a journal keeps them; a rename is one entry of two changes.
    unsynced: Vec<Vec<NameChange>>,
    locks: BTreeSet<PathBuf>,
    epoch: u64,
    calls: u64,
    fault: Option<(u64, Fault)>,
    off: bool,
    free_bytes: Option<u64>,
}

impl State {
    fn names(&mut self, changes: Vec<NameChange>) {
        for change in &changes {
            change.apply(&mut self.live);
        }
        self.unsynced.push(changes);
    }

    /// Counts a call that changes something, and fails it when it is its turn.
    fn call(&mut self) -> std::result::Result<(), Fault> {
        if self.off {
            return Err(Fault::PowerCut);
        }
        self.calls += 1;
        match self.fault {
            Some((at, fault)) if at == self.calls => {
                self.off = fault == Fault::PowerCut;
                Err(fault)
            }
            _ => Ok(()),
        }
    }

    fn find(&self, path: &Path) -> io::Result<usize> {
        self.live.get(path).copied().ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "no such file"))
    }
}

fn error(fault: Fault) -> io::Error {
    match fault {
        Fault::Io => io::Error::from_raw_os_error(5),
        Fault::NoSpace => io::Error::from_raw_os_error(28),
        Fault::PowerCut => io::Error::other("the power is off"),
    }
}

/// A disk in memory.
#[derive(Debug, Clone, Default)]
pub struct SimulatedDisk(Arc<Mutex<State>>);

#[derive(Debug)]
struct NoClock;

impl Clock for NoClock {
    fn now_ms(&self) -> u64 {
        1_700_000_000_000
    }
}

impl SimulatedDisk {
    /// Opens a store without threads and with a clock that stands, so that equal seeds give equal runs.
    ///
    /// # Errors
    /// Those of [`Store::open`].
    pub fn open_store(&self, options: &Options) -> Result<Store> {
        Store::open_with(Arc::new(self.clone()), Arc::new(NoClock), options.clone(), false)
    }

    /// Calls so far that changed something.
    pub fn calls(&self) -> u64 {
        self.0.lock().calls
    }

    /// Lets the `after`-th such call from now fail.
    pub fn fail_after(&self, after: u64, fault: Fault) {
        let mut state = self.0.lock();
        state.fault = Some((state.calls + after, fault));
    }

    /// Whether a store is still open: one whose threads have a hold of it ends a little after its last owner has dropped it.
    pub fn in_use(&self) -> bool {
        !self.0.lock().locks.is_empty()
    }

    pub fn heal(&self) {
        self.0.lock().fault = None;
    }

    /// What the disk says is free; it does not keep to it.
    #[cfg(test)]
    pub(crate) fn say_free(&self, bytes: Option<u64>) {
        self.0.lock().free_bytes = bytes;
    }

    /// The bytes of a file, to look at or to spoil; only with a closed store.
    #[cfg(test)]
    pub(crate) fn with_file<T>(&self, path: &Path, with: impl FnOnce(&mut Vec<u8>) -> T) -> T {
        let mut state = self.0.lock();
        let file = state.find(path).unwrap();
        let content = &mut state.contents[file];
        let value = with(&mut content.live);
        content.durable = content.live.clone();
        content.unsynced.clear();
        value
    }

    /// Ends all that runs and starts the machine again.
    pub fn restart(&self, ending: Ending) {
        let mut state = self.0.lock();
        let state = &mut *state;
        if let Ending::PowerCut(seed) = ending {
            let mut random = Random::new(seed);
            let kept = random.below(state.unsynced.len() as u64 + 1) as usize;
            for changes in state.unsynced.drain(..).take(kept) {
                for change in changes {
                    change.apply(&mut state.durable);
                }
            }
            for content in &mut state.contents {
                survive(content, &mut random);
            }
            state.live = state.durable.clone();
            // Nobody can reach what has no name any more.
            let named: BTreeSet<usize> = state.live.values().copied().collect();
            for (index, content) in state.contents.iter_mut().enumerate() {
                if !named.contains(&index) {
                    *content = Content::default();
                }
            }
        }
        state.locks.clear();
        state.epoch += 1;
        state.fault = None;
        state.off = false;
    }

    fn changing<T>(&self, act: impl FnOnce(&mut State) -> io::Result<T>) -> io::Result<T> {
        let mut state = self.0.lock();
        state.call().map_err(error)?;
        act(&mut state)
    }

    fn file(&self, state: &State, content: usize) -> Arc<dyn DiskFile> {
        Arc::new(SimulatedFile { state: self.0.clone(), content, epoch: state.epoch })
    }
}

/// What of a file's unsynced changes is there after the power cut.
fn survive(content: &mut Content, random: &mut Random) {
    let mode = random.below(4);
    let cut = random.below(content.unsynced.len() as u64 + 1) as usize;
    let changes = std::mem::take(&mut content.unsynced);
    for (index, change) in changes.iter().enumerate() {
        let keep = match mode {
            0 => false,
            1 => true,
            // In order up to somewhere, the last one torn.
            2 if index > cut => false,
            2 if index < cut => true,
            // Any of them, each torn: what the kernel wrote back on its own.
            _ => random.below(3) > 0,
        };
        match change {
            _ if !keep => {}
            Change::Write { offset, bytes } if mode >= 2 && (mode == 3 || index == cut) => {
                for (sector, part) in bytes.chunks(SECTOR).enumerate() {
                    if random.below(4) > 0 {
                        let part = Change::Write { offset: offset + sector * SECTOR, bytes: part.to_vec() };
                        part.apply(&mut content.durable);
                    }
                }
            }
            change => change.apply(&mut content.durable),
        }
    }
    content.live = content.durable.clone();
}

impl Disk for SimulatedDisk {
    fn create_directory(&self, _path: &Path) -> io::Result<()> {
        Ok(())
    }

    fn open(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        let state = self.0.lock();
        if state.off {
            return Err(error(Fault::PowerCut));
        }
        let content = state.find(path)?;
        Ok(self.file(&state, content))
    }

    fn create(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        let content = self.changing(|state| {
            if let Ok(content) = state.find(path) {
                state.contents[content].change(Change::Length(0));
                return Ok(content);
            }
            state.contents.push(Content::default());
            let content = state.contents.len() - 1;
            state.names(vec![NameChange::Set(path.to_owned(), content)]);
            Ok(content)
        })?;
        Ok(self.file(&self.0.lock(), content))
    }

    fn exists(&self, path: &Path) -> io::Result<bool> {
        Ok(self.0.lock().live.contains_key(path))
    }

    fn list(&self, directory: &Path) -> io::Result<Vec<String>> {
        let state = self.0.lock();
        let inside = state.live.keys().filter(|path| path.parent() == Some(directory));
        Ok(inside.filter_map(|path| Some(path.file_name()?.to_str()?.to_owned())).collect())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.changing(|state| {
            state.find(path)?;
            state.names(vec![NameChange::Remove(path.to_owned())]);
            Ok(())
        })
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.changing(|state| {
            let content = state.find(from)?;
            state.names(vec![NameChange::Remove(from.to_owned()), NameChange::Set(to.to_owned(), content)]);
            Ok(())
        })
    }

    fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.changing(|state| {
            let content = state.find(from)?;
            state.names(vec![NameChange::Set(to.to_owned(), content)]);
            Ok(())
        })
    }

    fn sync_directory(&self, _directory: &Path) -> io::Result<()> {
        self.changing(|state| {
            for change in state.unsynced.drain(..).flatten() {
                change.apply(&mut state.durable);
            }
            Ok(())
        })
    }

    fn free_bytes(&self, _directory: &Path) -> io::Result<Option<u64>> {
        Ok(self.0.lock().free_bytes)
    }

    fn lock(&self, path: &Path, _holder: &str) -> io::Result<std::result::Result<Box<dyn DiskLock>, String>> {
        let mut state = self.0.lock();
        if !state.locks.insert(path.to_owned()) {
            return Ok(Err("another store of this test".into()));
        }
        Ok(Ok(Box::new(SimulatedLock { state: self.0.clone(), path: path.to_owned(), epoch: state.epoch })))
    }
}

#[derive(Debug)]
struct SimulatedLock {
    state: Arc<Mutex<State>>,
    path: PathBuf,
    epoch: u64,
}

impl DiskLock for SimulatedLock {}

impl Drop for SimulatedLock {
    fn drop(&mut self) {
        let mut state = self.state.lock();
        if state.epoch == self.epoch {
            state.locks.remove(&self.path);
        }
    }
}

#[derive(Debug)]
struct SimulatedFile {
    state: Arc<Mutex<State>>,
    content: usize,
    epoch: u64,
}

impl SimulatedFile {
    fn with<T>(&self, act: impl FnOnce(&mut State) -> io::Result<T>) -> io::Result<T> {
        let mut state = self.state.lock();
        if state.off || state.epoch != self.epoch {
            return Err(error(Fault::PowerCut));
        }
        act(&mut state)
    }
}

impl DiskFile for SimulatedFile {
    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<()> {
        self.with(|state| {
            let offset = offset as usize;
            let live = &state.contents[self.content].live;
            let bytes = live.get(offset..offset + into.len()).ok_or(io::ErrorKind::UnexpectedEof)?;
            into.copy_from_slice(bytes);
            Ok(())
        })
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.with(|state| {
            let called = state.call();
            let content = &mut state.contents[self.content];
            let offset = offset as usize;
            match called {
                Ok(()) => content.change(Change::Write { offset, bytes: bytes.to_vec() }),
                Err(Fault::NoSpace | Fault::PowerCut) => {
                    content.change(Change::Write { offset, bytes: bytes[..bytes.len() / 2].to_vec() });
                }
                Err(Fault::Io) => {}
            }
            called.map_err(error)
        })
    }

    fn set_len(&self, bytes: u64) -> io::Result<()> {
        self.with(|state| {
            state.call().map_err(error)?;
            state.contents[self.content].change(Change::Length(bytes as usize));
            Ok(())
        })
    }

    fn len(&self) -> io::Result<u64> {
        self.with(|state| Ok(state.contents[self.content].live.len() as u64))
    }

    fn sync_data(&self) -> io::Result<()> {
        self.with(|state| {
            let called = state.call();
            let content = &mut state.contents[self.content];
            match called {
                Ok(()) => {
                    for change in content.unsynced.drain(..) {
                        change.apply(&mut content.durable);
                    }
                }
                Err(Fault::PowerCut) => {}
                Err(Fault::Io | Fault::NoSpace) => content.unsynced.clear(),
            }
            called.map_err(error)
        })
    }
}
