//! The daemon beside a real redis-server: the same bytes go to both, the replies are compared.
//!
//! `ENNEAD_DIFFERENTIAL_SECONDS` runs random sequences longer than the default; `ENNEAD_DIFFERENTIAL_SEED` replays one
//! seed; `ENNEAD_DIFFERENTIAL_KEEP_GOING` collects the differences of the whole run before it fails, and
//! `ENNEAD_DIFFERENTIAL_SKIP=client,config` looks past those of some commands.

mod acl;
mod blocking;
mod conversation;
mod events;
mod generator;
mod golden;
mod info;
mod rule;
mod scripting;
mod sequence;
mod table;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::random::{Random, setting};
use crate::server::Server;

/// How long random sequences run in `make test`.
const SECONDS: u64 = 25;
/// Random conversations of several connections in `make test`.
const CONVERSATIONS: u64 = 100;

#[test]
fn random_sequences_get_the_replies_of_redis() {
    let Some(peer) = Server::redis(&[]) else { return };
    let ours = Server::subject(&[]);
    let replay = setting("ENNEAD_DIFFERENTIAL_SEED");
    let time = Duration::from_secs(setting("ENNEAD_DIFFERENTIAL_SECONDS").unwrap_or(SECONDS));
    let keep_going = setting("ENNEAD_DIFFERENTIAL_KEEP_GOING").is_some();
    let first = replay.unwrap_or_else(|| Random::new(u64::from(std::process::id())).next() >> 32);
    let start = Instant::now();
    let mut found: BTreeMap<String, String> = BTreeMap::new();
    let mut count = 0;
    for seed in first.. {
        let batches = sequence::generate(seed);
        count += 1;
        if let Some(difference) = sequence::run(&peer, &ours, &batches) {
            let (batches, difference) = sequence::shrink(&peer, &ours, batches, difference);
            let text = sequence::describe(&batches, &difference);
            eprintln!("replay with ENNEAD_DIFFERENTIAL_SEED={seed}:\n{text}");
            assert!(keep_going, "the replies differ, seed {seed}:\n{text}");
            found.entry(difference.kind()).or_insert(text);
        }
        if replay.is_some() || start.elapsed() > time {
            break;
        }
    }
    eprintln!("{count} random sequences from seed {first}, {} kinds of differences", found.len());
    assert!(found.is_empty(), "{}", found.into_values().collect::<Vec<_>>().join("\n"));
}

#[test]
fn waiting_clients_are_served_as_by_redis() {
    let Some(peer) = Server::redis(&[]) else { return };
    let ours = Server::subject(&[]);
    let replay = setting("ENNEAD_DIFFERENTIAL_SEED");
    let time = Duration::from_secs(setting("ENNEAD_DIFFERENTIAL_SECONDS").unwrap_or(SECONDS) / 4);
    let first = replay.unwrap_or_else(|| Random::new(u64::from(std::process::id())).next() >> 32);
    let start = Instant::now();
    for seed in first.. {
        if let Some(difference) = blocking::play(&peer, &ours, &blocking::scene(seed)) {
            panic!("replay with ENNEAD_DIFFERENTIAL_SEED={seed}:\n{difference}");
        }
        if replay.is_some() || start.elapsed() > time {
            break;
        }
    }
}

#[test]
fn golden_scripts_get_the_replies_of_redis() {
    let Some(peer) = Server::redis(&[]) else { return };
    let ours = Server::subject(&[]);
    let mut differences = String::new();
    for script in golden::scripts() {
        let peers = golden::play(&peer, &script);
        let own = golden::play(&ours, &script);
        if peers != own {
            differences += &golden::describe(&script, &peers, &own);
        }
    }
    assert!(differences.is_empty(), "{differences}");
}

#[test]
fn conversations_go_as_with_redis() {
    let Some(peer) = Server::redis(&[]) else { return };
    let ours = Server::subject(&[]);
    let differences = conversation::fixed_differences(&peer, &ours);
    assert!(differences.is_empty(), "{differences}");
    let replay = setting("ENNEAD_DIFFERENTIAL_SEED");
    let first = replay.unwrap_or_else(|| Random::new(u64::from(std::process::id())).next() >> 32);
    let count = if replay.is_some() { 1 } else { CONVERSATIONS };
    for seed in first..first + count {
        let difference = conversation::random_difference(&peer, &ours, seed);
        assert!(difference.is_none(), "seed {seed}:\n{}", difference.unwrap_or_default());
    }
}

#[test]
fn events_are_those_of_redis() {
    let Some(peer) = Server::redis(&[]) else { return };
    let ours = Server::subject(&[]);
    let replay = setting("ENNEAD_DIFFERENTIAL_SEED");
    let time = Duration::from_secs(setting("ENNEAD_DIFFERENTIAL_SECONDS").unwrap_or(SECONDS) / 4);
    let first = replay.unwrap_or_else(|| Random::new(u64::from(std::process::id())).next() >> 32);
    let start = Instant::now();
    for seed in first.. {
        let requests = events::requests(seed);
        if events::difference(&peer, &ours, &requests).is_some() {
            let shortest = events::shrink(&peer, &ours, requests);
            let difference = events::difference(&peer, &ours, &shortest).unwrap_or_default();
            panic!("replay with ENNEAD_DIFFERENTIAL_SEED={seed}:\n{difference}");
        }
        if replay.is_some() || start.elapsed() > time {
            break;
        }
    }
}

#[test]
fn command_table_is_that_of_redis() {
    let Some(peer) = Server::redis(&[]) else { return };
    let ours = Server::subject(&[]);
    let differences = table::differences(&peer, &ours);
    assert!(differences.is_empty(), "{differences}");
}

#[test]
fn users_are_allowed_what_redis_allows() {
    let Some(peer) = Server::redis(&[]) else { return };
    acl::compare(&peer, &Server::subject(&[]), setting("ENNEAD_DIFFERENTIAL_SEED"));
}

#[test]
fn categories_have_the_commands_of_redis() {
    let Some(peer) = Server::redis(&[]) else { return };
    let differences = acl::categories(&peer, &Server::subject(&[]));
    assert!(differences.is_empty(), "{differences}");
}

#[test]
fn info_has_what_tools_read() {
    if let Some(peer) = Server::redis(&[]) {
        assert_eq!(info::missing(&peer), Vec::<String>::new(), "redis-server itself");
    }
    assert_eq!(info::missing(&Server::subject(&[])), Vec::<String>::new());
}
