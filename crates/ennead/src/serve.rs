//! One run of the server: settings, sockets, store, engine, listeners, then the way back in the opposite order.

mod gateway;
mod greeting;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ennead_engine::settings::{self, Settings};
use ennead_engine::{Engine, Host, ShutdownRequest};
use ennead_store::Store;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::arguments::ServeArguments;
use crate::config::Config;
use crate::listeners::{self, Bound, Dialect};
use crate::shutdown::{Shutdown, Stopper};
use crate::tls::Identity;
use crate::{allocator, descriptors, logging, maintenance, service};

/// Runs until a signal or SHUTDOWN ends it.
///
/// # Errors
/// One line that says what is wrong and what to do.
///
/// # Durability
/// After a clean end everything acknowledged is on disk, whatever the durability setting.
pub(crate) fn run(arguments: &ServeArguments) -> Result<(), String> {
    let config = load(arguments)?;
    let settings = Arc::clone(&config.settings);
    logging::start(&settings);
    for name in &config.unknown_variables {
        tracing::warn!(name, "this environment variable is no setting of ennead");
    }
    allocator::start();
    let plan = listeners::plan(&settings)?;
    let identity = Identity::load(&settings)?;
    descriptors::raise(&settings);
    let bound = listeners::bind(&plan, &settings)?;
    let store = maintenance::open(&settings)?;
    let engine = Engine::open(store.clone(), settings).map_err(|error| format!("cannot read the data: {error}"))?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("cannot start the event loop: {error}"))?;
    let outcome = runtime.block_on(serve(&config, engine, store, bound, identity.as_ref()));
    // Tasks that outlive their time must not hold up the end.
    runtime.shutdown_background();
    outcome
}

/// `check-config`: everything that can be found out without touching data or sockets.
pub(crate) fn check(arguments: &ServeArguments) -> Result<(), String> {
    let config = load(arguments)?;
    let plan = listeners::plan(&config.settings)?;
    Identity::load(&config.settings)?;
    greeting::print_settings(&config, &plan);
    Ok(())
}

fn load(arguments: &ServeArguments) -> Result<Config, String> {
    let texts = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
        Some((name.into_string().ok()?, value.into_string().ok()?))
    };
    Config::load(arguments, std::env::vars_os().filter_map(texts))
}

async fn serve(
    config: &Config,
    engine: Engine,
    store: Store,
    bound: Vec<Bound>,
    identity: Option<&Identity>,
) -> Result<(), String> {
    let (stopper, mut shutdown) = Shutdown::new()?;
    engine.set_host(host(config, stopper));
    let (stop, stopped) = watch::channel(false);
    let addresses: Vec<_> = bound.iter().map(|bound| (bound.dialect, bound.address)).collect();
    let coordination = gateway::Coordination::new(&engine, &addresses, identity.is_some(), stopped.clone());
    let mut tasks = JoinSet::new();
    for bound in bound {
        tracing::info!(protocol = bound.name, address = %bound.address, tls = identity.is_some(), "listening");
        start(&mut tasks, bound, &engine, identity, &coordination, stopped.clone());
    }
    let alive = tokio::spawn(service::keep_alive(engine.clone()));
    service::ready();
    greeting::print(&engine, &addresses, identity.is_some());

    let (request, failure) = tokio::select! {
        request = shutdown.requested() => (request, None),
        Some(ended) = tasks.join_next() => (ShutdownRequest::default(), Some(early_end(ended))),
    };
    shutdown.insist();
    service::stopping();
    // Fails only when no listener is left.
    let _ = stop.send(true);
    let wait = if request.now { Duration::ZERO } else { engine.settings().read(settings::SHUTDOWN_TIMEOUT) };
    // The listeners keep to the same time themselves; the second more is for what they do at its end.
    let drained =
        tokio::time::timeout(wait + Duration::from_secs(1), async { while tasks.join_next().await.is_some() {} });
    if drained.await.is_err() {
        tracing::warn!("connections that did not end in time are closed");
        tasks.abort_all();
    }
    alive.abort();
    let closed = tokio::task::spawn_blocking(move || close(&store, request)).await;
    let closed = closed.unwrap_or_else(|panic| Err(panic.to_string()));
    match failure {
        Some(failure) => Err(failure),
        None => closed,
    }
}

/// Starts one listener as a task that ends when `stopped` says so.
fn start(
    tasks: &mut JoinSet<Result<(), String>>,
    bound: Bound,
    engine: &Engine,
    identity: Option<&Identity>,
    coordination: &gateway::Coordination,
    mut stopped: watch::Receiver<bool>,
) {
    let settings = engine.settings();
    let engine = engine.clone();
    let stop = async move {
        // Also when the sender is gone, which means the same.
        let _ = stopped.wait_for(|stopped| *stopped).await;
    };
    let text = |error: &dyn std::fmt::Display| error.to_string();
    match bound.dialect {
        Dialect::Resp => {
            let tls = identity.map(|identity| identity.config(&[]));
            let listeners = vec![ennead_resp::Listener::new(bound.socket, tls)];
            let options = ennead_resp::Options::new(&engine);
            let task = ennead_resp::serve(listeners, engine, options, stop);
            tasks.spawn(async move { task.await.map_err(|error| text(&error)) });
        }
        Dialect::Http => {
            let options = ennead_http::Options {
                connections_max: settings.read(settings::HTTP_MAX_CONNECTIONS) as usize,
                body_bytes_max: settings.read(settings::HTTP_BODY_LIMIT) as usize,
                header_bytes_max: settings.read(settings::HTTP_HEADER_LIMIT) as usize,
                timeout: settings.read(settings::HTTP_TIMEOUT),
                tls: identity.map(|identity| identity.config(&["http/1.1"])),
                coordination: Arc::new(coordination.clone()),
            };
            let task = ennead_http::serve(bound.socket, engine, options, stop);
            tasks.spawn(async move { task.await.map_err(|error| text(&error)) });
        }
        Dialect::Grpc => {
            let options = ennead_grpc::Options {
                connections_max: settings.read(settings::GRPC_MAX_CONNECTIONS) as usize,
                streams_max: u32::try_from(settings.read(settings::GRPC_MAX_STREAMS)).unwrap_or(u32::MAX),
                timeout: settings.read(settings::HTTP_TIMEOUT),
                tls: identity.map(|identity| identity.config(&["h2"])),
            };
            let task = ennead_grpc::serve(bound.socket, engine, options, stop);
            tasks.spawn(async move { task.await.map_err(|error| text(&error)) });
        }
    }
}

fn early_end(ended: Result<Result<(), String>, tokio::task::JoinError>) -> String {
    let reason = match ended {
        Ok(Ok(())) => "a listener ended by itself".to_owned(),
        Ok(Err(reason)) => reason,
        Err(panic) => format!("a listener broke down: {panic}"),
    };
    tracing::error!(%reason, "stopping");
    reason
}

/// What the engine may ask of this process.
fn host(config: &Config, stopper: Stopper) -> Host {
    let absolute = |path: PathBuf| std::path::absolute(path).map(|path| path.display().to_string()).unwrap_or_default();
    let file = config.file.clone();
    let settings = Arc::clone(&config.settings);
    Host {
        shutdown: Box::new(move |request| stopper.stop(request)),
        memory: Box::new(allocator::figures),
        purge: Box::new(allocator::purge),
        allocator: allocator::name(),
        rewrite_config: Box::new(move || rewrite(file.as_deref(), &settings)),
        migrate: Box::new(ennead_resp::migration::send),
        config_file: config.file.clone().map(absolute).unwrap_or_default(),
        executable: std::env::current_exe().map(absolute).unwrap_or_default(),
    }
}

fn rewrite(file: Option<&std::path::Path>, settings: &Settings) -> Result<(), String> {
    let file = file.ok_or("The server is running without a config file")?;
    crate::config::rewrite(file, settings)
}

/// Leaves the data as a start finds it fastest.
fn close(store: &Store, request: ShutdownRequest) -> Result<(), String> {
    let flushed = if request.save == Some(false) { Ok(()) } else { store.flush() };
    let closed = store.close();
    match flushed.and(closed) {
        Ok(()) => {
            tracing::info!("stopped");
            Ok(())
        }
        Err(error) if request.force => {
            tracing::error!(%error, "stopped without a last flush, as SHUTDOWN FORCE asks");
            Ok(())
        }
        Err(error) => Err(format!("the data could not be flushed at the end: {error}")),
    }
}
