//! Hashes of which fields have deadlines, in the forms of Redis 7.4: read in all of them, written in the plain one.

use super::file::DatedField;
use super::shape::{self, shape};
use super::{Reader, Refusal, VERSION_DATED, frame_as, write_length, write_string};
use crate::listpack;
use crate::object::fields::{DEADLINE_MAX, Fields};

/// Whether the type is that of a hash of which fields have deadlines.
pub(super) fn is_dated(kind: u8) -> bool {
    matches!(
        kind,
        shape::HASH_DEADLINES
            | shape::HASH_DEADLINES_ABSOLUTE
            | shape::HASH_LISTPACK_DEADLINES
            | shape::HASH_LISTPACK_DEADLINES_BARE
    )
}

/// As payload.
pub(super) fn dump(hash: &Fields) -> Vec<u8> {
    let first = hash.first_deadline();
    let mut payload = vec![shape::HASH_DEADLINES];
    payload.extend_from_slice(&first.to_le_bytes());
    write_length(&mut payload, hash.len() as u64);
    for (field, value, deadline) in hash.iter_dated() {
        write_length(&mut payload, after(deadline, first));
        write_string(&mut payload, field);
        write_string(&mut payload, value);
    }
    frame_as(payload, VERSION_DATED)
}

/// A deadline as it is written beside the first one, which is 1; 0 stays 0.
pub(super) fn after(deadline: u64, first: u64) -> u64 {
    if deadline == 0 { 0 } else { deadline.saturating_sub(first) + 1 }
}

/// What follows the type in a payload.
pub(super) fn read(kind: u8, reader: &mut Reader<'_>, longest: u64) -> Result<Vec<DatedField>, Refusal> {
    let shape = shape(kind).ok_or(Refusal::Format)?;
    let first = if shape.lead == 0 { 0 } else { u64::from_le_bytes(reader.array().ok_or(Refusal::Format)?) };
    let count = if shape.counted { reader.plain_length().ok_or(Refusal::Format)? } else { 1 };
    let fields = fields(kind, reader, count, first, longest).ok_or(Refusal::Format)?;
    if fields.is_empty() {
        return Err(Refusal::Empty);
    }
    let mut seen = std::collections::HashSet::new();
    let sound = |(field, _, deadline): &DatedField| *deadline <= DEADLINE_MAX && seen.insert(field.clone());
    if fields.iter().all(sound) { Ok(fields) } else { Err(Refusal::Format) }
}

/// Fields, values and their deadlines in Unix ms, 0 for none.
pub(super) fn fields(
    kind: u8,
    reader: &mut Reader<'_>,
    count: u64,
    first: u64,
    longest: u64,
) -> Option<Vec<DatedField>> {
    if shape(kind).is_some_and(|shape| !shape.counted) {
        let items = listpack::texts(&reader.string(longest)?)?;
        let (fields, rest) = items.as_chunks::<3>();
        let number = |text: &[u8]| std::str::from_utf8(text).ok()?.parse().ok();
        return fields
            .iter()
            .map(|[field, value, deadline]| Some((field.clone(), value.clone(), number(deadline)?)))
            .collect::<Option<_>>()
            .filter(|_| rest.is_empty());
    }
    (0..count)
        .map(|_| {
            let deadline = match reader.plain_length()? {
                // Relative to the first one, which has 1.
                after @ 1.. if kind == shape::HASH_DEADLINES => first.checked_add(after - 1)?,
                deadline => deadline,
            };
            Some((reader.string(longest)?, reader.string(longest)?, deadline))
        })
        .collect()
}
