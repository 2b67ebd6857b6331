//! The receiving end: requests go out without waiting, a thread reads the replies. What is refused is counted and the first
//! of it is kept.

use std::collections::HashSet;
use std::io::{BufReader, Write};
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::mpsc::{self, Receiver, SyncSender, TrySendError};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::state::Expiries;
use crate::peer::address::Address;
use crate::peer::client::{self, Client};
use crate::peer::stream::Stream;
use crate::peer::wire;
use crate::tls::Trust;

/// Requests without a reply.
const UNANSWERED_MAX: usize = 4096;
/// Bytes gathered before they are sent.
const GATHERED_BYTES_MAX: usize = 64 << 10;
/// Refusals that are shown.
const SHOWN_MAX: usize = 10;
const LABEL_BYTES_MAX: usize = 80;

/// A request without a reply: what to call it, and how far in the source's stream everything is done once it is answered.
struct Sent {
    label: Box<[u8]>,
    offset: u64,
}

#[derive(Default)]
struct Answers {
    answered: AtomicU64,
    offset: AtomicU64,
    refused: AtomicU64,
    shown: Mutex<Vec<String>>,
    broken: Mutex<Option<String>>,
}

pub(super) struct Target {
    stream: Stream,
    gathered: Vec<u8>,
    queue: SyncSender<Sent>,
    sent: u64,
    answers: Arc<Answers>,
    /// For questions, on a connection of its own.
    questions: Client,
    /// Databases that are there.
    known: HashSet<u64>,
    /// Whether it can give fields deadlines, once it was asked.
    field_deadlines: Option<bool>,
    place: String,
}

impl Target {
    pub(super) fn connect(address: &Address, trust: &Trust) -> Result<Target, String> {
        let questions = Client::connect(address, trust)?;
        let stream = client::connect(address, trust)?;
        let place = address.place();
        let failed = |error| format!("{place}: {error}");
        let input = stream.try_clone().map_err(failed)?;
        // How long a request may take is the server's business.
        input.set_read_timeout(None).map_err(failed)?;
        let answers = Arc::new(Answers::default());
        let (queue, waiting) = mpsc::sync_channel(UNANSWERED_MAX);
        let reader = Arc::clone(&answers);
        let name = place.clone();
        std::thread::Builder::new()
            .name("replies".to_owned())
            .spawn(move || read(input, &waiting, &reader, &name))
            .map_err(failed)?;
        let known = HashSet::from([0]);
        let mut target = Target {
            stream,
            gathered: Vec::new(),
            queue,
            sent: 0,
            answers,
            questions,
            known,
            field_deadlines: None,
            place,
        };
        if let Some(words) = client::login(address) {
            target.send(&words, b"AUTH", 0)?;
        }
        // A key may change there in its last moment, and the change come here when the time is over.
        target.send(&[b"CLIENT", b"IMPORT-SOURCE", b"ON"], b"CLIENT IMPORT-SOURCE", 0)?;
        target.drain()?;
        match target.refusals().1.first() {
            Some(refused) => Err(format!("{}, the target, takes no import: {refused}", target.place)),
            None => Ok(target),
        }
    }

    /// For questions and orders whose answer is waited for.
    pub(super) fn questions(&mut self) -> &mut Client {
        &mut self.questions
    }

    /// Whether HPEXPIREAT is known there.
    pub(super) fn has_field_deadlines(&mut self) -> Result<bool, String> {
        if let Some(known) = self.field_deadlines {
            return Ok(known);
        }
        let text = self.questions.call(&[b"COMMAND", b"INFO", b"HPEXPIREAT"])?;
        let known = text.to_ascii_lowercase().starts_with(b"hpexpireat");
        self.field_deadlines = Some(known);
        Ok(known)
    }

    /// See [`Expiries`].
    pub(super) fn expiries(&mut self) -> Result<Expiries, String> {
        let run = self.questions.info("server", "run_id")?.unwrap_or_default();
        let expired = self.questions.info("stats", "expired_keys")?.unwrap_or_default();
        Ok(format!("{} {}", run.trim(), expired.trim()))
    }

    /// Nothing follows: keys whose time is over may go.
    pub(super) fn end(&mut self) -> Result<(), String> {
        self.send(&[b"CLIENT", b"IMPORT-SOURCE", b"OFF"], b"CLIENT IMPORT-SOURCE", 0)?;
        self.drain()
    }

    /// Makes sure that there is a database.
    pub(super) fn require(&mut self, db: u64) -> Result<(), String> {
        if !self.known.contains(&db) {
            self.questions.call(&[b"SELECT", db.to_string().as_bytes()]).map_err(|problem| {
                format!("{problem}; the source has keys in database {db}: start {} with more databases", self.place)
            })?;
            self.known.insert(db);
        }
        Ok(())
    }

    /// Goes to a database, which is there, with what is sent from now on.
    pub(super) fn select(&mut self, db: u64) -> Result<(), String> {
        self.require(db)?;
        self.send(&[b"SELECT", db.to_string().as_bytes()], b"SELECT", 0)
    }

    /// Sends a request. `label` names it should it be refused; `offset` is 0 where there is no stream.
    pub(super) fn send(&mut self, words: &[&[u8]], label: &[u8], offset: u64) -> Result<(), String> {
        wire::request(words, &mut self.gathered);
        self.note(label, offset)
    }

    /// Sends a request that is one already.
    pub(super) fn forward(&mut self, request: &[u8], label: &[u8], offset: u64) -> Result<(), String> {
        self.gathered.extend_from_slice(request);
        self.note(label, offset)
    }

    fn note(&mut self, label: &[u8], offset: u64) -> Result<(), String> {
        let label = label[..label.len().min(LABEL_BYTES_MAX)].into();
        self.sent += 1;
        if self.gathered.len() >= GATHERED_BYTES_MAX {
            self.flush()?;
        }
        match self.queue.try_send(Sent { label, offset }) {
            Ok(()) => Ok(()),
            Err(TrySendError::Full(sent)) => {
                // What is waited for must be on its way.
                self.flush()?;
                self.queue.send(sent).map_err(|_| self.problem())
            }
            Err(TrySendError::Disconnected(_)) => Err(self.problem()),
        }
    }

    /// Sends what was gathered.
    pub(super) fn flush(&mut self) -> Result<(), String> {
        if !self.gathered.is_empty() {
            self.stream.write_all(&self.gathered).map_err(|error| format!("{}: {error}", self.place))?;
            self.gathered.clear();
            self.gathered.shrink_to(2 * GATHERED_BYTES_MAX);
        }
        Ok(())
    }

    /// Whether everything sent is answered.
    pub(super) fn is_settled(&self) -> bool {
        self.answers.answered.load(SeqCst) == self.sent
    }

    /// Waits until everything sent is answered.
    pub(super) fn drain(&mut self) -> Result<(), String> {
        self.flush()?;
        while !self.is_settled() {
            if lock(&self.answers.broken).is_some() {
                return Err(self.problem());
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        Ok(())
    }

    /// How far in the source's stream everything is done.
    pub(super) fn offset(&self) -> u64 {
        self.answers.offset.load(SeqCst)
    }

    /// Requests that were refused, and the first of them.
    pub(super) fn refusals(&self) -> (u64, Vec<String>) {
        (self.answers.refused.load(SeqCst), lock(&self.answers.shown).clone())
    }

    fn problem(&self) -> String {
        lock(&self.answers.broken).clone().unwrap_or_else(|| format!("{}: the connection is closed", self.place))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn read(stream: Stream, waiting: &Receiver<Sent>, answers: &Answers, place: &str) {
    let mut input = BufReader::with_capacity(GATHERED_BYTES_MAX, stream);
    while let Ok(Sent { label, offset }) = waiting.recv() {
        let reply = match wire::reply(&mut input) {
            Ok(reply) => reply,
            Err(error) => {
                *lock(&answers.broken) = Some(format!("{place}: the connection broke: {error}"));
                return;
            }
        };
        for error in reply.errors {
            answers.refused.fetch_add(1, SeqCst);
            let mut shown = lock(&answers.shown);
            if shown.len() < SHOWN_MAX {
                shown.push(format!("{}: {error}", label.escape_ascii()));
            }
        }
        answers.offset.fetch_max(offset, SeqCst);
        answers.answered.fetch_add(1, SeqCst);
    }
}
