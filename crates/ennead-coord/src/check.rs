//! What is wrong with a request whatever the keys are like.

#[cfg(test)]
mod tests;

use std::collections::HashSet;

use prost::Message;

use crate::api::etcdserverpb::range_request::{SortOrder, SortTarget};
use crate::api::etcdserverpb::request_op::Request;
use crate::api::etcdserverpb::{DeleteRangeRequest, PutRequest, RangeRequest, RequestOp, TxnRequest};
use crate::error::{Error, Result};
use crate::span::Span;

/// Comparisons, or operations of either branch, of a transaction and those within it.
const OPERATIONS_MAX: usize = 128;
/// Bytes of an encoded write.
const REQUEST_BYTES_MAX: usize = 3 << 19;
/// Bytes that etcd wraps around a write before it measures it.
const ENVELOPE_BYTES: usize = 18;

pub(crate) fn size(request: &impl Message) -> Result<()> {
    if request.encoded_len() + ENVELOPE_BYTES > REQUEST_BYTES_MAX { Err(Error::RequestTooLarge) } else { Ok(()) }
}

pub(crate) fn range(request: &RangeRequest) -> Result<()> {
    if request.key.is_empty() {
        return Err(Error::EmptyKey);
    }
    if SortOrder::try_from(request.sort_order).is_err() || SortTarget::try_from(request.sort_target).is_err() {
        return Err(Error::InvalidSortOption);
    }
    Ok(())
}

pub(crate) fn put(request: &PutRequest) -> Result<()> {
    if request.key.is_empty() {
        return Err(Error::EmptyKey);
    }
    if request.ignore_value && !request.value.is_empty() {
        return Err(Error::ValueProvided);
    }
    if request.ignore_lease && request.lease != 0 {
        return Err(Error::LeaseProvided);
    }
    Ok(())
}

pub(crate) fn delete_range(request: &DeleteRangeRequest) -> Result<()> {
    if request.key.is_empty() { Err(Error::EmptyKey) } else { Ok(()) }
}

pub(crate) fn txn(request: &TxnRequest) -> Result<()> {
    operations(request, OPERATIONS_MAX)?;
    changes(&request.success)?;
    changes(&request.failure)?;
    Ok(())
}

fn operations(request: &TxnRequest, max: usize) -> Result<()> {
    let count = request.compare.len().max(request.success.len()).max(request.failure.len());
    let left = max.checked_sub(count).ok_or(Error::TooManyOperations)?;
    if request.compare.iter().any(|compare| compare.key.is_empty()) {
        return Err(Error::EmptyKey);
    }
    request.success.iter().chain(&request.failure).try_for_each(|operation| match &operation.request {
        Some(Request::RequestRange(request)) => range(request),
        Some(Request::RequestPut(request)) => put(request),
        Some(Request::RequestDeleteRange(request)) => delete_range(request),
        Some(Request::RequestTxn(request)) => operations(request, left),
        None => Err(Error::KeyNotFound),
    })
}

/// What a list of operations may put and delete.
#[derive(Default)]
struct Changes<'a> {
    puts: HashSet<&'a [u8]>,
    deletes: Vec<Span<&'a [u8]>>,
}

impl<'a> Changes<'a> {
    fn deletes(&self, key: &[u8]) -> bool {
        self.deletes.iter().any(|span| span.contains(key))
    }
}

/// No key may be put twice, or put and deleted, in one transaction. Branches that exclude each other may do the same.
fn changes(operations: &[RequestOp]) -> Result<Changes<'_>> {
    let mut found = Changes::default();
    for operation in operations {
        if let Some(Request::RequestDeleteRange(delete)) = &operation.request {
            // As etcd: a delete of all keys from one on is not seen to overlap with anything.
            match Span::new(&delete.key[..], &delete.range_end[..]) {
                Span::From(_) => {}
                span => found.deletes.push(span),
            }
        }
    }
    for operation in operations {
        let Some(Request::RequestTxn(txn)) = &operation.request else { continue };
        let (success, failure) = (changes(&txn.success)?, changes(&txn.failure)?);
        for key in &success.puts {
            if found.deletes(key) || !found.puts.insert(key) {
                return Err(Error::DuplicateKey);
            }
        }
        for key in &failure.puts {
            if found.deletes(key) || (!found.puts.insert(key) && !success.puts.contains(key)) {
                return Err(Error::DuplicateKey);
            }
        }
        found.deletes.extend(success.deletes);
        found.deletes.extend(failure.deletes);
    }
    for operation in operations {
        if let Some(Request::RequestPut(put)) = &operation.request
            && (found.deletes(&put.key) || !found.puts.insert(&put.key))
        {
            return Err(Error::DuplicateKey);
        }
    }
    Ok(found)
}
