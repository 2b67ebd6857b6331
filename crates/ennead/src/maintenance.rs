//! Commands over data that no server uses, and the opening of the store that `serve` shares with them.

mod time;

use std::io::Write;
use std::path::PathBuf;

use ennead_engine::settings::{self, Settings};
use ennead_store::maintenance::{self, RestoreOptions, RestorePoint};
use ennead_store::{Error, Options, Store};

use crate::allocator;
use crate::arguments::{BackupArguments, DataArguments, RepairArguments, RestoreArguments};
use crate::meter::Meter;

/// Opens the store as the settings say.
///
/// # Errors
/// One line: what is wrong with the directory and what to do about it.
pub(crate) fn open(settings: &Settings) -> Result<Store, String> {
    let path = PathBuf::from(settings.read(settings::DATA_DIRECTORY).as_str());
    let bytes = |key| settings.read::<u64>(key);
    let archive = settings.read(settings::ARCHIVE_DIRECTORY);
    let options = Options {
        memtable_bytes: bytes(settings::MEMTABLE_BYTES) as usize,
        cache_bytes: bytes(settings::CACHE_BYTES) as usize,
        segment_bytes: bytes(settings::SEGMENT_BYTES),
        log_retention_bytes: bytes(settings::LOG_RETENTION_BYTES),
        compact_percentage: settings.read(settings::COMPACT_PERCENTAGE),
        compact_min_bytes: bytes(settings::COMPACT_MIN_BYTES),
        archive_path: (!archive.is_empty()).then(|| path.join(archive.as_str())),
        stall_timeout: settings.read(settings::STALL_TIMEOUT),
        ..Options::new(&path)
    };
    Store::open(options).map_err(|error| told(&error))
}

/// The store's message, with the flag that it means.
pub(crate) fn told(error: &Error) -> String {
    match error {
        Error::Open(_) => format!("{error} (--data DIR)"),
        _ => error.to_string(),
    }
}

pub(crate) fn present(data: &DataArguments) -> Result<Options, String> {
    if data.data.is_dir() {
        Ok(Options::new(&data.data))
    } else {
        Err(format!("there is no data directory {}; name one by --data DIR", data.data.display()))
    }
}

/// # Durability
/// The copy is on disk when it returns.
pub(crate) fn backup(arguments: &BackupArguments) -> Result<(), String> {
    let store = Store::open(present(&arguments.from)?).map_err(|error| told(&error))?;
    let target = &arguments.target;
    let written = Meter::new().run(|progress| store.backup_with(target, progress)).map_err(|error| told(&error))?;
    store.close().map_err(|error| told(&error))?;
    say(&format!("{}: {} bytes, up to batch {}", target.display(), written.bytes, written.sequence))
}

/// # Durability
/// The data directory is on disk and verified when it returns.
pub(crate) fn restore(arguments: &RestoreArguments) -> Result<(), String> {
    let until = match (arguments.until_batch, &arguments.until_time) {
        (Some(batch), _) => RestorePoint::Sequence(batch),
        (None, Some(text)) => RestorePoint::TimeMs(
            time::unix_ms(text).ok_or_else(|| format!("--until-time {text}: expected UTC as 2026-11-23T16:40:00Z"))?,
        ),
        (None, None) => RestorePoint::Latest,
    };
    let options = RestoreOptions {
        backup: arguments.source.clone(),
        target: arguments.to.data.clone(),
        archives: arguments.archives.clone(),
        until,
    };
    let restored =
        Meter::new().run(|progress| maintenance::restore(&options, progress)).map_err(|error| told(&error))?;
    say(&format!(
        "{}: up to batch {}, {} of them from archives",
        options.target.display(),
        restored.sequence,
        restored.replayed
    ))
}

pub(crate) fn repair(arguments: &RepairArguments) -> Result<(), String> {
    let options = present(&arguments.data)?;
    let found = Meter::new().run(|progress| maintenance::diagnose(&options, progress)).map_err(|error| told(&error))?;
    say(&found.to_string())?;
    if found.damage.is_none() {
        return Ok(());
    }
    if !arguments.apply {
        return say("nothing was changed; `ennead repair --apply` does it");
    }
    let done =
        Meter::new().run(|progress| maintenance::repair(&options, &found, progress)).map_err(|error| told(&error))?;
    let aside = done.kept_aside.map(|path| format!("; what was cut is in {}", path.display())).unwrap_or_default();
    say(&format!("the store ends at batch {} now{aside}", done.last))
}

pub(crate) fn compact(arguments: &DataArguments) -> Result<(), String> {
    let options = present(arguments)?;
    let done = Meter::new().run(|progress| maintenance::compact(&options, progress)).map_err(|error| told(&error))?;
    say(&format!("{} bytes before, {} bytes now, {} rows", done.before_bytes, done.after_bytes, done.rows))
}

pub(crate) fn version() -> Result<(), String> {
    say(&format!("ennead {} ({}, {})", env!("CARGO_PKG_VERSION"), allocator::name(), std::env::consts::ARCH))
}

pub(crate) fn say(line: &str) -> Result<(), String> {
    writeln!(std::io::stdout(), "{line}").map_err(|error| format!("the standard output is closed: {error}"))
}
