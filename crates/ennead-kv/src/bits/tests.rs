use super::{count, mask, position, read, write};

/// Bytes that look random, the same every time; long runs of zeros and ones among them.
fn sample(seed: u64, len: usize) -> Vec<u8> {
    let mut state = seed;
    (0..len)
        .map(|at| {
            state = crate::place::next_random(&mut state);
            match (at / 20 + seed as usize) % 3 {
                0 => 0,
                1 => 0xff,
                _ => state as u8,
            }
        })
        .collect()
}

fn is_set(bytes: &[u8], offset: usize) -> bool {
    bytes[offset / 8] & mask(offset) != 0
}

#[test]
fn counts_and_positions_are_those_of_a_walk_over_each_bit() {
    for seed in 0..6 {
        let bytes = sample(seed, 73);
        let len = bytes.len() * 8;
        for first in (0..len).step_by(7) {
            for last in (first..len).step_by(11).chain([len - 1]) {
                let ones = (first..=last).filter(|at| is_set(&bytes, *at)).count();
                assert_eq!(count(&bytes, first, last), ones as u64, "{seed}: {first} to {last}");
                for set in [false, true] {
                    let found = (first..=last).find(|at| is_set(&bytes, *at) == set);
                    assert_eq!(position(&bytes, first, last, set), found, "{seed}: {set} from {first} to {last}");
                }
            }
        }
    }
}

#[test]
fn fields_are_read_and_written_bit_by_bit() {
    for width in 1..=64 {
        for offset in 0..20 {
            let mut bytes = sample(u64::from(width), 12);
            let former = bytes.clone();
            let value = 0x0123_4567_89ab_cdef_u64.rotate_left(width) >> (64 - width);
            write(&mut bytes, offset, width, value);
            assert_eq!(read(&bytes, offset, width), value, "{width} bits at {offset}");
            let inside = offset..offset + width as usize;
            for at in (0..bytes.len() * 8).filter(|at| !inside.contains(at)) {
                assert_eq!(is_set(&bytes, at), is_set(&former, at), "bit {at} beside {width} bits at {offset}");
            }
        }
    }
}

#[test]
fn behind_the_end_are_zeros() {
    assert_eq!(read(&[0xff], 4, 8), 0xf0);
    assert_eq!(read(&[0xff], 8, 64), 0);
    assert_eq!(read(&[], 100, 5), 0);
}
