use super::*;

fn id(ms: u64) -> Id {
    Id { ms, sequence: 0 }
}

fn ids<'e>(entries: impl Iterator<Item = Entry<'e>>) -> Vec<u64> {
    entries.map(|entry| entry.id.ms).collect()
}

/// A stream with the entries 1 to `last`, and its rows by suffix.
fn filled(last: u64) -> (Stream, BTreeMap<Vec<u8>, Vec<u8>>) {
    let (mut stream, mut kept) = (Stream::new(7), BTreeMap::new());
    for ms in 1..=last {
        let value = ms.to_string();
        let words: [&[u8]; 4] = [b"temperature", value.as_bytes(), b"room", b"kitchen"];
        stream.append(id(ms), words.into_iter(), Room::default(), &mut |key, value| keep(&mut kept, key, value));
    }
    (stream, kept)
}

fn keep(rows: &mut BTreeMap<Vec<u8>, Vec<u8>>, key: &[u8], value: Option<&[u8]>) {
    match value {
        Some(value) => drop(rows.insert(key.to_vec(), value.to_vec())),
        None => drop(rows.remove(key)),
    }
}

/// The rows that were staged are those of the stream, and it comes back from them.
fn check_rows(stream: &Stream, kept: &BTreeMap<Vec<u8>, Vec<u8>>) {
    let mut rows = BTreeMap::new();
    stream.rows(&mut |key, value| drop(rows.insert(key.to_vec(), value.to_vec())));
    assert_eq!(rows, *kept);
    let mut back = Stream::new(7);
    assert!(rows.iter().all(|(key, value)| back.admit(key, value)));
    let mut again = BTreeMap::new();
    back.rows(&mut |key, value| drop(again.insert(key.to_vec(), value.to_vec())));
    assert_eq!(rows, again);
    assert_eq!((back.len(), back.meta), (stream.len(), stream.meta));
    assert_eq!(back.group_bytes, stream.group_bytes);
}

#[test]
fn entries_are_found_from_both_ends() {
    let (stream, rows) = filled(1000);
    check_rows(&stream, &rows);
    assert_eq!(stream.len(), 1000);
    assert_eq!(stream.chunk_count(), 10);
    for (from, to) in
        [(0, 2000), (1, 1), (100, 101), (99, 301), (1000, 1000), (1001, 5000), (500, 400), (401, 400), (101, 200)]
    {
        let expected: Vec<u64> = (1..=1000).filter(|ms| (from..=to).contains(ms)).collect();
        assert_eq!(ids(stream.range(id(from)..=id(to))), expected, "{from} to {to}");
        assert_eq!(ids(stream.range_back(id(from)..=id(to))), expected.into_iter().rev().collect::<Vec<_>>());
    }
    assert_eq!((stream.first(), stream.top()), (id(1), id(1000)));
    let words: Vec<_> = stream.entry(id(512)).unwrap().words().collect();
    assert_eq!(words, [&b"temperature"[..], b"512", b"room", b"kitchen"]);
}

#[test]
fn deleted_entries_are_gone_and_their_bytes_too() {
    let (mut stream, mut rows) = filled(250);
    for ms in (1..=250).filter(|ms| ms % 3 != 0) {
        assert!(stream.delete(id(ms), &mut |key, value| keep(&mut rows, key, value)));
        assert!(!stream.delete(id(ms), &mut |_, _| panic!("a row")));
    }
    assert_eq!(ids(stream.range(Id::MIN..=Id::MAX)), (1..=250).filter(|ms| ms % 3 == 0).collect::<Vec<_>>());
    check_rows(&stream, &rows);
    for ms in (3..=250).step_by(3) {
        stream.delete(id(ms), &mut |key, value| keep(&mut rows, key, value));
    }
    assert_eq!((stream.len(), stream.size(), stream.chunk_count()), (0, 0, 0));
    check_rows(&stream, &rows);
}

#[test]
fn trimming_takes_whole_chunks_or_goes_into_one() {
    let (mut stream, mut rows) = filled(1000);
    let mut trim = |limit, roughly, most| {
        let went = stream.trim(Trim { limit, roughly, most }, &mut |key, value| keep(&mut rows, key, value));
        check_rows(&stream, &rows);
        (went, stream.len(), stream.first().ms)
    };
    assert_eq!(trim(Limit::Length(850), true, 0), (100, 900, 101));
    assert_eq!(trim(Limit::Length(850), false, 0), (50, 850, 151));
    assert_eq!(trim(Limit::Lowest(id(190)), true, 0), (0, 850, 151));
    assert_eq!(trim(Limit::Lowest(id(190)), false, 0), (39, 811, 190));
    assert_eq!(trim(Limit::Length(0), true, 250), (211, 600, 401));
    assert_eq!(trim(Limit::Lowest(id(5000)), false, 0), (600, 0, 0));
}

#[test]
fn groups_come_back_from_their_rows() {
    let (mut stream, mut kept) = filled(10);
    let rows: RowSink<'_> = &mut |key, value| keep(&mut kept, key, value);
    stream.set_group(b"g", id(3), 3, rows);
    stream.set_group(b"h", id(0), UNKNOWN, rows);
    let (ann, _) = stream.make_consumer(b"g", b"ann", 5, rows);
    let (bob, _) = stream.make_consumer(b"g", b"bob", 5, rows);
    for ms in 4..8 {
        let consumer = if ms % 2 == 0 { ann } else { bob };
        stream.give(b"g", id(ms), Pending { consumer, delivered_ms: 9, deliveries: 1 }, rows);
    }
    stream.give(b"g", id(4), Pending { consumer: bob, delivered_ms: 10, deliveries: 2 }, rows);
    assert!(stream.acknowledge(b"g", id(5), rows));
    assert!(!stream.acknowledge(b"g", id(5), rows));
    check_rows(&stream, &kept);
    let rows: RowSink<'_> = &mut |key, value| keep(&mut kept, key, value);
    assert_eq!(stream.delete_consumer(b"g", b"bob", rows), Some(2));
    check_rows(&stream, &kept);
    let rows: RowSink<'_> = &mut |key, value| keep(&mut kept, key, value);
    assert!(stream.destroy_group(b"g", rows));
    assert!(stream.destroy_group(b"h", rows));
    assert_eq!(stream.group_bytes, 0);
    check_rows(&stream, &kept);
}

/// What is unread is found from where the group stopped, whatever was taken away around that.
#[test]
fn a_group_goes_on_where_it_stopped() {
    let mut random = 11;
    let mut below = |bound: u64| crate::place::next_random(&mut random) % bound;
    for _ in 0..40 {
        let (mut stream, mut kept) = filled(0);
        let rows: RowSink<'_> = &mut |key, value| keep(&mut kept, key, value);
        stream.set_group(b"g", Id::MIN, 0, rows);
        let (consumer, _) = stream.make_consumer(b"g", b"c", 5, rows);
        for _ in 0..300 {
            let top = stream.meta.last.ms;
            match below(16) {
                0 => {
                    let trim = Trim { limit: Limit::Length(below(300)), roughly: below(2) == 0, most: 0 };
                    stream.trim(trim, rows);
                }
                1 => drop(stream.delete(id(1 + below(top + 1)), rows)),
                2 if below(8) == 0 => stream.set_group(b"g", id(below(top + 1)), UNKNOWN, rows),
                3 if stream.len() == 0 => {
                    // The ids that were there may come again.
                    let meta = Meta { last: id(top.saturating_sub(below(5))), ..stream.meta };
                    stream.set_meta(meta, rows);
                }
                4..8 => {
                    let group = stream.group(b"g").unwrap();
                    let unread: Vec<_> = stream.unread(group).take(below(30) as usize).collect();
                    let given: Vec<_> = unread.iter().map(|entry| (entry.id, entry.mark())).collect();
                    stream.deliver(b"g", consumer, &given, 6, below(2) == 0, rows);
                }
                _ => {
                    for ms in top + 1..top + 1 + below(40) {
                        stream.append(id(ms), [&b"f"[..], b"v"].into_iter(), Room::default(), rows);
                    }
                }
            }
            let group = stream.group(b"g").unwrap();
            let behind = group.last.next().unwrap();
            assert_eq!(ids(stream.unread(group)), ids(stream.range(behind..=Id::MAX)));
            assert_eq!(
                Some(stream.top().ms).filter(|ms| *ms > 0),
                ids(stream.range(Id::MIN..=Id::MAX)).last().copied()
            );
        }
        check_rows(&stream, &kept);
    }
}

#[test]
fn a_listpack_of_redis_is_read() {
    let (mut stream, _) = filled(120);
    stream.delete(id(2), &mut |_, _| {});
    let read: Vec<_> =
        stream.listpacks().flat_map(|(master, listpack)| parse_listpack(master, &listpack).unwrap()).collect();
    let own: Vec<_> = stream.range(Id::MIN..=Id::MAX).collect();
    assert_eq!(read.len(), own.len());
    for ((id, words), entry) in read.iter().zip(own) {
        assert_eq!(*id, entry.id);
        assert!(entry.words().eq(words.iter().map(|word| &word[..])));
    }
}
