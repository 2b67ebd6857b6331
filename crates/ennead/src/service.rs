//! What the service manager is told: ready, alive, stopping. Without one (no NOTIFY_SOCKET) nothing is sent.

use std::time::Duration;

use ennead_engine::Engine;
use sd_notify::NotifyState;

pub(crate) fn ready() {
    tell(&[NotifyState::Ready, NotifyState::Status("serving")]);
}

pub(crate) fn stopping() {
    tell(&[NotifyState::Stopping, NotifyState::Status("answering requests in flight")]);
}

/// Sends the watchdog's sign of life from the runtime that calls it, and says when the store refuses writes.
pub(crate) async fn keep_alive(engine: Engine) {
    let watchdog = sd_notify::watchdog_enabled();
    let period = watchdog.map_or(Duration::from_secs(10), |limit| limit / 3);
    let mut ticks = tokio::time::interval(period);
    let mut said = false;
    loop {
        ticks.tick().await;
        if watchdog.is_some() {
            tell(&[NotifyState::Watchdog]);
        }
        if let (false, Some(reason)) = (said, engine.store().poisoned()) {
            said = true;
            tracing::error!(%reason, "writes are refused until the server is restarted; reads go on");
            tell(&[NotifyState::Status(&format!("writes are refused: {reason}"))]);
        }
    }
}

fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!(%error, "the service manager could not be told");
    }
}
