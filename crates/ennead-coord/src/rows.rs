//! What the model keeps in the store.
//!
//! | table | row | value |
//! |---|---|---|
//! | `coord.history` | main revision (8 bytes, big endian), sub (4) | `mvccpb.KeyValue`, see [`crate::record`] |
//! | `coord.auth` | see [`crate::auth`] | |
//! | `coord.leases` | id (8 bytes, big endian) | see [`crate::lease`] |
//! | `coord.meta` | a word of [`Word`] | a number, 8 bytes, big endian |
//! | | `peer-urls` | `etcdserverpb.MemberUpdateRequest`, the last one |

use ennead_store::{Store, Table, TableKind, WriteBatch};
use prost::Message;

use crate::api::etcdserverpb::MemberUpdateRequest;
use crate::api::mvccpb::KeyValue;
use crate::error::{Error, Result};
use crate::record;
use crate::revision::Revision;

/// The store, and the model's tables in it.
#[derive(Debug, Clone)]
pub(crate) struct Rows {
    pub(crate) store: Store,
    pub(crate) history: Table,
    pub(crate) auth: Table,
    pub(crate) leases: Table,
    pub(crate) meta: Table,
}

const PEER_URLS: &[u8] = b"peer-urls";

/// Names of single numbers.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Word {
    /// Reads below this revision are refused.
    Compacted,
    /// The compaction to this revision has forgotten all it could.
    CompactionDone,
    ClusterId,
    MemberId,
    /// Starts of the server.
    Term,
    /// The model's time, see [`crate::lease`].
    Clock,
}

impl Word {
    fn key(self) -> &'static [u8] {
        match self {
            Word::Compacted => b"compacted",
            Word::CompactionDone => b"compaction-done",
            Word::ClusterId => b"cluster-id",
            Word::MemberId => b"member-id",
            Word::Term => b"term",
            Word::Clock => b"clock",
        }
    }
}

impl Rows {
    pub(crate) fn open(store: Store) -> Result<Rows> {
        Ok(Rows {
            history: store.create_table("coord.history", TableKind::Ordered)?,
            auth: store.create_table("coord.auth", TableKind::Ordered)?,
            leases: store.create_table("coord.leases", TableKind::Ordered)?,
            meta: store.create_table("coord.meta", TableKind::Ordered)?,
            store,
        })
    }

    /// The pair that a change wrote, unless it was compacted away.
    pub(crate) fn pair(&self, revision: Revision) -> Result<Option<KeyValue>> {
        self.store.get(self.history, &revision.row_key())?.map(record::decode).transpose()
    }

    /// What the member was told to call itself to others.
    pub(crate) fn peer_urls(&self) -> Result<Vec<String>> {
        let Some(bytes) = self.store.get(self.meta, PEER_URLS)? else { return Ok(Vec::new()) };
        Ok(MemberUpdateRequest::decode(&*bytes).map_err(|_| Error::Corrupt)?.peer_ur_ls)
    }

    pub(crate) fn put_peer_urls(&self, batch: &mut WriteBatch, request: &MemberUpdateRequest) {
        batch.put(self.meta, PEER_URLS, &request.encode_to_vec());
    }

    pub(crate) fn number(&self, word: Word) -> Result<Option<u64>> {
        let bytes = self.store.get(self.meta, word.key())?;
        Ok(bytes.and_then(|bytes| Some(u64::from_be_bytes(bytes.try_into().ok()?))))
    }

    pub(crate) fn put_number(&self, batch: &mut WriteBatch, word: Word, number: u64) {
        batch.put(self.meta, word.key(), &number.to_be_bytes());
    }
}
