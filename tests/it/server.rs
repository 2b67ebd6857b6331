//! Servers that tests start, on ports that the system picks and data in folders that go with them: the daemon of this
//! build, and redis-server where a test compares with it. A server dies with its [`Server`].
//!
//! `ENNEAD_SUBJECT=redis-server` puts redis-server in the daemon's place, to try the tests themselves, and
//! `ENNEAD_SUBJECT=127.0.0.1:7000` takes a server that already listens.

use std::fs::File;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::wire::{Reply, Wire};

/// How long a server may take until it answers. Generous: the machine may be busy building.
const START_TIMEOUT: Duration = Duration::from_secs(30);

/// A running server.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    /// None for a server that somebody else started.
    child: Option<Child>,
    folder: Option<TempDir>,
}

impl Server {
    /// The server under test, on new data, with further flags of `ennead serve`.
    pub(crate) fn subject(flags: &[&str]) -> Server {
        match std::env::var("ENNEAD_SUBJECT") {
            Err(_) => {
                let folder = tempfile::tempdir().unwrap();
                let mut server = Server::ennead(folder.path(), flags);
                server.folder = Some(folder);
                server
            }
            Ok(name) if name == "redis-server" => Server::redis(&[]).expect("redis-server is on the PATH"),
            Ok(address) => Server { address: address.parse().unwrap(), child: None, folder: None },
        }
    }

    /// `ennead serve` on the data of `folder`, which stays when the server goes.
    pub(crate) fn ennead(folder: &Path, flags: &[&str]) -> Server {
        let log = folder.join("stderr.log");
        let mut child = spawn(ennead_command(folder).args(flags), &log);
        let address = wait_for(&mut child, &log, || announced_port(&log));
        let mut server = Server { address, child: Some(child), folder: None };
        server.wait_until_it_answers(&log);
        server
    }

    /// A redis-server; None, said loudly, when it is not installed and nothing requires it.
    pub(crate) fn redis(flags: &[&str]) -> Option<Server> {
        let folder = tempfile::tempdir().unwrap();
        let mut server = Server::redis_in(folder.path(), flags)?;
        server.folder = Some(folder);
        Some(server)
    }

    /// A redis-server on the data of `folder`, which stays when the server goes.
    pub(crate) fn redis_in(folder: &Path, flags: &[&str]) -> Option<Server> {
        let program = installed("redis-server")?;
        let log = folder.join("stderr.log");
        let address = free_address();
        let child = spawn(redis_command(program, folder, address).args(flags), &log);
        let mut server = Server { address, child: Some(child), folder: None };
        server.wait_until_it_answers(&log);
        Some(server)
    }

    /// The server under test, for tests that restart it on the same folder.
    pub(crate) fn restartable(folder: &Path, durability: &str, flags: &[&str]) -> Server {
        if peer_is_subject() {
            return Server::redis_in(folder, &redis_durability(durability)).unwrap();
        }
        let mut all = vec!["--durability", durability];
        all.extend(flags);
        Server::ennead(folder, &all)
    }

    /// Starts what [`Server::restartable`] starts and kills it after `delay`, ready or not.
    pub(crate) fn stillborn(folder: &Path, durability: &str, flags: &[&str], delay: Duration) {
        let log = folder.join("stderr.log");
        let mut command = if peer_is_subject() {
            let mut command = redis_command(installed("redis-server").unwrap(), folder, free_address());
            command.args(redis_durability(durability));
            command
        } else {
            let mut command = ennead_command(folder);
            command.args(["--durability", durability]).args(flags);
            command
        };
        let mut child = spawn(&mut command, &log);
        std::thread::sleep(delay);
        child.kill().unwrap();
        child.wait().unwrap();
    }

    pub(crate) fn connect(&self) -> Wire {
        Wire::connect(self.address).unwrap()
    }

    /// `kill -9`: the process gets no chance to write anything more.
    pub(crate) fn kill(&mut self) {
        if let Some(child) = &mut self.child {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    fn wait_until_it_answers(&mut self, log: &Path) {
        let address = self.address;
        let Some(child) = &mut self.child else { return };
        wait_for(child, log, || {
            let mut wire = Wire::connect(address).ok()?;
            match wire.call(&[b"PING"]).ok()? {
                Reply::Error(text) if text.starts_with(b"LOADING") => None,
                _ => Some(()),
            }
        });
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            // It may be dead already, which is all that is wanted here.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Where a peer's program is; None, said loudly, when it is missing. In CI, or with `ENNEAD_REQUIRE_PEERS` set, a missing
/// peer fails the test: a comparison that did not run must not look like one that passed.
pub(crate) fn installed(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file());
    if found.is_none() {
        let required = ["CI", "ENNEAD_REQUIRE_PEERS"].iter().any(|name| std::env::var_os(name).is_some());
        assert!(!required, "{program} is not installed, and this run requires it");
        eprintln!("\n*** NOT TESTED: {program} is not installed, so nothing was compared with it ***\n");
    }
    found
}

fn ennead_command(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ennead"));
    command.args(["serve", "--resp", "127.0.0.1:0", "--http", "off", "--grpc", "off"]);
    command.args(["--set", "server.debug_command=yes", "--data"]).arg(folder.join("data"));
    command
}

fn redis_command(program: PathBuf, folder: &Path, address: SocketAddr) -> Command {
    let mut command = Command::new(program);
    command.args(["--bind", "127.0.0.1", "--save", "", "--enable-debug-command", "yes", "--loglevel", "warning"]);
    command.args(["--port", &address.port().to_string(), "--dir"]).arg(folder);
    command
}

fn redis_durability(durability: &str) -> [&str; 4] {
    ["--appendonly", "yes", "--appendfsync", if durability == "none" { "no" } else { durability }]
}

fn peer_is_subject() -> bool {
    std::env::var("ENNEAD_SUBJECT").as_deref() == Ok("redis-server")
}

fn spawn(command: &mut Command, log: &Path) -> Child {
    let file = File::create(log).unwrap();
    command.stdin(Stdio::null()).stdout(file.try_clone().unwrap()).stderr(file);
    command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"))
}

/// Polls until there is an answer; panics with the server's log when it ends or stays silent.
fn wait_for<T>(child: &mut Child, log: &Path, mut answer: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(answer) = answer() {
            return answer;
        }
        let ended = child.try_wait().unwrap();
        if ended.is_some() || start.elapsed() > START_TIMEOUT {
            let _ = child.kill();
            let text = std::fs::read_to_string(log).unwrap_or_default();
            panic!("the server did not start ({ended:?}); its log:\n{text}");
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// The RESP listener's address from the last line of the log that names one.
fn announced_port(log: &Path) -> Option<SocketAddr> {
    let text = std::fs::read_to_string(log).ok()?;
    let line = text.lines().rev().find(|line| line.to_lowercase().contains("resp") && line.contains("127.0.0.1:"))?;
    let at = line.find("127.0.0.1:")? + "127.0.0.1:".len();
    let digits: String = line[at..].chars().take_while(char::is_ascii_digit).collect();
    let port: u16 = digits.parse().ok()?;
    (port != 0).then(|| SocketAddr::from(([127, 0, 0, 1], port)))
}

/// A port that is free, for servers that cannot pick one themselves: of those below what the system gives to others, and none
/// twice in a row.
pub(crate) fn free_address() -> SocketAddr {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    loop {
        let number = NEXT.fetch_add(1, Ordering::Relaxed).wrapping_add(std::process::id().wrapping_mul(997));
        let address = SocketAddr::from(([127, 0, 0, 1], 12_000 + (number % 20_000) as u16));
        if TcpListener::bind(address).is_ok() {
            return address;
        }
    }
}
