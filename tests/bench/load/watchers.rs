//! Watchers of one key of etcd's API that only count what they are told. Etcd's own generator decodes each event, for
//! each watcher anew, which takes a client more than it takes the server: with the processors shared it gives out first.
//! Here a frame is walked from field to field, so what is measured is the server.

use std::io::{BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::Barrier;
use std::time::{Duration, Instant};

// RFC 9113: the kinds of frames, and their flags.
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;
const ACK: u8 = 1;
const END_HEADERS: u8 = 4;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// What may be sent before the other side allows more.
const WINDOW: usize = 65_535;
const WINDOW_MAX: u32 = (1 << 31) - 1;
/// Answers allow as much again.
const ALLOWANCE: u32 = 1 << 30;
/// Without an event for so long a watcher has missed one.
const PATIENCE: Duration = Duration::from_secs(60);

/// Prints `ready` once all watch; then, when each watcher was told of so many events, how many that were in all and the
/// seconds between the first and the last.
pub(crate) fn watchers(port: u64, connections: u64, each: u64, events: u64, key: &str) {
    let key: Vec<u8> = (0..key.len()).step_by(2).map(|at| u8::from_str_radix(&key[at..at + 2], 16).unwrap()).collect();
    let ready = Barrier::new(connections as usize + 1);
    let spans: Vec<(Instant, Instant)> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..connections)
            .map(|_| {
                scope.spawn(|| {
                    let mut watches = Watches::open(port, each, &key);
                    while watches.created < each {
                        watches.take_frame();
                    }
                    ready.wait();
                    watches.count(each * events)
                })
            })
            .collect();
        ready.wait();
        println!("ready");
        std::io::stdout().flush().unwrap();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let first = spans.iter().map(|span| span.0).min().unwrap();
    let last = spans.iter().map(|span| span.1).max().unwrap();
    println!("{} {:.6}", connections * each * events, (last - first).as_secs_f64());
}

/// One stream of a connection with its watches.
struct Watches {
    reader: BufReader<TcpStream>,
    /// Of an answer that has not come as a whole.
    body: Vec<u8>,
    frame: Vec<u8>,
    /// Bytes until the server is allowed more.
    allowance: u32,
    created: u64,
    events: u64,
}

impl Watches {
    fn open(port: u64, each: u64, key: &[u8]) -> Watches {
        let mut stream = super::connect(port);
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut bytes = PREFACE.to_vec();
        // SETTINGS_INITIAL_WINDOW_SIZE.
        let window = [&[0, 4][..], &WINDOW_MAX.to_be_bytes()].concat();
        frame(&mut bytes, SETTINGS, 0, 0, &window);
        frame(&mut bytes, WINDOW_UPDATE, 0, 0, &(WINDOW_MAX - WINDOW as u32).to_be_bytes());
        frame(&mut bytes, HEADERS, END_HEADERS, 1, &headers("/etcdserverpb.Watch/Watch"));
        // WatchRequest { create_request: WatchCreateRequest { key } }
        let create = field(1, &field(1, key));
        let mut request = vec![0];
        request.extend_from_slice(&(create.len() as u32).to_be_bytes());
        request.extend_from_slice(&create);
        let requests = request.repeat(each as usize);
        assert!(requests.len() <= WINDOW, "so many watches of one connection need more than the first window");
        for part in requests.chunks(1 << 14) {
            frame(&mut bytes, DATA, 0, 1, part);
        }
        stream.write_all(&bytes).unwrap();
        let reader = BufReader::with_capacity(1 << 18, stream);
        Watches { reader, body: Vec::new(), frame: Vec::new(), allowance: ALLOWANCE, created: 0, events: 0 }
    }

    /// Takes what comes until so many events have been told; when the first and the last came.
    fn count(&mut self, events: u64) -> (Instant, Instant) {
        while self.events == 0 {
            self.take_frame();
        }
        let first = Instant::now();
        while self.events < events {
            self.take_frame();
        }
        assert_eq!(self.events, events, "told of more events than there were");
        (first, Instant::now())
    }

    fn take_frame(&mut self) {
        let mut head = [0; 9];
        self.reader.read_exact(&mut head).unwrap();
        let size = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let mut payload = std::mem::take(&mut self.frame);
        payload.resize(size as usize, 0);
        self.reader.read_exact(&mut payload).unwrap();
        match (head[3], head[4] & ACK != 0) {
            (DATA, _) => {
                self.take_data(&payload);
                self.allow(size);
            }
            (SETTINGS, false) => self.send(SETTINGS, 0, &[]),
            (PING, false) => self.send(PING, 0, &payload),
            (GOAWAY, _) | (HEADERS, true) => panic!("the server ended a watch: {}", payload.escape_ascii()),
            _ => {}
        }
        self.frame = payload;
    }

    /// Answers a frame of the connection.
    fn send(&mut self, kind: u8, stream: u32, payload: &[u8]) {
        let mut bytes = Vec::new();
        frame(&mut bytes, kind, if kind == WINDOW_UPDATE { 0 } else { ACK }, stream, payload);
        self.reader.get_mut().write_all(&bytes).unwrap();
    }

    fn allow(&mut self, size: u32) {
        self.allowance = self.allowance.saturating_sub(size);
        if self.allowance == 0 {
            self.allowance = ALLOWANCE;
            for stream in [0, 1] {
                self.send(WINDOW_UPDATE, stream, &ALLOWANCE.to_be_bytes());
            }
        }
    }

    fn take_data(&mut self, payload: &[u8]) {
        let mut body = std::mem::take(&mut self.body);
        body.extend_from_slice(payload);
        let mut rest = &body[..];
        while let Some((head, after)) = rest.split_first_chunk::<5>() {
            let size = u32::from_be_bytes([head[1], head[2], head[3], head[4]]) as usize;
            let Some((message, after)) = after.split_at_checked(size) else { break };
            self.take_answer(message);
            rest = after;
        }
        let taken = body.len() - rest.len();
        body.drain(..taken);
        self.body = body;
    }

    /// WatchResponse: created is 3, canceled 4, each event 11.
    fn take_answer(&mut self, mut message: &[u8]) {
        while !message.is_empty() {
            let tag = number(&mut message);
            let value = number(&mut message);
            match (tag >> 3, tag & 7) {
                (3, 0) => self.created += value,
                (4, 0) => panic!("the server cancelled a watch"),
                (at, 2) => {
                    self.events += u64::from(at == 11);
                    message = &message[value as usize..];
                }
                (_, kind) => assert_eq!(kind, 0, "a field of a kind that the message does not have"),
            }
        }
    }
}

fn frame(bytes: &mut Vec<u8>, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
    bytes.extend_from_slice(&(payload.len() as u32).to_be_bytes()[1..]);
    bytes.extend_from_slice(&[kind, flags]);
    bytes.extend_from_slice(&stream.to_be_bytes());
    bytes.extend_from_slice(payload);
}

/// Literals without indexing, so that no compression state is needed; the names are of RFC 7541's static table.
fn headers(path: &str) -> Vec<u8> {
    // :method POST, :scheme http.
    let mut block = vec![0x83, 0x86];
    let mut literal = |name: &[u8], value: &str| {
        block.extend_from_slice(name);
        block.push(value.len() as u8);
        block.extend_from_slice(value.as_bytes());
    };
    literal(b"\x04", path);
    literal(b"\x01", "127.0.0.1");
    literal(b"\x0f\x10", "application/grpc");
    literal(b"\x00\x02te", "trailers");
    block
}

/// A field of a message that has bytes, fewer than 128.
fn field(at: u8, value: &[u8]) -> Vec<u8> {
    [&[at << 3 | 2, value.len() as u8], value].concat()
}

/// The varint at the beginning, which is taken away.
fn number(bytes: &mut &[u8]) -> u64 {
    let (mut value, mut shift) = (0, 0);
    loop {
        let (byte, rest) = bytes.split_first().unwrap();
        *bytes = rest;
        value |= u64::from(byte & 127) << shift;
        shift += 7;
        if *byte < 128 {
            return value;
        }
    }
}
