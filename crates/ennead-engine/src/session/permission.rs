//! What the session's user may do, and becoming another user.
//!
//! Nothing is checked for a user without restrictions; any other is asked about each request, as it is at that moment.

use std::sync::Arc;

use ennead_kv::{Args, Error};

use super::Session;
use crate::Clock;
use crate::registry::Command;
use crate::users::{Account, Cause, Denial, Entry, Setting};

impl Session {
    /// Whether the user may run the request now, or have it queued.
    #[inline]
    pub(super) fn permit(&mut self, command: &Command, args: Args<'_>, clock: &Clock) -> Result<(), Error> {
        if self.account.is_unrestricted() { Ok(()) } else { self.ask(command, args, clock) }
    }

    #[inline(never)]
    fn ask(&mut self, command: &Command, args: Args<'_>, clock: &Clock) -> Result<(), Error> {
        if self.account.is_deleted() {
            self.closing = true;
            return Err(Error::text("NOAUTH Authentication required."));
        }
        self.account.check(command, args).map_err(|denial| {
            self.log_denial(denial, command, args, self.setting(), clock);
            Error::Text(format!("NOPERM {}", denial.message(self.account.name(), command)).into())
        })
    }

    /// Whether the user may run a command of a script.
    pub(crate) fn permit_in_script(&self, command: &Command, args: Args<'_>, clock: &Clock) -> Result<(), Error> {
        if self.account.is_unrestricted() {
            return Ok(());
        }
        self.account.check(command, args).map_err(|denial| {
            self.log_denial(denial, command, args, Setting::Script, clock);
            let message = denial.message(self.account.name(), command);
            Error::Text(format!("NOPERM ACL failure in script: {message}").into())
        })
    }

    /// The error of a queued request that the user may no longer run.
    pub(super) fn lost_right(&self, command: &Command, args: Args<'_>, clock: &Clock) -> Option<String> {
        if self.account.is_unrestricted() {
            return None;
        }
        let denial = self.account.check(command, args).err()?;
        self.log_denial(denial, command, args, Setting::Transaction, clock);
        Some(denial.change())
    }

    /// Whether the user may publish or subscribe to a channel, or, with `is_pattern`, subscribe to a pattern of channels.
    /// Requests that name channels are checked before they run; this is for what happens later.
    pub fn may_use_channel(&self, channel: &[u8], is_pattern: bool) -> bool {
        self.account.may_use_channel(channel, is_pattern)
    }

    /// Whether the user may run the request and read every key besides, which it finds by what is in others.
    pub fn may_read_everything(&self, command: &Command, args: Args<'_>) -> bool {
        self.account.reads_everything(command, args)
    }

    fn log_denial(&self, denial: Denial, command: &Command, args: Args<'_>, setting: Setting, clock: &Clock) {
        let object = match denial.cause {
            Cause::Command | Cause::Login => command.spec.name.as_bytes(),
            Cause::Key | Cause::Channel => args.get(denial.word).unwrap_or_default(),
        };
        self.log(denial.cause, setting, object, self.account.name(), clock);
    }

    /// A login that failed goes into ACL LOG; `name` is that of the command as it was written.
    pub(crate) fn log_failed_login(&self, name: &[u8], user: &[u8], clock: &Clock) {
        self.log(Cause::Login, self.setting(), name, user, clock);
    }

    fn setting(&self) -> Setting {
        if self.queue.is_some() || self.executing { Setting::Transaction } else { Setting::TopLevel }
    }

    fn log(&self, cause: Cause, setting: Setting, object: &[u8], user: &[u8], clock: &Clock) {
        let now_ms = clock.unix_ms();
        self.engine.users().log_denial(Entry {
            id: 0,
            count: 1,
            cause,
            setting,
            object: object.to_vec(),
            user: user.to_vec(),
            client: self.client.describe(now_ms),
            created_ms: now_ms,
            updated_ms: now_ms,
        });
    }

    /// The client logged in.
    pub(crate) fn become_user(&mut self, account: &Arc<Account>) {
        self.authenticated = true;
        self.account = Arc::clone(account);
        self.client.set_account(account);
    }

    /// Back to what the client was when it connected.
    pub(super) fn become_default(&mut self) {
        let default = Arc::clone(self.engine.users().default_account());
        self.become_user(&default);
        self.authenticated = self.engine.users().is_open();
    }
}
