//! Noting what happens to keys, for [`crate::Witness`].

use super::Context;
use crate::args::Args;
use crate::command::{Flag, Spec};
use crate::notice::{CHANGES, EventClass, Notices};

impl Context<'_> {
    /// Notes an event of a key of the selected database, by Redis's name for it. To be called when what it tells of has
    /// been done, so that events stand in order.
    #[inline]
    pub(crate) fn notify(&mut self, class: EventClass, name: &'static str, key: &[u8]) {
        self.notify_in(self.call.db, class, name, key);
    }

    /// [`Context::notify`] for a key of any database.
    #[inline]
    pub(crate) fn notify_in(&mut self, db: usize, class: EventClass, name: &'static str, key: &[u8]) {
        if self.shared().settings.asks_for(class as u32) {
            self.note_event(db, name, key);
        }
    }

    #[cold]
    fn note_event(&mut self, db: usize, name: &'static str, key: &[u8]) {
        let selected = match &self.order {
            Some(order) => order.iter().position(|outer| *outer == db).unwrap_or(db),
            None => db,
        };
        self.notices().event(name, selected, key);
    }

    /// Notes that a command changed a key, or did what counts as that in Redis although nothing is different.
    #[inline]
    pub(crate) fn note_changed(&mut self, key: &[u8]) {
        if self.shared().settings.asks_for(CHANGES) {
            self.note_change(key, true);
        }
    }

    /// [`Context::note_changed`] of the row under construction.
    #[inline]
    pub(super) fn note_row_changed(&mut self, key_len: usize) {
        if self.shared().settings.asks_for(CHANGES) {
            let key = self.work.row.entry_bytes()[..key_len].to_vec();
            self.note_change(&key, true);
        }
    }

    /// Notes that the key of the row under construction was not there before.
    #[inline]
    pub(super) fn note_row_new(&mut self, db: usize, key_len: usize) {
        if self.shared().settings.asks_for(EventClass::New as u32) {
            let key = self.work.row.entry_bytes()[..key_len].to_vec();
            self.note_event(db, "new", &key);
        }
    }

    /// Notes that a key is gone although no command asked for that.
    #[inline]
    pub(super) fn note_lost(&mut self, db: usize, key: &[u8], class: EventClass, name: &'static str) {
        if self.shared().settings.asks_for(CHANGES) {
            self.note_change(key, false);
        }
        self.notify_in(db, class, name, key);
    }

    #[cold]
    fn note_change(&mut self, key: &[u8], meant: bool) {
        let client = self.call.client;
        self.notices().changed(key, client, meant);
    }

    /// Notes which keys a command has read, if its client wants that.
    #[inline]
    pub(crate) fn note_reads(&mut self, spec: &Spec, args: Args<'_>) {
        if self.call.remembers && spec.is(Flag::ReadOnly) {
            let client = self.call.client;
            spec.keys(args).for_each(|key| self.notices().read(key, client));
        }
    }

    /// Notes that databases were emptied.
    pub(crate) fn note_flushed(&mut self) {
        if self.shared().settings.asks_for(CHANGES) {
            self.notices().flushed();
        }
    }

    fn notices(&mut self) -> &mut Notices {
        self.notices.get_or_insert_default()
    }

    /// Tells what was noted since the last batch; with `void` it is forgotten.
    #[inline]
    pub(super) fn tell(&mut self, void: bool) {
        if let Some(notices) = self.notices.take()
            && !void
        {
            self.shared().tell(&notices, self.effect());
        }
    }
}
