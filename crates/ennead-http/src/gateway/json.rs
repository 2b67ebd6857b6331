//! Messages as JSON, by their descriptors, as protobuf and etcd's gateway have it: names as in the protocol, bytes in base64, numbers
//! of 64 bits as strings, values of enumerations by name, and what has its default left out. In requests names may also be
//! in camel case, numbers be numbers, and what is not known is passed over.

use bytes::Bytes;
use prost_reflect::prost::Message;
use prost_reflect::{DeserializeOptions, DynamicMessage, MessageDescriptor, SerializeOptions};

use super::refusal::{INTERNAL, INVALID_ARGUMENT, Refusal};

const READING: DeserializeOptions = DeserializeOptions::new().deny_unknown_fields(false);
const WRITING: SerializeOptions = SerializeOptions::new().use_proto_field_name(true);

/// What has more bytes is not converted on the event loop.
const INLINE_BYTES_MAX: usize = 64 << 10;

/// The encoded message of a document. Nothing is the message without fields; what follows the document does not matter.
pub(super) async fn read(kind: MessageDescriptor, document: Bytes) -> Result<Bytes, Refusal> {
    let size = document.len();
    aside(size, move || parse(kind, &document)).await
}

/// The document of an encoded message.
pub(super) async fn write(kind: MessageDescriptor, message: Bytes) -> Result<Vec<u8>, Refusal> {
    let size = message.len();
    aside(size, move || print(kind, &message)).await
}

async fn aside<T: Send + 'static>(
    size: usize,
    work: impl FnOnce() -> Result<T, Refusal> + Send + 'static,
) -> Result<T, Refusal> {
    if size <= INLINE_BYTES_MAX {
        return work();
    }
    let outcome = tokio::task::spawn_blocking(work).await;
    outcome.unwrap_or_else(|failure| Err(Refusal::new(INTERNAL, failure.to_string())))
}

pub(super) fn parse(kind: MessageDescriptor, document: &[u8]) -> Result<Bytes, Refusal> {
    if document.iter().all(u8::is_ascii_whitespace) {
        return Ok(Bytes::new());
    }
    let mut reader = serde_json::Deserializer::from_slice(document);
    let message = DynamicMessage::deserialize_with_options(kind, &mut reader, &READING);
    let message = message.map_err(|error| Refusal::new(INVALID_ARGUMENT, error.to_string()))?;
    Ok(message.encode_to_vec().into())
}

fn print(kind: MessageDescriptor, message: &[u8]) -> Result<Vec<u8>, Refusal> {
    let internal = |error: &dyn std::error::Error| Refusal::new(INTERNAL, error.to_string());
    let message = DynamicMessage::decode(kind, message).map_err(|error| internal(&error))?;
    let mut document = Vec::new();
    let mut writer = serde_json::Serializer::new(&mut document);
    message.serialize_with_options(&mut writer, &WRITING).map_err(|error| internal(&error))?;
    Ok(document)
}
