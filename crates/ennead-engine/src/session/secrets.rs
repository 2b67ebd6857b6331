//! Which words of a request are passwords, or lead to one: they are kept out of the slow log.

use std::ops::Range;

use ennead_kv::Args;
use smallvec::SmallVec;

use crate::registry::Command;

pub(super) type Secrets = SmallVec<[Range<usize>; 1]>;

/// The secret words of a request, as ranges of word numbers.
pub(super) fn words(command: &Command, args: Args<'_>) -> Secrets {
    let behind = |option: &str, words: usize| {
        let found = args.iter_from(1).position(|word| word.eq_ignore_ascii_case(option.as_bytes()));
        found.map(|at| at + 2..at + 2 + words)
    };
    match command.spec.name {
        "auth" => std::iter::once(1..args.len()).collect(),
        "acl|setuser" => std::iter::once(2..args.len()).collect(),
        "hello" => behind("auth", 2).into_iter().collect(),
        "migrate" => behind("auth", 1).into_iter().chain(behind("auth2", 2)).collect(),
        "config|set" => (2..args.len())
            .step_by(2)
            .filter(|at| args[*at].eq_ignore_ascii_case(b"requirepass"))
            .map(|at| at + 1..at + 2)
            .collect(),
        _ => Secrets::new(),
    }
}
