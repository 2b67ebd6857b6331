//! What the bytes of a value consist of, by its type: enough to find its end without looking at what is in it.
//!
//! | type | of | form |
//! |---|---|---|
//! | 0 | string | a string |
//! | 1, 2 | list, set | a number of strings |
//! | 3, 5 | sorted set | a number of members, each with a score as text or as eight bytes |
//! | 4 | hash | a number of fields, each with a value |
//! | 9, 13, 16 | hash | a zipmap, ziplist or listpack, which is a string here |
//! | 10, 14, 18 | list | a ziplist; a number of ziplists; a number of nodes: listpacks (2), or elements as they are (1) |
//! | 11, 20 | set | an intset or listpack |
//! | 12, 17 | sorted set | a ziplist or listpack |
//! | 22, 24 | hash, fields with deadlines | a number of deadlines, fields and values; 24 has the first deadline before it |
//! | 23, 25 | the same | a listpack of fields, values and deadlines; 25 has the first deadline before it |
//! | 15, 19, 21 | stream | see `file/streams.rs` |
//! | 6, 7 | of a module | see `file/modules.rs` |

pub(super) const STRING: u8 = 0;
pub(super) const LIST: u8 = 1;
pub(super) const SET: u8 = 2;
pub(super) const ZSET_TEXT: u8 = 3;
pub(super) const HASH: u8 = 4;
/// Scores as eight bytes.
pub(super) const ZSET: u8 = 5;
pub(super) const MODULE_OLD: u8 = 6;
pub(super) const MODULE: u8 = 7;
pub(super) const HASH_ZIPMAP: u8 = 9;
pub(super) const LIST_ZIPLIST: u8 = 10;
pub(super) const SET_INTSET: u8 = 11;
pub(super) const ZSET_ZIPLIST: u8 = 12;
pub(super) const HASH_ZIPLIST: u8 = 13;
pub(super) const LIST_ZIPLISTS: u8 = 14;
pub(super) const STREAM: u8 = 15;
pub(super) const HASH_LISTPACK: u8 = 16;
pub(super) const ZSET_LISTPACK: u8 = 17;
pub(super) const LIST_NODES: u8 = 18;
/// With what Redis 7.0 counts.
pub(super) const STREAM_COUNTED: u8 = 19;
pub(super) const SET_LISTPACK: u8 = 20;
/// With the times that Redis 7.2 keeps of consumers.
pub(super) const STREAM_TIMED: u8 = 21;
pub(super) const HASH_DEADLINES_ABSOLUTE: u8 = 22;
pub(super) const HASH_LISTPACK_DEADLINES_BARE: u8 = 23;
pub(super) const HASH_DEADLINES: u8 = 24;
pub(super) const HASH_LISTPACK_DEADLINES: u8 = 25;

/// One part of a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Atom {
    String,
    Number,
    /// A double: its length and its text, where the lengths 253 to 255 stand for NaN and the infinities.
    Text,
    Double,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Shape {
    /// Bytes before everything else.
    pub(super) lead: usize,
    /// Whether a number of members comes first; else there is one.
    pub(super) counted: bool,
    pub(super) member: &'static [Atom],
}

/// The shape of a type; none for streams, modules, and types that are not known.
pub(super) fn shape(kind: u8) -> Option<Shape> {
    use Atom::{Double, Number, String, Text};
    let one = |lead| Shape { lead, counted: false, member: &[String] };
    let many = |lead, member| Shape { lead, counted: true, member };
    Some(match kind {
        STRING
        | HASH_ZIPMAP
        | LIST_ZIPLIST
        | SET_INTSET
        | ZSET_ZIPLIST
        | HASH_ZIPLIST
        | HASH_LISTPACK
        | ZSET_LISTPACK
        | SET_LISTPACK
        | HASH_LISTPACK_DEADLINES_BARE => one(0),
        HASH_LISTPACK_DEADLINES => one(8),
        LIST | SET | LIST_ZIPLISTS => many(0, &[String]),
        HASH => many(0, &[String, String]),
        ZSET_TEXT => many(0, &[String, Text]),
        ZSET => many(0, &[String, Double]),
        LIST_NODES => many(0, &[Number, String]),
        HASH_DEADLINES_ABSOLUTE => many(0, &[Number, String, String]),
        HASH_DEADLINES => many(8, &[Number, String, String]),
        _ => return None,
    })
}
