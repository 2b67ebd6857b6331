use super::*;
use crate::place::next_random;

#[test]
fn what_is_compressed_comes_back() {
    let mut random = 1;
    let mut shorter = 0;
    for round in 0..4_000u64 {
        let length = next_random(&mut random) % [30, 300, 3_000, 30_000][round as usize % 4];
        // Few letters repeat often; many do not.
        let letters = 1 + next_random(&mut random) % [2, 4, 30, 256][round as usize / 4 % 4];
        let mut input: Vec<u8> = (0..length).map(|_| (next_random(&mut random) % letters) as u8).collect();
        if round % 3 == 0 {
            // Far and long repetitions.
            input.extend_from_within(..);
            input.truncate(70_000);
        }
        let Some(compressed) = compress(&input) else { continue };
        assert!(compressed.len() + GAIN_MIN <= input.len(), "{} bytes of {}", compressed.len(), input.len());
        let longest = input.len() as u64;
        assert_eq!(decompress(&compressed, longest, longest).as_ref(), Some(&input), "round {round}");
        shorter += 1;
    }
    assert!(shorter > 1_000, "only {shorter} were compressed");
}

#[test]
fn what_does_not_get_shorter_is_left() {
    for input in [&b""[..], b"a", b"abcdefghijklmnopqrstuvwxyz0123456789", b"aaaa"] {
        assert_eq!(compress(input), None, "{}", input.escape_ascii());
    }
}

#[test]
fn any_bytes_are_decompressed_or_refused() {
    let mut random = 2;
    for _ in 0..20_000 {
        let input: Vec<u8> = (0..next_random(&mut random) % 40).map(|_| next_random(&mut random) as u8).collect();
        let announced = next_random(&mut random) % 600;
        if let Some(output) = decompress(&input, 500, announced) {
            assert_eq!(output.len() as u64, announced);
            assert!(announced <= 500);
        }
    }
}
