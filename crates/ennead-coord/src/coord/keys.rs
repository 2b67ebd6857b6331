//! Requests about keys.

use super::{Coord, Shared};
use crate::api::etcdserverpb::{
    CompactionRequest, CompactionResponse, DeleteRangeRequest, DeleteRangeResponse, PutRequest, PutResponse,
    RangeRequest, RangeResponse, TxnRequest, TxnResponse,
};
use crate::auth::{Access, Caller};
use crate::check;
use crate::error::{Error, Result};
use crate::publication::Answer;
use crate::rows::Word;
use crate::space;
use crate::transaction;
use crate::view::{self, View};
use crate::writer::Effect;

/// How often a read is tried that compactions overtake.
const READ_TRIES: usize = 8;

impl Coord {
    /// Reads keys, at the newest revision that is on disk or an older one.
    ///
    /// # Errors
    /// `Compacted` and `FutureRevision` for a revision that cannot be read.
    pub fn range(&self, request: &RangeRequest) -> Result<RangeResponse> {
        check::range(request)?;
        let mut response = self.shared().range(&self.caller, request)?;
        self.shared().identity.sign(&mut response.header);
        Ok(response)
    }

    /// Puts a key.
    ///
    /// # Durability
    /// The answer waits for the disk.
    pub fn put(&self, request: &PutRequest) -> Result<Answer<PutResponse>> {
        check::put(request)?;
        check::size(request)?;
        let identity = self.shared().identity;
        self.write_within_quota(space::cost_of_put(request), |writer| {
            writer.state.check_put(&self.caller, request)?;
            if request.lease != 0 && !writer.state.leases.contains(request.lease) {
                return Err(Error::LeaseNotFound);
            }
            let mut response = writer.put(request)?;
            identity.sign(&mut response.header);
            Ok(response)
        })
    }

    /// Deletes the keys of a range.
    ///
    /// # Durability
    /// The answer waits for the disk.
    pub fn delete_range(&self, request: &DeleteRangeRequest) -> Result<Answer<DeleteRangeResponse>> {
        check::delete_range(request)?;
        check::size(request)?;
        let identity = self.shared().identity;
        self.write(|writer| {
            writer.state.space.check_sound()?;
            writer.state.auth.check_delete_range(&self.caller, request)?;
            let mut response = writer.delete_range(request)?;
            identity.sign(&mut response.header);
            Ok(response)
        })
    }

    /// Compares, then reads and changes keys, as one revision.
    ///
    /// # Durability
    /// The answer waits for the disk.
    pub fn txn(&self, request: &TxnRequest) -> Result<Answer<TxnResponse>> {
        check::txn(request)?;
        let shared = self.shared();
        if transaction::is_read_only(request) {
            let mut response = shared.read(|view| {
                view.state.check_txn(&self.caller, request)?;
                let path = transaction::choose(view, request)?;
                transaction::check(view, request, &path)?;
                transaction::read(view, request, &path)
            })?;
            shared.identity.sign(&mut response.header);
            return Ok(Answer::new(response, 0, shared.publication.clone()));
        }
        check::size(request)?;
        let identity = shared.identity;
        self.write_within_quota(space::cost_of_txn(request), |writer| {
            writer.state.check_txn(&self.caller, request)?;
            let view = writer.view();
            let path = transaction::choose(&view, request)?;
            transaction::check(&view, request, &path)?;
            let mut response = transaction::execute(writer, request, &path)?;
            response.header = Some(identity.header(writer.revision()));
            Ok(response)
        })
    }

    /// Forgets what only readers of revisions below the given one would find. The answer comes when that can be relied
    /// on, and if it is asked for, when it is done.
    ///
    /// # Errors
    /// `Compacted` when that has been done for this revision or a later one.
    pub async fn compact(&self, request: &CompactionRequest) -> Result<CompactionResponse> {
        let revision = request.revision;
        self.begin_compaction(revision)?.await?;
        if request.physical {
            self.shared().compactor.done(revision).await?;
        }
        Ok(CompactionResponse { header: Some(self.header()) })
    }

    /// Has readers below a revision refused, and what only they would find forgotten once that is on disk, whether or not
    /// somebody waits for it.
    pub(crate) fn begin_compaction(&self, revision: i64) -> Result<Answer<()>> {
        let answer = self.write(|writer| {
            writer.state.space.check_sound()?;
            writer.state.auth.check_admin(&self.caller)?;
            if revision <= writer.state.compacted {
                return Err(Error::Compacted);
            }
            if revision > writer.state.revision {
                return Err(Error::FutureRevision);
            }
            writer.rows.put_number(&mut writer.batch, Word::Compacted, revision as u64);
            writer.effects.push(Effect::Compact(revision));
            Ok(())
        })?;
        self.shared().compactor.ask(revision, answer.sequence());
        Ok(answer)
    }
}

impl Shared {
    /// Runs a read under the lock, at the newest revision that is on disk.
    fn read<T>(&self, work: impl FnOnce(&View<'_>) -> Result<T>) -> Result<T> {
        let state = self.state.read();
        state.space.check_sound()?;
        work(&View { state: &state, rows: &self.rows, revision: self.publication.revision(), pending: &[] })
    }

    /// The lock is held while the index is looked through, not while rows are read.
    fn range(&self, caller: &Caller, request: &RangeRequest) -> Result<RangeResponse> {
        for _ in 0..READ_TRIES {
            let (found, revision) = self.read(|view| {
                view.state.auth.check(caller, &request.key, &request.range_end, Access::Read)?;
                let at = view.resolve(request.revision)?;
                Ok((view.find(request, at), view.revision))
            })?;
            let mut pairs = Vec::with_capacity(found.revisions.len());
            for revision in &found.revisions {
                match self.rows.pair(*revision)? {
                    Some(pair) => pairs.push(pair),
                    // Compacted away meanwhile: what is current has changed, what was asked for is gone.
                    None => break,
                }
            }
            if pairs.len() == found.revisions.len() {
                return Ok(view::shape(request, pairs, found.count, revision));
            }
        }
        Err(Error::Corrupt)
    }
}
