//! What has the request of a waiting client end.

use std::sync::Arc;

use crate::commands::Notice;

/// What CLIENT UNBLOCK uses.
#[derive(Debug, Clone)]
pub(crate) enum Unblocker {
    /// Of a request that waits for keys.
    Keys(ennead_kv::Unblocker),
    /// Of WAIT and WAITAOF.
    Wait(Arc<Notice>),
}

impl Unblocker {
    /// As if its time was over, or with an error; whether it was still waiting.
    pub(crate) fn unblock(&self, error: bool) -> bool {
        match self {
            Unblocker::Keys(unblocker) => unblocker.unblock(error),
            Unblocker::Wait(notice) => notice.unblock(error),
        }
    }
}
