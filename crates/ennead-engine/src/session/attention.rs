//! What of a session's requests others hear: MONITOR shows them, and with CLIENT TRACKING the keys that they read are
//! remembered.

use ennead_kv::{Args, Error, Flag, Result};

use super::{Output, Session, secrets};
use crate::Clock;
use crate::clients::FLAG_MONITOR;
use crate::monitors::Sender;
use crate::registry::{Command, Handler};
use crate::settings::MAXMEMORY;
use crate::tracking::Mode;

/// How the client tracks what it reads.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Attention {
    /// None if it does not.
    pub(crate) mode: Option<Mode>,
    /// CLIENT CACHING was said for the request or the transaction at hand.
    pub(crate) caching: bool,
}

impl Attention {
    /// Whether the keys are remembered that a request reads now.
    #[inline]
    pub(super) fn remembers(self) -> bool {
        let Some(mode) = self.mode else { return false };
        let said = if self.caching { mode.opt_out } else { mode.opt_in };
        !mode.broadcast && !said
    }
}

impl Session {
    /// Shows a request to those who asked for all of them; in the order in which requests ran.
    #[inline]
    pub(super) fn show(&self, command: &Command, args: Args<'_>, clock: &Clock) {
        if self.engine.monitors().any() && !command.has(Flag::SkipMonitor) && !command.has(Flag::Admin) {
            self.show_always(command, args, clock);
        }
    }

    /// Shows a request that is shown before it runs: a script's comes before what it calls.
    pub(crate) fn show_script(&self, command: &Command, args: Args<'_>, clock: &Clock) {
        if self.engine.monitors().any() {
            self.show_always(command, args, clock);
        }
    }

    #[cold]
    fn show_always(&self, command: &Command, args: Args<'_>, clock: &Clock) {
        let secrets = secrets::words(command, args);
        let sender = if self.borrowed { Sender::Script } else { Sender::Client(&self.client.origin.address) };
        let is_secret = |number: usize| secrets.iter().any(|range| range.contains(&number));
        let (monitors, settings) = (self.engine.monitors(), self.engine.settings());
        monitors.show(settings, clock.unix_us(), self.database, sender, args, is_secret);
    }

    /// Makes room before a request of a client that tracks, if need be: what is evicted for it comes before its reply.
    #[inline]
    pub(super) fn evict_first(&mut self, command: &Command, reply: &mut dyn Output, clock: &Clock) {
        if self.attention.mode.is_some()
            && matches!(command.handler, Handler::Keyspace(_))
            && !command.has(Flag::Blocking)
            && self.engine.settings().read(MAXMEMORY) > 0
        {
            let call = self.call(clock);
            // An error of the store is one of the command, too, which asks again.
            if self.engine.keyspace().has_room(&call).is_ok() {
                self.send_mail(reply);
            }
        }
    }

    /// Shows a request of a script.
    pub(crate) fn show_called(&self, command: &Command, args: Args<'_>, clock: &Clock) {
        self.show(command, args, clock);
    }

    /// A client that is shown all requests can do nothing to keys, nor read them.
    #[inline]
    pub(super) fn may_touch_keys(&self, command: &Command) -> Result<()> {
        if self.engine.monitors().any()
            && self.client.is_monitor()
            && (command.has(Flag::Write) || command.has(Flag::ReadOnly) || command.may_replicate())
        {
            return Err(Error::text("ERR Replica can't interact with the keyspace"));
        }
        Ok(())
    }

    /// Ends what CLIENT CACHING said, behind the request or the transaction that it was for.
    #[inline]
    pub(super) fn end_caching(&mut self, command: &Command) {
        if self.attention.caching && self.queue.is_none() && !command.spec.name.starts_with("client|") {
            self.attention.caching = false;
        }
    }

    /// The same behind a request that was refused.
    pub(super) fn end_caching_refused(&mut self) {
        self.attention.caching &= self.queue.is_some();
    }

    /// Nobody hears of it any more, nor does it hear of others.
    pub(super) fn end_attention(&mut self) {
        if self.attention.mode.is_some() {
            self.engine.tracking().leave(self.engine.keyspace(), &self.client);
            self.attention = Attention::default();
        }
        if self.client.has_flag(FLAG_MONITOR) {
            self.engine.monitors().leave(&self.client);
        }
    }
}
