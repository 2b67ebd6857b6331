use super::*;

#[test]
fn slots_are_those_of_redis_cluster() {
    // Figures of CLUSTER KEYSLOT.
    for (key, slot) in [("", 0), ("foo", 12182), ("bar", 5061), ("123456789", 12739), ("somekey", 11058)] {
        assert_eq!(key_slot(key.as_bytes()), slot, "{key}");
    }
    assert_eq!(key_slot(b"{foo}bar"), key_slot(b"foo"));
    assert_eq!(key_slot(b"x{foo}{bar}"), key_slot(b"foo"));
    assert_ne!(key_slot(b"{}foo"), key_slot(b"foo"));
    assert_eq!(key_slot(b"a{{b}c"), key_slot(b"{b"));
}

#[test]
fn crc_by_fours_equals_crc_by_bytes() {
    let bytes: Vec<u8> = (0..=255).collect();
    for len in 0..40 {
        let slow =
            bytes[..len].iter().fold(0u16, |crc, &byte| (crc << 8) ^ TABLES[0][usize::from((crc >> 8) as u8 ^ byte)]);
        assert_eq!(crc16(&bytes[..len]), slow, "{len}");
    }
}

#[test]
fn the_fragment_of_a_stored_key_never_changes() {
    // These stand on disk: a change here makes existing stores unreadable.
    let placer = Placer::new(42);
    let fragments: Vec<u32> =
        [&b""[..], b"a", b"key:00000001", b"0123456789abcdef", b"0123456789abcdef0123456789abcdefxyz"]
            .iter()
            .map(|key| placer.fragment(key))
            .collect();
    assert_eq!(fragments, FRAGMENTS);
}

const FRAGMENTS: [u32; 5] = [727832632, 1908045778, 4140604497, 3906812719, 256289467];

#[test]
fn fragments_spread() {
    let placer = Placer::new(7);
    let mut buckets = [0u32; 64];
    for number in 0..64_000u32 {
        buckets[placer.fragment(format!("key:{number:012}").as_bytes()) as usize >> 26] += 1;
    }
    assert!(buckets.iter().all(|&count| (800..1200).contains(&count)), "{buckets:?}");
    let mut seen: Vec<u32> = (0..10_000u32).map(|number| placer.fragment(&number.to_le_bytes())).collect();
    seen.sort_unstable();
    seen.dedup();
    assert!(seen.len() > 9_990);
}
