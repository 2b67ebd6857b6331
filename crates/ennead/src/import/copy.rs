//! A snapshot goes to the target: a RESTORE for each key, and plain commands for what is too large for one.

use std::io::Read;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::{SystemTime, UNIX_EPOCH};

use ennead_engine::snapshot_file::{Collection, DatedField, Key, Limits, Part, Piece, Reader, Value};

use super::report::Report;
use super::target::Target;
use crate::meter::{Meter, bar};

/// So that neither side holds much more at a time, and the target is not busy for long with one request.
const LIMITS: Limits = Limits { whole_bytes_max: 8 << 20, piece_bytes: 256 << 10 };
/// Words of a command for pieces.
const WORDS_MAX: usize = 512;
/// Keys between two looks at the progress.
const PROGRESS_KEYS: u64 = 64;

/// How a copy ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Copied {
    Whole(Facts),
    Stopped,
    /// The source is to blame; one line.
    Failed(String),
}

/// What a snapshot says about the stream behind it, and its length in bytes.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Facts {
    /// The database that is selected in the stream.
    pub(super) stream_db: Option<u64>,
    pub(super) bytes: u64,
}

pub(super) struct Copy<'a> {
    pub(super) target: &'a mut Target,
    /// The only database to copy.
    pub(super) only: Option<u64>,
    pub(super) report: &'a mut Report,
    pub(super) meter: &'a mut Meter,
    pub(super) stop: &'a AtomicBool,
    /// Bytes of the snapshot, 0 for not known.
    pub(super) total: u64,
}

/// A key whose pieces are on their way.
struct Open {
    name: Vec<u8>,
    deadline: Option<u64>,
    wanted: bool,
}

impl Copy<'_> {
    /// # Errors
    /// One line: the target is to blame.
    pub(super) fn run(mut self, input: impl Read) -> Result<Copied, String> {
        let mut reader = match Reader::new(input, LIMITS) {
            Ok(reader) => reader,
            Err(error) => return Ok(Copied::Failed(error.to_string())),
        };
        let mut facts = Facts::default();
        let (mut announced, mut seen, mut selected) = (0, 0, None);
        let mut open = Open { name: Vec::new(), deadline: None, wanted: false };
        loop {
            if self.stop.load(SeqCst) {
                return Ok(Copied::Stopped);
            }
            let part = match reader.next() {
                Ok(Some(part)) => part,
                Ok(None) => break,
                Err(_) if self.stop.load(SeqCst) => return Ok(Copied::Stopped),
                Err(error) => return Ok(Copied::Failed(error.to_string())),
            };
            match part {
                Part::Size { keys } => announced += keys,
                Part::Note { name, value } if name == b"repl-stream-db" => {
                    facts.stream_db = std::str::from_utf8(&value).ok().and_then(|text| text.parse().ok());
                }
                // Scripts that EVALSHA may ask for.
                Part::Note { name, value } if name == b"lua" => {
                    self.target.send(&[b"SCRIPT", b"LOAD", &value], b"SCRIPT LOAD", 0)?;
                }
                Part::Note { .. } => {}
                Part::Library(code) => {
                    self.report.libraries += 1;
                    self.target.send(&[b"FUNCTION", b"LOAD", b"REPLACE", &code], b"FUNCTION LOAD", 0)?;
                }
                Part::Foreign(what) => self.report.foreign(what),
                Part::Key(key) => {
                    seen += 1;
                    open = Open { name: key.name.clone(), deadline: key.deadline, wanted: self.is_wanted(&key) };
                    if open.wanted {
                        if selected != Some(key.db) {
                            self.target.select(key.db)?;
                            selected = Some(key.db);
                        }
                        self.key(&key)?;
                    }
                }
                Part::Piece(piece) if open.wanted => self.piece(&open.name, piece)?,
                Part::PiecesEnd if open.wanted => {
                    if let Some(deadline) = open.deadline {
                        self.target.send(
                            &[b"PEXPIREAT", &open.name, deadline.to_string().as_bytes()],
                            &open.name,
                            0,
                        )?;
                    }
                }
                Part::Piece(_) | Part::PiecesEnd => {}
            }
            if seen % PROGRESS_KEYS == 0 {
                self.progress(seen, announced, reader.bytes());
            }
        }
        self.target.drain()?;
        facts.bytes = reader.bytes();
        Ok(Copied::Whole(facts))
    }

    fn progress(&mut self, seen: u64, announced: u64, bytes: u64) {
        let Copy { meter, total, .. } = self;
        let elapsed = meter.elapsed().as_secs_f64().max(0.001);
        meter.show(|| {
            // Bytes tell more than keys, of which some are large; without their total the keys must do.
            let bar = if *total > 0 { bar(bytes, *total) } else { bar(seen, announced) };
            let rate = bytes as f64 / elapsed / f64::from(1 << 20);
            format!("{bar}{seen} of {announced} keys, {} MiB, {rate:.1} MiB/s", bytes >> 20)
        });
    }

    /// Whether a key is to be copied; counts it.
    fn is_wanted(&mut self, key: &Key) -> bool {
        if self.only.is_some_and(|only| only != key.db) {
            self.report.elsewhere += 1;
            return false;
        }
        match &key.value {
            Value::Empty => self.report.empty += 1,
            Value::Foreign(what) => self.report.foreign(format!("key {}: {what}", key.name.escape_ascii())),
            Value::Payload(_) | Value::Pieces => {
                *self.report.keys.entry(key.kind).or_default() += 1;
                return true;
            }
        }
        false
    }

    fn key(&mut self, key: &Key) -> Result<(), String> {
        let Value::Payload(payload) = &key.value else {
            return self.target.send(&[b"DEL", &key.name], &key.name, 0);
        };
        let deadline = key.deadline.unwrap_or(0).to_string();
        let mut words: Vec<&[u8]> = vec![b"RESTORE", &key.name, deadline.as_bytes(), payload, b"REPLACE", b"ABSTTL"];
        let idle = key.idle_seconds.map(|seconds| seconds.to_string());
        let frequency = key.frequency.map(|frequency| frequency.to_string());
        if let Some(idle) = &idle {
            words.extend([b"IDLETIME", idle.as_bytes()]);
        } else if let Some(frequency) = &frequency {
            words.extend([b"FREQ", frequency.as_bytes()]);
        }
        self.target.send(&words, &key.name, 0)
    }

    fn piece(&mut self, key: &[u8], piece: Piece) -> Result<(), String> {
        match piece {
            Piece::Bytes(bytes) => self.target.send(&[b"APPEND", key, &bytes], key, 0),
            Piece::Members(Collection::List(items)) => self.many(b"RPUSH", key, items.iter().map(Vec::as_slice)),
            Piece::Members(Collection::Set(items)) => self.many(b"SADD", key, items.iter().map(Vec::as_slice)),
            Piece::Members(Collection::Hash(fields)) => {
                self.many(b"HSET", key, fields.iter().flat_map(|(field, value)| [field.as_slice(), value.as_slice()]))
            }
            Piece::Members(Collection::Zset(members)) => {
                let scores: Vec<String> = members.iter().map(|(_, score)| score.to_string()).collect();
                let pairs = scores.iter().zip(&members);
                self.many(b"ZADD", key, pairs.flat_map(|(score, (member, _))| [score.as_bytes(), member.as_slice()]))
            }
            Piece::Deadlines(fields) => self.fields(key, &fields),
        }
    }

    /// A command for so many words at a time.
    fn many<'w>(&mut self, name: &[u8], key: &[u8], words: impl Iterator<Item = &'w [u8]>) -> Result<(), String> {
        let words: Vec<&[u8]> = words.collect();
        for some in words.chunks(WORDS_MAX) {
            self.target.send(&[&[name, key], some].concat(), key, 0)?;
        }
        Ok(())
    }

    /// Fields of which some have deadlines.
    fn fields(&mut self, key: &[u8], fields: &[DatedField]) -> Result<(), String> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64);
        let alive: Vec<_> = fields.iter().filter(|(.., deadline)| !(1..=now).contains(deadline)).collect();
        self.report.fields_expired += (fields.len() - alive.len()) as u64;
        self.many(b"HSET", key, alive.iter().flat_map(|(field, value, _)| [field.as_slice(), value.as_slice()]))?;
        for (field, _, deadline) in alive.into_iter().filter(|(.., deadline)| *deadline > 0) {
            if self.target.has_field_deadlines()? {
                let deadline = deadline.to_string();
                let words: [&[u8]; 6] = [b"HPEXPIREAT", key, deadline.as_bytes(), b"FIELDS", b"1", field];
                self.target.send(&words, key, 0)?;
            } else {
                self.report.deadlines_dropped += 1;
            }
        }
        Ok(())
    }
}
