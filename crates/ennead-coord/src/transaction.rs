//! Transactions of comparisons and operations: which branches are taken, whether they can succeed, what they do.
//!
//! All comparisons, those of inner transactions among them, and all checks are made before the first operation changes
//! anything, so a transaction that is refused has done nothing.

use crate::api::etcdserverpb::compare::{CompareResult, CompareTarget, TargetUnion};
use crate::api::etcdserverpb::request_op::Request;
use crate::api::etcdserverpb::response_op::Response;
use crate::api::etcdserverpb::{
    Compare, PutRequest, RangeRequest, RequestOp, ResponseHeader, ResponseOp, TxnRequest, TxnResponse,
};
use crate::api::mvccpb::KeyValue;
use crate::error::{Error, Result};
use crate::span::Span;
use crate::view::View;
use crate::writer::Writer;

/// The branches that a transaction takes, and those of the transactions in it, in their order.
pub(crate) struct Path {
    succeeded: bool,
    inner: Vec<Path>,
}

/// Whether neither branch can change anything.
pub(crate) fn is_read_only(request: &TxnRequest) -> bool {
    let reads = |operation: &RequestOp| matches!(operation.request, Some(Request::RequestRange(_)));
    request.success.iter().chain(&request.failure).all(reads)
}

fn taken<'a>(request: &'a TxnRequest, path: &Path) -> &'a [RequestOp] {
    if path.succeeded { &request.success } else { &request.failure }
}

/// Compares, and says which way to go.
pub(crate) fn choose(view: &View<'_>, request: &TxnRequest) -> Result<Path> {
    let mut path = Path { succeeded: true, inner: Vec::new() };
    for compare in &request.compare {
        if !holds(view, compare)? {
            path.succeeded = false;
            break;
        }
    }
    for operation in taken(request, &path) {
        if let Some(Request::RequestTxn(inner)) = &operation.request {
            path.inner.push(choose(view, inner)?);
        }
    }
    Ok(path)
}

/// Whether a comparison holds for every key of its range; for a key that is not there all numbers are 0.
fn holds(view: &View<'_>, compare: &Compare) -> Result<bool> {
    let span = Span::new(&compare.key[..], &compare.range_end[..]);
    let pairs = view.pairs(&span)?;
    if pairs.is_empty() {
        // There is no value that a missing one would be equal to.
        let has_value = compare.target == CompareTarget::Value as i32;
        return Ok(!has_value && holds_for(compare, &KeyValue::default()));
    }
    Ok(pairs.iter().all(|pair| holds_for(compare, pair)))
}

fn holds_for(compare: &Compare, pair: &KeyValue) -> bool {
    let union = compare.target_union.as_ref();
    let ordering =
        match CompareTarget::try_from(compare.target) {
            Ok(CompareTarget::Value) => {
                let value: &[u8] = if let Some(TargetUnion::Value(value)) = union { value } else { b"" };
                pair.value[..].cmp(value)
            }
            Ok(CompareTarget::Create) => pair
                .create_revision
                .cmp(&if let Some(TargetUnion::CreateRevision(revision)) = union { *revision } else { 0 }),
            Ok(CompareTarget::Mod) => {
                pair.mod_revision.cmp(&if let Some(TargetUnion::ModRevision(revision)) = union { *revision } else { 0 })
            }
            Ok(CompareTarget::Version) => {
                pair.version.cmp(&if let Some(TargetUnion::Version(version)) = union { *version } else { 0 })
            }
            Ok(CompareTarget::Lease) => {
                pair.lease.cmp(&if let Some(TargetUnion::Lease(lease)) = union { *lease } else { 0 })
            }
            // etcd compares nothing then, and finds it equal.
            Err(_) => std::cmp::Ordering::Equal,
        };
    match CompareResult::try_from(compare.result) {
        Ok(CompareResult::Equal) => ordering.is_eq(),
        Ok(CompareResult::NotEqual) => ordering.is_ne(),
        Ok(CompareResult::Greater) => ordering.is_gt(),
        Ok(CompareResult::Less) => ordering.is_lt(),
        Err(_) => true,
    }
}

/// Whether all operations on the path can succeed.
pub(crate) fn check(view: &View<'_>, request: &TxnRequest, path: &Path) -> Result<()> {
    let mut inner = path.inner.iter();
    for operation in taken(request, path) {
        match &operation.request {
            Some(Request::RequestRange(range)) => check_range(view, range)?,
            Some(Request::RequestPut(put)) => check_put(view, put)?,
            Some(Request::RequestTxn(txn)) => {
                if let Some(path) = inner.next() {
                    check(view, txn, path)?;
                }
            }
            Some(Request::RequestDeleteRange(_)) | None => {}
        }
    }
    Ok(())
}

fn check_range(view: &View<'_>, request: &RangeRequest) -> Result<()> {
    match request.revision {
        0 => Ok(()),
        revision if revision > view.revision => Err(Error::FutureRevision),
        revision if revision < view.state.compacted => Err(Error::Compacted),
        _ => Ok(()),
    }
}

fn check_put(view: &View<'_>, request: &PutRequest) -> Result<()> {
    let needs_previous = request.ignore_value || request.ignore_lease;
    if needs_previous && view.state.index.find(&request.key, view.revision).is_none() {
        return Err(Error::KeyNotFound);
    }
    if request.lease != 0 && !view.state.leases.contains(request.lease) {
        return Err(Error::LeaseNotFound);
    }
    Ok(())
}

/// Reads along a path of a transaction that is read-only.
pub(crate) fn read(view: &View<'_>, request: &TxnRequest, path: &Path) -> Result<TxnResponse> {
    let mut responses = Vec::new();
    for operation in taken(request, path) {
        if let Some(Request::RequestRange(range)) = &operation.request {
            responses.push(ResponseOp { response: Some(Response::ResponseRange(view.range(range)?)) });
        }
    }
    let header = Some(ResponseHeader { revision: view.revision, ..ResponseHeader::default() });
    Ok(TxnResponse { header, succeeded: path.succeeded, responses })
}

/// Does what a path says. The header is empty, as etcd leaves those of inner transactions.
pub(crate) fn execute(writer: &mut Writer<'_>, request: &TxnRequest, path: &Path) -> Result<TxnResponse> {
    let mut responses = Vec::new();
    let mut inner = path.inner.iter();
    for operation in taken(request, path) {
        let response = match &operation.request {
            Some(Request::RequestRange(range)) => Some(Response::ResponseRange(writer.view().range(range)?)),
            Some(Request::RequestPut(put)) => Some(Response::ResponsePut(writer.put(put)?)),
            Some(Request::RequestDeleteRange(delete)) => {
                Some(Response::ResponseDeleteRange(writer.delete_range(delete)?))
            }
            Some(Request::RequestTxn(txn)) => match inner.next() {
                Some(path) => Some(Response::ResponseTxn(execute(writer, txn, path)?)),
                None => None,
            },
            None => None,
        };
        responses.push(ResponseOp { response });
    }
    Ok(TxnResponse { header: Some(ResponseHeader::default()), succeeded: path.succeeded, responses })
}
