//! The requests of a pipeline that were parsed ahead of their execution, so that what they touch is fetched at once.
//!
//! It belongs to a worker; a connection uses it within one turn. A request that is not complete stays in the
//! connection's own parser, one that has to be tried again goes back there.

#[cfg(test)]
mod tests;

use std::ops::Range;

use ennead_engine::{Args, Lookup, Registry};

use crate::request::{Limits, Parser, ProtocolError};

/// Requests parsed ahead at once.
const REQUESTS_MAX: usize = 16;

#[derive(Debug)]
struct Request {
    parser: Parser,
    found: Lookup,
    /// Where it begins and how long it is, bytes of the input.
    start: usize,
    len: usize,
}

impl Default for Request {
    fn default() -> Self {
        Request { parser: Parser::new(), found: Lookup::Unknown, start: 0, len: 0 }
    }
}

/// A request that is to be executed.
pub(crate) struct Parsed<'a> {
    /// Maybe no words at all: an empty line.
    pub(crate) args: Args<'a>,
    /// What its first words name.
    pub(crate) found: Lookup,
}

/// What was known of a request that has to be tried again, its length among it.
pub(crate) type PutBack = (Lookup, usize);

/// Complete requests at the start of an input.
#[derive(Debug, Default)]
pub(crate) struct Ahead {
    requests: [Request; REQUESTS_MAX],
    count: usize,
}

impl Ahead {
    /// Parses what is complete at the start of `input`, beginning in the state of the connection's own parser. The
    /// error is that of the request behind the complete ones.
    pub(crate) fn fill(&mut self, own: &mut Parser, input: &[u8], limits: Limits) -> Result<(), ProtocolError> {
        self.count = 0;
        // A stranger's next request may be allowed more than this one.
        let count_max = if limits.authenticated { REQUESTS_MAX } else { 1 };
        let mut start = 0;
        while self.count < count_max && start < input.len() {
            match own.parse(&input[start..], limits)? {
                Some(len) => {
                    let args = own.args(&input[start..]);
                    let found = if args.is_empty() { Lookup::Unknown } else { Registry::get().lookup(&args) };
                    self.put(own, found, start, len);
                    start += len;
                }
                None => break,
            }
        }
        Ok(())
    }

    /// Takes a request that was put back before.
    pub(crate) fn resume(&mut self, own: &mut Parser, (found, len): PutBack) {
        self.count = 0;
        self.put(own, found, 0, len);
    }

    fn put(&mut self, own: &mut Parser, found: Lookup, start: usize, len: usize) {
        let request = &mut self.requests[self.count];
        request.parser.reset();
        std::mem::swap(own, &mut request.parser);
        (request.found, request.start, request.len) = (found, start, len);
        self.count += 1;
    }

    /// Gives a request that has to be tried again back to the connection's own parser.
    pub(crate) fn put_back(&mut self, index: usize, own: &mut Parser) -> PutBack {
        let request = &mut self.requests[index];
        std::mem::swap(own, &mut request.parser);
        (request.found, request.len)
    }

    /// The turn is over.
    pub(crate) fn clear(&mut self) {
        for request in &mut self.requests[..self.count] {
            request.parser.trim();
        }
        self.count = 0;
    }

    pub(crate) fn len(&self) -> usize {
        self.count
    }

    #[inline]
    pub(crate) fn request<'a>(&'a self, index: usize, input: &'a [u8]) -> Parsed<'a> {
        let request = &self.requests[index];
        let args = request.parser.args(&input[request.start..]);
        Parsed { args, found: request.found }
    }

    /// Bytes that requests take of the input.
    pub(crate) fn bytes(&self, indexes: Range<usize>) -> usize {
        self.requests[indexes].iter().map(|request| request.len).sum()
    }

    /// All requests from an index on; one without words is unknown.
    pub(crate) fn iter_from<'a>(
        &'a self,
        index: usize,
        input: &'a [u8],
    ) -> impl Iterator<Item = (Lookup, Args<'a>)> + use<'a> {
        (index..self.count).map(move |index| self.request(index, input)).map(|Parsed { found, args, .. }| (found, args))
    }

    /// All requests that have words.
    pub(crate) fn iter<'a>(&'a self, input: &'a [u8]) -> impl Iterator<Item = (Lookup, Args<'a>)> {
        self.iter_from(0, input).filter(|(_, args)| !args.is_empty())
    }
}
