//! Clients that wait for elements of lists or members of sorted sets, beside redis-server: several connections, one step at a time. After each step
//! the same clients must wait on both servers, and those that wait no more must have got the same replies.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::random::Random;
use crate::server::Server;
use crate::wait::until;
use crate::wire::{Reply, Wire, request, show};

/// Connections of a scene.
const CLIENTS: usize = 7;

/// What happens in a scene.
#[derive(Debug, Clone)]
pub(super) enum Step {
    /// A client that does not wait sends requests at once.
    Send(usize, Vec<String>),
    /// A client goes, and another comes in its place.
    Leave(usize),
}

/// One server with its clients.
struct Stage {
    server_address: std::net::SocketAddr,
    watcher: Wire,
    clients: Vec<(Wire, i64)>,
    /// Replies that a client has to get yet.
    owed: Vec<usize>,
}

impl Stage {
    fn new(server: &Server) -> Stage {
        let mut watcher = server.connect();
        watcher.call(&[b"FLUSHALL"]).unwrap();
        let mut stage = Stage { server_address: server.address, watcher, clients: Vec::new(), owed: vec![0; CLIENTS] };
        for number in 0..CLIENTS {
            let client = stage.open(number);
            stage.clients.push(client);
        }
        stage
    }

    fn open(&self, number: usize) -> (Wire, i64) {
        let mut wire = Wire::connect(self.server_address).unwrap();
        if number % 3 == 1 {
            wire.call(&[b"HELLO", b"3"]).unwrap();
        }
        let Reply::Integer(id) = wire.call(&[b"CLIENT", b"ID"]).unwrap() else { panic!("no client id") };
        (wire, id)
    }

    fn send(&mut self, client: usize, requests: &[String]) {
        let ids: Vec<i64> = self.clients.iter().map(|(_, id)| *id).collect();
        let mut bytes = Vec::new();
        for line in requests {
            // `@3` is the id of a client.
            let words: Vec<String> = line
                .split(' ')
                .map(|word| match word.strip_prefix('@') {
                    Some(number) => ids[number.parse::<usize>().unwrap()].to_string(),
                    None => word.to_owned(),
                })
                .collect();
            bytes.extend(request(&words));
        }
        self.clients[client].0.send(&bytes).unwrap();
        self.owed[client] += requests.len();
    }

    fn leave(&mut self, client: usize) {
        let fresh = self.open(client);
        drop(std::mem::replace(&mut self.clients[client], fresh));
        self.owed[client] = 0;
        self.settle();
    }

    /// Which clients wait, when those who went are gone.
    fn settle(&mut self) -> BTreeSet<usize> {
        until("clients to be gone that went", || self.waiting())
    }

    /// Which clients wait on a server that does one thing after the other, once it has done what a client sent.
    fn after(&mut self, sender: usize) -> BTreeSet<usize> {
        until("the request to be answered or to wait", || {
            let answered = self.clients[sender].0.has_replies(self.owed[sender]);
            let waiting = self.waiting()?;
            (answered || waiting.contains(&sender)).then_some(waiting)
        })
    }

    fn waiting(&mut self) -> Option<BTreeSet<usize>> {
        let Reply::Bulk(list) = self.watcher.call(&[b"CLIENT", b"LIST"]).unwrap() else { panic!("no client list") };
        let list = String::from_utf8(list).unwrap();
        let known: Vec<i64> = self.clients.iter().map(|(_, id)| *id).collect();
        let mut waiting = BTreeSet::new();
        for line in list.lines() {
            let field = |name: &str| line.split(' ').find_map(|field| field.strip_prefix(name)).unwrap_or_default();
            let id: i64 = field("id=").parse().unwrap();
            let blocked = field("flags=").contains('b');
            match known.iter().position(|known| *known == id) {
                Some(client) if blocked => drop(waiting.insert(client)),
                // Somebody who went is still there.
                None if blocked => return None,
                _ => {}
            }
        }
        Some(waiting)
    }

    /// All replies that a client that does not wait has to get.
    fn replies(&mut self, client: usize) -> String {
        let count = std::mem::take(&mut self.owed[client]);
        (0..count).map(|_| show(&self.clients[client].0.reply().unwrap())).collect()
    }
}

/// Plays a scene on both servers; what was different, if anything.
pub(super) fn play(peer: &Server, ours: &Server, steps: &[Step]) -> Option<String> {
    let (mut peer, mut ours) = (Stage::new(peer), Stage::new(ours));
    let mut told = String::new();
    for step in steps {
        let _ = writeln!(told, "  {step:?}");
        match step {
            Step::Send(client, requests) => {
                if peer.owed[*client] > 0 {
                    continue;
                }
                peer.send(*client, requests);
                ours.send(*client, requests);
            }
            Step::Leave(client) => {
                peer.leave(*client);
                ours.leave(*client);
            }
        }
        let sender = match step {
            Step::Send(client, _) | Step::Leave(client) => *client,
        };
        let waiting = peer.after(sender);
        let own = until_equal(&mut ours, &waiting);
        if own != waiting {
            return Some(format!("{told}  redis:  {waiting:?} wait\n  ennead: {own:?} wait\n"));
        }
        for client in (0..CLIENTS).filter(|client| !waiting.contains(client)) {
            let (peers, own) = (peer.replies(client), ours.replies(client));
            if peers != own {
                return Some(format!("{told}  client {client}\n  redis:  {peers}\n  ennead: {own}\n"));
            }
        }
    }
    None
}

/// Which clients wait on our server, once they are those of the peer, or after a while.
fn until_equal(ours: &mut Stage, expected: &BTreeSet<usize>) -> BTreeSet<usize> {
    let start = std::time::Instant::now();
    loop {
        let waiting = ours.settle();
        if waiting == *expected || start.elapsed() > crate::wait::TIMEOUT {
            return waiting;
        }
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
}

/// The scene that follows from a seed.
pub(super) fn scene(seed: u64) -> Vec<Step> {
    let mut random = Random::new(seed);
    (0..60).map(|_| step(&mut random)).collect()
}

/// Keys are chosen so that of a client with several keys only one is filled in one go, and none has another type: 7.0
/// looks at the key that was filled only, 7.2 runs the request again.
fn step(random: &mut Random) -> Step {
    let client = random.below(CLIENTS);
    let key = ["a", "b", "c"][random.below(3)];
    let other = ["a", "b", "c", "d", "d"][random.below(5)];
    let end = || ["LEFT", "RIGHT"];
    let (from, to) = (*random.pick(&end()), *random.pick(&end()));
    let elements = ["1", "2 3", "4 5 6"][random.below(3)];
    let (board, members) = (random.pick(&["x", "y"]), random.pick(&["1 m", "2 n 1 o", "3 p 3 q 0 r"]));
    let stream = *random.pick(&["s", "t"]);
    let line = match random.below(42) {
        30 => format!("XREAD BLOCK 0 STREAMS {stream} $"),
        31 => format!("XREAD BLOCK 0 COUNT 1 STREAMS {stream} 0-0"),
        32 => "XREAD BLOCK 0 STREAMS s t $ $".to_owned(),
        33..36 => format!("XADD {stream} 1-* a b"),
        36 => format!("XGROUP CREATE {stream} g $ MKSTREAM"),
        37..39 => format!("XREADGROUP GROUP g ann BLOCK 0 STREAMS {stream} >"),
        39 => format!("XREADGROUP GROUP g bob BLOCK 0 COUNT 1 NOACK STREAMS {stream} >"),
        40 => format!("XTRIM {stream} MAXLEN 1"),
        41 => format!("XREADGROUP GROUP g bob BLOCK 0 STREAMS {stream} 0"),
        22 => format!("BZPOPMIN {board} 0"),
        23 => format!("BZPOPMAX {board} {board} 0"),
        24 => format!("BZMPOP 0 1 {board} MAX COUNT 2"),
        25..28 => format!("ZADD {board} {members}"),
        28 => format!("ZREM {board} m n"),
        29 => format!("ZUNIONSTORE {board} 2 x y"),
        0..3 => format!("BLPOP {key} 0"),
        3 => format!("BRPOP {key} {key} 0"),
        4 => "BRPOP a c 0".to_owned(),
        5 => format!("BLMPOP 0 1 {key} {from} COUNT 2"),
        6..8 => format!("BLMOVE {key} d {from} {to} 0"),
        8 => format!("BRPOPLPUSH {key} {key} 0"),
        9 => format!("BLPOP {other} 0"),
        10..13 => format!("RPUSH {key} {elements}"),
        13 => format!("LPUSH {other} {elements}"),
        14 => "SET d text".to_owned(),
        15 => format!("DEL {other}"),
        16 => format!("LMOVE d {key} {from} {to}"),
        17 => format!("LRANGE {other} 0 -1"),
        18 => format!("CLIENT UNBLOCK @{} {}", random.below(CLIENTS), ["TIMEOUT", "ERROR"][random.below(2)]),
        19 => return Step::Leave(client),
        20 => ["RENAME b a", "RENAME a b", "COPY b a", "COPY c b REPLACE"][random.below(4)].to_owned(),
        _ => {
            let lines = ["MULTI".to_owned(), format!("RPUSH {key} {elements}"), format!("LPOP {key}")];
            let more = [format!("BLPOP none {key} 0"), "BLMOVE none d LEFT LEFT 0".to_owned(), "EXEC".to_owned()];
            return Step::Send(client, lines.into_iter().chain(more).collect());
        }
    };
    Step::Send(client, vec![line])
}
