//! Several commands as one: nothing of others happens between them, and one batch holds all that they change.
//!
//! A transaction has the gate to itself, so every lock it takes below the gate is free, in any order. Nothing of it may
//! ask for the gate again.

use std::sync::atomic::Ordering::Relaxed;

use ennead_store::Sequence;

use super::{Call, Effect, Gate, Keyspace};
use crate::args::Args;
use crate::command::{Access, Command, Flag};
use crate::context::{Context, Lookup};
use crate::error::{Error, Result};
use crate::reply::Reply;
use crate::row::RowBuffer;

mod export;
#[cfg(test)]
mod tests;

pub use export::Export;

/// A transaction at work: see [`Keyspace::transaction`].
pub struct Transaction<'a> {
    keyspace: &'a Keyspace,
    gate: &'a Gate,
    context: Context<'a>,
    /// A command failed half way: what is staged is void.
    failure: Option<Error>,
}

/// A key as it was when somebody began to watch it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watched {
    pub db: usize,
    pub key: Vec<u8>,
    existed: bool,
    /// Every later change of the key has a higher sequence.
    as_of: Sequence,
}

impl Keyspace {
    /// Runs commands as one: isolated from all others, and committed as one batch, so that all or nothing of it survives
    /// a crash. With `grows` it is refused when there is no room for more. Everybody else waits until it returns.
    ///
    /// Neither `body` nor what it calls may use the keyspace, except for its figures and settings.
    ///
    /// # Errors
    /// Those of `body`, those of a command that the store failed, and of the commit: nothing is applied then, and replies
    /// that commands wrote are void.
    pub fn transaction<T>(
        &self,
        call: &Call,
        grows: bool,
        body: impl FnOnce(&mut Transaction<'_>) -> Result<T>,
    ) -> Result<(T, Effect)> {
        let shared = self.shared();
        if shared.settings.maxmemory() != 0 && !self.make_room(call)? && grows {
            return Err(Error::OutOfMemory);
        }
        let mut gate = shared.gate.write();
        let (result, effect, order, ready) = {
            let context = Context::new(self, Some(&gate), call, false);
            let mut transaction = Transaction { keyspace: self, gate: &gate, context, failure: None };
            // When this fails the context is dropped, which forgets what was staged.
            let result = body(&mut transaction)?;
            let Transaction { mut context, failure, .. } = transaction;
            if let Some(error) = failure {
                return Err(error);
            }
            let order = context.order();
            let ready = context.take_ready();
            (result, context.finish()?, order, ready)
        };
        match (order, effect.wrote) {
            (Some(order), Some(sequence)) => {
                gate.reorder(&order, sequence);
                self.serve_all(&gate, call);
            }
            _ => self.serve_after(&gate, call, ready),
        }
        Ok((result, effect))
    }

    /// Notes how a key of the selected database is now, for [`Transaction::is_unchanged`]. A key that is due is deleted.
    ///
    /// # Errors
    /// Errors of the store.
    pub fn watch(&self, call: &Call, key: &[u8]) -> Result<Watched> {
        let call = Call { no_touch: true, ..call.clone() };
        let gate = self.shared().enter();
        let mut context = Context::new(self, Some(&gate), &call, false);
        let existed = context.find_key(key, Lookup::Write)?.exists();
        context.commit()?;
        // The slot is still locked: no other change of the key can have a sequence up to this one.
        let as_of = self.store().committed();
        Ok(Watched { db: call.db, key: key.to_vec(), existed, as_of })
    }
}

impl Transaction<'_> {
    /// Runs one command; for the rest as [`Keyspace::execute`].
    ///
    /// # Errors
    /// What the command answers instead of a reply. After an error of the store the transaction fails as a whole.
    pub fn execute(&mut self, command: &'static Command, call: &Call, args: Args<'_>, reply: &mut dyn Reply) -> Result {
        if let Some(error) = &self.failure {
            return Err(error.clone());
        }
        self.context.next_command(call, command.spec.is(Flag::Write));
        if command.access_for(args) == Access::Keys {
            self.context.lock_keys(&command.spec, args)?;
        }
        let outcome = (command.run)(&mut self.context, args, reply);
        self.context.note_reads(&command.spec, args);
        self.context.resume();
        if let Err(error @ Error::Store(_)) = &outcome {
            self.failure = Some(error.clone());
        }
        outcome
    }

    /// Whether somebody waits for a key, and may have to be served before more happens.
    pub fn is_awaited(&self) -> bool {
        self.keyspace.shared().waiters.any()
    }

    /// Whether nobody changed the key since it was watched: set, deleted, expired, flushed or swapped. It may rarely be
    /// said to have changed when only another key of its slot did, after the store flushed.
    ///
    /// # Errors
    /// Errors of the store.
    pub fn is_unchanged(&mut self, watched: &Watched, call: &Call) -> Result<bool> {
        let Watched { db, key, existed, as_of } = watched;
        let call = Call { db: *db, no_touch: true, ..call.clone() };
        let shared = self.keyspace.shared();
        let database = self.gate.database(&shared.store, *db)?;
        let place = shared.placer.place(key);
        // Before the look at the key, which deletes it if it is due.
        let (last_write, latest) = {
            self.context.next_command(&call, false);
            let mut row = RowBuffer::default();
            row.set_key(place, key);
            (self.context.last_write(*db, place.slot)?, shared.store.latest_sequence(database.rows, row.row_key()))
        };
        let exists = self.context.find_key(key, Lookup::Write)?.exists();
        let replaced = database.born.load(Relaxed) > *as_of && (*existed || exists);
        Ok(exists == *existed && !replaced && (last_write <= *as_of || latest <= *as_of))
    }
}
