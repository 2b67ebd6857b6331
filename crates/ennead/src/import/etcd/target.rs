//! The receiving end: keys go out in transactions of many.

use ennead_engine::coord::api::etcdserverpb::request_op::Request as Operation;
use ennead_engine::coord::api::etcdserverpb::{
    DeleteRangeRequest, LeaseLeasesRequest, LeaseRevokeRequest, PutRequest, RangeRequest, RequestOp, TxnRequest,
};
use ennead_engine::coord::api::mvccpb::KeyValue;
use ennead_grpc::Refusal;
use ennead_grpc::client::Client;

use super::pages::size;
use super::report::Report;
use super::{Existing, everything};

/// Of one transaction: the most that etcd's API allows, and less than the largest request.
const OPERATIONS_MAX: usize = 128;
const TRANSACTION_BYTES: usize = 1 << 20;

/// gRPC's numbers for what is wrong with a request itself.
const INVALID_ARGUMENT: i32 = 3;
const OUT_OF_RANGE: i32 = 11;

pub(super) struct Target {
    pub(super) client: Client,
}

impl Target {
    pub(super) fn new(client: Client) -> Target {
        Target { client }
    }

    /// One line about a call that failed.
    pub(super) fn problem(&self, refusal: &Refusal) -> String {
        let hint = if refusal.message.contains("database space exceeded") {
            "; give it more room by coord.quota, or compact it"
        } else {
            ""
        };
        format!("{}, the target: {}{hint}", self.client.place(), refusal.message)
    }

    /// Makes sure that a copy finds the target as it was agreed on.
    pub(super) async fn prepare(&mut self, existing: Existing) -> Result<(), String> {
        let problem = |refusal: Refusal| self.problem(&refusal);
        let counted = self.client.range(RangeRequest { count_only: true, ..everything() }).await.map_err(problem)?;
        let leases = self.client.lease_leases(LeaseLeasesRequest {}).await.map_err(problem)?.leases;
        match existing {
            Existing::Merge => Ok(()),
            Existing::Refuse if counted.count == 0 && leases.is_empty() => Ok(()),
            Existing::Refuse => Err(format!(
                "the target is not empty: it has {} keys and {} leases of etcd's. --flush deletes what is there before the \
                 copy, --merge keeps it and replaces the keys that the source has as well",
                counted.count,
                leases.len()
            )),
            Existing::Flush => {
                for lease in leases {
                    match self.client.lease_revoke(LeaseRevokeRequest { id: lease.id }).await {
                        Err(refusal) if !refusal.message.contains("lease not found") => return Err(problem(refusal)),
                        _ => {}
                    }
                }
                let all = everything();
                let all = DeleteRangeRequest { key: all.key, range_end: all.range_end, prev_kv: false };
                self.client.delete_range(all).await.map(drop).map_err(problem)
            }
        }
    }

    /// Puts keys, many at a time.
    ///
    /// # Errors
    /// One line. What is wrong with single keys is counted instead.
    pub(super) async fn put(&mut self, keys: Vec<KeyValue>, report: &mut Report) -> Result<(), String> {
        let mut batch = Vec::new();
        let mut bytes = 0;
        for pair in keys {
            if batch.len() == OPERATIONS_MAX || (bytes + size(&pair) > TRANSACTION_BYTES && !batch.is_empty()) {
                self.write(std::mem::take(&mut batch), report).await?;
                bytes = 0;
            }
            bytes += size(&pair);
            batch.push(pair);
        }
        if batch.is_empty() { Ok(()) } else { self.write(batch, report).await }
    }

    async fn write(&mut self, batch: Vec<KeyValue>, report: &mut Report) -> Result<(), String> {
        let refused = report.refused;
        self.apply(&batch, report).await?;
        report.keys += batch.len() as u64 - (report.refused - refused);
        Ok(())
    }

    /// Puts and deletes keys as one transaction, or one by one where it is refused: a pair without a version was deleted.
    ///
    /// # Errors
    /// One line. What is wrong with single keys is counted instead.
    pub(super) async fn apply(&mut self, changes: &[KeyValue], report: &mut Report) -> Result<(), String> {
        let whole = self.transact(changes).await;
        match whole {
            Ok(()) => return Ok(()),
            Err(refusal) if is_about_request(&refusal) => {}
            Err(refusal) => return Err(self.problem(&refusal)),
        }
        for pair in changes {
            match self.transact(std::slice::from_ref(pair)).await {
                Ok(()) => {}
                Err(refusal) if is_about_request(&refusal) => report.refuse(&pair.key, &refusal.message),
                Err(refusal) => return Err(self.problem(&refusal)),
            }
        }
        Ok(())
    }

    async fn transact(&self, changes: &[KeyValue]) -> Result<(), Refusal> {
        let success = changes.iter().map(operation).collect();
        self.client.txn(TxnRequest { success, ..TxnRequest::default() }).await.map(drop)
    }
}

fn operation(pair: &KeyValue) -> RequestOp {
    let KeyValue { key, value, lease, version, .. } = pair;
    let (key, value, lease) = (key.clone(), value.clone(), *lease);
    let request = if *version > 0 {
        Operation::RequestPut(PutRequest { key, value, lease, ..PutRequest::default() })
    } else {
        Operation::RequestDeleteRange(DeleteRangeRequest { key, ..DeleteRangeRequest::default() })
    };
    RequestOp { request: Some(request) }
}

/// Whether another request may be taken.
fn is_about_request(refusal: &Refusal) -> bool {
    [INVALID_ARGUMENT, OUT_OF_RANGE].contains(&refusal.code)
        || refusal.message.contains("lease not found")
        || refusal.message.contains("larger than max")
}
