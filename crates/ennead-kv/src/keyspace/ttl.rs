//! The average time to live of a database's keys, from a sample.

use super::Keyspace;

/// Slots that are looked at, evenly spread over those with volatile keys.
const SLOTS_SAMPLED: usize = 32;
/// Keys of one slot that are looked at.
const KEYS_SAMPLED: usize = 32;

impl Keyspace {
    /// About how long the keys with an expiry of a database still live, ms; 0 when none is known. Slots that are in use at
    /// this moment are passed over, so that a transaction may ask as well.
    pub fn average_ttl(&self, db: usize, now_ms: u64) -> u64 {
        let database = self.shared().used.lock().get(db).cloned().flatten();
        let Some(database) = database else { return 0 };
        let slots = database.armed();
        let step = slots.len().div_ceil(SLOTS_SAMPLED).max(1);
        let (mut sum, mut count) = (0u64, 0u64);
        for number in slots.into_iter().step_by(step) {
            let Some(slot) = database.try_lock(number) else { continue };
            for deadline in slot.deadlines().filter(|deadline| *deadline > now_ms).take(KEYS_SAMPLED) {
                sum = sum.saturating_add(deadline - now_ms);
                count += 1;
            }
        }
        sum.checked_div(count).unwrap_or(0)
    }
}
