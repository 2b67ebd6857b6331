//! Reading on in the history for watches that are behind: one pass for all of a stream, in portions, until they are level.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;

use crate::api::etcdserverpb::WatchResponse;
use crate::api::mvccpb::event::EventType;
use crate::api::mvccpb::{Event, KeyValue};
use crate::coord::{Identity, Shared};
use crate::error::{Error, Result};
use crate::record;
use crate::revision::Revision;
use crate::span::Span;
use crate::watch::mailbox::{Contents, Item, Mailbox, Wishes};
use crate::watch::places::Places;
use crate::watch::{Hub, Level, Member};

/// Rows and bytes looked at in one portion. A transaction is never divided.
const PORTION_ROWS: usize = 10_000;
const PORTION_BYTES: usize = 1 << 20;

/// The body of the thread: until it is stopped.
pub(crate) fn run(shared: &Shared) {
    while let Some(mailbox) = shared.hub.next_reader() {
        if let Err(error) = advance(shared, &mailbox) {
            tracing::warn!(%error, "the history could not be read for a watch");
        }
        let mut contents = mailbox.0.lock();
        contents.reading = false;
        // It asks again when it has taken what is there and is still behind.
        contents.wake();
    }
}

/// A watch that is behind.
struct Behind {
    id: i64,
    next: i64,
    wishes: Wishes,
}

/// Who is read for.
struct Reader {
    id: i64,
    next: i64,
    span: Span<Bytes>,
}

/// Reads one portion for a stream, and makes those level that have seen all.
pub(super) fn advance(shared: &Shared, mailbox: &Arc<Mailbox>) -> Result<()> {
    let compacted = shared.compactor.on_disk(shared.rows.store.durable());
    let mut places: Places<Behind> = Places::default();
    let mut from = i64::MAX;
    let mut readers = Vec::new();
    {
        let mut contents = mailbox.0.lock();
        cancel_compacted(&mut contents, shared.identity, compacted);
        for (id, watch) in &contents.watches {
            let Some(next) = watch.behind else { continue };
            from = from.min(next);
            readers.push(Reader { id: *id, next, span: watch.span.clone() });
            places.add(&watch.span, Behind { id: *id, next, wishes: watch.wishes });
        }
    }
    if places.is_empty() {
        return Ok(());
    }
    let newest = shared.publication.revision();
    let (events, last) = read(shared, from, newest, &places)?;
    if shared.compactor.on_disk(shared.rows.store.durable()) > from {
        // Rows that were wanted may have gone meanwhile. The next time says which watches that ends.
        return Ok(());
    }
    deliver(mailbox, &readers, events, last, newest);
    make_level(&shared.hub, mailbox);
    Ok(())
}

fn cancel_compacted(contents: &mut Contents, identity: Identity, compacted: i64) {
    let gone = contents.watches.iter().filter(|(_, watch)| watch.behind.is_some_and(|next| next < compacted));
    let gone: Vec<i64> = gone.map(|(id, _)| *id).collect();
    for id in gone {
        contents.watches.remove(&id);
        contents.ended.insert(id);
        contents.behind -= 1;
        contents.push(Item::Control(WatchResponse {
            // etcd leaves the revision out here.
            header: Some(identity.header(0)),
            watch_id: id,
            canceled: true,
            compact_revision: compacted,
            ..WatchResponse::default()
        }));
    }
}

type Events = HashMap<i64, Vec<Event>>;

/// Events from a revision on, by watch, and the last revision looked at: `newest` unless the portion ended before.
fn read(shared: &Shared, from: i64, newest: i64, places: &Places<Behind>) -> Result<(Events, i64)> {
    let mut events: Events = HashMap::new();
    let (mut rows, mut bytes, mut last) = (0, 0, from.saturating_sub(1));
    let end = Revision::new(newest.saturating_add(1), 0).row_key();
    let start = Revision::new(from.max(0), 0).row_key();
    let snapshot = shared.rows.store.snapshot();
    let mut history = snapshot.iter(shared.rows.history, &start, Some(&end));
    history.seek_to_first();
    while history.valid() {
        let revision = Revision::from_row_key(history.key()).ok_or(Error::Corrupt)?;
        if revision.main > last && (rows >= PORTION_ROWS || bytes >= PORTION_BYTES) {
            return Ok((events, last));
        }
        last = revision.main;
        rows += 1;
        bytes += history.value().len();
        take(history.value(), revision.main, places, &mut events)?;
        history.next();
    }
    history.status()?;
    Ok((events, newest))
}

fn take(row: &[u8], revision: i64, places: &Places<Behind>, events: &mut Events) -> Result<()> {
    let head = record::head(row)?;
    let mut decoded: Option<KeyValue> = None;
    let mut failure = None;
    places.visit(head.key, |behind| {
        if revision < behind.next {
            return;
        }
        let pair = match &decoded {
            Some(pair) => pair.clone(),
            None => match record::decode(row.to_vec()) {
                Ok(mut pair) => {
                    pair.mod_revision = revision;
                    decoded.insert(pair).clone()
                }
                Err(error) => return failure = Some(error),
            },
        };
        if behind.wishes.wants(&pair) {
            events.entry(behind.id).or_default().push(event(pair));
        }
    });
    failure.map_or(Ok(()), Err)
}

/// A change as watches are told of it.
pub(super) fn event(pair: KeyValue) -> Event {
    let kind = if pair.version == 0 { EventType::Delete } else { EventType::Put };
    Event { r#type: kind as i32, kv: Some(pair), prev_kv: None }
}

fn deliver(mailbox: &Mailbox, readers: &[Reader], mut events: Events, last: i64, newest: i64) {
    let mut contents = mailbox.0.lock();
    for reader in readers {
        let Some(watch) = contents.watches.get_mut(&reader.id) else { continue };
        // Another watch may have come in its place.
        if watch.behind != Some(reader.next) || watch.span != reader.span {
            continue;
        }
        watch.behind = Some(reader.next.max(last + 1));
        if let Some(events) = events.remove(&reader.id) {
            watch.busy = true;
            let wishes = watch.wishes;
            contents.push(Item::Past { id: reader.id, wishes, revision: newest, events });
        }
    }
}

/// Lets those be told as things happen who have seen all that was told so far.
fn make_level(hub: &Hub, mailbox: &Arc<Mailbox>) {
    let mut level = hub.level.lock();
    let level: &mut Level = &mut level;
    let mut contents = mailbox.0.lock();
    if contents.closed {
        return;
    }
    let contents = &mut *contents;
    for (id, watch) in &mut contents.watches {
        if let Some(next) = watch.behind.filter(|next| *next > level.revision) {
            watch.behind = None;
            contents.behind -= 1;
            let member = Member { mailbox: Arc::clone(mailbox), id: *id, start: next, wishes: watch.wishes };
            level.places.add(&watch.span, member);
        }
    }
}
