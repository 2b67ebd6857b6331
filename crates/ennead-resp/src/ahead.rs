//! The requests of a pipeline that were parsed ahead of their execution, so that what they touch is fetched at once.
//!
//! It belongs to a worker; a connection uses it within one turn. A request that is not complete stays in the
//! connection's own parser, one that has to be tried again goes back there.

#[cfg(test)]
mod tests;

use ennead_engine::Args;

use crate::request::{Limits, Parser, ProtocolError};

/// Requests parsed ahead at once.
const REQUESTS_MAX: usize = 16;

#[derive(Debug, Default)]
struct Request {
    parser: Parser,
    /// Where it begins and how long it is, bytes of the input.
    start: usize,
    len: usize,
}

/// Complete requests at the start of an input.
#[derive(Debug, Default)]
pub(crate) struct Ahead {
    requests: [Request; REQUESTS_MAX],
    count: usize,
}

impl Ahead {
    /// Parses what is complete at the start of `input`, beginning in the state of the connection's own parser. The error is that of
    /// the request behind the complete ones.
    pub(crate) fn fill(&mut self, own: &mut Parser, input: &[u8], limits: Limits) -> Result<(), ProtocolError> {
        self.count = 0;
        // A stranger's next request may be allowed more than this one.
        let count_max = if limits.authenticated { REQUESTS_MAX } else { 1 };
        let mut start = 0;
        while self.count < count_max && start < input.len() {
            match own.parse(&input[start..], limits)? {
                Some(len) => {
                    self.put(own, start, len);
                    start += len;
                }
                None => break,
            }
        }
        Ok(())
    }

    /// Takes a request that the connection's own parser has parsed before.
    pub(crate) fn resume(&mut self, own: &mut Parser, len: usize) {
        self.count = 0;
        self.put(own, 0, len);
    }

    fn put(&mut self, own: &mut Parser, start: usize, len: usize) {
        let request = &mut self.requests[self.count];
        request.parser.reset();
        std::mem::swap(own, &mut request.parser);
        (request.start, request.len) = (start, len);
        self.count += 1;
    }

    /// Gives a request that has to be tried again back to the connection's own parser, with its length.
    pub(crate) fn put_back(&mut self, index: usize, own: &mut Parser) -> usize {
        let request = &mut self.requests[index];
        std::mem::swap(own, &mut request.parser);
        request.len
    }

    pub(crate) fn len(&self) -> usize {
        self.count
    }

    /// A request's words and its length.
    #[inline]
    pub(crate) fn request<'a>(&'a self, index: usize, input: &'a [u8]) -> (Args<'a>, usize) {
        let request = &self.requests[index];
        (request.parser.args(&input[request.start..]), request.len)
    }

    /// The words of all requests that have any.
    pub(crate) fn iter<'a>(&'a self, input: &'a [u8]) -> impl Iterator<Item = Args<'a>> {
        (0..self.count).map(|index| self.request(index, input).0).filter(|args| !args.is_empty())
    }
}
