use super::*;

fn texts(items: &[Vec<u8>]) -> Vec<&str> {
    items.iter().map(|item| std::str::from_utf8(item).unwrap()).collect()
}

/// A ziplist of entries without the lengths before them.
fn pack(entries: &[&[u8]]) -> Vec<u8> {
    let mut list = vec![0; HEADER];
    let (mut former, mut tail) = (0, HEADER);
    for entry in entries {
        tail = list.len();
        if former < usize::from(LONG) {
            list.push(former as u8);
        } else {
            list.push(LONG);
            list.extend_from_slice(&(former as u32).to_le_bytes());
        }
        list.extend_from_slice(entry);
        former = list.len() - tail;
    }
    list.push(END);
    let total = list.len() as u32;
    list[..4].copy_from_slice(&total.to_le_bytes());
    list[4..8].copy_from_slice(&(tail as u32).to_le_bytes());
    list[8..10].copy_from_slice(&(entries.len() as u16).to_le_bytes());
    list
}

#[test]
fn ziplists_of_redis_are_read() {
    let hash = b"\x1b\x00\x00\x00\x16\x00\x00\x00\x04\x00\x00\x02f1\x04\x02v1\x04\x02f2\x04\x02v2\xff";
    assert_eq!(texts(&items(hash).unwrap()), ["f1", "v1", "f2", "v2"]);
    let zset = b"\x19\x00\x00\x00\x16\x00\x00\x00\x04\x00\x00\x03one\x05\xf2\x02\x03two\x05\xf3\xff";
    assert_eq!(texts(&items(zset).unwrap()), ["one", "1", "two", "2"]);
    assert_eq!(texts(&items(b"\r\x00\x00\x00\n\x00\x00\x00\x01\x00\x00\xf8\xff").unwrap()), ["7"]);
}

#[test]
fn entries_of_every_form_are_read() {
    let middle = [&[0x41, 0x2c][..], &[b'm'; 300]].concat();
    let long = [&[0x80, 0, 0, 0x4e, 0x20][..], &[b'x'; 20_000]].concat();
    let list = pack(&[
        &[0],
        &[0xf1],
        &[0xfd],
        &[0xfe, 0x80],
        &[0xc0, 0, 0x80],
        &[0xf0, 0, 0, 0x80],
        &[0xd0, 0, 0, 0, 0x80],
        &[0xe0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f],
        &middle,
        &long,
    ]);
    let items = items(&list).unwrap();
    assert_eq!(texts(&items[..8]), ["", "0", "12", "-128", "-32768", "-8388608", "-2147483648", "9223372036854775807"]);
    assert_eq!((&items[8][..], &items[9][..]), (&[b'm'; 300][..], &[b'x'; 20_000][..]));
}

#[test]
fn what_is_not_sound_is_refused() {
    let list = pack(&[b"\x03one", b"\xf2"]);
    assert_eq!(texts(&items(&list).unwrap()), ["one", "1"]);
    assert_eq!(items(&pack(&[])), Some(Vec::new()));
    for cut in 0..list.len() {
        assert_eq!(items(&list[..cut]), None, "{cut}");
    }
    for entry in [&[0x81][..], &[0xff], &[0x05, b'a'], &[0x80, 0xff, 0xff, 0xff, 0xff], &[0xc1, 0, 0]] {
        assert_eq!(items(&pack(&[entry])), None, "{entry:?}");
    }
    // The place of the last entry, the number of entries, the length before the second.
    for at in [4, 8, 15] {
        let mut broken = list.clone();
        broken[at] ^= 1;
        assert_eq!(items(&broken), None, "{at}");
    }
}
