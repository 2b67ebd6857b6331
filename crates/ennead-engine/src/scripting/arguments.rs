//! What EVAL, FCALL and their like are called with.

use ennead_kv::{Args, Error, Result};
use smallvec::SmallVec;

use super::program::Program;
use super::running::FunctionCall;

/// A script or a function with its keys and arguments.
#[derive(Debug, Clone)]
pub(crate) struct Invocation {
    pub(crate) program: Program,
    words: Words,
    /// How many of the words are keys.
    keys: usize,
    /// Called by a command that does not write.
    pub(crate) read_only: bool,
    /// For a function, what FUNCTION STATS tells.
    pub(super) call: Option<FunctionCall>,
}

/// Words of a request, one behind the other, and where each ends.
#[derive(Debug, Clone)]
struct Words {
    bytes: Vec<u8>,
    ends: SmallVec<[usize; 8]>,
}

impl Invocation {
    /// The words behind the program: a number of keys, the keys, the arguments.
    ///
    /// # Errors
    /// The number of keys is none, or no number: `not_a_number`.
    pub(crate) fn parse(program: Program, args: Args<'_>, read_only: bool, not_a_number: Error) -> Result<Invocation> {
        let keys = check_keys(args, not_a_number)?;
        let words = Words::of(args.iter_from(3));
        let call = match &program {
            Program::Script(_) => None,
            Program::Function(function) => {
                let words = args.iter_from(0).map(<[u8]>::to_vec).collect();
                Some(FunctionCall { name: function.name.clone(), words })
            }
        };
        Ok(Invocation { program, words, keys, read_only, call })
    }

    /// The same with another program.
    pub(super) fn of(&self, program: Program) -> Invocation {
        Invocation { program, ..self.clone() }
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = &[u8]> {
        self.words.iter().take(self.keys)
    }

    pub(super) fn arguments(&self) -> impl Iterator<Item = &[u8]> {
        self.words.iter().skip(self.keys)
    }
}

impl Words {
    fn of<'w>(words: impl ExactSizeIterator<Item = &'w [u8]>) -> Words {
        let (mut bytes, mut ends) = (Vec::new(), SmallVec::with_capacity(words.len()));
        for word in words {
            bytes.extend_from_slice(word);
            ends.push(bytes.len());
        }
        Words { bytes, ends }
    }

    fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, end)| &self.bytes[start..*end])
    }
}

/// Whether the number of keys is one.
pub(crate) fn check_keys(args: Args<'_>, not_a_number: Error) -> Result<usize> {
    let count = crate::commands::integer(&args[2]).map_err(|_| not_a_number)?;
    if count > args.len() as i64 - 3 {
        return Err(Error::text("ERR Number of keys can't be greater than number of args"));
    }
    usize::try_from(count).map_err(|_| Error::text("ERR Number of keys can't be negative"))
}
