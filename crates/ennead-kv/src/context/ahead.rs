//! Fetching ahead the members of a large collection that the commands of a run are going to touch, and their rows.
//!
//! To find one of many members takes several reads of memory that lies in no cache, each of which knows its address from
//! the one before, and writing its row takes two more. So all members go one step at a time.

use ennead_store::Ahead;
use smallvec::SmallVec;

use super::Context;
use crate::row;

/// Collections with fewer members stay in the caches by themselves.
const MEMBERS_MIN: usize = 1024;

impl Context<'_> {
    /// Fetches members of the collection that a run is about, and where the rows are of those that it may change.
    pub(crate) fn fetch_members<'r>(&mut self, key: &[u8], members: impl Iterator<Item = (&'r [u8], bool)>) {
        let mut members = members.peekable();
        if members.peek().is_none() {
            return;
        }
        let shared = self.shared();
        let (Some(place), Some(locked)) = (self.place, self.locked.first()) else { return };
        let table = &locked.slot.table;
        let entry = table.find(place.fragment, key).and_then(|at| table.get(at));
        let object = entry.and_then(|entry| locked.slot.object(entry)).filter(|object| object.len() >= MEMBERS_MIN);
        let Some((object, by_fragment)) = object.and_then(|object| Some((object, object.by_fragment()?))) else {
            return;
        };
        let row_key = &mut self.work.member_key;
        row_key.clear();
        row_key.extend_from_slice(&row::object_prefix(locked.number, object.id()));
        let mut rows = Ahead::default();
        let mut sought: SmallVec<[(usize, u64); 16]> = SmallVec::new();
        for (member, changes) in members {
            let fragment = shared.placer.fragment(member).into();
            sought.push((by_fragment.approach_chunk(fragment), fragment));
            if changes {
                row_key.truncate(row::OBJECT_PREFIX);
                row_key.extend_from_slice(member);
                rows.add(&shared.store, locked.database.chunks, row_key);
            }
        }
        sought.iter().for_each(|(chunk, fragment)| by_fragment.approach_items(*chunk, *fragment));
        rows.fetch();
        sought.iter().for_each(|(chunk, fragment)| by_fragment.approach_item(*chunk, *fragment));
    }
}
