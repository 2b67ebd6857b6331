//! Commands of one client on one key, one behind the other as in a pipeline: under one lock, and committed as one batch,
//! in which the key's own row stands once, however often it changed.

#[cfg(test)]
mod tests;

use super::{Call, Effect, GATE_WAIT_MAX, Keyspace};
use crate::args::Args;
use crate::command::{Access, Command, Flag, KeySpec};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::reply::Reply;

/// A run at work: see [`Keyspace::run`].
pub struct Run<'a> {
    context: Context<'a>,
    key: &'a [u8],
    /// The store failed a command half way: what is staged is void.
    failure: Option<Error>,
}

impl Command {
    /// The key of a request that can be part of a run. It names this key and no other, and never waits.
    pub fn only_key<'r>(&self, args: Args<'r>) -> Option<&'r [u8]> {
        if self.access != Access::Keys {
            return None;
        }
        match self.spec.keys {
            KeySpec::Range { first, last, .. } => {
                let last = if last < 0 { args.len().saturating_add_signed(last) } else { last.unsigned_abs() };
                if last == first && !self.spec.is(Flag::Blocking) { args.get(first) } else { None }
            }
            KeySpec::HalfBehindStreams { .. } => {
                let mut positions = self.spec.keys.positions(args);
                let only = positions.next().filter(|_| positions.next().is_none())?;
                let waits = (1..only).any(|index| args[index].eq_ignore_ascii_case(b"block"));
                if waits { None } else { args.get(only) }
            }
            _ => None,
        }
    }
}

impl Keyspace {
    /// Runs commands on one key as [`Keyspace::execute`] runs them one by one, but with one lock and one commit: nothing of
    /// others happens between them, and all or nothing of it survives a crash. `body` executes them, all on the `key`.
    /// None if that can't be now, and nothing was done: they are to be executed one by one.
    ///
    /// `body` must not use the keyspace, except for its figures and settings. When the effect is an error nothing of the
    /// run was applied, and the replies that it wrote are void.
    pub fn run<'a, T>(
        &'a self,
        call: &Call,
        key: &'a [u8],
        body: impl FnOnce(&mut Run<'_>) -> T,
    ) -> Option<(T, Result<Effect>)> {
        let shared = self.shared();
        if shared.settings.maxmemory() != 0 && !self.make_room(call).ok()? {
            return None;
        }
        let gate = shared.gate.try_read_for(GATE_WAIT_MAX)?;
        let mut context = Context::new(self, Some(&gate), call, false);
        context.begin_run(key).ok()?;
        // Who waits has to be served between the commands. Since the slot is locked nobody can begin to wait for the key.
        if shared.waiters.any() {
            return None;
        }
        let mut run = Run { context, key, failure: None };
        let result = body(&mut run);
        let Run { context, failure, .. } = run;
        let effect = match failure {
            // The context is dropped, which forgets what was staged.
            Some(error) => Err(error),
            None => context.finish_run(key),
        };
        Some((result, effect))
    }
}

impl Run<'_> {
    /// Fetches into the processor's caches what commands are going to touch.
    pub fn anticipate<'r>(&mut self, commands: impl Iterator<Item = (&'static Command, Args<'r>)>) {
        let members = commands.filter_map(|(command, args)| {
            command.likely_member(args).map(|member| (member, command.spec.is(Flag::Write)))
        });
        self.context.fetch_members(self.key, members);
    }

    /// Runs one command whose [`Command::only_key`] is that of the run.
    ///
    /// # Errors
    /// What the command answers instead of a reply. After an error of the store the run fails as a whole.
    pub fn execute(&mut self, command: &'static Command, call: &Call, args: Args<'_>, reply: &mut dyn Reply) -> Result {
        if let Some(error) = &self.failure {
            return Err(error.clone());
        }
        self.context.next_of_run(call, command.spec.is(Flag::Write));
        let outcome = (command.run)(&mut self.context, args, reply);
        if let Err(error @ Error::Store(_)) = &outcome {
            self.failure = Some(error.clone());
        }
        outcome
    }
}
