//! `kill -9` of the daemon under load, again and again on one data directory, against an oracle of every write.
//!
//! Each client writes keys of its own, so what the server may hold afterwards is known: the state after the client's
//! first n writes, for one n between the last acknowledged write and the last one sent. One n for all its keys: the
//! log keeps the order of a connection, and a write of several keys or a transaction is there whole or not at all. Under
//! `none` n may lie before the last acknowledged write, but never before what an earlier restart has shown.
//!
//! `ENNEAD_KILL_ROUNDS` sets the rounds of each durability, `ENNEAD_KILL_SECONDS` goes on for so long,
//! `ENNEAD_KILL_SEED` replays the choices of a run (not its timing).

pub(crate) mod client;

use std::time::{Duration, Instant};

use crate::random::{Random, setting};
use crate::server::Server;

use client::Client;

/// Rounds of each durability in `make test`.
const ROUNDS: u64 = 25;

/// Small, so that log segments and flushes change within a round.
const SMALL: &[&str] =
    &["--set", "store.memtable_bytes=1mb", "--set", "store.segment_bytes=1mb", "--set", "store.log_retention_bytes=0"];

#[test]
fn kill_under_always_loses_nothing_acknowledged() {
    kill_loop("always");
}

#[test]
fn kill_under_everysec_loses_nothing_acknowledged() {
    kill_loop("everysec");
}

#[test]
fn kill_under_none_keeps_a_prefix() {
    kill_loop("none");
}

fn kill_loop(durability: &str) {
    let rounds = setting("ENNEAD_KILL_ROUNDS").unwrap_or(ROUNDS);
    let seed = setting("ENNEAD_KILL_SEED").unwrap_or_else(|| Random::new(u64::from(std::process::id())).next() >> 32);
    let mut random = Random::new(seed);
    let folder = tempfile::tempdir().unwrap();
    // Two that wait for each reply, two that do not.
    let mut clients: Vec<Client> =
        [1, 1, 16, 100].into_iter().enumerate().map(|(n, depth)| Client::new(n, depth)).collect();
    let time = setting("ENNEAD_KILL_SECONDS").map(Duration::from_secs);
    let start = Instant::now();
    let mut kept = 0;
    let mut round = 0;
    while time.map_or(round < rounds, |time| start.elapsed() < time) {
        if random.one_in(3) {
            // Killed while it starts and recovers: must not matter.
            let delay = Duration::from_millis(random.below(40) as u64);
            Server::stillborn(folder.path(), durability, SMALL, delay);
        }
        let mut server = Server::restartable(folder.path(), durability, SMALL);
        for client in &mut clients {
            if let Err(problem) = client.verify(&server, durability != "none") {
                panic!("durability {durability}, round {round}, ENNEAD_KILL_SEED={seed}: {problem}");
            }
        }
        kept = clients.iter().map(Client::confirmed).sum();
        let load = Duration::from_millis(50 + random.below(400) as u64);
        let address = server.address;
        std::thread::scope(|scope| {
            for client in &mut clients {
                scope.spawn(move || client.write_until_killed(address, round));
            }
            // Not a wait for anything: the moment of the kill is the random choice.
            std::thread::sleep(load);
            server.kill();
        });
        round += 1;
    }
    assert!(kept > 0, "durability {durability}: no write was ever acknowledged and kept");
    eprintln!("durability {durability}: {round} rounds from seed {seed}, {kept} writes verified");
}
