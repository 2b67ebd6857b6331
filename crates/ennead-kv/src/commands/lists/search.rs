//! LPOS.

use crate::args::Args;
use crate::context::{Context, Lookup};
use crate::entry::Kind;
use crate::error::{Error, Result};
use crate::number::parse_integer;
use crate::reply::Reply;

const RANK_RANGE: Error =
    Error::text("ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807");
const RANK_ZERO: Error = Error::text(
    "ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... or use negative to start from the \
     end of the list",
);

/// The options of a request.
struct Search {
    /// Negative: from the end on.
    rank: i64,
    /// None for one answer that is not in an array; 0 for all.
    count: Option<usize>,
    /// Elements to be looked at; 0 for all.
    length_max: usize,
}

impl Search {
    fn parse(args: Args<'_>) -> Result<Search> {
        let mut search = Search { rank: 1, count: None, length_max: 0 };
        let not_negative = |word: &[u8], error: Error| {
            parse_integer(word).and_then(|number| usize::try_from(number).ok()).ok_or(error)
        };
        let mut words = args.iter_from(3);
        while let Some(word) = words.next() {
            let value = words.next().ok_or(Error::Syntax)?;
            if word.eq_ignore_ascii_case(b"rank") {
                search.rank = match parse_integer(value).ok_or(Error::NotInteger)? {
                    i64::MIN => return Err(RANK_RANGE),
                    0 => return Err(RANK_ZERO),
                    rank => rank,
                };
            } else if word.eq_ignore_ascii_case(b"count") {
                search.count = Some(not_negative(value, Error::text("ERR COUNT can't be negative"))?);
            } else if word.eq_ignore_ascii_case(b"maxlen") {
                search.length_max = not_negative(value, Error::text("ERR MAXLEN can't be negative"))?;
            } else {
                return Err(Error::Syntax);
            }
        }
        Ok(search)
    }
}

pub(super) fn lpos(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    let search = Search::parse(args)?;
    let element = &args[2];
    let spot = context.find(&args[1], Lookup::Read)?;
    let view = context.view(spot, Kind::List)?;
    let len = view.len();
    let looked_at = if search.length_max == 0 { len } else { search.length_max };
    let elements = if search.rank > 0 { view.elements_from(0) } else { view.elements_back(len) };
    let matching = elements.take(looked_at).enumerate().filter(|(_, item)| *item == element);
    let mut found = matching
        .skip(search.rank.unsigned_abs() as usize - 1)
        .map(|(distance, _)| if search.rank > 0 { distance } else { len - 1 - distance });
    match search.count {
        None => match found.next() {
            Some(index) => reply.integer(index as i64),
            None => reply.null(),
        },
        Some(count) => {
            let found: Vec<usize> = found.take(if count == 0 { usize::MAX } else { count }).collect();
            reply.array(found.len());
            found.iter().for_each(|index| reply.integer(*index as i64));
        }
    }
    Ok(())
}
