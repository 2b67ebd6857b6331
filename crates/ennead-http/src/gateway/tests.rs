//! The table against the protocol, and bodies cut into messages.

use std::collections::BTreeSet;

use axum::body::Body;
use axum::http::HeaderMap;
use bytes::Bytes;
use prost_reflect::DescriptorPool;
use tokio::sync::oneshot;
use tokio_stream::StreamExt;

use super::documents::Documents;
use super::refusal::Refusal;
use super::{PATHS, metadata, methods};

#[test]
fn every_method_of_the_protocol_has_a_path() {
    let pool = DescriptorPool::decode(ennead_engine::coord::api::DESCRIPTORS).unwrap();
    let path =
        |method: prost_reflect::MethodDescriptor| format!("/{}/{}", method.parent_service().full_name(), method.name());
    let all: BTreeSet<String> =
        pool.services().flat_map(|service| service.methods().collect::<Vec<_>>()).map(path).collect();
    let there: BTreeSet<String> = PATHS.iter().map(|(_, path)| (*path).to_owned()).collect();
    assert_eq!(there, all);
    assert_eq!(methods().unwrap().len(), PATHS.len(), "a path is there twice");
}

/// The messages of a body that comes in these pieces, and why there were no more.
fn messages(pieces: &[&'static str], bytes_max: usize) -> (Vec<Bytes>, Option<Refusal>) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let pieces: Vec<Result<&'static str, std::convert::Infallible>> =
            pieces.iter().map(|piece| Ok(*piece)).collect();
        let body = Body::from_stream(tokio_stream::iter(pieces)).into_data_stream();
        let pool = DescriptorPool::decode(ennead_engine::coord::api::DESCRIPTORS).unwrap();
        let kind = pool.get_message_by_name("etcdserverpb.LeaseKeepAliveRequest").unwrap();
        let (failed, failure) = oneshot::channel();
        let found: Vec<Bytes> = Documents::new(body, kind, bytes_max, failed).collect().await;
        (found, failure.await.ok())
    })
}

#[test]
fn a_body_is_cut_into_messages_wherever_it_is_torn() {
    let whole = [r#"{"ID":"1"} {"ID":2}{"name":"}\"{\\"}"#];
    let expected: Vec<Bytes> = vec![b"\x08\x01"[..].into(), b"\x08\x02"[..].into(), Bytes::new()];
    assert_eq!(messages(&whole, 100), (expected.clone(), None));
    for at in 1..whole[0].len() {
        let (one, other) = whole[0].split_at(at);
        assert_eq!(messages(&[one, "", other, "\n"], 100), (expected.clone(), None), "torn at {at}");
    }
    assert_eq!(messages(&[], 100), (vec![], None));
}

#[test]
fn a_wrong_body_ends_the_messages_and_says_why() {
    for (pieces, count) in [
        (&["junk"][..], 0),
        (&[r#"{"ID":"1"}]"#], 1),
        (&[r#"{"ID":"1""#], 0),
        (&[r#"{"ID":"x"}"#], 0),
        (&[r#"{"ID":1}{"name":"..............................................."}"#], 1),
        (&[r#"{"name":"................................................"#], 0),
    ] {
        let (found, failure) = messages(pieces, 40);
        assert_eq!((found.len(), failure.map(|refusal| refusal.code)), (count, Some(3)), "{pieces:?}");
    }
}

fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
    pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
}

#[test]
fn the_head_gives_tokens_a_deadline_and_the_origin() {
    let found = metadata::pairs(&headers(&[("authorization", "a"), ("grpc-metadata-token", "b"), ("accept", "c")]));
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(found, vec![pair("authorization", "a"), pair("token", "b")]);
    assert!(metadata::deadline(&headers(&[])).unwrap().is_none());
    assert!(metadata::deadline(&headers(&[("grpc-timeout", "20S")])).unwrap().is_some());
    for wrong in ["", "S", "20", "1x", "-1S", "123456789S"] {
        assert_eq!(metadata::deadline(&headers(&[("grpc-timeout", wrong)])).unwrap_err().code, 3, "{wrong}");
    }
    assert!(metadata::check_origin(&headers(&[("host", "a:1")])).is_ok());
    assert!(metadata::check_origin(&headers(&[("host", "a:1"), ("origin", "http://a:1")])).is_ok());
    for origin in ["http://b:1", "http://a", "null"] {
        let refused = metadata::check_origin(&headers(&[("host", "a:1"), ("origin", origin)]));
        assert_eq!(refused.unwrap_err().code, 7, "{origin}");
    }
}
