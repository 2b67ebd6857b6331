//! All keys of the source as of one revision, page by page, in their order.

use bytes::Bytes;
use ennead_engine::coord::api::etcdserverpb::RangeRequest;
use ennead_engine::coord::api::mvccpb::KeyValue;
use ennead_grpc::Refusal;
use ennead_grpc::client::Client;

/// What a page should have, by the sizes of the one before it.
const PAGE_BYTES: usize = 2 << 20;
/// Keys of the first page, and of later ones.
const FIRST_KEYS: i64 = 16;
const PAGE_KEYS_MAX: i64 = 5_000;
/// What a pair takes beside key and value, about.
const PAIR_BYTES: usize = 32;

pub(super) struct Pages {
    source: Client,
    revision: i64,
    /// The first key that was not read.
    from: Bytes,
    keys_max: i64,
    over: bool,
}

impl Pages {
    pub(super) fn new(source: Client, revision: i64) -> Pages {
        Pages { source, revision, from: Bytes::from_static(b"\0"), keys_max: FIRST_KEYS, over: false }
    }

    /// The next keys; none behind the last.
    ///
    /// # Errors
    /// As text: the source is gone, or no longer has the revision.
    pub(super) async fn next(&mut self) -> Result<Option<Vec<KeyValue>>, String> {
        if self.over {
            return Ok(None);
        }
        let answer = loop {
            let request = RangeRequest {
                key: self.from.clone(),
                range_end: Bytes::from_static(b"\0"),
                revision: self.revision,
                limit: self.keys_max,
                ..RangeRequest::default()
            };
            match self.source.range(request).await {
                Ok(answer) => break answer,
                Err(refusal) if is_too_large(&refusal) && self.keys_max > 1 => self.keys_max /= 2,
                Err(refusal) => return Err(explain(refusal)),
            }
        };
        self.over = !answer.more;
        let Some(last) = answer.kvs.last() else { return Ok(None) };
        self.from = [&last.key[..], b"\0"].concat().into();
        let bytes: usize = answer.kvs.iter().map(size).sum();
        let fitting = PAGE_BYTES * answer.kvs.len() / bytes.max(1);
        self.keys_max = i64::try_from(fitting).unwrap_or(PAGE_KEYS_MAX).clamp(1, PAGE_KEYS_MAX);
        Ok(Some(answer.kvs))
    }
}

/// What a pair takes in a message, about.
pub(super) fn size(pair: &KeyValue) -> usize {
    pair.key.len() + pair.value.len() + PAIR_BYTES
}

/// Whether the client did not take an answer for its size.
fn is_too_large(refusal: &Refusal) -> bool {
    refusal.message.contains("message length too large")
}

fn explain(refusal: Refusal) -> String {
    if refusal.message.contains("required revision has been compacted") {
        return "the source compacted the revision that was being copied; let it compact less often meanwhile"
            .to_owned();
    }
    refusal.message
}
