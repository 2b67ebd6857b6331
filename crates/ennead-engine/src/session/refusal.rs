//! Requests that are refused before they run: the texts that clients of Redis know, and the counting.

use std::fmt::Write;

use ennead_kv::{Args, Error};

use super::{Hold, Outcome, Output, Session};
use crate::registry::Command;

/// Of a name, and of all words together, bytes shown in an error.
const SHOWN_BYTES_MAX: usize = 128;

impl Session {
    #[cold]
    pub(super) fn refuse(&mut self, command: &Command, error: &Error, reply: &mut dyn Output) -> Outcome {
        self.shard.rejected(command.index);
        let text = error.to_string();
        if command.spec.name != "exec" {
            return self.answer_refusal(&text, reply);
        }
        // What EXEC was sent for is over, whether it was let in or not.
        self.discard();
        let reason = text.strip_prefix("ERR ").unwrap_or(&text);
        self.answer_refusal(&format!("EXECABORT Transaction discarded because of: {reason}"), reply)
    }

    #[cold]
    pub(super) fn refuse_unknown(&mut self, args: Args<'_>, reply: &mut dyn Output) -> Outcome {
        let name = &args[0];
        if name.eq_ignore_ascii_case(b"host:") || name.eq_ignore_ascii_case(b"post") {
            // A browser was led to send us a page's request: what follows may be commands from a stranger.
            tracing::warn!(client = %self.client.origin.address, "closed a connection that speaks HTTP to the RESP port");
            self.closing = true;
            return Outcome::Done { hold: Hold::None, close: true };
        }
        let mut text = format!("ERR unknown command '{}', with args beginning with: ", shown(name, SHOWN_BYTES_MAX));
        let mut left = SHOWN_BYTES_MAX;
        for word in args.iter_from(1) {
            if left == 0 {
                break;
            }
            let _ = write!(text, "'{}' ", shown(word, left));
            // Bytes of the request: what is no text takes more of them in the reply.
            left = left.saturating_sub(word.len() + "'' ".len());
        }
        self.answer_refusal(&text, reply)
    }

    #[cold]
    pub(super) fn refuse_subcommand(&mut self, container: &Command, args: Args<'_>, reply: &mut dyn Output) -> Outcome {
        let word = shown(args.get(1).unwrap_or_default(), SHOWN_BYTES_MAX);
        let name = container.spec.name.to_uppercase();
        self.shard.rejected(container.index);
        self.answer_refusal(&format!("ERR unknown subcommand '{word}'. Try {name} HELP."), reply)
    }

    fn answer_refusal(&mut self, text: &str, reply: &mut dyn Output) -> Outcome {
        self.forget_put_off();
        self.end_caching_refused();
        let mark = reply.mark();
        self.engine.errors().count(text);
        reply.error(text);
        self.apply_reply_mode(mark, reply);
        self.done(Hold::None)
    }

    /// The request that was put off ends with a refusal: what it began must not be taken for the next one's. A MIGRATE
    /// whose values are on their way leaves its keys here, whatever the other server makes of them.
    fn forget_put_off(&mut self) {
        (self.migrating, self.awaited, self.saving, self.scripted) = (None, None, false, None);
    }
}

fn shown(word: &[u8], bytes_max: usize) -> String {
    String::from_utf8_lossy(&word[..word.len().min(bytes_max)]).into_owned()
}
