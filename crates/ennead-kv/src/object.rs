//! Values that do not fit into an entry: they live in the slab of their slot. The structures of other types join here.

/// A value of a slot's slab.
#[derive(Debug)]
pub(crate) enum Object {
    LongString(LongString),
}

/// A string kept in chunks on disk.
#[derive(Debug)]
pub(crate) struct LongString {
    /// The number its chunks are stored under.
    pub(crate) id: u64,
    pub(crate) bytes: Vec<u8>,
}

impl Object {
    /// Bytes that it takes in memory.
    pub(crate) fn size(&self) -> usize {
        match self {
            Object::LongString(string) => Object::string_size(&string.bytes),
        }
    }

    /// What a long string of these bytes takes.
    pub(crate) fn string_size(bytes: &Vec<u8>) -> usize {
        size_of::<Object>() + bytes.capacity()
    }
}
