use super::*;

#[test]
fn sizes_are_refused_in_the_words_of_etcd() {
    let refused = Status::out_of_range(
        "Error, decoded message length too large: found 2097158 bytes, the limit is: 2097152 bytes",
    );
    let response = reworded(refused.into_http::<()>());
    let status = Status::from_header_map(response.headers()).unwrap();
    assert_eq!(status.code(), tonic::Code::ResourceExhausted);
    assert_eq!(status.message(), "grpc: received message larger than max (2097158 vs. 2097152)");
}

#[test]
fn other_refusals_stay() {
    let response = reworded(status(Error::Compacted).into_http::<()>());
    let kept = Status::from_header_map(response.headers()).unwrap();
    assert_eq!((kept.code(), kept.message()), (tonic::Code::OutOfRange, &*Error::Compacted.to_string()));
}
