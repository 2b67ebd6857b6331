//! File descriptors: each client takes one. The soft limit of the process is raised as far as it is needed and allowed.

use ennead_engine::settings::{GRPC_MAX_CONNECTIONS, HTTP_MAX_CONNECTIONS, MAXCLIENTS, Settings};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// For the log, the B-tree, listeners and backups.
const RESERVED: u64 = 64;

/// Makes room for `clients.maxclients`, or lowers that setting to what there is room for and says so.
pub(crate) fn raise(settings: &Settings) {
    let clients = settings.read(MAXCLIENTS);
    let others = RESERVED + settings.read(HTTP_MAX_CONNECTIONS) + settings.read(GRPC_MAX_CONNECTIONS);
    let wanted = clients.saturating_add(others);
    let limit = getrlimit(Resource::Nofile);
    let (soft, hard) = (limit.current.unwrap_or(u64::MAX), limit.maximum.unwrap_or(u64::MAX));
    if soft >= wanted {
        return;
    }
    let raised = wanted.min(hard);
    if setrlimit(Resource::Nofile, Rlimit { current: Some(raised), maximum: limit.maximum }).is_ok() && raised == wanted
    {
        return;
    }
    let now = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    // Idle connections of the other listeners are not there yet, so clients go first.
    let possible = now.saturating_sub(RESERVED).clamp(1, clients);
    if possible < clients {
        tracing::warn!(wanted = clients, possible, "the system allows fewer open files; clients.maxclients is lowered");
        if let Err(error) = settings.preset(MAXCLIENTS.name(), &possible.to_string()) {
            tracing::warn!(%error, "clients.maxclients could not be lowered");
        }
    }
}
