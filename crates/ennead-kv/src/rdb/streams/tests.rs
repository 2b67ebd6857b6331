use std::collections::BTreeMap;

use super::*;
use crate::rdb::{Restored, restore};

fn filled() -> Stream {
    let mut stream = Stream::new(1);
    for ms in 1..250u64 {
        let value = ms.to_string();
        let words: [&[u8]; 4] =
            [b"field", value.as_bytes(), b"other", if ms % 9 == 0 { &[b'x'; 300] } else { b"text" }];
        stream.append(Id { ms, sequence: ms % 3 }, words.into_iter(), Room::default(), &mut |_, _| {});
    }
    let rows: RowSink<'_> = &mut |_, _| {};
    stream.delete(Id { ms: 7, sequence: 1 }, rows);
    stream.set_group(b"g", Id { ms: 3, sequence: 0 }, 3, rows);
    stream.set_group(b"h", Id::MIN, UNKNOWN, rows);
    let (ann, _) = stream.make_consumer(b"g", b"ann", 1_700_000_000_000, rows);
    stream.set_times(b"g", ann, 1_700_000_000_005, 1_700_000_000_005, rows);
    stream.make_consumer(b"g", b"bob", 1_700_000_000_000, rows);
    let bob = stream.group(b"g").unwrap().consumer_number(b"bob").unwrap();
    stream.set_times(b"g", bob, 5, 5, rows);
    for ms in 1..4 {
        let pending = Pending { consumer: ann, delivered_ms: 1_700_000_000_000, deliveries: ms };
        stream.give(b"g", Id { ms, sequence: ms % 3 }, pending, rows);
    }
    stream
}

fn all_rows(stream: &Stream) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let mut rows = BTreeMap::new();
    stream.rows(&mut |key, value| drop(rows.insert(key.to_vec(), value.to_vec())));
    rows
}

#[test]
fn a_stream_comes_back_with_its_groups() {
    let stream = filled();
    let Ok(Restored::Stream(restored)) = restore(&dump(&stream), 1 << 20) else { panic!("no stream") };
    let mut back = Stream::new(1);
    restored.fill(&mut back, &mut |_, _| {});
    assert_eq!(all_rows(&back), all_rows(&stream));
    let mut empty = Stream::new(1);
    empty.set_group(b"g", Id::MIN, UNKNOWN, &mut |_, _| {});
    let Ok(Restored::Stream(restored)) = restore(&dump(&empty), 1 << 20) else { panic!("no stream") };
    let mut back = Stream::new(1);
    restored.fill(&mut back, &mut |_, _| {});
    assert_eq!(all_rows(&back), all_rows(&empty));
}

#[test]
fn what_is_broken_is_refused_and_never_panics() {
    let payload = dump(&filled());
    let body = &payload[..payload.len() - 10];
    for at in (1..body.len()).step_by(7) {
        let mut broken = body.to_vec();
        broken[at] ^= 0x55;
        let mut reader = Reader(&broken[1..]);
        if let Some(restored) = read(TYPE_SECOND, &mut reader, 1 << 20) {
            restored.fill(&mut Stream::new(1), &mut |_, _| {});
        }
        let mut reader = Reader(&body[1..at]);
        assert_eq!(read(TYPE_SECOND, &mut reader, 1 << 20), None);
    }
}
