//! What becomes of a command of the stream when only one database is imported.

#[cfg(test)]
mod tests;

use crate::peer::wire;

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Decision {
    Forward,
    Leave,
    /// Send this request.
    Instead(Vec<u8>),
    /// It brings in what is not known here; why.
    Cannot(String),
}

/// For a command that runs in database `db`, when only `only` is imported.
pub(super) fn decide(only: u64, db: u64, words: &[&[u8]]) -> Decision {
    let name = words[0].to_ascii_lowercase();
    let number = |at: usize| words.get(at).and_then(|word| std::str::from_utf8(word).ok()?.parse::<u64>().ok());
    let brought = |how: &str| {
        Decision::Cannot(format!(
            "the source brought keys into database {only} {how}, which an import of one database cannot follow; \
             start again without a database in the address, or with --flush"
        ))
    };
    let here = db == only;
    match &name[..] {
        b"multi" | b"exec" | b"script" | b"function" | b"publish" | b"spublish" => Decision::Forward,
        b"flushall" => {
            let mut request = Vec::new();
            wire::request(&[b"FLUSHDB"], &mut request);
            Decision::Instead(request)
        }
        b"swapdb" if [number(1), number(2)].contains(&Some(only)) => brought("by SWAPDB"),
        b"swapdb" => Decision::Leave,
        b"move" if here => {
            let mut request = Vec::new();
            wire::request(&[b"DEL", words.get(1).copied().unwrap_or_default()], &mut request);
            Decision::Instead(request)
        }
        b"move" if number(2) == Some(only) => brought("by MOVE"),
        b"copy" => {
            let option = words.iter().position(|word| word.eq_ignore_ascii_case(b"db")).filter(|at| *at > 2);
            match option.map_or(Some(db), |at| number(at + 1)) {
                Some(to) if to == only && !here => brought("by COPY"),
                Some(to) if to == only => Decision::Forward,
                _ => Decision::Leave,
            }
        }
        _ if here => Decision::Forward,
        _ => Decision::Leave,
    }
}
