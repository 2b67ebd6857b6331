//! One client of the kill loop: what it writes follows from (client, round, number of the write), so that the state
//! after any number of writes can be computed again and compared with what a restarted server holds.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use crate::random::Random;
use crate::server::Server;
use crate::wire::{Reply, Wire, request, show};

/// Keys of each client, apart from its counter.
const KEYS: usize = 8;

type Words = Vec<Vec<u8>>;

/// A key's value, and whether it has a time to live.
type State = BTreeMap<Vec<u8>, (Vec<u8>, bool)>;

/// A client that lives through all rounds.
pub(super) struct Client {
    number: usize,
    /// Requests sent before their replies are read.
    depth: u64,
    /// Writes that a restart has shown to be kept, and the state after them.
    base: u64,
    state: State,
    /// The round of the writes after `base`.
    round: u64,
    acknowledged: u64,
    sent: u64,
}

impl Client {
    pub(super) fn new(number: usize, depth: u64) -> Client {
        Client { number, depth, base: 0, state: State::new(), round: 0, acknowledged: 0, sent: 0 }
    }

    /// Writes that restarts have confirmed so far.
    pub(super) fn confirmed(&self) -> u64 {
        self.base
    }

    /// Writes until the server is gone.
    pub(super) fn write_until_killed(&mut self, address: SocketAddr, round: u64) {
        self.round = round;
        let mut wire = Wire::connect(address).unwrap();
        loop {
            let numbers = self.sent..self.sent + self.depth;
            let bytes: Vec<u8> = numbers.clone().flat_map(|number| request(&self.write(number))).collect();
            self.sent = numbers.end;
            if wire.send(&bytes).is_err() {
                return;
            }
            for number in numbers {
                let Ok(reply) = wire.reply() else { return };
                assert!(
                    !reply.starts_with(b"-"),
                    "{} was refused: {}",
                    show(&self.write(number).join(&b' ')),
                    show(&reply)
                );
                self.acknowledged = number + 1;
            }
        }
    }

    /// Finds the number of writes that the server holds, and goes on from there.
    pub(super) fn verify(&mut self, server: &Server, acknowledged_must_be_there: bool) -> Result<(), String> {
        let found = self.read(server);
        let least = if acknowledged_must_be_there { self.acknowledged } else { self.base };
        let mut state = self.state.clone();
        for number in self.base..=self.sent {
            if number >= least && state == found {
                (self.base, self.acknowledged, self.sent, self.state) = (number, number, number, state);
                return Ok(());
            }
            if number < self.sent {
                apply(&mut state, &self.write(number));
            }
        }
        Err(self.explain(&found))
    }

    fn explain(&self, found: &State) -> String {
        let mut state = self.state.clone();
        for number in self.base..self.acknowledged {
            apply(&mut state, &self.write(number));
        }
        let mut text = format!(
            "client {} (pipeline {}) had {} writes before, {} acknowledged, {} sent; no number of them gives what is there.\n",
            self.number, self.depth, self.base, self.acknowledged, self.sent
        );
        for key in self.keys() {
            let shown = |state: &State| {
                state.get(&key).map_or("nothing".to_owned(), |(value, ttl)| {
                    format!("{} ttl={ttl}", show(&value[..value.len().min(40)]))
                })
            };
            text += &format!("  {}: there {}, acknowledged {}\n", show(&key), shown(found), shown(&state));
        }
        text
    }

    fn read(&self, server: &Server) -> State {
        let mut wire = server.connect();
        let mut found = State::new();
        for key in self.keys() {
            let Reply::Bulk(value) = wire.call(&[b"GET", &key]).unwrap() else { continue };
            let Reply::Integer(ttl) = wire.call(&[b"PTTL", &key]).unwrap() else { panic!("PTTL gives a number") };
            found.insert(key, (value, ttl > 0));
        }
        found
    }

    fn keys(&self) -> Vec<Vec<u8>> {
        let mut keys: Vec<Vec<u8>> = (0..KEYS).map(|key| self.key(key)).collect();
        keys.push(self.counter());
        keys
    }

    fn key(&self, key: usize) -> Vec<u8> {
        format!("client{}:key{key}", self.number).into_bytes()
    }

    fn counter(&self) -> Vec<u8> {
        format!("client{}:counter", self.number).into_bytes()
    }

    /// The write of this number in the current round.
    fn write(&self, number: u64) -> Words {
        let seed = (self.number as u64) << 56 | self.round << 40 | number;
        let random = &mut Random::new(seed);
        let key = self.key(random.below(KEYS));
        match random.below(16) {
            0 => vec![b"DEL".to_vec(), key],
            1..=3 => vec![b"INCR".to_vec(), self.counter()],
            4 => vec![b"APPEND".to_vec(), key, format!("+{number}").into_bytes()],
            5 => vec![b"SET".to_vec(), key, self.value(random, number), b"PX".to_vec(), b"100000000".to_vec()],
            6 => vec![b"PERSIST".to_vec(), key],
            7 | 8 => {
                let mut words = vec![b"MSET".to_vec()];
                for at in 0..KEYS / 2 {
                    words.extend([self.key(2 * at), self.value(random, number)]);
                }
                words
            }
            _ => vec![b"SET".to_vec(), key, self.value(random, number)],
        }
    }

    fn value(&self, random: &mut Random, number: u64) -> Vec<u8> {
        let mut value = format!("client{} round{} write{number} ", self.number, self.round).into_bytes();
        let length = match random.below(200) {
            0 => 100_000,
            1..=6 => 4000,
            _ => random.below(150),
        };
        value.resize(value.len() + length, b'.');
        value
    }
}

/// What a write of [`Client::write`] does.
fn apply(state: &mut State, words: &Words) {
    let key = &words[1];
    match words[0].as_slice() {
        b"DEL" => {
            state.remove(key);
        }
        b"INCR" => {
            let (value, ttl) = state.remove(key).unwrap_or((b"0".to_vec(), false));
            let number: u64 = String::from_utf8(value).unwrap().parse().unwrap();
            state.insert(key.clone(), ((number + 1).to_string().into_bytes(), ttl));
        }
        b"APPEND" => state.entry(key.clone()).or_default().0.extend_from_slice(&words[2]),
        b"PERSIST" => {
            if let Some((_, ttl)) = state.get_mut(key) {
                *ttl = false;
            }
        }
        b"MSET" => {
            for pair in words[1..].chunks(2) {
                state.insert(pair[0].clone(), (pair[1].clone(), false));
            }
        }
        b"SET" => {
            state.insert(key.clone(), (words[2].clone(), words.len() > 3));
        }
        other => panic!("no such write: {}", show(other)),
    }
}
