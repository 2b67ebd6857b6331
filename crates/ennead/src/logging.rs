//! Log lines on the standard error stream, as text or JSON, with a level that follows the settings.

use std::io::IsTerminal;

use ennead_engine::settings::{LOG_FORMAT, LOG_LEVEL, LogFormat, LogLevel, Settings};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, Registry, fmt, reload};

/// Starts logging; only the first call of a process counts.
pub(crate) fn start(settings: &Settings) {
    let (level, handle) = reload::Layer::new(filter(settings));
    let lines = fmt::layer().with_writer(std::io::stderr).with_target(false);
    let lines: Box<dyn Layer<_> + Send + Sync> = match settings.read(LOG_FORMAT) {
        LogFormat::Text => lines.with_ansi(std::io::stderr().is_terminal()).boxed(),
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
    };
    if tracing_subscriber::registry().with(level).with(lines).try_init().is_err() {
        return;
    }
    settings.on_change(LOG_LEVEL, move |settings| follow(&handle, settings));
}

fn follow(handle: &reload::Handle<LevelFilter, Registry>, settings: &Settings) {
    if let Err(error) = handle.reload(filter(settings)) {
        tracing::error!(%error, "the level of the log could not be changed");
    }
}

fn filter(settings: &Settings) -> LevelFilter {
    match settings.read(LOG_LEVEL) {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    }
}
