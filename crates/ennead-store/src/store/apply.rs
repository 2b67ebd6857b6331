//! What a committed batch does to memory: its rows go into the memtable, its tables into the catalogue.

use super::Sequence;
use crate::TableKind;
use crate::batch::rows::{Row, Rows};
use crate::catalogue::{Catalogue, StoredName};
use crate::memtable::Memtable;

/// Puts the rows of one batch into a memtable and the catalogue. Rows of tables that are not there any more are left out.
pub(crate) fn apply(memtable: &Memtable, catalogue: &Catalogue, sequence: Sequence, rows: &[u8]) {
    let mut known: Option<(u32, TableKind)> = None;
    let mut kind_of = |table: u32| match known {
        Some((number, kind)) if number == table => Some(kind),
        _ => {
            let kind = catalogue.get(table)?.kind;
            known = Some((table, kind));
            Some(kind)
        }
    };
    let mut decoded = Rows::new(rows);
    loop {
        let position = decoded.offset();
        let Some(Ok(row)) = decoded.next() else { return };
        match row {
            Row::Put { table, key, value } | Row::PutStamped { table, key, value } => {
                if let Some(kind) = kind_of(table) {
                    memtable.insert(table, kind, sequence, key, Some(value));
                }
            }
            Row::Merge { table, key, operand } => {
                let entry = catalogue.get(table);
                let operator = entry.and_then(|entry| entry.operator.as_ref()?.code.as_ref());
                if let (Some(entry), Some(operator)) = (entry, operator) {
                    memtable.merge(table, entry.kind, sequence, key, operand, operator);
                }
            }
            Row::Delete { table, key } => {
                if let Some(kind) = kind_of(table) {
                    memtable.insert(table, kind, sequence, key, None);
                }
            }
            Row::DeleteRange { table, start, end } => {
                if let Some(kind) = kind_of(table) {
                    memtable.delete_range(table, kind, sequence, start, end);
                    delete_earlier(memtable, kind, sequence, (table, start, end), &rows[..position]);
                }
            }
            Row::CreateTable { table, kind, name } => catalogue.create(table, TableKind::from_byte(kind), name),
            Row::DropTable { table, kind, name } => {
                let kind = TableKind::from_byte(kind);
                memtable.delete_range(table, kind, sequence, &[], None);
                delete_earlier(memtable, kind, sequence, (table, &[], None), &rows[..position]);
                // A name that the batch gives to another table leads to one of the two at any time.
                if decoded.clone().any(|later| later.is_ok_and(|later| creates(&later, name))) {
                    catalogue.retire(table);
                } else {
                    catalogue.remove(table);
                }
            }
        }
    }
}

/// Whether a row creates a table of the same name as a stored one.
fn creates(row: &Row<'_>, stored: &str) -> bool {
    matches!(row, Row::CreateTable { name, .. } if StoredName::parse(name).name == StoredName::parse(stored).name)
}

/// A range delete kills older sequences only; rows that its own batch put before it get a delete each.
fn delete_earlier(
    memtable: &Memtable,
    kind: TableKind,
    sequence: Sequence,
    (table, start, end): (u32, &[u8], Option<&[u8]>),
    earlier: &[u8],
) {
    for row in Rows::new(earlier).map_while(Result::ok) {
        if let Row::Put { table: of, key, .. }
        | Row::PutStamped { table: of, key, .. }
        | Row::Merge { table: of, key, .. } = row
            && of == table
            && key >= start
            && end.is_none_or(|end| key < end)
        {
            memtable.insert(table, kind, sequence, key, None);
        }
    }
}
