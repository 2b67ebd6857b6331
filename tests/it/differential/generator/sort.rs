//! Random requests to SORT.

use super::{Words, pick};
use crate::random::Random;

/// Elements of all of these are short numbers now and then, so that `h*` and the like name keys.
const LISTS: &[&str] = &["l1", "l2", "{t}l", "none"];
const SETS: &[&str] = &["s1", "s2", "z1", "z2", "g1"];
const OTHERS: &[&str] = &["k1", "h1"];
const PATTERNS: &[&str] =
    &["#", "*", "h*->f", "h*->counter", "h*->", "s*", "p*", "*->f", "{t}*", "h**->f", "constant", ""];

pub(super) fn request(random: &mut Random) -> Words {
    let reads_only = random.one_in(4);
    let mut words = vec![Vec::from(if reads_only { "SORT_RO" } else { "SORT" })];
    let is_list = random.one_in(2);
    words.push(match random.below(8) {
        0 => pick(random, OTHERS),
        _ if is_list => pick(random, LISTS),
        _ => pick(random, SETS),
    });
    let stores = random.one_in(5);
    // Elements of which other keys say the same come in any order, and so do those of a set that is not sorted.
    let by = match random.below(6) {
        0 | 1 => Some(pick(random, PATTERNS)),
        _ => None,
    };
    let by = by.filter(|by| is_list || stores || by.contains(&b'*'));
    let sorts_alpha = random.one_in(2) && by.is_none();
    let limits = random.one_in(4);
    if let Some(by) = by {
        words.extend([b"BY".to_vec(), by]);
    }
    if sorts_alpha {
        words.push(pick(random, &["ALPHA", "alpha"]));
    }
    if limits {
        words.extend([b"LIMIT".to_vec(), pick(random, &["0", "1", "3", "-2", "100", "x"])]);
        words.push(pick(random, &["-1", "0", "2", "5", "1000", "9223372036854775808"]));
    }
    for _ in 0..[0, 0, 1, 2][random.below(4)] {
        words.extend([pick(random, &["GET", "get"]), pick(random, PATTERNS)]);
    }
    if random.one_in(3) {
        words.push(pick(random, &["ASC", "DESC", "desc", "bogus"]));
    }
    if stores {
        words.extend([b"STORE".to_vec(), pick(random, &["l1", "l2", "{t}l", "s1"])]);
    }
    words
}
