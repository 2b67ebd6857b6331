//! What is known about one key, for DEBUG OBJECT.

use super::{Call, Keyspace};
use crate::access::Clock;
use crate::context::{Context, Lookup};
use crate::error::Result;

/// A key's value as Redis would keep it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Inspection {
    /// The name of the encoding.
    pub encoding: &'static str,
    /// Bytes of the value in a snapshot of Redis.
    pub serialized_len: usize,
    /// The access clock, 24 bits.
    pub access: u32,
    /// Seconds since the last access; 0 when accesses are counted instead.
    pub idle_seconds: u32,
}

/// What a dump has beside the value: a byte for the type, two for the version, eight for the checksum.
const DUMP_FRAME: usize = 11;

impl Keyspace {
    /// Looks at a key without an access.
    ///
    /// # Errors
    /// Errors of the store.
    pub fn inspect(&self, call: &Call, key: &[u8]) -> Result<Option<Inspection>> {
        let call = Call { no_touch: true, ..call.clone() };
        let gate = self.shared().enter();
        let mut context = Context::new(self, Some(&gate), &call, false);
        let spot = context.find(key, Lookup::Write)?;
        let clock = context.clock();
        let inspection = match (context.dump(spot)?, context.entry(spot)) {
            (Some(payload), Some(entry)) => Some(Inspection {
                encoding: context.encoding(spot)?,
                serialized_len: payload.len() - DUMP_FRAME,
                access: entry.access(),
                idle_seconds: match clock {
                    Clock::Lru { .. } => clock.idle_seconds(entry.access()),
                    Clock::Lfu { .. } => 0,
                },
            }),
            _ => None,
        };
        context.commit()?;
        Ok(inspection)
    }
}
