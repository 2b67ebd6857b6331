//! The slow log: the latest requests that took longer than a threshold, with their words cut short.

use std::collections::VecDeque;
use std::ops::Range;
use std::time::Duration;

use ennead_kv::Args;
use parking_lot::Mutex;

const WORDS_MAX: usize = 32;
const WORD_BYTES_MAX: usize = 128;

#[derive(Debug, Clone)]
pub struct SlowEntry {
    pub id: u64,
    pub unix_seconds: i64,
    pub micros: u64,
    pub words: Vec<Vec<u8>>,
    pub client_address: String,
    pub client_name: String,
}

#[derive(Debug, Default)]
struct State {
    next_id: u64,
    /// Newest first.
    entries: VecDeque<SlowEntry>,
}

#[derive(Debug, Default)]
pub struct SlowLog(Mutex<State>);

impl SlowLog {
    /// Takes an entry in, without its `secrets`; the oldest beyond `len_max` go.
    pub(crate) fn push(
        &self,
        args: Args<'_>,
        secrets: &[Range<usize>],
        time: Duration,
        unix_seconds: i64,
        client: (String, String),
        len_max: usize,
    ) {
        let mut state = self.0.lock();
        let id = state.next_id;
        state.next_id += 1;
        state.entries.push_front(SlowEntry {
            id,
            unix_seconds,
            micros: time.as_micros() as u64,
            words: shortened(args, secrets),
            client_address: client.0,
            client_name: client.1,
        });
        state.entries.truncate(len_max);
    }

    /// The newest entries first.
    pub fn entries(&self, count: usize) -> Vec<SlowEntry> {
        self.0.lock().entries.iter().take(count).cloned().collect()
    }

    pub fn len(&self) -> usize {
        self.0.lock().entries.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub fn reset(&self) {
        self.0.lock().entries.clear();
    }
}

fn shortened(args: Args<'_>, secrets: &[Range<usize>]) -> Vec<Vec<u8>> {
    let kept = if args.len() > WORDS_MAX { WORDS_MAX - 1 } else { args.len() };
    let mut words: Vec<Vec<u8>> = args
        .iter_from(0)
        .take(kept)
        .enumerate()
        .map(|(at, word)| match secrets.iter().any(|secret| secret.contains(&at)) {
            true => b"(redacted)".to_vec(),
            false => shortened_word(word),
        })
        .collect();
    if kept < args.len() {
        words.push(format!("... ({} more arguments)", args.len() - kept).into_bytes());
    }
    words
}

fn shortened_word(word: &[u8]) -> Vec<u8> {
    if word.len() <= WORD_BYTES_MAX {
        return word.to_vec();
    }
    let mut short = word[..WORD_BYTES_MAX].to_vec();
    short.extend_from_slice(format!("... ({} more bytes)", word.len() - WORD_BYTES_MAX).as_bytes());
    short
}
