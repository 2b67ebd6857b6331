use super::*;

fn round_trip(words: &[&[u8]]) {
    let mut elements = Vec::new();
    words.iter().for_each(|word| push(&mut elements, word));
    let sealed = seal(&elements);
    let back: Vec<_> = elements_from(unseal(&sealed).unwrap(), 0).map(|element| element.text().into_owned()).collect();
    assert_eq!(back, words);
    assert_eq!(elements.len(), words.iter().map(|word| size(word)).sum::<usize>());
}

#[test]
fn every_form_is_read_back() {
    for integer in
        [0, 1, 127, 128, -1, 4095, 4096, -4096, -4097, 32_767, -32_768, 32_768, 8_388_607, -8_388_608, 8_388_608]
    {
        round_trip(&[i64::from(integer).to_string().as_bytes()]);
    }
    for integer in [i64::from(i32::MAX), i64::from(i32::MIN), 1 << 31, i64::MAX, i64::MIN] {
        round_trip(&[integer.to_string().as_bytes()]);
    }
    for len in [0, 1, 63, 64, 127, 128, 4095, 4096, 16_378, 20_000] {
        round_trip(&[b"01", &vec![b'x'; len], b"-5"]);
    }
}

#[test]
fn a_known_listpack_is_written() {
    let mut elements = Vec::new();
    push(&mut elements, b"ab");
    push(&mut elements, b"300");
    assert_eq!(seal(&elements), [14, 0, 0, 0, 2, 0, 0x82, b'a', b'b', 3, 0xc1, 0x2c, 2, 0xff]);
}

#[test]
fn what_is_no_listpack_is_refused() {
    let mut elements = Vec::new();
    push(&mut elements, b"abc");
    let sealed = seal(&elements);
    for cut in 0..sealed.len() {
        assert_eq!(unseal(&sealed[..cut]), None);
    }
    let mut broken = sealed;
    broken[6] = 0x90;
    assert_eq!(unseal(&broken), None);
}

/// A hash of redis-server 7.0, with strings of two sizes and integers of every width but the widest two.
const HASH: &[u8] = b"\xaf\x00\x00\x00\x0e\x00\x82f1\x03\x82v1\x03\x81n\x02\xf45\x1c\xdc\xdf\x02\x00\x00\x00\t\x83neg\x04\xdf\xff\x02\x81m\x02\xc1,\x02\x81k\x02\xf2p\x11\x01\x04\x81q\x02\xf2@KL\x04\x83big\x04\xe0m0y1y2y3y4y5y6y7y8y9y10y11y12y13y14y15y16y17y18y19y20y21y22y23y24y25y26y27y28y29y30y31y32y33y34y35y36y37y38y39o\xff";

fn words(items: &[Vec<u8>]) -> Vec<&str> {
    items.iter().map(|item| std::str::from_utf8(item).unwrap()).collect()
}

/// A listpack of entries without their backward lengths.
fn pack(entries: &[&[u8]]) -> Vec<u8> {
    let mut list = vec![0; HEADER];
    for entry in entries {
        list.extend_from_slice(entry);
        list.extend_from_slice(Behind::of(entry.len()).bytes());
    }
    list.push(END);
    let total = list.len() as u32;
    list[..4].copy_from_slice(&total.to_le_bytes());
    list[4..6].copy_from_slice(&(entries.len() as u16).to_le_bytes());
    list
}

#[test]
fn a_listpack_of_redis_is_read() {
    let items = texts(HASH).unwrap();
    assert_eq!(
        words(&items[..12]),
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
    let items = texts(&list).unwrap();
    assert_eq!(
        words(&items[..10]),
        ["0", "127", "", "0", "4095", "-4096", "-32768", "-8388608", "2147483647", "-9223372036854775808"]
    );
    assert_eq!(items[10], [b'x'; 5000]);
}

#[test]
fn what_is_not_sound_is_refused() {
    assert_eq!(texts(&pack(&[])), Some(Vec::new()));
    for cut in 0..HASH.len() {
        assert_eq!(texts(&HASH[..cut]), None, "{cut}");
    }
    // Reserved heads, a string beyond the end, an end inside.
    for entry in [&[0xf5][..], &[0xff], &[0x85, b'a'], &[0xf0, 0xff, 0xff, 0xff, 0xff]] {
        assert_eq!(texts(&pack(&[entry])), None, "{entry:?}");
    }
    // A backward length, the number of entries.
    for at in [4, 9] {
        let mut broken = HASH.to_vec();
        broken[at] ^= 1;
        assert_eq!(texts(&broken), None, "{at}");
    }
    let mut uncounted = HASH.to_vec();
    uncounted[4..6].copy_from_slice(&[0xff, 0xff]);
    assert_eq!(texts(&uncounted), texts(HASH));
}
