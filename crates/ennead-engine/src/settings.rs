//! The settings: one table of rows ([`TABLE`]), and their values while the server runs ([`Settings`]).
//!
//! A row is the only place where a setting is described. `config/ennead.toml`, `docs/reference/config.md`, flags, the
//! `ENNEAD_*` environment and `CONFIG GET`/`SET` are derived from it. Reading a value is one atomic load, so it may be
//! done on every request. This module reads no file and no environment: the daemon does, and hands texts to
//! [`Settings::preset`].

mod choice;
mod error;
mod events;
mod glossary;
mod kind;
mod redis;
mod table;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use parking_lot::{Mutex, RwLock};

pub use choice::{ChannelDefault, Choice, DebugAccess, EvictionPolicy, LogFormat, LogLevel};
pub use error::SettingError;
pub use events::EventClasses;
pub use glossary::{config_file, nearest, reference_page};
pub use kind::{Form, Kind};
pub use redis::{FIXED, KEPT};
pub use table::*;

/// One row of [`TABLE`]: what a setting is.
#[derive(Debug)]
pub struct Setting {
    /// As in `ennead.toml`: `section.key`.
    pub name: &'static str,
    pub kind: Kind,
    /// In the form that [`Settings::get`] gives back.
    pub default: &'static str,
    /// Whether it may change while the server runs.
    pub live: bool,
    /// The names `CONFIG GET` knows it by, with the form of the value there.
    pub redis: &'static [(&'static str, Form)],
    /// A short name of its variable in the environment, beside the one of [`Setting::variable`].
    pub short_variable: Option<&'static str>,
    /// One line or more of description, ending in a full stop.
    pub doc: &'static str,
}

impl Setting {
    pub fn section(&self) -> &'static str {
        self.name.split_once('.').map_or(self.name, |(section, _)| section)
    }

    pub fn key(&self) -> &'static str {
        self.name.split_once('.').map_or(self.name, |(_, key)| key)
    }

    /// The environment variable that sets it: `ENNEAD_SECTION_KEY`.
    pub fn variable(&self) -> String {
        format!("ENNEAD_{}", self.name.replace('.', "_").to_uppercase())
    }
}

/// A row's place in the table together with the type of its value; the constants of [`table`] are the only ones.
#[derive(Debug)]
pub struct Key<T> {
    index: usize,
    kind: PhantomData<fn() -> T>,
}

impl<T> Clone for Key<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Key<T> {}

impl<T> Key<T> {
    const fn new(index: usize) -> Self {
        Key { index, kind: PhantomData }
    }

    pub fn setting(self) -> &'static Setting {
        &TABLE[self.index]
    }

    pub fn name(self) -> &'static str {
        self.setting().name
    }
}

/// Where a value lives. Numbers, booleans, choices (their index) and durations (milliseconds) are one word.
#[derive(Debug)]
pub enum Cell {
    Word(AtomicI64),
    Text(ArcSwap<String>),
}

/// The parsed value of a setting, not yet stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Parsed {
    Word(i64),
    Text(String),
}

/// A type that a setting can be read as.
pub trait Value: Sized {
    fn load(cell: &Cell) -> Self;
    /// Whether a row of this kind holds such values.
    fn fits(kind: &Kind) -> bool;
}

fn word(cell: &Cell) -> i64 {
    match cell {
        Cell::Word(word) => word.load(Ordering::Relaxed),
        Cell::Text(_) => 0,
    }
}

impl Value for bool {
    fn load(cell: &Cell) -> Self {
        word(cell) != 0
    }
    fn fits(kind: &Kind) -> bool {
        matches!(kind, Kind::Bool)
    }
}

impl Value for i64 {
    fn load(cell: &Cell) -> Self {
        word(cell)
    }
    fn fits(kind: &Kind) -> bool {
        matches!(kind, Kind::Integer { .. })
    }
}

/// Integers and bytes that cannot be negative.
impl Value for u64 {
    fn load(cell: &Cell) -> Self {
        word(cell).cast_unsigned()
    }
    fn fits(kind: &Kind) -> bool {
        matches!(kind, Kind::Bytes { .. } | Kind::Integer { min: 0.., .. })
    }
}

impl Value for Duration {
    fn load(cell: &Cell) -> Self {
        Duration::from_millis(word(cell).cast_unsigned())
    }
    fn fits(kind: &Kind) -> bool {
        matches!(kind, Kind::Duration { .. })
    }
}

impl Value for Arc<String> {
    fn load(cell: &Cell) -> Self {
        match cell {
            Cell::Text(text) => text.load_full(),
            Cell::Word(_) => Arc::default(),
        }
    }
    fn fits(kind: &Kind) -> bool {
        matches!(kind, Kind::Text | Kind::Secret | Kind::Address)
    }
}

impl<T: Choice> Value for T {
    fn load(cell: &Cell) -> Self {
        T::ALL[word(cell).cast_unsigned() as usize % T::ALL.len()].1
    }
    fn fits(kind: &Kind) -> bool {
        matches!(kind, Kind::Choice(words) if words.len() == T::ALL.len()
            && words.iter().zip(T::ALL).all(|(word, (known, _))| word == known))
    }
}

type Listener = Box<dyn Fn(&Settings) + Send + Sync>;

/// The values of all settings. Shared by an `Arc`; every method takes `&self`.
pub struct Settings {
    cells: Vec<Cell>,
    /// What was set of [`KEPT`].
    kept: Mutex<BTreeMap<&'static str, u64>>,
    /// Makes a change of several settings one step.
    changing: Mutex<()>,
    listeners: RwLock<Vec<(usize, Listener)>>,
    generation: AtomicU64,
}

impl Default for Settings {
    fn default() -> Self {
        Settings::new()
    }
}

impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_map().entries(self.iter().map(|(setting, text)| (setting.name, text))).finish()
    }
}

impl Settings {
    /// Every setting at its default.
    pub fn new() -> Self {
        let cells = TABLE.iter().map(|setting| match setting.kind.parse(setting.default) {
            Ok(Parsed::Word(word)) => Cell::Word(AtomicI64::new(word)),
            Ok(Parsed::Text(text)) => Cell::Text(ArcSwap::from_pointee(text)),
            // A test reads every default, so this arm is never taken.
            Err(_) => Cell::Text(ArcSwap::default()),
        });
        Settings {
            cells: cells.collect(),
            kept: Mutex::default(),
            changing: Mutex::new(()),
            listeners: RwLock::default(),
            generation: AtomicU64::new(0),
        }
    }

    /// The value now. One atomic load (a reference count more for texts).
    pub fn read<T: Value>(&self, key: Key<T>) -> T {
        T::load(&self.cells[key.index])
    }

    /// Whether the value of a text setting is other than empty.
    pub fn is_set(&self, key: Key<Arc<String>>) -> bool {
        matches!(&self.cells[key.index], Cell::Text(text) if !text.load().is_empty())
    }

    /// The value as a text, in the form of `ennead.toml`. A secret is given as it is.
    pub fn get(&self, name: &str) -> Option<String> {
        position(name).map(|index| self.text(index))
    }

    /// All settings with their texts, in the order of the table; secrets are hidden.
    pub fn iter(&self) -> impl Iterator<Item = (&'static Setting, String)> + '_ {
        TABLE.iter().enumerate().map(|(index, setting)| {
            let hidden = matches!(setting.kind, Kind::Secret) && !self.text(index).is_empty();
            (setting, if hidden { "(hidden)".to_owned() } else { self.text(index) })
        })
    }

    /// Changes a setting while the server runs.
    ///
    /// # Errors
    /// An unknown name, a text that is no value of it, or a setting that is only read at start; nothing changed then.
    pub fn set(&self, name: &str, text: &str) -> Result<(), SettingError> {
        let index = position(name).ok_or_else(|| SettingError::unknown(name))?;
        let setting = &TABLE[index];
        if !setting.live {
            return Err(SettingError::Immutable(setting.name.to_owned()));
        }
        let value = setting.kind.parse(text).map_err(|reason| SettingError::invalid(setting.name, reason))?;
        self.apply(vec![(index, value)]);
        Ok(())
    }

    /// Gives a setting its value before the server starts; as [`Settings::set`], for those that cannot change as well.
    ///
    /// # Errors
    /// An unknown name or a text that is no value of it.
    pub fn preset(&self, name: &str, text: &str) -> Result<(), SettingError> {
        let index = position(name).ok_or_else(|| SettingError::unknown(name))?;
        let setting = &TABLE[index];
        let value = setting.kind.parse(text).map_err(|reason| SettingError::invalid(setting.name, reason))?;
        self.apply(vec![(index, value)]);
        Ok(())
    }

    /// Empties a text without a word to those who follow it: what it said was changed elsewhere.
    pub(crate) fn forget(&self, key: Key<Arc<String>>) {
        if let Cell::Text(text) = &self.cells[key.index] {
            let _one_change_at_a_time = self.changing.lock();
            text.store(Arc::default());
            self.generation.fetch_add(1, Ordering::Release);
        }
    }

    /// Calls `listener` after each change of the setting, on the thread that changed it. It must not block and must
    /// not change settings.
    pub fn on_change<T>(&self, key: Key<T>, listener: impl Fn(&Settings) + Send + Sync + 'static) {
        self.listeners.write().push((key.index, Box::new(listener)));
    }

    /// Grows with every change: lets a reader that caches several values notice that one of them moved.
    pub fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    fn text(&self, index: usize) -> String {
        match &self.cells[index] {
            Cell::Word(word) => TABLE[index].kind.format(word.load(Ordering::Relaxed)),
            Cell::Text(text) => text.load().as_ref().clone(),
        }
    }

    fn apply(&self, changes: Vec<(usize, Parsed)>) {
        let changed: Vec<usize> = changes.iter().map(|(index, _)| *index).collect();
        {
            let _one_change_at_a_time = self.changing.lock();
            for (index, value) in changes {
                match (&self.cells[index], value) {
                    (Cell::Word(cell), Parsed::Word(word)) => cell.store(word, Ordering::Relaxed),
                    (Cell::Text(cell), Parsed::Text(text)) => cell.store(Arc::new(text)),
                    _ => unreachable!("a kind parses to one sort of cell"),
                }
            }
            self.generation.fetch_add(1, Ordering::Release);
        }
        let listeners = self.listeners.read();
        for (_, listener) in listeners.iter().filter(|(index, _)| changed.contains(index)) {
            listener(self);
        }
    }
}

/// Where in the table the setting of this name is.
fn position(name: &str) -> Option<usize> {
    TABLE.iter().position(|setting| setting.name == name)
}
