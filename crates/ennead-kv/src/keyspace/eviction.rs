//! Making room when memory is at its limit: by deleting keys, or, under [`Policy::Tier`], by forgetting values that stay
//! on disk. The best victim is approximated as Redis does it: a few keys are drawn for each eviction, and the best
//! candidates of earlier draws are remembered in a small pool.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use super::{Call, Gate, Keyspace};
use crate::access::Clock;
use crate::context::Context;
use crate::database::Database;
use crate::entry::Entry;
use crate::error::Result;
use crate::options::Policy;
use crate::place::{SLOTS, next_random};
use crate::slot::Slot;

#[cfg(test)]
mod tests;

/// Candidates remembered between evictions.
const POOL: usize = 16;
/// Evictions by one command; when memory shrinks slower than that, others go on.
const ROUNDS: usize = 256;

/// The best candidates so far, worst first.
#[derive(Debug, Default)]
pub(super) struct Pool(Vec<Candidate>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Candidate {
    /// The higher, the sooner it goes.
    score: u64,
    db: usize,
    slot: u16,
    key: Vec<u8>,
}

impl Pool {
    fn offer(&mut self, candidate: Candidate) {
        let full = self.0.len() >= POOL;
        if full && self.0.first().is_some_and(|worst| worst.score >= candidate.score) {
            return;
        }
        if self.0.iter().any(|known| known.key == candidate.key && known.db == candidate.db) {
            return;
        }
        let at = self.0.partition_point(|known| known.score < candidate.score);
        self.0.insert(at, candidate);
        if full {
            self.0.remove(0);
        }
    }
}

impl Keyspace {
    /// Whether there is room for more, after making some if need be.
    ///
    /// # Errors
    /// Errors of the store.
    pub fn has_room(&self, call: &Call) -> Result<bool> {
        if self.settings().maxmemory() == 0 { Ok(true) } else { self.make_room(call) }
    }

    /// Brings memory below its limit; whether it is.
    pub(super) fn make_room(&self, call: &Call) -> Result<bool> {
        let settings = self.settings();
        if settings.keeps_keys(call.now_ms) {
            return Ok(true);
        }
        let mut random = call.seed;
        for _ in 0..ROUNDS {
            if self.used_bytes() <= settings.maxmemory() {
                return Ok(true);
            }
            if settings.policy() == Policy::NoEviction || !self.evict_one(call, &mut random)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Evicts one key; whether there was one.
    fn evict_one(&self, call: &Call, random: &mut u64) -> Result<bool> {
        let gate = self.shared().enter();
        let policy = self.settings().policy();
        if matches!(policy, Policy::AllKeysRandom | Policy::VolatileRandom) {
            let start = next_random(random) as usize;
            for db in (0..gate.len()).map(|turn| (start + turn) % gate.len()) {
                let Some(database) = gate.existing(db) else { continue };
                if let Some(candidate) = self.draw(database, db, policy, 1, call, random).pop() {
                    return self.evict(&gate, &candidate, policy, call);
                }
            }
            return Ok(false);
        }
        // A pooled candidate may be gone by now: then the next one is tried, and a new draw at the end.
        for _ in 0..2 {
            let mut pool = self.shared().pool.lock();
            for db in 0..gate.len() {
                let Some(database) = gate.existing(db) else { continue };
                let samples = self.settings().maxmemory_samples() as usize;
                for candidate in self.draw(database, db, policy, samples, call, random) {
                    pool.offer(candidate);
                }
            }
            while let Some(candidate) = pool.0.pop() {
                if self.evict(&gate, &candidate, policy, call)? {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// Draws candidates from a random slot of a database and, as long as there are too few, from those after it.
    fn draw(
        &self,
        database: &Arc<Database>,
        db: usize,
        policy: Policy,
        samples: usize,
        call: &Call,
        random: &mut u64,
    ) -> Vec<Candidate> {
        let mut drawn = Vec::with_capacity(samples);
        if database.len() == 0 || (policy.is_volatile() && database.volatile.load(Relaxed) <= 0) {
            return drawn;
        }
        let clock = Clock::new(self.settings(), call.now_ms);
        let start = (next_random(random) % SLOTS as u64) as u16;
        let mut next = start;
        let mut wrapped = false;
        while drawn.len() < samples {
            let number = match database.next_inhabited(next) {
                Some(number) if !wrapped || number < start => number,
                None if !wrapped && start > 0 => {
                    (wrapped, next) = (true, 0);
                    continue;
                }
                _ => break,
            };
            next = number + 1;
            let slot = database.lock(number);
            let left = samples - drawn.len();
            drawn.extend(sample(&slot, policy, left, next_random(random)).map(|entry| Candidate {
                score: score(entry, policy, clock),
                db,
                slot: number,
                key: entry.key().to_vec(),
            }));
            if usize::from(next) == SLOTS {
                if wrapped || start == 0 {
                    break;
                }
                (wrapped, next) = (true, 0);
            }
        }
        drawn
    }

    /// Evicts a candidate if it is still there and its policy still wants it.
    fn evict(&self, gate: &Gate, candidate: &Candidate, policy: Policy, call: &Call) -> Result<bool> {
        let call = Call { db: candidate.db, no_touch: true, ..call.clone() };
        let mut context = Context::new(self, Some(gate), &call, true);
        if policy == Policy::Tier {
            let forgotten = context.forget(candidate.slot, &candidate.key)?;
            self.shared().counters.tiered.fetch_add(u64::from(forgotten), Relaxed);
            return Ok(forgotten);
        }
        let deleted = context.evict(candidate.slot, &candidate.key, policy.is_volatile())?;
        self.shared().counters.evicted.fetch_add(u64::from(deleted), Relaxed);
        Ok(deleted)
    }
}

/// Entries of a slot that the policy may evict, from a random place on.
fn sample(slot: &Slot, policy: Policy, most: usize, random: u64) -> impl Iterator<Item = &Entry> {
    let from = (random >> 32) as u32;
    let wanted = move |entry: &&Entry| !policy.is_volatile() || entry.expiry() != 0;
    let after = slot.table.iter_from(from).map(|(_, _, entry)| entry);
    let before =
        slot.table.iter_from(0).take_while(move |(_, fragment, _)| *fragment < from).map(|(_, _, entry)| entry);
    after.chain(before).filter(wanted).take(most)
}

fn score(entry: &Entry, policy: Policy, clock: Clock) -> u64 {
    match policy {
        Policy::AllKeysLfu | Policy::VolatileLfu => u64::from(255 - clock.frequency(entry.access()).min(255)),
        Policy::VolatileTtl => u64::MAX - entry.expiry(),
        _ => u64::from(clock.idle_seconds(entry.access())),
    }
}
