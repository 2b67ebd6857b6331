//! Answers made of what is in a mailbox.

use smallvec::SmallVec;

use super::answer::{WatchAnswer, told_events};
use super::mailbox::Item;
use crate::api::etcdserverpb::WatchResponse;
use crate::api::mvccpb::Event;
use crate::coord::Shared;
use crate::error::Result;
use prost::Message;

/// Bytes from which an answer is divided for those who ask for it.
const FRAGMENT_BYTES: usize = 2 << 20;

/// The answers that an item becomes: one, or its fragments.
pub(super) fn answers(shared: &Shared, item: Item) -> SmallVec<[WatchAnswer; 1]> {
    let (watch_id, wishes, revision, events, told) = match item {
        Item::Control(response) => return SmallVec::from_iter([WatchAnswer::new(response, Vec::new())]),
        Item::Past { id, wishes, revision, events } => (id, wishes, revision, events, Vec::new()),
        Item::Live { id, wishes, told, .. } => {
            (id, wishes, told.last().map_or(0, |last| last.committed.revision), Vec::new(), told)
        }
    };
    let header = Some(shared.identity.header(revision));
    let mut response = WatchResponse { header, watch_id, events, ..WatchResponse::default() };
    if !wishes.previous && !wishes.fragment {
        return SmallVec::from_iter([WatchAnswer::new(response, told)]);
    }
    response.events.extend(told_events(&told));
    if wishes.previous {
        response.events.iter_mut().for_each(|event| add_previous(shared, event));
    }
    let parts = if wishes.fragment { fragments(response) } else { SmallVec::from_iter([response]) };
    parts.into_iter().map(|part| WatchAnswer::new(part, Vec::new())).collect()
}

/// Adds what the key was before, unless that was compacted away.
fn add_previous(shared: &Shared, event: &mut Event) {
    let Some(pair) = &event.kv else { return };
    if pair.version == 1 && pair.create_revision == pair.mod_revision {
        return;
    }
    match shared.pair_at(&pair.key, pair.mod_revision - 1) {
        Ok(previous) => event.prev_kv = previous,
        Err(error) => tracing::warn!(%error, "what a key was before could not be read for a watch"),
    }
}

impl Shared {
    /// A key as of a revision; nothing when it was not there, or that cannot be told any more.
    fn pair_at(&self, key: &[u8], revision: i64) -> Result<Option<crate::api::mvccpb::KeyValue>> {
        let state = self.state.read();
        if revision < state.compacted {
            return Ok(None);
        }
        let found = state.index.find(key, revision);
        drop(state);
        found.map_or(Ok(None), |revision| self.rows.pair(revision))
    }
}

fn fragments(mut response: WatchResponse) -> SmallVec<[WatchResponse; 1]> {
    if response.events.len() < 2 || response.encoded_len() < FRAGMENT_BYTES {
        return SmallVec::from_iter([response]);
    }
    let events = std::mem::take(&mut response.events);
    let empty = WatchResponse { fragment: true, ..response };
    let base = empty.encoded_len();
    let mut made: SmallVec<[WatchResponse; 1]> = SmallVec::new();
    let mut bytes = usize::MAX;
    for event in events {
        // With its field's tag and length.
        let more = event.encoded_len() + 6;
        match made.last_mut() {
            Some(last) if bytes + more < FRAGMENT_BYTES => {
                last.events.push(event);
                bytes += more;
            }
            _ => {
                made.push(WatchResponse { events: vec![event], ..empty.clone() });
                bytes = base + more;
            }
        }
    }
    if let Some(last) = made.last_mut() {
        last.fragment = false;
    }
    made
}
