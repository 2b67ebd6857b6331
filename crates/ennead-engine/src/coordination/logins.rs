//! Tokens of clients that logged in to the coordination model, in memory: a restart ends them all, and clients log in again.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ennead_coord::{Error, Result};
use parking_lot::Mutex;

/// Letters of a token that nobody can guess.
const LETTERS: usize = 24;
/// Tokens at a time. The oldest go.
const TOKENS_MAX: usize = 100_000;

#[derive(Debug)]
struct Login {
    user: Arc<str>,
    shown: Instant,
}

#[derive(Debug)]
pub(crate) struct Logins {
    tokens: Mutex<HashMap<String, Login>>,
    /// How long a token is good after it was last shown.
    good_for: Duration,
}

impl Logins {
    pub(crate) fn new(good_for: Duration) -> Logins {
        Logins { tokens: Mutex::default(), good_for }
    }

    /// A new token.
    pub(crate) fn give(&self, user: &str) -> Result<String> {
        let mut random = [0; LETTERS];
        getrandom::fill(&mut random).map_err(|error| Error::Store(format!("no random numbers: {error}")))?;
        let token: String = random.iter().map(|byte| char::from(b'a' + byte % 26)).collect();
        let mut tokens = self.tokens.lock();
        if tokens.len() >= TOKENS_MAX {
            tokens.retain(|_, login| login.shown.elapsed() < self.good_for);
        }
        if tokens.len() >= TOKENS_MAX
            && let Some(oldest) = tokens.iter().min_by_key(|(_, login)| login.shown).map(|(token, _)| token.clone())
        {
            tokens.remove(&oldest);
        }
        tokens.insert(token.clone(), Login { user: user.into(), shown: Instant::now() });
        Ok(token)
    }

    /// Whose token this is. Showing it keeps it good.
    pub(crate) fn find(&self, token: &str) -> Option<Arc<str>> {
        let mut tokens = self.tokens.lock();
        let login = tokens.get_mut(token)?;
        if login.shown.elapsed() >= self.good_for {
            tokens.remove(token);
            return None;
        }
        login.shown = Instant::now();
        Some(Arc::clone(&login.user))
    }

    /// Ends all tokens of a user.
    pub(crate) fn forget(&self, user: &str) {
        self.tokens.lock().retain(|_, login| *login.user != *user);
    }
}

#[cfg(test)]
mod tests;
