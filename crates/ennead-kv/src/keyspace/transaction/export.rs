//! Giving a key away to another server: its value as a payload, and its deletion afterwards if it is still that value.

use super::{Transaction, Watched};
use crate::context::{Context, Lookup};
use crate::error::Result;
use crate::keyspace::{Call, Effect, Keyspace};

/// A key's value at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Export {
    /// As DUMP gives it.
    pub payload: Vec<u8>,
    /// Unix ms, 0 for none.
    pub deadline: u64,
    /// For [`Keyspace::delete_unchanged`].
    pub watched: Watched,
    /// What the reply to whoever asked for it has seen.
    pub effect: Effect,
}

impl Keyspace {
    /// The value of a key of the selected database, if it is there.
    ///
    /// # Errors
    /// Errors of the store.
    pub fn export(&self, call: &Call, key: &[u8]) -> Result<Option<Export>> {
        let gate = self.shared().enter();
        let mut context = Context::new(self, Some(&gate), call, false);
        let spot = context.find(key, Lookup::Peek)?;
        let deadline = context.expiry(spot);
        let payload = context.dump(spot)?;
        context.commit()?;
        // The slot is still locked: no other change of the key can have a sequence up to this one.
        let as_of = self.store().committed();
        let effect = context.finish()?;
        let watched = Watched { db: call.db, key: key.to_vec(), existed: true, as_of };
        Ok(payload.map(|payload| Export { payload, deadline, watched, effect }))
    }

    /// Deletes a key if nobody changed it since it was exported; whether that was so. It may rarely say no when only
    /// another key of its slot was changed, after the store flushed. Not durable when it returns.
    ///
    /// # Errors
    /// Errors of the store.
    pub fn delete_unchanged(&self, call: &Call, watched: &Watched) -> Result<(bool, Effect)> {
        self.transaction(call, false, |transaction| transaction.delete_unchanged(call, watched))
    }
}

impl Transaction<'_> {
    fn delete_unchanged(&mut self, call: &Call, watched: &Watched) -> Result<bool> {
        if !self.is_unchanged(watched, call)? {
            return Ok(false);
        }
        self.context.next_command(&Call { db: watched.db, ..call.clone() }, true);
        let spot = self.context.find_key(&watched.key, Lookup::Write)?;
        Ok(self.context.delete_told(spot, &watched.key))
    }
}
