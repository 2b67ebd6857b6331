//! The words of one request, as spans of the connection's read buffer: nothing is copied to parse them.

use std::ops::{Index, Range};

/// The words of a request; `args[0]` is the command's name.
#[derive(Clone, Copy)]
pub struct Args<'a> {
    buffer: &'a [u8],
    spans: &'a [Range<usize>],
}

impl<'a> Args<'a> {
    /// Every span lies within `buffer`.
    pub fn new(buffer: &'a [u8], spans: &'a [Range<usize>]) -> Self {
        Args { buffer, spans }
    }
    pub fn len(&self) -> usize {
        self.spans.len()
    }
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }
    pub fn get(&self, index: usize) -> Option<&'a [u8]> {
        self.spans.get(index).map(|span| &self.buffer[span.clone()])
    }
    /// The words from `index` on.
    pub fn iter_from(&self, index: usize) -> impl ExactSizeIterator<Item = &'a [u8]> + use<'a> {
        let buffer = self.buffer;
        self.spans[index.min(self.spans.len())..].iter().map(move |span| &buffer[span.clone()])
    }
    /// The same request without its first `count` words.
    pub fn skip(&self, count: usize) -> Args<'a> {
        Args { buffer: self.buffer, spans: &self.spans[count.min(self.spans.len())..] }
    }
}

impl Index<usize> for Args<'_> {
    type Output = [u8];
    fn index(&self, index: usize) -> &[u8] {
        &self.buffer[self.spans[index].clone()]
    }
}
