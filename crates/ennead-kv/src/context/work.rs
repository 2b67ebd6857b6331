//! What commands of one thread use one after the other, so that none of them allocates it.

use std::cell::Cell;

use ennead_store::WriteBatch;

use crate::row::RowBuffer;

/// A larger batch is given back to the allocator.
const KEPT_BYTES: usize = 1 << 20;

#[derive(Default)]
pub(super) struct Work {
    pub(super) batch: WriteBatch,
    pub(super) row: RowBuffer,
    /// Key and value of the row of a collection's member.
    pub(super) member_key: Vec<u8>,
    pub(super) member_value: Vec<u8>,
}

thread_local! {
    static WORK: Cell<Option<Work>> = const { Cell::new(None) };
}

impl Work {
    #[inline]
    pub(super) fn take() -> Work {
        WORK.take().unwrap_or_default()
    }

    #[inline]
    pub(super) fn give_back(mut self) {
        self.row.trim();
        for buffer in [&mut self.member_key, &mut self.member_value] {
            if buffer.capacity() > KEPT_BYTES {
                *buffer = Vec::new();
            }
        }
        WORK.set(Some(self));
    }

    #[inline]
    pub(super) fn clear(&mut self) {
        if self.batch.bytes() > KEPT_BYTES {
            self.batch = WriteBatch::new();
        } else {
            self.batch.clear();
        }
    }
}
