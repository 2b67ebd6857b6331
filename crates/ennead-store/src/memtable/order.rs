//! Sorting rows by keys that have much in common: all rows of one large object begin with the same bytes, and a
//! comparison of two keys is two looks at memory that is nowhere near.

/// Fewer rows are sorted by their whole keys.
const FEW: usize = 16;

/// Sorts locations by key, and leaves those out whose keys are not `wanted`.
pub(super) fn by_key<'a>(
    locations: impl Iterator<Item = u32>,
    key: impl Fn(u32) -> &'a [u8],
    wanted: impl Fn(&[u8]) -> bool,
) -> Vec<u32> {
    let mut locations: Vec<u32> = locations.collect();
    // Keys are read in the order that they have in memory, and stay in it as long as they are equal.
    locations.sort_unstable();
    let keys = locations.into_iter().map(|location| (key(location), location)).filter(|(key, _)| wanted(key));
    let mut rows: Vec<(u64, u32)> = keys.map(|(key, location)| (window(key), location)).collect();
    sort(&mut rows, 0, &key);
    rows.into_iter().map(|(_, location)| location).collect()
}

/// Rows have with them the eight bytes of their keys from `depth` on, and the same bytes before.
fn sort<'a>(rows: &mut [(u64, u32)], depth: usize, key: &impl Fn(u32) -> &'a [u8]) {
    rows.sort_unstable_by_key(|(bytes, _)| *bytes);
    for rows in rows.chunk_by_mut(|left, right| left.0 == right.0) {
        let deeper = if rows.len() > FEW { common(rows, key) } else { 0 };
        if deeper > depth {
            rows.iter_mut().for_each(|(bytes, location)| *bytes = window(&key(*location)[deeper..]));
            sort(rows, deeper, key);
        } else if rows.len() > 1 {
            rows.sort_unstable_by(|left, right| key(left.1).cmp(key(right.1)));
        }
    }
}

/// How many bytes all keys begin with.
fn common<'a>(rows: &[(u64, u32)], key: &impl Fn(u32) -> &'a [u8]) -> usize {
    let Some(((_, first), rest)) = rows.split_first() else { return 0 };
    let first = key(*first);
    rest.iter().fold(first.len(), |length, (_, location)| {
        let key = key(*location);
        if key.starts_with(&first[..length]) {
            return length;
        }
        first[..length].iter().zip(key).take_while(|(left, right)| left == right).count()
    })
}

/// The first eight bytes as a number that sorts like them; what is missing counts as zero.
fn window(key: &[u8]) -> u64 {
    let mut bytes = [0; 8];
    let length = key.len().min(8);
    bytes[..length].copy_from_slice(&key[..length]);
    u64::from_be_bytes(bytes)
}
