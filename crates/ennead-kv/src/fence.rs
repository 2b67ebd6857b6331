//! A condition from outside that what a client writes depends on.

use std::fmt::Debug;

use ennead_store::Sequence;

use crate::error::Result;

/// Stands between a client's writes and the store: what is committed behind it is committed while its condition holds, in
/// one step for everybody who could end the condition. Reads do not meet it.
pub trait Fence: Debug + Send + Sync {
    /// Runs `commit` if the condition holds, and keeps it as it is until that is done.
    ///
    /// Called with locks of the keyspace held: it must not use the keyspace.
    ///
    /// # Errors
    /// What the client is told when the condition does not hold; `commit` was not run then. Those of `commit`.
    fn guard(&self, commit: &mut dyn FnMut() -> Result<Sequence>) -> Result<Sequence>;
}

#[cfg(test)]
mod tests;
