//! Commands over data that no server uses, and the opening of the store that `serve` shares with them.

use std::io::Write;
use std::path::Path;

use ennead_engine::settings::{self, Settings};
use ennead_store::{Options, Store};

use crate::allocator;
use crate::arguments::BackupArguments;

/// Opens the store as the settings say.
///
/// # Errors
/// One line: the store's own, or what the system has against the directory and what to do about it.
pub(crate) fn open(settings: &Settings) -> Result<Store, String> {
    let path = settings.read(settings::DATA_DIRECTORY);
    usable(Path::new(path.as_str()))?;
    let bytes = |key| settings.read::<u64>(key);
    let options = Options {
        memtable_bytes: bytes(settings::MEMTABLE_BYTES) as usize,
        cache_bytes: bytes(settings::CACHE_BYTES) as usize,
        segment_bytes: bytes(settings::SEGMENT_BYTES),
        log_retention_bytes: bytes(settings::LOG_RETENTION_BYTES),
        stall_timeout: settings.read(settings::STALL_TIMEOUT),
        ..Options::new(path.as_str())
    };
    Store::open(options).map_err(|error| format!("data directory {path}: {error}"))
}

/// Whether files can be made in the directory, which is created when it is missing.
fn usable(path: &Path) -> Result<(), String> {
    let what_to_do = "choose another by --data DIR, or give this user the right to write there";
    let refused = |error: &std::io::Error| {
        format!("data directory {}: {}; {what_to_do}", path.display(), crate::config::reason(error))
    };
    std::fs::create_dir_all(path).map_err(|error| refused(&error))?;
    let probe = path.join(format!(".writable-{}", std::process::id()));
    std::fs::File::create(&probe).map_err(|error| refused(&error))?;
    std::fs::remove_file(&probe).map_err(|error| refused(&error))
}

fn open_at_rest(path: &Path) -> Result<Store, String> {
    if !path.is_dir() {
        return Err(format!("there is no data directory {}; name one by --data DIR", path.display()));
    }
    Store::open(Options::new(path)).map_err(|error| format!("data directory {}: {error}", path.display()))
}

/// # Durability
/// The copy is on disk when it returns.
pub(crate) fn backup(arguments: &BackupArguments) -> Result<(), String> {
    let store = open_at_rest(&arguments.from.data)?;
    let target = &arguments.target;
    store.backup(target).map_err(|error| format!("backup to {}: {error}", target.display()))?;
    store.close().map_err(|error| error.to_string())?;
    say(&format!("{} holds a copy of {}", target.display(), arguments.from.data.display()))
}

pub(crate) fn version() -> Result<(), String> {
    say(&format!("ennead {} ({}, {})", env!("CARGO_PKG_VERSION"), allocator::name(), std::env::consts::ARCH))
}

fn say(line: &str) -> Result<(), String> {
    writeln!(std::io::stdout(), "{line}").map_err(|error| format!("the standard output is closed: {error}"))
}
