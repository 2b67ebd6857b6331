//! An answer of a stream as the message that it is on the wire, of which what many watches are told is encoded once.

use bytes::{Buf, BufMut, Bytes};
use prost::encoding::{DecodeContext, WireType, encode_key, encode_varint, encoded_len_varint, key_len};
use prost::{DecodeError, Message};

use super::history::event;
use super::mailbox::Told;
use crate::api::etcdserverpb::WatchResponse;
use crate::api::mvccpb::{Event, KeyValue};

/// The number of the field `events`. No other field of the message has a greater one.
const EVENTS: u32 = 11;

/// A `WatchResponse`, encoded and decoded as one.
#[derive(Debug, Default)]
pub struct WatchAnswer {
    /// All that is not `told`.
    response: WatchResponse,
    /// Events behind those of the response.
    told: Vec<Told>,
}

/// A change as an event among others, with the tag of the field and its length.
pub(crate) fn encode(change: &KeyValue) -> Bytes {
    let event = event(change.clone());
    let length = event.encoded_len();
    let mut field = Vec::with_capacity(key_len(EVENTS) + encoded_len_varint(length as u64) + length);
    encode_key(EVENTS, WireType::LengthDelimited, &mut field);
    encode_varint(length as u64, &mut field);
    event.encode_raw(&mut field);
    field.into()
}

impl WatchAnswer {
    pub(super) fn new(response: WatchResponse, told: Vec<Told>) -> WatchAnswer {
        WatchAnswer { response, told }
    }

    /// The message with all its events.
    pub fn into_response(mut self) -> WatchResponse {
        self.response.events.extend(told_events(&self.told));
        self.response
    }

    fn encoded_events(&self) -> impl Iterator<Item = &Bytes> {
        self.told.iter().flat_map(|told| told.which.iter().filter_map(|at| told.committed.encoded(*at)))
    }
}

/// The events of changes.
pub(super) fn told_events(told: &[Told]) -> impl Iterator<Item = Event> {
    told.iter().flat_map(Told::changes).cloned().map(event)
}

impl Message for WatchAnswer {
    fn encode_raw(&self, buffer: &mut impl BufMut) {
        self.response.encode_raw(buffer);
        self.encoded_events().for_each(|event| buffer.put_slice(event));
    }

    fn merge_field(
        &mut self,
        tag: u32,
        wire_type: WireType,
        buffer: &mut impl Buf,
        context: DecodeContext,
    ) -> Result<(), DecodeError> {
        self.response.merge_field(tag, wire_type, buffer, context)
    }

    fn encoded_len(&self) -> usize {
        self.response.encoded_len() + self.encoded_events().map(Bytes::len).sum::<usize>()
    }

    fn clear(&mut self) {
        self.response.clear();
        self.told.clear();
    }
}
