//! What a session with a fence may do: see [`Barrier`].

use std::sync::Arc;

use ennead_kv::{Error, Fence, Flag, Result};

use super::Session;
use crate::fence::Barrier;
use crate::registry::{Command, Handler};

/// Commands that write to the store beside the keyspace, and have no flag that says so.
const BESIDE: [&str; 2] = ["acl|deluser", "acl|setuser"];

impl Command {
    /// Whether it writes what a fence does not protect.
    fn passes_by_fences(&self) -> bool {
        let engine = matches!(self.handler, Handler::Engine(_));
        engine && !self.runs_script() && (self.has(Flag::Write) || BESIDE.contains(&self.spec.name))
    }
}

impl Session {
    /// What the session's writes are committed behind.
    pub(crate) fn fence(&self) -> Option<Arc<dyn Fence>> {
        self.fence.clone().map(|barrier| barrier as Arc<dyn Fence>)
    }

    /// Whether a request may run or be queued behind a fence. The commit of what it writes looks again.
    #[cold]
    pub(super) fn pass(&self, fence: &Barrier, command: &Command) -> Result {
        if command.passes_by_fences() {
            let name = command.spec.name.replace('|', " ").to_uppercase();
            let text = format!(
                "ERR {name} cannot be fenced: it is not about keys; send FENCE OFF first, or use another connection"
            );
            return Err(Error::Text(text.into()));
        }
        if command.has(Flag::Write) && !self.only_queues(command) { fence.check() } else { Ok(()) }
    }
}
