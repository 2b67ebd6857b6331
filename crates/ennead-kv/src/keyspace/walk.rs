//! Walks over the keys of a database in the order of slots and fragments, wherever they are: SCAN, KEYS, RANDOMKEY.
//!
//! A walk locks one slot at a time. A slot that is in memory is read there, another one from its rows, which are as
//! recent as long as the slot is locked.

use std::ops::ControlFlow;
use std::sync::atomic::Ordering::Relaxed;

use ennead_store::Sequence;

use super::{Gate, Keyspace};
use crate::context::load::parse;
use crate::database::Database;
use crate::entry::Kind;
use crate::error::Result;
use crate::place::{Place, next_random};
use crate::row;
use crate::slot::Slot;

/// A key met on a walk.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Met<'a> {
    pub(crate) fragment: u32,
    pub(crate) key: &'a [u8],
    pub(crate) kind: Kind,
}

/// Where a scan goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Cursor {
    slot: u16,
    fragment: u32,
}

impl Cursor {
    /// From the number that a client gave; none beyond the end.
    pub(crate) fn decode(number: u64) -> Option<Cursor> {
        let packed = number.saturating_sub(1);
        let slot = u16::try_from(packed >> 32).ok().filter(|slot| usize::from(*slot) < crate::SLOTS)?;
        Some(Cursor { slot, fragment: packed as u32 })
    }

    /// Never 0, which is the start and the end.
    pub(crate) fn encode(self) -> u64 {
        1 + (u64::from(self.slot) << 32 | u64::from(self.fragment))
    }
}

impl Keyspace {
    /// Visits keys from the cursor on until `count` were met; where to go on, unless that was the end, and the newest
    /// batch that what was seen depends on.
    pub(crate) fn scan(
        &self,
        gate: &Gate,
        db: usize,
        now_ms: u64,
        cursor: Cursor,
        count: usize,
        mut visit: impl FnMut(Met<'_>),
    ) -> Result<(Option<Cursor>, Sequence)> {
        let database = gate.database(self.store(), db)?;
        let mut saw = database.born.load(Relaxed);
        let mut met = 0;
        let mut from = cursor;
        while let Some(number) = database.next_inhabited(from.slot) {
            if number > from.slot {
                from = Cursor { slot: number, fragment: 0 };
            }
            let slot = database.lock(number);
            saw = saw.max(slot.last_write);
            let mut last = 0;
            let flow = self.visit(database, number, &slot, from.fragment, now_ms, &mut |key| {
                // Keys of one fragment are met together: the cursor cannot stand between them.
                if met >= count && key.fragment != last {
                    return ControlFlow::Break(());
                }
                last = key.fragment;
                met += 1;
                visit(key);
                ControlFlow::Continue(())
            })?;
            drop(slot);
            if flow.is_break() {
                return Ok((Some(Cursor { slot: number, fragment: last + 1 }), saw));
            }
            from = Cursor { slot: number + 1, fragment: 0 };
            if usize::from(from.slot) == crate::SLOTS {
                break;
            }
            if met >= count {
                let next = database.next_inhabited(from.slot);
                return Ok((next.map(|slot| Cursor { slot, fragment: 0 }), saw));
            }
        }
        Ok((None, saw))
    }

    /// Visits the living keys of a locked slot, by fragment.
    fn visit(
        &self,
        database: &Database,
        number: u16,
        slot: &Slot,
        from: u32,
        now_ms: u64,
        visit: &mut dyn FnMut(Met<'_>) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>> {
        let alive = |expiry: u64| !(1..=now_ms).contains(&expiry);
        if slot.complete {
            for (_, fragment, entry) in slot.table.iter_from(from).filter(|(_, _, entry)| alive(entry.expiry())) {
                let kind = Kind::from_bits(entry.bits()).unwrap_or(Kind::String);
                if visit(Met { fragment, key: entry.key(), kind }).is_break() {
                    return Ok(ControlFlow::Break(()));
                }
            }
            return Ok(ControlFlow::Continue(()));
        }
        let start = row::place_prefix(Place { slot: number, fragment: from });
        let end = row::slot_end(number);
        let snapshot = self.store().snapshot();
        let mut rows = snapshot.iter(database.rows, &start, end.as_ref().map(<[u8; 2]>::as_slice));
        rows.seek_to_first();
        while rows.valid() {
            if let Some((place, key)) = row::parse_row_key(rows.key()) {
                let value = parse(rows.value(), key)?;
                let met = Met { fragment: place.fragment, key, kind: value.kind };
                if alive(value.expiry) && visit(met).is_break() {
                    return Ok(ControlFlow::Break(()));
                }
            }
            rows.next();
        }
        rows.status()?;
        Ok(ControlFlow::Continue(()))
    }

    /// A living key, each about as likely as any other, and the newest batch that the choice depends on.
    pub(crate) fn random_key(
        &self,
        gate: &Gate,
        db: usize,
        now_ms: u64,
        seed: u64,
    ) -> Result<(Option<Vec<u8>>, Sequence)> {
        /// Draws before giving up on chance, when nearly everything has expired.
        const DRAWS: usize = 100;
        let mut random = seed;
        let database = gate.database(self.store(), db)?;
        let mut saw = database.born.load(Relaxed);
        for _ in 0..DRAWS {
            let Some(number) = database.nth_inhabited(next_random(&mut random)) else { break };
            let slot = database.lock(number);
            saw = saw.max(slot.last_write);
            let mut chosen = None;
            let mut take = |met: Met<'_>| {
                chosen = Some(met.key.to_vec());
                ControlFlow::Break(())
            };
            let from = if slot.complete && slot.table.len() > 0 && slot.table.len() < 1_000 {
                let nth = (next_random(&mut random) % slot.table.len() as u64) as usize;
                slot.table.iter_from(0).nth(nth).map_or(0, |(_, fragment, _)| fragment)
            } else {
                (next_random(&mut random) >> 32) as u32
            };
            if self.visit(database, number, &slot, from, now_ms, &mut take)?.is_continue() {
                let _ = self.visit(database, number, &slot, 0, now_ms, &mut take)?;
            }
            if chosen.is_some() {
                return Ok((chosen, saw));
            }
        }
        let mut first = None;
        let mut cursor = Some(Cursor::default());
        while let (Some(from), None) = (cursor, &first) {
            let (next, newer) = self.scan(gate, db, now_ms, from, 1, |met| first = Some(met.key.to_vec()))?;
            (cursor, saw) = (next, saw.max(newer));
        }
        Ok((first, saw))
    }
}
