//! Versions that clients ask for.

/// The version of Redis whose commands and replies are followed.
pub const REDIS_VERSION: &str = "7.2.5";

/// The version of this program.
pub const ENNEAD_VERSION: &str = env!("CARGO_PKG_VERSION");
