//! A listener of its own for each test, and what its clients do.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use ennead_engine::{Engine, Settings, Store, StoreOptions};
use ennead_resp::{Listener, Options, serve};
use tokio::sync::oneshot;

pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) engine: Engine,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
    _directory: tempfile::TempDir,
}

impl Server {
    pub(crate) fn start(settings: &[(&str, &str)]) -> Server {
        Server::start_with(settings, None)
    }

    pub(crate) fn start_with(settings: &[(&str, &str)], tls: Option<Arc<rustls::ServerConfig>>) -> Server {
        // Both workers are given connections, so that the tests are about both.
        let options = Options { workers: 2, workers_at_first: 2, unneeded_after: Duration::from_secs(60) };
        Server::start_as(settings, tls, options)
    }

    /// One with two workers, the second of which is soon superfluous, but is there still when `begin` is done.
    pub(crate) fn start_with_two_workers<T>(begin: impl Fn(&Server) -> T) -> (Server, T) {
        for _ in 0..50 {
            let options = Options { workers: 2, workers_at_first: 2, unneeded_after: Duration::from_millis(100) };
            let server = Server::start_as(&[], None, options);
            let begun = begin(&server);
            if server.workers() == 2 {
                return (server, begun);
            }
        }
        panic!("the second worker is always gone before there is something to be moved");
    }

    pub(crate) fn workers(&self) -> u64 {
        self.engine.figures().resp_workers.load(Ordering::Relaxed)
    }

    pub(crate) fn start_as(
        settings: &[(&str, &str)],
        tls: Option<Arc<rustls::ServerConfig>>,
        options: Options,
    ) -> Server {
        let directory = tempfile::tempdir().unwrap();
        let known = Settings::new();
        known.preset("server.data", directory.path().to_str().unwrap()).unwrap();
        for (name, value) in settings {
            known.preset(name, value).unwrap();
        }
        let store = Store::open(StoreOptions::new(directory.path().join("store"))).unwrap();
        let engine = Engine::open(store, Arc::new(known)).unwrap();
        let listener = Listener::bind("127.0.0.1:0".parse().unwrap(), 128, tls).unwrap();
        let address = listener.local_address().unwrap();
        let (stop, stopped) = oneshot::channel();
        let served = engine.clone();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            let shutdown = async {
                let _ = stopped.await;
            };
            runtime.block_on(serve(vec![listener], served, options, shutdown)).unwrap();
        });
        Server { address, engine, stop: Some(stop), thread: Some(thread), _directory: directory }
    }

    pub(crate) fn connect(&self) -> Peer {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        Peer { stream }
    }

    pub(crate) fn stop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

pub(crate) struct Peer {
    pub(crate) stream: TcpStream,
}

impl Peer {
    pub(crate) fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).unwrap();
    }

    #[track_caller]
    pub(crate) fn expect(&mut self, expected: &[u8]) {
        let mut got = vec![0; expected.len()];
        let result = self.stream.read_exact(&mut got);
        assert!(result.is_ok(), "{result:?}, wanted {:?}", expected.escape_ascii().to_string());
        assert_eq!(got.escape_ascii().to_string(), expected.escape_ascii().to_string());
    }

    pub(crate) fn read_some(&mut self) -> Vec<u8> {
        let mut bytes = vec![0; 4096];
        let read = self.stream.read(&mut bytes).unwrap();
        bytes.truncate(read);
        bytes
    }

    #[track_caller]
    pub(crate) fn check(&mut self, request: &str, expected: &str) {
        self.send(request.as_bytes());
        self.expect(expected.as_bytes());
    }

    #[track_caller]
    pub(crate) fn expect_end(&mut self) {
        let mut rest = Vec::new();
        // A reset is an end, too.
        let _ = self.stream.read_to_end(&mut rest);
        assert_eq!(rest.escape_ascii().to_string(), "");
    }
}

#[track_caller]
pub(crate) fn wait_until(mut condition: impl FnMut() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < PATIENCE, "waited too long");
        std::thread::yield_now();
    }
}
