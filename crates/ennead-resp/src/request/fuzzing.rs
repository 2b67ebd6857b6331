//! The body of the fuzz target `resp_request`. Not for users.

use super::{Limits, Parser, ProtocolError};

type Requests = (Vec<Vec<Vec<u8>>>, Option<ProtocolError>);

/// Parses `bytes` whole, and again as they would come in pieces whose lengths follow from `cuts`. Panics when the two
/// disagree.
pub fn requests(bytes: &[u8], cuts: u64) {
    let limits = Limits { bulk_bytes_max: 512 << 20, authenticated: cuts & 1 == 0 };
    let lengths: Vec<usize> = cuts.to_le_bytes().iter().map(|byte| usize::from(*byte) + 1).collect();
    assert_eq!(parse(bytes, limits, &[bytes.len().max(1)]), parse(bytes, limits, &lengths));
}

fn parse(bytes: &[u8], limits: Limits, lengths: &[usize]) -> Requests {
    let mut parser = Parser::new();
    let mut requests = Vec::new();
    let (mut start, mut end) = (0, 0);
    for length in lengths.iter().cycle() {
        if end == bytes.len() {
            break;
        }
        end = (end + length).min(bytes.len());
        loop {
            match parser.parse(&bytes[start..end], limits) {
                Err(error) => return (requests, Some(error)),
                Ok(None) => break,
                Ok(Some(used)) => {
                    let args = parser.args(&bytes[start..end]);
                    requests.push(args.iter_from(0).map(<[u8]>::to_vec).collect());
                    parser.reset();
                    start += used;
                }
            }
        }
    }
    (requests, None)
}
