//! Servers of etcd's API that tests start on new data or on that of a folder: the daemon of this build, and etcd. A server
//! dies with its [`Keeper`].

use std::fs::File;
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;

use tempfile::TempDir;

use crate::daemon::process::ennead;
use crate::server::free_address;
use crate::wait::until;

/// A running server.
pub(crate) struct Keeper {
    pub(crate) address: SocketAddr,
    child: Child,
    /// Goes with the server when nobody else has it.
    _folder: Option<TempDir>,
}

/// Which server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Ennead,
    Etcd,
}

impl Kind {
    /// Flags for tests that start it often: with them etcd need not wait a second to be elected, and the daemon's segments
    /// and memtables are so small that they change within a test.
    pub(crate) fn hasty(self) -> &'static [&'static str] {
        match self {
            Kind::Etcd => &["--heartbeat-interval", "10", "--election-timeout", "100"],
            Kind::Ennead => &[
                "--set",
                "store.memtable_bytes=1mb",
                "--set",
                "store.segment_bytes=1mb",
                "--set",
                "store.log_retention_bytes=0",
            ],
        }
    }

    /// What the tests are about.
    pub(crate) fn subject() -> Kind {
        match std::env::var("ENNEAD_SUBJECT") {
            Ok(name) if name == "etcd" => Kind::Etcd,
            _ => Kind::Ennead,
        }
    }
}

impl Keeper {
    /// On new data. None, said loudly, when it is etcd, which is not here and nothing requires it.
    pub(crate) fn start(kind: Kind) -> Option<Keeper> {
        Keeper::start_with(kind, &[])
    }

    /// The same with further flags of that server.
    pub(crate) fn start_with(kind: Kind, flags: &[&str]) -> Option<Keeper> {
        if kind == Kind::Etcd {
            etcd_program("etcd")?;
        }
        let folder = tempfile::tempdir().unwrap();
        let mut keeper = Keeper::start_in(kind, folder.path(), free_address(), flags);
        keeper._folder = Some(folder);
        Some(keeper)
    }

    /// On new data, with the JSON gateway at its address, which etcd has there beside gRPC.
    pub(crate) fn start_gateway(kind: Kind) -> Option<Keeper> {
        if kind == Kind::Etcd {
            return Keeper::start(kind);
        }
        let folder = tempfile::tempdir().unwrap();
        let address = free_address();
        let command = ennead_command(folder.path(), ["--http", &address.to_string(), "--grpc", "off"]);
        let mut keeper = Keeper::spawn(command, folder.path(), address);
        keeper._folder = Some(folder);
        Some(keeper)
    }

    /// On the data of a folder, at an address, so that clients find it again, with further flags of that server.
    pub(crate) fn start_in(kind: Kind, folder: &Path, address: SocketAddr, flags: &[&str]) -> Keeper {
        let mut command = match kind {
            Kind::Ennead => ennead_command(folder, ["--http", "off", "--grpc", &address.to_string()]),
            Kind::Etcd => etcd_command(folder, address),
        };
        command.args(flags);
        Keeper::spawn(command, folder, address)
    }

    fn spawn(mut command: Command, folder: &Path, address: SocketAddr) -> Keeper {
        let log = folder.join("log");
        let file = File::options().create(true).append(true).open(&log).unwrap();
        command.stdin(Stdio::null()).stdout(file.try_clone().unwrap()).stderr(file);
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        until("the server to listen", || {
            let ended = child.try_wait().unwrap();
            assert!(ended.is_none(), "{command:?} ended: {}", std::fs::read_to_string(&log).unwrap_or_default());
            TcpStream::connect(address).ok()
        });
        Keeper { address, child, _folder: None }
    }

    /// `kill -9`.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        // It may be dead already, which is all that is wanted here.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Where a program of etcd is; None, said loudly, when it is missing. In CI, or with `ENNEAD_REQUIRE_PEERS` set, that fails.
pub(crate) fn etcd_program(name: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("ENNEAD_ETCD");
    let found = folder.map(|folder| Path::new(&folder).join(name)).filter(|file| file.is_file());
    if found.is_none() {
        let required = ["CI", "ENNEAD_REQUIRE_PEERS"].iter().any(|name| std::env::var_os(name).is_some());
        assert!(!required, "ENNEAD_ETCD does not lead to {name}, and this run requires it");
        eprintln!("\n*** NOT TESTED: ENNEAD_ETCD does not lead to {name}, so nothing was compared with it ***\n");
    }
    found
}

/// The same, of the version whose answers are the measure; older ones answer otherwise in places.
pub(crate) fn comparable_etcd_program(name: &str) -> Option<PathBuf> {
    let output = Command::new(etcd_program("etcd")?).arg("--version").output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let version = text.lines().next().unwrap_or_default();
    if !version.contains(" 3.6.") {
        let required = std::env::var_os("ENNEAD_REQUIRE_PEERS").is_some();
        assert!(!required, "{version} is not 3.6, and this run requires it");
        eprintln!("\n*** NOT TESTED: {version} is here, answers are those of 3.6; with Go `make test` builds it ***\n");
        return None;
    }
    etcd_program(name)
}

fn ennead_command(folder: &Path, listeners: [&str; 4]) -> Command {
    let mut command = ennead();
    command.args(["serve", "--resp", "off"]).args(listeners).arg("--data").arg(folder.join("data"));
    command
}

fn etcd_command(folder: &Path, address: SocketAddr) -> Command {
    let url = format!("http://{address}");
    let mut command = Command::new(etcd_program("etcd").expect("a test that wants etcd asks for it first"));
    command.args(["--listen-client-urls", &url, "--advertise-client-urls", &url, "--log-level", "warn"]);
    command.args(["--listen-peer-urls", "http://127.0.0.1:0", "--data-dir"]).arg(folder.join("data"));
    if skips_syncs() {
        command.arg(UNSYNCED);
    }
    command
}

/// What it is killed with leaves the system's caches: its syncs would only make the tests wait for the disk.
const UNSYNCED: &str = "--unsafe-no-fsync";

fn skips_syncs() -> bool {
    static SKIPS: LazyLock<bool> = LazyLock::new(|| {
        let help = etcd_program("etcd").and_then(|program| Command::new(program).arg("--help").output().ok());
        help.is_some_and(|help| {
            [help.stdout, help.stderr].concat().windows(UNSYNCED.len()).any(|text| text == UNSYNCED.as_bytes())
        })
    });
    *SKIPS
}
