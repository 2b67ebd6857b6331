//! For tests: runs commands given as text and shows replies as redis-cli would, roughly.

use ennead_store::{Options, Store};

use crate::{Args, Call, Effect, Keyspace, KvOptions, Reply, Result, command};

/// A keyspace with a clock in the hand of the test.
pub(crate) struct Probe {
    pub(crate) keyspace: Keyspace,
    pub(crate) store: Store,
    pub(crate) options: KvOptions,
    pub(crate) call: Call,
    directory: tempfile::TempDir,
}

impl Probe {
    pub(crate) fn new() -> Probe {
        Probe::with(KvOptions::default())
    }

    pub(crate) fn with(options: KvOptions) -> Probe {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(Options::new(directory.path())).unwrap();
        let keyspace = Keyspace::open(store.clone(), options.clone()).unwrap();
        let call = Call { now_ms: 1_700_000_000_000, seed: 1, ..Call::default() };
        Probe { keyspace, store, options, call, directory }
    }

    /// Forgets everything in memory and opens the keyspace again over the same store.
    pub(crate) fn reopen(&mut self) {
        self.keyspace = Keyspace::open(self.store.clone(), self.options.clone()).unwrap();
    }

    /// Closes the store and opens it and the keyspace again.
    pub(crate) fn reopen_store(&mut self) {
        let spare = tempfile::tempdir().unwrap();
        let other = Store::open(Options::new(spare.path())).unwrap();
        self.keyspace = Keyspace::open(other.clone(), self.options.clone()).unwrap();
        self.store.close().unwrap();
        self.store = other;
        self.store = Store::open(Options::new(self.directory.path())).unwrap();
        self.reopen();
    }

    /// Runs words separated by blanks; `""` is an empty word.
    pub(crate) fn run(&mut self, line: &str) -> String {
        let words: Vec<&[u8]> =
            line.split_ascii_whitespace().map(|word| if word == "\"\"" { b"" } else { word.as_bytes() }).collect();
        self.words(&words)
    }

    pub(crate) fn words(&mut self, words: &[&[u8]]) -> String {
        let mut text = Text::default();
        match self.execute(words, &mut text) {
            Ok(_) => text.out.trim_end().to_owned(),
            Err(error) => format!("-{error}"),
        }
    }

    pub(crate) fn execute(&mut self, words: &[&[u8]], reply: &mut dyn Reply) -> Result<Effect> {
        self.call.seed = self.call.seed.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
        execute(&self.keyspace, &self.call, words, reply)
    }

    /// Checks lines of `command -> reply`.
    #[track_caller]
    pub(crate) fn check(&mut self, script: &str) {
        for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let (command, expected) = line.split_once(" -> ").unwrap();
            assert_eq!(self.run(command), expected.trim(), "{command}");
        }
    }
}

pub(crate) fn execute(keyspace: &Keyspace, call: &Call, words: &[&[u8]], reply: &mut dyn Reply) -> Result<Effect> {
    with_args(words, |command, args| keyspace.execute(command, call, args, reply))
}

/// Hands over the command that the words name, and the words as arguments.
pub(crate) fn with_args<T>(
    words: &[&[u8]],
    run: impl FnOnce(&'static crate::Command, Args<'_>) -> Result<T>,
) -> Result<T> {
    let buffer = words.concat();
    let mut spans = Vec::new();
    let mut at = 0;
    for word in words {
        spans.push(at..at + word.len());
        at += word.len();
    }
    let name = std::str::from_utf8(words[0]).unwrap().to_ascii_lowercase();
    let container = words.get(1).map(|sub| format!("{name}|{}", String::from_utf8_lossy(sub).to_ascii_lowercase()));
    let command = container.and_then(|name| command(&name)).or_else(|| command(&name)).expect("a known command");
    if !command.spec.accepts(words.len()) {
        return Err(crate::Error::Arity(command.spec.name.into()));
    }
    run(command, Args::new(&buffer, &spans))
}

/// Replies in one line: `OK`, `(7)`, `"text"`, `nil`, `[a b]`.
#[derive(Default)]
pub(crate) struct Text {
    pub(crate) out: String,
    open: Vec<usize>,
}

impl Text {
    fn item(&mut self, text: &str) {
        self.out.push_str(text);
        self.close();
    }
    fn open(&mut self, len: usize) {
        self.out.push('[');
        self.open.push(len + 1);
        self.close();
    }
    fn close(&mut self) {
        while let Some(left) = self.open.last_mut() {
            *left -= 1;
            if *left > 0 {
                break;
            }
            self.out.truncate(self.out.trim_end().len());
            self.out.push(']');
            self.open.pop();
        }
        if !self.out.ends_with('[') {
            self.out.push(' ');
        }
    }
}

impl Reply for Text {
    fn protocol(&self) -> u8 {
        3
    }
    fn simple(&mut self, text: &str) {
        self.item(text);
    }
    fn error(&mut self, text: &str) {
        self.item(&format!("-{text}"));
    }
    fn integer(&mut self, value: i64) {
        self.item(&format!("({value})"));
    }
    fn bulk(&mut self, bytes: &[u8]) {
        self.item(&format!("\"{}\"", bytes.escape_ascii()));
    }
    fn null(&mut self) {
        self.item("nil");
    }
    fn null_array(&mut self) {
        self.item("nil[]");
    }
    fn array(&mut self, len: usize) {
        self.open(len);
    }
    fn map(&mut self, pairs: usize) {
        self.open(pairs * 2);
    }
    fn set(&mut self, len: usize) {
        self.open(len);
    }
    fn push(&mut self, len: usize) {
        self.open(len);
    }
    fn attribute(&mut self, pairs: usize) {
        self.open(pairs * 2);
    }
    fn double(&mut self, value: f64) {
        self.item(&format!("{value}"));
    }
    fn boolean(&mut self, value: bool) {
        self.item(&format!("{value}"));
    }
    fn big_number(&mut self, digits: &str) {
        self.item(digits);
    }
    fn verbatim(&mut self, _format: &str, text: &[u8]) {
        self.bulk(text);
    }
}
