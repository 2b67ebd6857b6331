//! How a run ends: by a signal or by the SHUTDOWN command, both through the same channel. A second signal ends the process
//! at once; what was acknowledged is in the log then as after a kill -9.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

use ennead_engine::ShutdownRequest;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;

/// Asks for the end; may be called from any thread and never blocks.
#[derive(Debug, Clone)]
pub(crate) struct Stopper(mpsc::UnboundedSender<ShutdownRequest>);

impl Stopper {
    pub(crate) fn stop(&self, request: ShutdownRequest) {
        // Nobody listens any more when the end has begun.
        let _ = self.0.send(request);
    }
}

/// The signals and the channel; made before the first client is served, so that no signal is missed.
pub(crate) struct Shutdown {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
    requests: mpsc::UnboundedReceiver<ShutdownRequest>,
}

impl Shutdown {
    /// Must be called within a runtime.
    ///
    /// # Errors
    /// A signal that cannot be handled.
    pub(crate) fn new() -> Result<(Stopper, Shutdown), String> {
        let listen = |kind| signal(kind).map_err(|error| format!("signals cannot be handled: {error}"));
        let (sender, requests) = mpsc::unbounded_channel();
        let shutdown = Shutdown {
            terminate: listen(SignalKind::terminate())?,
            interrupt: listen(SignalKind::interrupt())?,
            hangup: listen(SignalKind::hangup())?,
            requests,
        };
        Ok((Stopper(sender), shutdown))
    }

    /// Waits until the server is to stop.
    pub(crate) async fn requested(&mut self) -> ShutdownRequest {
        loop {
            tokio::select! {
                _ = self.terminate.recv() => return said("SIGTERM"),
                _ = self.interrupt.recv() => return said("SIGINT"),
                _ = self.hangup.recv() => tracing::info!("SIGHUP is ignored: settings are read at start"),
                Some(request) = self.requests.recv() => {
                    tracing::info!(signal = "none", "stopping: SHUTDOWN command");
                    return request;
                }
            }
        }
    }

    /// From now on a signal ends the process at once.
    pub(crate) fn insist(mut self) {
        tokio::spawn(async move {
            tokio::select! {
                _ = self.terminate.recv() => {}
                _ = self.interrupt.recv() => {}
            }
            tracing::warn!("second signal: stopping without waiting");
            std::process::exit(1);
        });
    }
}

fn said(name: &str) -> ShutdownRequest {
    tracing::info!(signal = name, "stopping: requests in flight are answered first");
    ShutdownRequest::default()
}

/// For commands that run without a server: true after the first signal; the second ends the process.
///
/// # Errors
/// A signal that cannot be handled.
pub(crate) fn flag() -> Result<Arc<AtomicBool>, String> {
    let failed = |error| format!("signals cannot be handled: {error}");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
    let (_, mut shutdown) = runtime.block_on(async { Shutdown::new() })?;
    let flag = Arc::new(AtomicBool::new(false));
    let raised = Arc::clone(&flag);
    let wait = move || {
        runtime.block_on(async {
            shutdown.requested().await;
            raised.store(true, SeqCst);
            shutdown.insist();
            std::future::pending::<()>().await;
        });
    };
    std::thread::Builder::new().name("signals".to_owned()).spawn(wait).map_err(failed)?;
    Ok(flag)
}
