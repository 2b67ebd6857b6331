//! Settings with a list of words for values.

use ennead_coord::RetentionMode;
use ennead_store::Durability;

/// An enumeration whose words appear in the file; a test compares the words with the row's.
pub trait Choice: Copy + 'static {
    /// The words with their values, in the order of the row.
    const ALL: &'static [(&'static str, Self)];
}

impl Choice for Durability {
    const ALL: &'static [(&'static str, Self)] =
        &[("none", Durability::None), ("everysec", Durability::EverySec), ("always", Durability::Always)];
}

impl Choice for RetentionMode {
    const ALL: &'static [(&'static str, Self)] =
        &[("periodic", RetentionMode::Periodic), ("revision", RetentionMode::Revision)];
}

/// What happens when the memory limit is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EvictionPolicy {
    /// Cold values leave memory and stay readable from disk; no key is lost.
    Tier,
    /// Writes that need memory are refused.
    NoEviction,
    AllkeysLru,
    AllkeysLfu,
    AllkeysRandom,
    VolatileLru,
    VolatileLfu,
    VolatileRandom,
    VolatileTtl,
}

impl Choice for EvictionPolicy {
    const ALL: &'static [(&'static str, Self)] = &[
        ("tier", EvictionPolicy::Tier),
        ("noeviction", EvictionPolicy::NoEviction),
        ("allkeys-lru", EvictionPolicy::AllkeysLru),
        ("allkeys-lfu", EvictionPolicy::AllkeysLfu),
        ("allkeys-random", EvictionPolicy::AllkeysRandom),
        ("volatile-lru", EvictionPolicy::VolatileLru),
        ("volatile-lfu", EvictionPolicy::VolatileLfu),
        ("volatile-random", EvictionPolicy::VolatileRandom),
        ("volatile-ttl", EvictionPolicy::VolatileTtl),
    ];
}

/// The least severe messages that are logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogLevel {
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

impl Choice for LogLevel {
    const ALL: &'static [(&'static str, Self)] = &[
        ("error", LogLevel::Error),
        ("warn", LogLevel::Warn),
        ("info", LogLevel::Info),
        ("debug", LogLevel::Debug),
        ("trace", LogLevel::Trace),
    ];
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    Text,
    Json,
}

impl Choice for LogFormat {
    const ALL: &'static [(&'static str, Self)] = &[("text", LogFormat::Text), ("json", LogFormat::Json)];
}

/// Who may use the `DEBUG` command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DebugAccess {
    No,
    /// Connections from the same machine.
    Local,
    Yes,
}

impl Choice for DebugAccess {
    const ALL: &'static [(&'static str, Self)] =
        &[("no", DebugAccess::No), ("local", DebugAccess::Local), ("yes", DebugAccess::Yes)];
}

/// What a new user may do with channels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChannelDefault {
    All,
    None,
}

impl Choice for ChannelDefault {
    const ALL: &'static [(&'static str, Self)] =
        &[("allchannels", ChannelDefault::All), ("resetchannels", ChannelDefault::None)];
}
