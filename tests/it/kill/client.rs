//! One client of the kill loop: what it writes follows from (client, round, number of the write), so that the state
//! after any number of writes can be computed again and compared with what a restarted server holds. A transaction is
//! one write of several requests: its state is that of all of them or of none.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::random::Random;
use crate::server::Server;
use crate::wire::{Reply, Wire, request, show};

/// Keys of each client, apart from its counter.
const KEYS: usize = 8;

type Words = Vec<Vec<u8>>;

/// A key's value, and whether it has a time to live.
pub(crate) type State = BTreeMap<Vec<u8>, (Vec<u8>, bool)>;

/// Counts the writes of all clients that are [`Client::counted`].
pub(crate) const TOTAL: &[u8] = b"total";

/// A client that lives through all rounds.
pub(crate) struct Client {
    number: usize,
    /// Writes sent before their replies are read.
    depth: u64,
    /// Whether each write is a transaction that also adds one to [`TOTAL`].
    counted: bool,
    /// Writes that a restart has shown to be kept, and the state after them.
    base: u64,
    state: State,
    /// The round of the writes after `base`.
    round: u64,
    /// Of these two the one is read while the client writes.
    acknowledged: AtomicU64,
    sent: AtomicU64,
}

impl Client {
    pub(crate) fn new(number: usize, depth: u64) -> Client {
        Client {
            number,
            depth,
            counted: false,
            base: 0,
            state: State::new(),
            round: 0,
            acknowledged: AtomicU64::new(0),
            sent: AtomicU64::new(0),
        }
    }

    /// A client whose writes all add one to the same number, so that their common order shows.
    pub(crate) fn counted(number: usize, depth: u64) -> Client {
        Client { counted: true, ..Client::new(number, depth) }
    }

    /// Writes that restarts have confirmed so far.
    pub(crate) fn confirmed(&self) -> u64 {
        self.base
    }

    pub(crate) fn acknowledged(&self) -> u64 {
        self.acknowledged.load(Ordering::SeqCst)
    }

    /// Writes that may have reached the server.
    pub(crate) fn sent(&self) -> u64 {
        self.sent.load(Ordering::SeqCst)
    }

    /// Writes until the server is gone.
    pub(crate) fn write_until_killed(&mut self, address: SocketAddr, round: u64) {
        self.round = round;
        self.write(address, &AtomicBool::new(false));
    }

    /// Writes until the server is gone or `stop` is set.
    pub(crate) fn write(&self, address: SocketAddr, stop: &AtomicBool) {
        let mut wire = Wire::connect(address).unwrap();
        while !stop.load(Ordering::SeqCst) {
            let numbers = self.sent()..self.sent() + self.depth;
            let writes: Vec<Vec<Words>> = numbers.clone().map(|number| self.requests(number)).collect();
            let bytes: Vec<u8> = writes.iter().flatten().flat_map(|words| request(words)).collect();
            self.sent.store(numbers.end, Ordering::SeqCst);
            if wire.send(&bytes).is_err() {
                return;
            }
            for (number, requests) in numbers.zip(&writes) {
                for words in requests {
                    let Ok(reply) = wire.reply() else { return };
                    // EXEC's reply has those of the commands, one a line.
                    let refused = reply.starts_with(b"-") || reply.windows(3).any(|bytes| bytes == b"\r\n-");
                    assert!(!refused, "{} was refused: {}", show(&words.join(&b' ')), show(&reply));
                }
                self.acknowledged.store(number + 1, Ordering::SeqCst);
            }
        }
    }

    /// Finds the number of writes that the server holds, and goes on from there.
    pub(crate) fn verify(&mut self, server: &Server, acknowledged_must_be_there: bool) -> Result<(), String> {
        let least = if acknowledged_must_be_there { self.acknowledged() } else { self.base };
        let (number, state) = self.find(server, least, self.sent())?;
        (self.base, self.state) = (number, state);
        *self.acknowledged.get_mut() = number;
        *self.sent.get_mut() = number;
        Ok(())
    }

    /// The number of writes, `least` to `most`, after which the state is the one that the server holds.
    pub(crate) fn find(&self, server: &Server, least: u64, most: u64) -> Result<(u64, State), String> {
        let found = self.read(server);
        let mut state = self.state.clone();
        for number in self.base..=most {
            if number >= least && state == found {
                return Ok((number, state));
            }
            if number < most {
                self.apply(&mut state, number);
            }
        }
        Err(self.explain(&found, least, most))
    }

    fn explain(&self, found: &State, least: u64, most: u64) -> String {
        let mut state = self.state.clone();
        for number in self.base..least {
            self.apply(&mut state, number);
        }
        let mut text = format!(
            "client {} (pipeline {}) had {} writes before, {least} acknowledged, {most} sent; no number of them gives what is there.\n",
            self.number, self.depth, self.base
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

    /// The requests of the write of this number in the current round.
    fn requests(&self, number: u64) -> Vec<Words> {
        let seed = (self.number as u64) << 56 | self.round << 40 | number;
        let random = &mut Random::new(seed);
        let transaction = self.counted || random.one_in(4);
        if !transaction {
            return vec![self.command(random, number)];
        }
        let mut requests: Vec<Words> = vec![vec![b"MULTI".to_vec()]];
        requests.extend((0..1 + random.below(6)).map(|_| self.command(random, number)));
        if self.counted {
            // The own counter too: a write that changes nothing of its client's would leave open whether it is there.
            requests.push(vec![b"INCR".to_vec(), self.counter()]);
            requests.push(vec![b"INCR".to_vec(), TOTAL.to_vec()]);
        }
        // Now and then one that is given up: nothing of it may ever be there.
        let end = if !self.counted && random.one_in(8) { "DISCARD" } else { "EXEC" };
        requests.push(vec![end.into()]);
        requests
    }

    fn command(&self, random: &mut Random, number: u64) -> Words {
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

    /// What the write of this number does to a state.
    fn apply(&self, state: &mut State, number: u64) {
        let requests = self.requests(number);
        if requests.last().is_some_and(|words| words[0] == b"DISCARD") {
            return;
        }
        for words in requests {
            apply(state, &words);
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

/// What one command of [`Client::command`] does.
fn apply(state: &mut State, words: &Words) {
    let Some(key) = words.get(1).filter(|key| *key != TOTAL) else { return };
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
