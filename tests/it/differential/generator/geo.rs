//! Random requests on places.

use super::{FLOATS, Words, key_of, pick};
use crate::random::Random;

const KEYS: &[&str] = &["g1", "g2", "{t}g"];
const UNITS: &[&str] = &["m", "km", "KM", "ft", "mi", "bogus"];
const COUNTS: &[&str] = &["1", "2", "5", "100", "0", "-1", "x"];

pub(super) fn request(random: &mut Random) -> Words {
    match random.below(10) {
        0..=3 => add(random),
        4..=5 => members(random),
        6..=7 => radius(random),
        _ => search(random),
    }
}

fn add(random: &mut Random) -> Words {
    let mut words = vec![Vec::from("GEOADD"), key_of(random, KEYS)];
    if random.one_in(3) {
        words.push(pick(random, &["NX", "XX", "CH", "ch", "bogus"]));
    }
    let many = if random.one_in(6) { 60 } else { 5 };
    for _ in 0..1 + random.below(many) {
        words.extend(place(random));
        words.push(member(random));
    }
    words
}

fn members(random: &mut Random) -> Words {
    let name = *random.pick(&["GEODIST", "GEODIST", "GEOHASH", "GEOPOS", "ZSCORE"]);
    // Sorted sets of other scores have places as well.
    let key = if random.one_in(5) { pick(random, &["z1", "z2"]) } else { key_of(random, KEYS) };
    let mut words = vec![Vec::from(name), key, member(random)];
    match name {
        "GEODIST" => {
            words.push(member(random));
            if random.one_in(2) {
                words.push(pick(random, UNITS));
            }
        }
        "GEOHASH" | "GEOPOS" => (0..random.below(3)).for_each(|_| words.push(member(random))),
        _ => {}
    }
    words
}

fn radius(random: &mut Random) -> Words {
    let name = *random.pick(&["GEORADIUS", "GEORADIUS_RO", "GEORADIUSBYMEMBER", "GEORADIUSBYMEMBER_RO"]);
    let mut words = vec![Vec::from(name), key_of(random, KEYS)];
    if name.contains("MEMBER") {
        words.push(member(random));
    } else {
        words.extend(place(random));
    }
    words.extend([size(random), pick(random, UNITS)]);
    options(random, &mut words);
    if random.one_in(4) {
        words.extend([pick(random, &["STORE", "STOREDIST", "store"]), key_of(random, KEYS)]);
    }
    words
}

fn search(random: &mut Random) -> Words {
    let stores = random.one_in(4);
    let mut words = vec![Vec::from(if stores { "GEOSEARCHSTORE" } else { "GEOSEARCH" })];
    if stores {
        words.push(key_of(random, KEYS));
    }
    words.push(key_of(random, KEYS));
    if random.one_in(2) {
        words.extend([pick(random, &["FROMMEMBER", "frommember"]), member(random)]);
    }
    if words.len() < 4 || random.one_in(12) {
        words.push(b"FROMLONLAT".to_vec());
        words.extend(place(random));
    }
    if random.one_in(2) {
        words.extend([pick(random, &["BYRADIUS", "byradius"]), size(random), pick(random, UNITS)]);
    } else {
        words.extend([b"BYBOX".to_vec(), size(random), size(random), pick(random, UNITS)]);
    }
    options(random, &mut words);
    if stores && random.one_in(2) {
        words.push(b"STOREDIST".to_vec());
    }
    words
}

fn options(random: &mut Random, words: &mut Words) {
    for _ in 0..random.below(4) {
        let option =
            *random.pick(&["WITHDIST", "WITHCOORD", "WITHHASH", "ASC", "DESC", "COUNT", "COUNT", "withdist", "bogus"]);
        words.push(option.into());
        if option == "COUNT" {
            words.push(pick(random, COUNTS));
            if random.one_in(3) {
                words.push(b"ANY".to_vec());
            }
        }
    }
}

/// With so many digits that two places are hardly ever equally far from a third.
fn place(random: &mut Random) -> Words {
    if random.one_in(20) {
        return vec![pick(random, FLOATS), pick(random, FLOATS)];
    }
    // Some lie around one another, some at the edges.
    let spread = *random.pick(&[0.01, 1.0, 20.0, 85.0, 180.0]);
    let mut degrees = |spread: f64| (random.next() as f64 / u64::MAX as f64 * 2.0 - 1.0) * spread;
    let (longitude, latitude) = (degrees(spread), degrees(spread.min(85.0)));
    vec![format!("{longitude:.9}").into_bytes(), format!("{latitude:.9}").into_bytes()]
}

fn size(random: &mut Random) -> Vec<u8> {
    match random.below(12) {
        0 => pick(random, FLOATS),
        1 => b"0".to_vec(),
        _ => {
            let bits = 1 + random.below(24);
            format!("{}.{}", random.below(1 << bits), random.below(1000)).into_bytes()
        }
    }
}

fn member(random: &mut Random) -> Vec<u8> {
    match random.below(3) {
        0 => format!("place:{}", random.below(40)).into_bytes(),
        _ => pick(random, &["a", "b", "c", "d", "e"]),
    }
}
