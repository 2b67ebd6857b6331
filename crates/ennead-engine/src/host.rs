//! What the engine needs from the program around it: stopping, memory figures, the configuration file.

use crate::migration;

/// How SHUTDOWN was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ShutdownRequest {
    /// `SAVE`: flush into the B-tree before the end; `NOSAVE`: only the log, which loses nothing either.
    pub save: Option<bool>,
    /// Does not wait for requests in flight.
    pub now: bool,
    /// Ends even when the last flush fails.
    pub force: bool,
}

/// Bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MemoryFigures {
    /// Given out by the allocator.
    pub allocated: u64,
    /// Pages of the allocator with data on them.
    pub active: u64,
    /// Physical memory of the process.
    pub resident: u64,
    /// Mapped by the allocator.
    pub mapped: u64,
}

/// Functions of the daemon. None of them may block.
pub struct Host {
    /// Begins to stop the server.
    pub shutdown: Box<dyn Fn(ShutdownRequest) + Send + Sync>,
    /// The allocator's figures.
    pub memory: Box<dyn Fn() -> MemoryFigures + Send + Sync>,
    /// Gives unused memory back to the system.
    pub purge: Box<dyn Fn() + Send + Sync>,
    /// Name of the allocator with its version.
    pub allocator: &'static str,
    /// Writes the settings to the file they came from; the text of an error for the client.
    pub rewrite_config: Box<dyn Fn() -> Result<(), String> + Send + Sync>,
    /// Sends keys to another server.
    pub migrate: migration::Send,
    /// Absolute path of the file with settings, empty when there is none.
    pub config_file: String,
    /// Absolute path of the program.
    pub executable: String,
}
