use super::*;

/// A hash of redis-server 7.0, with strings of two sizes and integers of every width but the widest two.
const HASH: &[u8] = b"\xaf\x00\x00\x00\x0e\x00\x82f1\x03\x82v1\x03\x81n\x02\xf45\x1c\xdc\xdf\x02\x00\x00\x00\t\x83neg\x04\xdf\xff\x02\x81m\x02\xc1,\x02\x81k\x02\xf2p\x11\x01\x04\x81q\x02\xf2@KL\x04\x83big\x04\xe0m0y1y2y3y4y5y6y7y8y9y10y11y12y13y14y15y16y17y18y19y20y21y22y23y24y25y26y27y28y29y30y31y32y33y34y35y36y37y38y39o\xff";

fn texts(items: &[Vec<u8>]) -> Vec<&str> {
    items.iter().map(|item| std::str::from_utf8(item).unwrap()).collect()
}

/// A listpack of entries without their backward lengths.
fn pack(entries: &[&[u8]]) -> Vec<u8> {
    let mut list = vec![0; HEADER];
    for entry in entries {
        list.extend_from_slice(entry);
        list.extend_from_slice(Backwards::of(entry.len()).bytes());
    }
    list.push(END);
    let total = list.len() as u32;
    list[..4].copy_from_slice(&total.to_le_bytes());
    list[4..6].copy_from_slice(&(entries.len() as u16).to_le_bytes());
    list
}

#[test]
fn a_listpack_of_redis_is_read() {
    let items = items(HASH).unwrap();
    assert_eq!(
        texts(&items[..12]),
        ["f1", "v1", "n", "12345678901", "neg", "-1", "m", "300", "k", "70000", "q", "5000000"]
    );
    assert!(items[13].starts_with(b"0y1y2") && items[13].len() == 109);
}

#[test]
fn entries_of_every_form_are_read() {
    let long = [&[0xf0, 0x88, 0x13, 0, 0][..], &[b'x'; 5000]].concat();
    let list = pack(&[
        &[0],
        &[127],
        &[0x80],
        &[0xc0, 0],
        &[0xcf, 0xff],
        &[0xd0, 0],
        &[0xf1, 0, 0x80],
        &[0xf2, 0, 0, 0x80],
        &[0xf3, 0xff, 0xff, 0xff, 0x7f],
        &[0xf4, 0, 0, 0, 0, 0, 0, 0, 0x80],
        &long,
    ]);
    let items = items(&list).unwrap();
    assert_eq!(
        texts(&items[..10]),
        ["0", "127", "", "0", "4095", "-4096", "-32768", "-8388608", "2147483647", "-9223372036854775808"]
    );
    assert_eq!(items[10], [b'x'; 5000]);
}

#[test]
fn what_is_not_sound_is_refused() {
    assert_eq!(items(&pack(&[])), Some(Vec::new()));
    for cut in 0..HASH.len() {
        assert_eq!(items(&HASH[..cut]), None, "{cut}");
    }
    // Reserved heads, a string beyond the end, an end inside.
    for entry in [&[0xf5][..], &[0xff], &[0x85, b'a'], &[0xf0, 0xff, 0xff, 0xff, 0xff]] {
        assert_eq!(items(&pack(&[entry])), None, "{entry:?}");
    }
    // A backward length, the number of entries.
    for at in [4, 9] {
        let mut broken = HASH.to_vec();
        broken[at] ^= 1;
        assert_eq!(items(&broken), None, "{at}");
    }
    let mut uncounted = HASH.to_vec();
    uncounted[4..6].copy_from_slice(&[0xff, 0xff]);
    assert_eq!(items(&uncounted), items(HASH));
}
