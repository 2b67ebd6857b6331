//! etcdctl, every subcommand that talks to a server, against the daemon and against etcd: what it prints and how it ends
//! must be the same.

mod scripts;

use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;

use super::keeper::{Keeper, Kind, comparable_etcd_program, etcd_program};
use crate::wait::{TIMEOUT, until};

/// A fresh server and etcdctl on it.
struct Shell {
    keeper: Keeper,
    program: PathBuf,
    folder: tempfile::TempDir,
    /// The lease that was granted last, for the lines after.
    lease: String,
}

#[test]
fn etcdctl_prints_what_it_prints_with_etcd() {
    let Some(program) = comparable_etcd_program("etcdctl") else { return };
    let mut differences = String::new();
    for (title, lines) in scripts::SCRIPTS {
        let run = |kind| Shell::start(kind, &program).map(|mut shell| shell.run(lines));
        let (peer, ours) = std::thread::scope(|scope| {
            let peer = scope.spawn(|| run(Kind::Etcd));
            let ours = run(Kind::subject());
            (peer.join().unwrap(), ours)
        });
        let (Some(peer), Some(ours)) = (peer, ours) else { return };
        for (line, (peer, ours)) in lines.iter().zip(peer.iter().zip(&ours)) {
            if peer != ours && !scripts::KNOWN_TO_DIFFER.contains(line) {
                differences += &format!("{title}: etcdctl {line}\n  etcd:\n{peer}\n  ennead:\n{ours}\n");
            }
        }
    }
    assert!(differences.is_empty(), "{differences}");
}

#[test]
fn etcdctl_mirrors_to_and_from_etcd() {
    let Some(program) = etcd_program("etcdctl") else { return };
    for (from, to) in [(Kind::subject(), Kind::Etcd), (Kind::Etcd, Kind::subject())] {
        let (Some(mut from), Some(to)) = (Shell::start(from, &program), Shell::start(to, &program)) else { return };
        from.run(&["put m/a 1", "put m/b 2", "put n/c 3"]);
        let mut mirror = from.spawn(&["make-mirror", "--prefix", "m/", &to.keeper.address.to_string()]);
        let copy = |wanted: &str| (to.now("get --prefix m/") == wanted).then_some(());
        until("the keys that were there", || copy("m/a\n1\nm/b\n2\n"));
        from.run(&["put m/c 3", "del m/a", "put other 1"]);
        until("the changes since", || copy("m/b\n2\nm/c\n3\n"));
        mirror.kill().unwrap();
        mirror.wait().unwrap();
    }
}

impl Shell {
    fn start(kind: Kind, program: &Path) -> Option<Shell> {
        let keeper = Keeper::start(kind)?;
        let folder = tempfile::tempdir().unwrap();
        let shell = Shell { keeper, program: program.to_owned(), folder, lease: String::new() };
        until("the server to answer", || shell.now("get probe").is_empty().then_some(()));
        Some(shell)
    }

    /// What each line gave: its output, errors included, and whether it succeeded.
    fn run(&mut self, lines: &[&str]) -> Vec<String> {
        lines.iter().map(|line| self.line(line)).collect()
    }

    /// A line is words, quoted as by a shell, then perhaps `<` and what it reads. With a number and `&` before it, it goes on
    /// by itself, is ended after so many lines, and what it printed until then counts.
    fn line(&mut self, line: &str) -> String {
        let (count, line) = match line.split_once("& ") {
            Some((count, line)) if count.parse::<usize>().is_ok() => (count.parse().ok(), line),
            _ => (None, line),
        };
        let (line, input) = line.split_once(" < ").unwrap_or((line, ""));
        let line = line.replace("LEASE", &self.lease).replace("FOLDER", &self.folder.path().display().to_string());
        let words = words(&line);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let text = match count {
            Some(count) => self.first_lines(&words, count),
            None => self.whole(&words, input),
        };
        if line.starts_with("lease grant")
            && let Some(id) = text.split_whitespace().nth(1)
        {
            self.lease = id.to_owned();
        }
        self.generalised(&text)
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(["--endpoints", &self.keeper.address.to_string(), "--command-timeout", "10s"]).args(words);
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn spawn(&self, words: &[&str]) -> Child {
        self.command(words).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }

    /// What a line prints on standard output.
    fn now(&self, line: &str) -> String {
        let words = words(line);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        String::from_utf8_lossy(&self.command(&words).output().unwrap().stdout).into_owned()
    }

    fn whole(&self, words: &[&str], input: &str) -> String {
        let mut child = self.command(words).stdin(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        // It may end without reading.
        let _ = stdin.write_all(input.replace(';', "\n").as_bytes());
        drop(stdin);
        let output = child.wait_with_output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
        format!("{text}{:?}", output.status.code())
    }

    fn first_lines(&self, words: &[&str], count: usize) -> String {
        let mut child = self.command(words).stderr(Stdio::null()).spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let (send, lines) = mpsc::channel();
        let reader = std::thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                let _ = send.send(line);
            }
        });
        let got: Vec<String> = (0..count).map_while(|_| lines.recv_timeout(TIMEOUT / 3).ok()).collect();
        // Not killed: it has to give back what it holds.
        let asked = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
        assert!(asked.success());
        child.wait().unwrap();
        reader.join().unwrap();
        got.join("\n")
    }

    /// Without what differs from server to server and from run to run.
    fn generalised(&self, text: &str) -> String {
        let address: &SocketAddr = &self.keeper.address;
        let text = text.replace(&address.to_string(), "ADDRESS");
        // The daemon has no port for other members, and says none.
        let text = text.replace("\"peerURLs\":[\"http://localhost:2380\"],", "");
        let text = text.replace("\"PeerURL\" : \"http://localhost:2380\"\n", "").replace("http://localhost:2380", "");
        let text = text.replace(&self.folder.path().display().to_string(), "FOLDER");
        text.lines().map(line_without_chance).collect::<Vec<_>>().join("\n")
    }
}

fn line_without_chance(line: &str) -> String {
    // etcdctl's own log has the time of day.
    if line.starts_with("{\"level\"") {
        let field = |name| line.split_once(name).map_or("", |(_, rest)| rest.split('"').next().unwrap_or_default());
        return format!("log: {} {}", field("\"msg\":\""), field("\"error\":\""));
    }
    let line = line.split("took").next().unwrap_or_default();
    let line = &lease_without_chance(line);
    let mut out = String::new();
    let mut word = String::new();
    for char in line.chars().chain(['\n']) {
        if char.is_ascii_alphanumeric() {
            word.push(char);
            continue;
        }
        let id = word.len() >= 12 && word.chars().all(|char| char.is_ascii_hexdigit());
        out += if id { "ID" } else { &word };
        word.clear();
        out.push(char);
    }
    out.trim_end().to_owned()
}

/// The time that is left of a lease depends on when it is asked for, and etcd names its keys in any order.
fn lease_without_chance(line: &str) -> String {
    let mut line = line.to_owned();
    for before in ["remaining(", "\"ttl\":"] {
        if let Some((head, tail)) = line.split_once(before) {
            line = format!("{head}{before}{}", tail.trim_start_matches(|char: char| char.is_ascii_digit()));
        }
    }
    if let Some((head, keys)) = line.split_once("attached keys([")
        && let Some(keys) = keys.strip_suffix("])")
    {
        let mut keys: Vec<&str> = keys.split(' ').collect();
        keys.sort_unstable();
        line = format!("{head}attached keys([{}])", keys.join(" "));
    }
    line
}

/// As a shell parts them, with single quotes.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    for (at, part) in line.split('\'').enumerate() {
        if at % 2 == 1 {
            words.last_mut().unwrap().push_str(part);
            // An empty word in quotes is one.
            if part.is_empty() {
                words.last_mut().unwrap().push('\u{0}');
            }
            continue;
        }
        for (at, piece) in part.split(' ').enumerate() {
            if at > 0 {
                words.push(String::new());
            }
            words.last_mut().unwrap().push_str(piece);
        }
    }
    words.retain(|word| !word.is_empty());
    words.iter_mut().for_each(|word| word.retain(|char| char != '\u{0}'));
    words
}
