//! The stream of the source's commands goes to the target, until told to stop. Between MULTI and EXEC nothing ends: what is
//! done is always a whole transaction.

use std::sync::atomic::Ordering::SeqCst;
use std::time::{Duration, Instant};

use super::scope::{self, Decision};
use super::{Import, Wanted};
use crate::peer::client::Client;
use crate::peer::source::{Position, Source};

/// How often the source is told how far everything is done.
const ACKNOWLEDGE: Duration = Duration::from_secs(1);
/// How often it is asked how far it is.
const ASK: Duration = Duration::from_millis(200);
const LABEL_BYTES_MAX: usize = 60;

/// Why following ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Ended {
    Stopped,
    CaughtUp,
    /// The connection to the source is gone.
    Lost(String),
}

pub(super) struct Follow<'a, 'i> {
    pub(super) import: &'a mut Import<'i>,
    pub(super) source: Source<'i>,
    /// Asks the source how far it is; none where it must not be asked.
    pub(super) monitor: Option<Client>,
    /// Everything up to here was sent, and nothing behind it but an unfinished transaction.
    pub(super) position: Position,
    /// Where the stream is.
    offset: u64,
    db: u64,
    in_transaction: bool,
    acknowledged: Instant,
    asked: Instant,
    /// How far the source was when it was asked last.
    ahead: Option<u64>,
}

impl<'a, 'i> Follow<'a, 'i> {
    pub(super) fn new(
        import: &'a mut Import<'i>,
        source: Source<'i>,
        monitor: Option<Client>,
        position: Position,
    ) -> Self {
        let (offset, db) = (position.offset, position.db);
        let now = Instant::now();
        Follow {
            import,
            source,
            monitor,
            position,
            offset,
            db,
            in_transaction: false,
            acknowledged: now,
            asked: now,
            ahead: None,
        }
    }

    /// Follows; gives where everything is done.
    ///
    /// # Errors
    /// One line: the target is to blame, or the stream cannot be followed.
    pub(super) fn run(mut self) -> Result<(Ended, Position), String> {
        self.import.target.select(self.import.wanted.only.unwrap_or(self.db))?;
        // The source sends nothing to a replica that has a snapshot of unknown length before it hears that it is there.
        let mut ended = self.source.acknowledge(self.offset).err().map(|error| Ended::Lost(error.to_string()));
        while ended.is_none() {
            ended = self.step()?;
        }
        if self.in_transaction {
            self.import.target.send(&[b"DISCARD"], b"DISCARD", 0)?;
        }
        self.import.target.drain()?;
        // The last word: what is done need not be kept for us.
        let _ = self.source.acknowledge(self.position.offset);
        Ok((ended.unwrap_or(Ended::Stopped), self.position))
    }

    fn step(&mut self) -> Result<Option<Ended>, String> {
        if !self.in_transaction && self.import.stop.load(SeqCst) {
            return Ok(Some(Ended::Stopped));
        }
        if self.acknowledged.elapsed() >= ACKNOWLEDGE {
            self.acknowledged = Instant::now();
            if let Err(error) = self.source.acknowledge(self.done()) {
                return Ok(Some(Ended::Lost(error.to_string())));
            }
        }
        if self.asked.elapsed() >= ASK {
            self.asked = Instant::now();
            let caught_up = self.is_caught_up();
            if self.import.wanted.until_caught_up && !self.in_transaction {
                if caught_up {
                    return Ok(Some(Ended::CaughtUp));
                }
                if self.monitor.is_none() {
                    return Ok(Some(Ended::Lost("the source does not say how far it is".to_owned())));
                }
            }
        }
        let (raw, words) = match self.source.command() {
            Ok(Some(command)) => (command.raw, command.words),
            Ok(None) => {
                self.import.target.flush()?;
                return Ok(None);
            }
            Err(error) => return Ok(Some(Ended::Lost(error.to_string()))),
        };
        self.offset += raw.len() as u64;
        let (offset, position) = (self.offset, &mut self.position);
        let step = Step { import: self.import, db: &mut self.db, in_transaction: &mut self.in_transaction };
        let asked = step.take(raw, &words, offset, position)?;
        if asked {
            self.import.target.drain()?;
            if let Err(error) = self.source.acknowledge(self.position.offset) {
                return Ok(Some(Ended::Lost(error.to_string())));
            }
        }
        if !self.in_transaction {
            self.position.offset = self.offset;
            self.position.db = self.db;
        }
        Ok(None)
    }

    /// How far everything is answered.
    fn done(&self) -> u64 {
        if self.import.target.is_settled() {
            self.position.offset
        } else {
            self.import.target.offset().min(self.position.offset)
        }
    }

    /// Whether what the source had when it was asked before is all done; asks it again.
    fn is_caught_up(&mut self) -> bool {
        let done = self.done();
        let caught_up = self.ahead.is_some_and(|ahead| done >= ahead);
        let asked = self.monitor.as_mut().map(|monitor| monitor.info("replication", "master_repl_offset"));
        match asked {
            Some(Ok(Some(text))) => self.ahead = text.trim().parse().ok(),
            Some(_) => self.monitor = None,
            None => {}
        }
        let Import { meter, report, .. } = self.import;
        let behind = self.ahead.map(|ahead| format!(", {} bytes behind", ahead.saturating_sub(done)));
        meter.show(|| format!("following: {} commands{}", report.commands, behind.unwrap_or_default()));
        caught_up
    }
}

/// One command.
struct Step<'a, 'i> {
    import: &'a mut Import<'i>,
    db: &'a mut u64,
    in_transaction: &'a mut bool,
}

impl Step<'_, '_> {
    /// Sends it on where it belongs there; whether the source asks for an acknowledgement.
    fn take(self, raw: &[u8], words: &[&[u8]], offset: u64, position: &Position) -> Result<bool, String> {
        let Some(name) = words.first() else { return Ok(false) };
        let Import { target, report, wanted: Wanted { only, .. }, .. } = self.import;
        if name.eq_ignore_ascii_case(b"ping") {
            return Ok(false);
        }
        if name.eq_ignore_ascii_case(b"replconf") {
            return Ok(words.get(1).is_some_and(|word| word.eq_ignore_ascii_case(b"getack")));
        }
        if name.eq_ignore_ascii_case(b"select") {
            let db = words.get(1).and_then(|word| std::str::from_utf8(word).ok()?.parse().ok());
            *self.db = db.ok_or("the source selects a database that is no number")?;
            if only.is_none() {
                target.require(*self.db)?;
                target.forward(raw, b"SELECT", position.offset)?;
            }
            return Ok(false);
        }
        if name.eq_ignore_ascii_case(b"multi") {
            *self.in_transaction = true;
        } else if name.eq_ignore_ascii_case(b"exec") {
            *self.in_transaction = false;
        }
        let done = if *self.in_transaction { position.offset } else { offset };
        let label = words[..words.len().min(2)].join(&b' ');
        let label = &label[..label.len().min(LABEL_BYTES_MAX)];
        match only.map_or(Decision::Forward, |only| scope::decide(only, *self.db, words)) {
            Decision::Forward => target.forward(raw, label, done)?,
            Decision::Instead(request) => target.forward(&request, label, done)?,
            Decision::Leave => return Ok(false),
            Decision::Cannot(why) => return Err(why),
        }
        report.commands += 1;
        Ok(false)
    }
}
