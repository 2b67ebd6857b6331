//! `ennead import`: what another server holds goes to a running Ennead, as a client of it. From a file, or from a running
//! Redis as its replica: first its snapshot, then every command, until told to stop. Another kind of server is [`etcd`]'s.
//!
//! Memory holds one value, or one piece of a large one, and the requests that are not answered yet.

mod copy;
mod etcd;
mod follow;
mod report;
mod scope;
mod state;
mod target;

use std::fs::File;
use std::io::{BufReader, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::{Duration, Instant};

use crate::arguments::{ImportArguments, ImportSource, RedisImportArguments};
use crate::meter::Meter;
use crate::peer::address::{self, Address, SCHEME_ENCRYPTED};
use crate::peer::client::Client;
use crate::peer::source::{Answer, Length, Position, Source};
use crate::shutdown;
use crate::tls::Trust;
use copy::{Copied, Copy};
use follow::{Ended, Follow};
use report::Report;
use state::{Known, StateFile};
use target::Target;

/// How long a source that is gone is looked for.
const PATIENCE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_secs(1);

/// What becomes of keys that the target has before a copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Existing {
    Refuse,
    Flush,
    Merge,
}

/// What was asked for.
#[derive(Debug, Clone, Copy)]
struct Wanted {
    /// The only database.
    only: Option<u64>,
    until_caught_up: bool,
    existing: Existing,
}

struct Import<'i> {
    target: Target,
    report: Report,
    meter: Meter,
    stop: &'i AtomicBool,
    wanted: Wanted,
    trust: Trust,
}

/// # Errors
/// One line: what is wrong, or that something of the source is not on the target.
pub(crate) fn run(arguments: &ImportArguments) -> Result<(), String> {
    match (&arguments.other, &arguments.redis.source, &arguments.redis.to) {
        (Some(ImportSource::Etcd(arguments)), ..) => etcd::run(arguments),
        (None, Some(source), Some(to)) => from_redis(source, to, &arguments.redis),
        (None, ..) => Err("say what to import, and whereto: see ennead import --help".to_owned()),
    }
}

fn from_redis(source: &str, to: &str, arguments: &RedisImportArguments) -> Result<(), String> {
    let to = Address::parse(to)?;
    if to.db.is_some() {
        return Err("--to names no database: keys go into the database that they come from".to_owned());
    }
    let from = address::is_url(source).then(|| Address::parse(source)).transpose()?;
    if from.as_ref().is_some_and(|from| (&from.host, from.port) == (&to.host, to.port)) {
        return Err(format!("source and target are both {}", to.place()));
    }
    let encrypted = to.encrypted || from.as_ref().is_some_and(|from| from.encrypted);
    let trust = Trust::load(&arguments.tls, encrypted, SCHEME_ENCRYPTED)?;
    let stop = shutdown::flag()?;
    let existing = match (arguments.flush, arguments.merge) {
        (true, _) => Existing::Flush,
        (_, true) => Existing::Merge,
        _ => Existing::Refuse,
    };
    let wanted =
        Wanted { only: from.as_ref().and_then(|from| from.db), until_caught_up: arguments.until_caught_up, existing };
    // A file that is not there is told before the target is touched.
    let file = if from.is_none() { Some(open(Path::new(source))?) } else { None };
    let target = Target::connect(&to, &trust)?;
    let mut import = Import { target, report: Report::default(), meter: Meter::new(), stop: &stop, wanted, trust };
    let outcome = match (&from, file) {
        (Some(from), _) => {
            let db = from.db.map(|db| format!("/{db}")).unwrap_or_default();
            let state = StateFile::new(&arguments.state, &format!("{}{db}", from.place()), &to.place());
            import.live(from, &state)
        }
        (None, Some((file, bytes))) => import.file(file, bytes),
        (None, None) => Ok(()),
    };
    import.finish(outcome)
}

fn open(path: &Path) -> Result<(File, u64), String> {
    let open = || {
        let file = File::open(path)?;
        let bytes = file.metadata()?.len();
        Ok((file, bytes))
    };
    open().map_err(|error: std::io::Error| {
        format!("{}: {error}; a source is a snapshot file, or redis://host:port", path.display())
    })
}

impl<'i> Import<'i> {
    fn file(&mut self, file: File, bytes: u64) -> Result<(), String> {
        self.prepare()?;
        match self.copy(BufReader::with_capacity(256 << 10, file), bytes)? {
            Copied::Whole(_) => self.target.end(),
            Copied::Stopped => Err("stopped before the end of the file".to_owned()),
            Copied::Failed(problem) => Err(problem),
        }
    }

    fn copy(&mut self, input: impl std::io::Read, total: u64) -> Result<Copied, String> {
        let Import { target, report, meter, stop, wanted, .. } = self;
        Copy { target, only: wanted.only, report, meter, stop, total }.run(input)
    }

    /// Makes sure that a copy finds the target as it was agreed on.
    fn prepare(&mut self) -> Result<(), String> {
        let only = self.wanted.only;
        if let Some(db) = only {
            self.target.require(db)?;
        }
        let questions = self.target.questions();
        match self.wanted.existing {
            Existing::Merge => Ok(()),
            Existing::Flush => match only {
                Some(db) => questions
                    .call(&[b"SELECT", db.to_string().as_bytes()])
                    .and_then(|_| questions.call(&[b"FLUSHDB"]))
                    .map(drop),
                None => questions.call(&[b"FLUSHALL"]).map(drop),
            },
            Existing::Refuse => {
                let text = questions.call(&[b"INFO", b"keyspace"])?;
                let text = String::from_utf8_lossy(&text);
                let mut filled = text.lines().filter_map(|line| line.strip_prefix("db")?.split_once(':'));
                match filled.find(|(db, _)| only.is_none_or(|only| *db == only.to_string())) {
                    Some((db, figures)) => Err(format!(
                        "the target is not empty: database {db} has {figures}. --flush deletes what is there before the \
                         copy, --merge keeps it and replaces the keys that the source has as well"
                    )),
                    None => Ok(()),
                }
            }
        }
    }

    fn live(&mut self, from: &Address, state: &StateFile) -> Result<(), String> {
        let mut position = match state.read()? {
            Known::At(position, expiries) if self.target.expiries()? == expiries => Some(position),
            Known::At(..) => {
                self.say(
                    "the target was started anew or keys expired there, which may have got more time at the source: a full \
                     copy is needed",
                );
                None
            }
            Known::Broken => {
                self.say("the import before this one had no chance to say how far it was: a full copy is needed");
                None
            }
            Known::Nothing => None,
        };
        let mut prepared = position.is_none();
        if prepared {
            self.prepare()?;
        }
        loop {
            let Some((mut source, answer)) = self.open(from, position.as_ref())? else { return Ok(()) };
            let start = match answer {
                Answer::Continue(id) => {
                    let position = position.take().unwrap_or(Position { id: String::new(), offset: 0, db: 0 });
                    self.say(&format!("continuing behind offset {}: nothing is copied again", position.offset));
                    state.begin()?;
                    Position { id, ..position }
                }
                Answer::Full(start) => {
                    if let Some(Position { offset, .. }) = position.take() {
                        self.say(&format!(
                            "the source no longer has what follows offset {offset}: starting the full copy again"
                        ));
                    }
                    if !std::mem::take(&mut prepared) {
                        self.prepare()?;
                    }
                    self.say(&format!("full copy of {}, as of offset {}", from.place(), start.offset));
                    state.begin()?;
                    match self.snapshot(&mut source)? {
                        Some(db) => Position { db, ..start },
                        None => return Ok(()),
                    }
                }
                Answer::Later(why) => return Err(format!("the source is not ready: {why}")),
            };
            let monitor = self.monitor(from)?;
            let (ended, place) = Follow::new(self, source, monitor, start).run()?;
            state.stop(&place, &self.target.expiries()?)?;
            match ended {
                Ended::Stopped => {
                    self.say(&format!("stopped at offset {}; started again, it goes on there", place.offset));
                    return Ok(());
                }
                Ended::CaughtUp => {
                    self.say(&format!("caught up at offset {}; started again, it goes on there", place.offset));
                    return Ok(());
                }
                Ended::Lost(why) => {
                    self.say(&format!("{why}; at offset {}, trying again", place.offset));
                    position = Some(place);
                }
            }
        }
    }

    /// Copies the snapshot that the source sends; the database that its stream has selected, or none when stopped.
    fn snapshot(&mut self, source: &mut Source<'i>) -> Result<Option<u64>, String> {
        let broken = |problem| format!("the copy broke off: {problem}; start again, with --flush or --merge");
        let length = match source.snapshot() {
            Ok(length) => length,
            Err(_) if self.stop.load(SeqCst) => return Ok(self.unfinished()),
            Err(problem) => return Err(broken(problem)),
        };
        let total = if let Length::Bytes(bytes) = length { bytes } else { 0 };
        match self.copy(&mut *source, total)? {
            Copied::Whole(facts) => {
                source.end_snapshot(&length, facts.bytes).map_err(broken)?;
                self.say(&format!("{} keys copied, following the source now", self.report.copied()));
                Ok(Some(facts.stream_db.unwrap_or(0)))
            }
            Copied::Stopped => Ok(self.unfinished()),
            Copied::Failed(problem) => Err(broken(problem)),
        }
    }

    fn unfinished(&mut self) -> Option<u64> {
        self.say("stopped before the copy was whole: the next start must copy everything again");
        None
    }

    /// Connects to the source until it answers; none when told to stop.
    fn open(&mut self, from: &Address, position: Option<&Position>) -> Result<Option<(Source<'i>, Answer)>, String> {
        let begun = Instant::now();
        loop {
            let answer = Source::connect(from, &self.trust, self.stop).and_then(|mut source| {
                let answer = source.synchronize(position)?;
                Ok((source, answer))
            });
            let problem = match answer {
                Ok((_, Answer::Later(why))) => why,
                Ok(opened) => return Ok(Some(opened)),
                // A source that never was there is not waited for.
                Err(problem) if position.is_none() => return Err(problem),
                Err(problem) => problem,
            };
            if self.stop.load(SeqCst) {
                return Ok(None);
            }
            if begun.elapsed() > PATIENCE {
                return Err(format!("{problem}; looked for it for {} s", PATIENCE.as_secs()));
            }
            self.meter.show(|| format!("waiting for the source: {problem}"));
            std::thread::sleep(PAUSE);
        }
    }

    /// A connection to ask how far the source is.
    fn monitor(&mut self, from: &Address) -> Result<Option<Client>, String> {
        let opened = Client::connect(from, &self.trust).and_then(|mut client| {
            client.info("replication", "master_repl_offset")?;
            Ok(client)
        });
        match opened {
            Ok(client) => Ok(Some(client)),
            Err(problem) if self.wanted.until_caught_up => {
                Err(format!("--until-caught-up needs to ask the source how far it is: {problem}"))
            }
            Err(_) => Ok(None),
        }
    }

    /// A line about the course of things.
    fn say(&mut self, line: &str) {
        self.meter.clear();
        let _ = writeln!(std::io::stderr(), "{line}");
    }

    /// Tells the counts, whatever the outcome.
    fn finish(mut self, outcome: Result<(), String>) -> Result<(), String> {
        let outcome = outcome.and(self.target.drain());
        self.meter.clear();
        let (refused, named) = self.target.refusals();
        let mut lines = self.report.lines(refused, &named);
        lines.push(format!("{:.1} s", self.meter.elapsed().as_secs_f64()));
        writeln!(std::io::stdout(), "{}", lines.join("\n"))
            .map_err(|error| format!("the standard output is closed: {error}"))?;
        outcome?;
        if self.report.is_lacking(refused) {
            return Err("not everything of the source is on the target; see the lines in capitals".to_owned());
        }
        Ok(())
    }
}
