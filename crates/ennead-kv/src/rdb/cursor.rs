//! Taking bytes off the front of a packed form.

/// The next bytes, of a number known before.
pub(super) fn array<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (bytes, behind) = rest.split_first_chunk::<N>()?;
    *rest = behind;
    Some(*bytes)
}

/// The next bytes, of a number read before.
pub(super) fn bytes(rest: &mut &[u8], len: usize) -> Option<Vec<u8>> {
    let (bytes, behind) = rest.split_at_checked(len)?;
    *rest = behind;
    Some(bytes.to_vec())
}
