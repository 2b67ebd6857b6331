//! LPOS.

use crate::args::Args;
use crate::context::{Context, Lookup};
use crate::entry::Kind;
use crate::error::{Error, Result};
use crate::number::parse_integer;
use crate::reply::Reply;

struct Options {
    /// From 1; negative from the end.
    rank: i64,
    /// 0 for all; none for the first one.
    count: Option<usize>,
    /// Elements to be looked at; 0 for all.
    longest: usize,
}

impl Options {
    fn parse(args: Args<'_>) -> Result<Options> {
        const RANGE: Error =
            Error::text("ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807");
        let mut options = Options { rank: 1, count: None, longest: 0 };
        let mut words = args.iter_from(3);
        while let Some(word) = words.next() {
            let value = words.next().ok_or(Error::Syntax)?;
            let natural = |text: &'static str| {
                let number = parse_integer(value).and_then(|number| usize::try_from(number).ok());
                number.ok_or(Error::text(text))
            };
            if word.eq_ignore_ascii_case(b"rank") {
                options.rank = match parse_integer(value).ok_or(Error::NotInteger)? {
                    i64::MIN => return Err(RANGE),
                    0 => {
                        return Err(Error::text(
                            "ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... or use \
                             negative to start from the end of the list",
                        ));
                    }
                    rank => rank,
                };
            } else if word.eq_ignore_ascii_case(b"count") {
                options.count = Some(natural("ERR COUNT can't be negative")?);
            } else if word.eq_ignore_ascii_case(b"maxlen") {
                options.longest = natural("ERR MAXLEN can't be negative")?;
            } else {
                return Err(Error::Syntax);
            }
        }
        Ok(options)
    }
}

pub(super) fn lpos(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    let options = Options::parse(args)?;
    let wanted = &args[2];
    let spot = context.find(&args[1], Lookup::Read)?;
    let view = context.view(spot, Kind::List)?;
    let longest = if options.longest == 0 { usize::MAX } else { options.longest };
    let most = match options.count {
        None => 1,
        Some(0) => usize::MAX,
        Some(count) => count,
    };
    let equal = |(index, element): (usize, &[u8])| (element == wanted).then_some(index);
    let skipped = options.rank.unsigned_abs() as usize - 1;
    let found: Vec<usize> = if options.rank > 0 {
        view.items().take(longest).enumerate().filter_map(equal).skip(skipped).take(most).collect()
    } else {
        let len = view.len();
        let back = view.items_back(len).take(longest).enumerate();
        back.filter_map(equal).skip(skipped).take(most).map(|index| len - 1 - index).collect()
    };
    if options.count.is_some() {
        reply.array(found.len());
        found.iter().for_each(|index| reply.integer(*index as i64));
    } else {
        match found.first() {
            Some(index) => reply.integer(*index as i64),
            None => reply.null(),
        }
    }
    Ok(())
}
