//! Reading and changing streams: the object changes, and says which rows follow.

use super::collections::{GONE, View};
use super::{Context, Lookup, Spot};
use crate::entry::{Hint, Kind};
use crate::error::{Error, Result};
use crate::object::Object;
use crate::object::stream::{RowSink, Stream};
use crate::row;

impl Context<'_> {
    /// The stream of a key that was found, if there is one.
    pub(crate) fn stream(&self, spot: Spot) -> Result<Option<&Stream>> {
        if !spot.exists() {
            return Ok(None);
        }
        match self.view(spot, Kind::Stream)? {
            View::Long(Object::Stream(stream)) => Ok(Some(stream)),
            _ => Err(GONE),
        }
    }

    /// The stream of a key, if there is one; another type is an error.
    pub(crate) fn find_stream(&mut self, key: &[u8], lookup: Lookup) -> Result<(Spot, Option<&Stream>)> {
        let spot = self.find(key, lookup)?;
        self.stream(spot).map(|stream| (spot, stream))
    }

    /// Where the stream of a key is, made where there is none.
    pub(crate) fn make_stream(&mut self, spot: Spot, key: &[u8]) -> Result<Spot> {
        if spot.exists() {
            return Ok(spot);
        }
        let shared = self.shared();
        let id = shared.meta.new_object(&shared.store)?;
        let stream = Object::Stream(Stream::new(id));
        Ok(self.put_new_object(spot, key, stream, 0, Kind::LongStream, Hint::Auto))
    }

    /// Changes a stream that was found. Nobody who waits is told.
    pub(crate) fn change_stream<T>(
        &mut self,
        spot: Spot,
        key: &[u8],
        change: impl FnOnce(&mut Stream, RowSink<'_>) -> T,
    ) -> Result<T> {
        let locked = &mut self.locked[spot.locked];
        let (number, chunks) = (locked.number, locked.database.chunks);
        let at = spot.at.ok_or(Error::NoSuchKey)?;
        let Some(object) = locked.slot.object_mut(at) else { return Err(GONE) };
        let before = object.size();
        let Object::Stream(stream) = object else { return Err(GONE) };
        let id = stream.id;
        let batch = &mut self.work.batch;
        let row_key = &mut self.work.member_key;
        row_key.clear();
        row_key.extend_from_slice(&row::object_prefix(number, id));
        let mut changed = false;
        let outcome = change(stream, &mut |suffix, value| {
            changed = true;
            row_key.truncate(row::OBJECT_PREFIX);
            row_key.extend_from_slice(suffix);
            match value {
                Some(value) => batch.put(chunks, row_key, value),
                None => batch.delete(chunks, row_key),
            }
        });
        locked.slot.recount_object(at, before);
        if changed {
            if self.chunked.last() != Some(&id) {
                self.chunked.push(id);
            }
            self.stage_entry(spot, key);
        }
        Ok(outcome)
    }

    /// Notes that who waits for a stream may find something new.
    pub(crate) fn note_stream_ready(&mut self, spot: Spot, key: &[u8]) {
        self.note_ready(spot.locked, key);
    }
}
