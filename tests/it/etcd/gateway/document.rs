//! Messages as JSON in the forms that the gateway takes, and what a server answered without what may differ: who it is,
//! where its revisions began, what it named itself.

use prost::Message;
use prost_reflect::{DescriptorPool, DynamicMessage, SerializeOptions};
use serde_json::Value;

use crate::etcd::differential::observation::Origin;
use crate::random::Random;

/// Leases that a test names are smaller, those that a server names larger.
const NAMED_LEASES: i128 = 100;
/// Seconds that may pass between a grant and a question.
const PASSED_MAX_S: i128 = 30;

/// A message of the protocol by its name, in one of the forms that mean the same.
pub(super) fn request<M: Message>(random: &mut Random, name: &str, message: &M) -> String {
    let pool = DescriptorPool::decode(ennead_engine::coord::api::DESCRIPTORS).unwrap();
    let kind = pool.get_message_by_name(&format!("etcdserverpb.{name}")).unwrap();
    let message = DynamicMessage::decode(kind, message.encode_to_vec().as_slice()).unwrap();
    let form = SerializeOptions::new()
        .use_proto_field_name(random.one_in(2))
        .stringify_64_bit_integers(!random.one_in(3))
        .use_enum_numbers(random.one_in(3))
        .skip_default_fields(!random.one_in(4));
    let mut text = Vec::new();
    message.serialize_with_options(&mut serde_json::Serializer::new(&mut text), &form).unwrap();
    String::from_utf8(text).unwrap()
}

/// An answer that can be compared with that of another server.
pub(super) fn general(origin: &Origin, mut answer: Value) -> Value {
    generalise(origin, &mut answer);
    answer
}

fn generalise(origin: &Origin, value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| generalise(origin, item)),
        Value::Object(fields) => {
            if let (Some(granted), Some(left)) = (number(fields.get("grantedTTL")), number(fields.get("TTL")))
                && (0..PASSED_MAX_S).contains(&(granted - left))
            {
                fields["TTL"] = Value::String(granted.to_string());
            }
            for (name, field) in fields.iter_mut() {
                match name.as_str() {
                    "cluster_id" | "member_id" | "raft_term" | "memberID" => *field = "the server's".into(),
                    "revision" | "create_revision" | "mod_revision" | "compact_revision" | "rev" => {
                        if let Some(revision) = number(Some(field)) {
                            *field = format!("{:+}", revision - i128::from(origin.revision)).into();
                        }
                    }
                    "lease" | "ID" if number(Some(field)).is_some_and(|id| id > NAMED_LEASES) => {
                        *field = "the server's".into();
                    }
                    "message" if is_about_json(field) => *field = "no JSON of a message".into(),
                    _ => generalise(origin, field),
                }
                // Of a lease's keys and of leases there is no order.
                if let ("keys" | "leases", Value::Array(items)) = (name.as_str(), &mut *field) {
                    items.sort_by_key(Value::to_string);
                }
            }
        }
        _ => {}
    }
}

fn number(value: Option<&Value>) -> Option<i128> {
    value?.as_str()?.parse().ok()
}

/// Both servers say what is wrong, each in the words of what it reads JSON with.
fn is_about_json(message: &Value) -> bool {
    let text = message.as_str().unwrap_or_default();
    ["proto:", "invalid character", "unexpected EOF"].iter().any(|begin| text.starts_with(begin))
        || text.contains(" at line ")
}
