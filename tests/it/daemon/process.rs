//! The daemon as a process with all its listeners, and its commands that end by themselves.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::wait::TIMEOUT;
use crate::wire::Wire;

/// A running daemon with all three listeners, on ports that the system picked.
pub(crate) struct Daemon {
    pub(crate) child: Child,
    pub(crate) folder: TempDir,
}

pub(crate) fn ennead() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ennead"));
    // What the developer's shell says must not reach the tests.
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("ENNEAD_")) {
        command.env_remove(name);
    }
    command.stdin(Stdio::null());
    command
}

impl Daemon {
    pub(crate) fn start(flags: &[&str]) -> Daemon {
        Daemon::start_in(tempfile::tempdir().unwrap(), flags)
    }

    pub(crate) fn start_in(folder: TempDir, flags: &[&str]) -> Daemon {
        Daemon::start_with(folder, flags, |_| {})
    }

    pub(crate) fn start_with(folder: TempDir, flags: &[&str], prepare: impl FnOnce(&mut Command)) -> Daemon {
        let mut command = ennead();
        prepare(&mut command);
        Daemon::start_as(command, folder, flags)
    }

    /// Starts it by a command that takes the arguments of `ennead` and becomes the daemon.
    pub(crate) fn start_as(mut command: Command, folder: TempDir, flags: &[&str]) -> Daemon {
        let log = std::fs::File::create(folder.path().join("log")).unwrap();
        command.args(["serve", "--resp", "127.0.0.1:0", "--http", "127.0.0.1:0", "--grpc", "127.0.0.1:0", "--data"]);
        command.arg(folder.path().join("data")).args(flags).stdout(log.try_clone().unwrap()).stderr(log);
        let child = command.spawn().unwrap();
        let mut daemon = Daemon { child, folder };
        daemon.wait_for("  gRPC  ");
        daemon
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap()
    }

    pub(crate) fn wait_for(&mut self, text: &str) {
        let start = Instant::now();
        while !self.log().contains(text) {
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none() && start.elapsed() < TIMEOUT, "{ended:?}, no {text:?} in:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// Where a listener listens, from its log line.
    pub(crate) fn address(&self, protocol: &str) -> SocketAddr {
        let log = self.log();
        let wanted = format!("listening protocol=\"{protocol}\" address=");
        let line =
            log.lines().find(|line| line.contains(&wanted)).unwrap_or_else(|| panic!("no {protocol} in:\n{log}"));
        let rest = &line[line.find(&wanted).unwrap() + wanted.len()..];
        rest.split(' ').next().unwrap().parse().unwrap()
    }

    pub(crate) fn wire(&self) -> Wire {
        Wire::connect(self.address("resp")).unwrap()
    }

    pub(crate) fn http(&self, request: &str) -> (u16, String) {
        http(self.address("http"), request)
    }

    pub(crate) fn signal(&self, name: &str) {
        let status = Command::new("kill").args([&format!("-{name}"), &self.child.id().to_string()]).status().unwrap();
        assert!(status.success());
    }

    pub(crate) fn wait(&mut self) -> ExitStatus {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(start.elapsed() < TIMEOUT, "the daemon does not end; its log:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// Starts again on the same data.
    pub(crate) fn restart(mut self) -> Daemon {
        let folder = std::mem::replace(&mut self.folder, tempfile::tempdir().unwrap());
        drop(self);
        Daemon::start_in(folder, &[])
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // It may be dead already, which is all that is wanted here.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Status and body of a request given as its first line and further headers.
pub(crate) fn http(address: SocketAddr, request: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(TIMEOUT)).unwrap();
    write!(stream, "{request}\r\nHost: test\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer but {answer:?}"));
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

/// Runs a command that must end by itself.
pub(crate) fn output(arguments: &[&str]) -> Output {
    let mut child = ennead().args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let start = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if start.elapsed() > TIMEOUT {
            let _ = child.kill();
            panic!("{arguments:?} does not end");
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    child.wait_with_output().unwrap()
}

/// The one line of a start that is refused, after log lines, with exit code 1.
pub(crate) fn refusal(arguments: &[&str]) -> String {
    let output = output(arguments);
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{arguments:?}: {text}");
    let mut lines = text.lines().filter(|line| line.starts_with("ennead: "));
    let line = lines.next().unwrap_or_else(|| panic!("{arguments:?}: no message in {text:?}")).to_owned();
    assert_eq!(lines.next(), None, "{text}");
    assert_eq!(text.lines().last(), Some(line.as_str()), "{text}");
    line
}

pub(crate) fn folder_of(path: &Path, name: &str) -> (PathBuf, String) {
    let path = path.join(name);
    let text = path.display().to_string();
    (path, text)
}
