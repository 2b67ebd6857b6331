//! Copies that SAVE and BGSAVE make of the daemon under load, restored into new directories.
//!
//! Each write of each client is a transaction that changes keys of the client and adds one to a number that all share.
//! So a restored copy must hold, for each client, the state after its first n writes, and the shared number must be the
//! sum of all n: one moment for all connections, no transaction in parts. And n must lie between what was acknowledged
//! before the copy was asked for and what was sent by the time it was there.

use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::kill::client::{Client, TOTAL};
use crate::server::Server;
use crate::wait;
use crate::wire::{Reply, Wire};

/// Small, so that flushes and new log segments fall into the time of the copies.
const SMALL: &[&str] =
    &["--set", "store.memtable_bytes=1mb", "--set", "store.segment_bytes=1mb", "--set", "store.log_retention_bytes=0"];

/// Writes that every client must get done between one copy and the next.
const WRITES: u64 = 40;

/// A moment of the load, and how to get back to it.
struct Moment {
    name: &'static str,
    arguments: Vec<String>,
    /// Of each client: writes acknowledged before the moment, and sent after it.
    least: Vec<u64>,
    most: Vec<u64>,
}

#[test]
fn copies_made_under_load_are_each_one_moment() {
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| folder.path().join(name).display().to_string();
    let (copies, archive) = (place("copies"), place("archive"));
    let directory = format!("backup.directory={copies}");
    let archives = format!("backup.archive_directory={archive}");
    let mut flags = SMALL.to_vec();
    flags.extend(["--set", &directory, "--set", &archives]);
    let mut server = Server::ennead(folder.path(), &flags);
    let clients: Vec<Client> = [1, 8, 50].into_iter().enumerate().map(|(n, depth)| Client::counted(n, depth)).collect();
    let stop = AtomicBool::new(false);
    let mut moments = std::thread::scope(|scope| {
        for client in &clients {
            scope.spawn(|| client.write(server.address, &stop));
        }
        let moments = take_copies(&server, &clients, &copies);
        // Writes go on beyond every moment.
        let ends: Vec<u64> = clients.iter().map(|client| client.acknowledged() + WRITES).collect();
        wait_for_writes(&clients, &ends);
        stop.store(true, Ordering::SeqCst);
        moments
    });
    server.kill();
    // To the last moment through the log: what was archived, and what the lost directory still has.
    let log = folder.path().join("data/log").display().to_string();
    let last = moments.last_mut().unwrap();
    last.arguments.extend(["--archive".into(), archive, "--archive".into(), log]);
    for moment in &moments {
        let target = folder.path().join(moment.name);
        let held = restored(moment, &target, &clients);
        eprintln!("{}: {held} writes of {} clients restored as one moment", moment.name, clients.len());
    }
}

fn take_copies(server: &Server, clients: &[Client], copies: &str) -> Vec<Moment> {
    let mut wire = server.connect();
    let mut moments: Vec<Moment> = Vec::new();
    let acknowledged = || clients.iter().map(Client::acknowledged).collect::<Vec<_>>();
    let sent = || clients.iter().map(Client::sent).collect::<Vec<_>>();
    for (number, name) in ["BGSAVE", "SAVE"].into_iter().enumerate() {
        let ends: Vec<u64> = acknowledged().iter().map(|count| count + WRITES).collect();
        wait_for_writes(clients, &ends);
        let least = acknowledged();
        let reply = wire.call(&[name.as_bytes()]).unwrap();
        assert!(matches!(reply, Reply::Simple(_)), "{name}: {reply:?}");
        wait::until("the end of the copy", || (info(&mut wire, "rdb_bgsave_in_progress") == "0").then_some(()));
        assert_eq!(info(&mut wire, "rdb_last_bgsave_status"), "ok");
        let mut found: Vec<String> = Vec::new();
        for entry in std::fs::read_dir(copies).unwrap() {
            let path = entry.unwrap().path().display().to_string();
            if !moments.iter().any(|moment| moment.arguments[0] == path) {
                found.push(path);
            }
        }
        assert_eq!(found.len(), 1, "copies new after {name}, number {number}");
        moments.push(Moment { name, arguments: found, least, most: sent() });
    }
    let ends: Vec<u64> = acknowledged().iter().map(|count| count + WRITES).collect();
    wait_for_writes(clients, &ends);
    let least = acknowledged();
    let sequence = info(&mut wire, "store_committed_sequence");
    let arguments = vec![moments[0].arguments[0].clone(), "--until-batch".into(), sequence];
    moments.push(Moment { name: "point-in-time", arguments, least, most: sent() });
    moments
}

fn wait_for_writes(clients: &[Client], ends: &[u64]) {
    wait::until("writes of all clients", || {
        clients.iter().zip(ends).all(|(client, end)| client.acknowledged() >= *end).then_some(())
    });
}

/// Restores a copy, starts the daemon on it and compares. Gives the writes it holds.
fn restored(moment: &Moment, target: &Path, clients: &[Client]) -> u64 {
    std::fs::create_dir(target).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_ennead"));
    command.arg("restore").args(&moment.arguments).arg("--data").arg(target.join("data"));
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}: {}", moment.name, String::from_utf8_lossy(&output.stderr));
    let server = Server::ennead(target, SMALL);
    let mut wire = server.connect();
    let (mut sum, mut keys) = (0, 1);
    for (number, client) in clients.iter().enumerate() {
        let (writes, state) = client
            .find(&server, moment.least[number], moment.most[number])
            .unwrap_or_else(|problem| panic!("{}: {problem}", moment.name));
        sum += writes;
        keys += state.len() as i64;
    }
    let Reply::Bulk(total) = wire.call(&[b"GET", TOTAL]).unwrap() else { panic!("{}: no total", moment.name) };
    assert_eq!(
        String::from_utf8(total).unwrap(),
        sum.to_string(),
        "{}: the clients' writes and their sum",
        moment.name
    );
    assert_eq!(wire.call(&[b"DBSIZE"]).unwrap(), Reply::Integer(keys), "{}", moment.name);
    sum
}

/// A field of INFO.
fn info(wire: &mut Wire, field: &str) -> String {
    let Reply::Bulk(text) = wire.call(&[b"INFO", b"everything"]).unwrap() else { panic!("INFO gives a text") };
    let text = String::from_utf8(text).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
    line.unwrap_or_else(|| panic!("no {field} in:\n{text}")).to_owned()
}
