use super::*;
use crate::encoding::listpack_entry;

fn round_trip(words: &[&[u8]]) {
    let mut elements = Vec::new();
    words.iter().for_each(|word| push(&mut elements, word));
    let sealed = seal(&elements);
    let back: Vec<_> = elements_from(unseal(&sealed).unwrap(), 0).map(|element| element.text().into_owned()).collect();
    assert_eq!(back, words);
    assert_eq!(elements.len(), words.iter().map(|word| listpack_entry(word)).sum::<usize>());
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
