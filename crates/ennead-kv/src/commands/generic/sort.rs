//! SORT: the elements of a list, set or sorted set in the order of their own or of what other keys say, or those others
//! in their place.

#[cfg(test)]
mod tests;

use std::cmp::Ordering;
use std::ops::Range;

use crate::args::Args;
use crate::command::{Access, Category, Command, Flag, KeySpec, Text};
use crate::context::{Context, Lookup};
use crate::entry::{Hint, Kind};
use crate::error::{Error, Result};
use crate::notice::EventClass;
use crate::number::double::parse_weight;
use crate::number::parse_integer;
use crate::reply::Reply;

const CATEGORIES: &[Category] = &[Category::Set, Category::SortedSet, Category::List, Category::Dangerous];
const COMPLEXITY: &str = "O(N+M*log(M)) where N is the number of elements in the list or set to sort, and M the number of returned elements. \
     When the elements are not sorted, complexity is O(N).";

pub(super) const COMMANDS: &[Command] = &[
    Command::generic(
        "sort",
        -2,
        &[Flag::Write, Flag::DenyOom, Flag::MovableKeys],
        Text {
            since: "1.0.0",
            complexity: COMPLEXITY,
            syntax: "key [BY pattern] [LIMIT offset count] [GET pattern [GET pattern ...]] [ASC | DESC] [ALPHA] \
                     [STORE destination]",
            summary: "Sorts the elements in a list, a set, or a sorted set, optionally storing the result.",
        },
        sort,
    )
    .keys(KeySpec::Sorted { stores: true })
    .categories(CATEGORIES)
    .access(Access::Patterns),
    Command::generic(
        "sort_ro",
        -2,
        &[Flag::ReadOnly, Flag::MovableKeys],
        Text {
            since: "7.0.0",
            complexity: COMPLEXITY,
            syntax: "key [BY pattern] [LIMIT offset count] [GET pattern [GET pattern ...]] [ASC | DESC] [ALPHA]",
            summary: "Returns the sorted elements of a list, a set, or a sorted set.",
        },
        sort_ro,
    )
    .keys(KeySpec::Sorted { stores: false })
    .categories(CATEGORIES)
    .access(Access::Patterns),
];

/// What a request asks for.
#[derive(Debug, Default)]
struct Options<'a> {
    descending: bool,
    /// By bytes, not as numbers.
    alpha: bool,
    offset: i64,
    /// Negative: all.
    count: i64,
    by: Option<&'a [u8]>,
    get: Vec<&'a [u8]>,
    store: Option<&'a [u8]>,
}

/// What an element is sorted by.
#[derive(Debug)]
enum Weight {
    Number(f64),
    /// None: the key that says it does not exist, which comes first.
    Bytes(Option<Vec<u8>>),
    /// The element itself, by its bytes.
    Itself,
}

pub(super) fn sort(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    run(context, args, true, reply)
}

pub(super) fn sort_ro(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    run(context, args, false, reply)
}

fn run(context: &mut Context<'_>, args: Args<'_>, may_store: bool, reply: &mut dyn Reply) -> Result {
    let mut options = parse(context, args, may_store)?;
    let (kind, mut elements) = elements(context, &args[1])?;
    // A pattern without an asterisk means that nothing is to be sorted.
    let mut sorts = options.by.is_none_or(|by| by.contains(&b'*'));
    if !sorts && kind == Some(Kind::Set) {
        // A set has no order of its own: this one is the same everywhere.
        (sorts, options.alpha, options.by) = (true, true, None);
    }
    let window = window(elements.len(), options.offset, options.count);
    if sorts {
        elements = sorted(context, elements, &options)?;
    } else if options.descending {
        elements.reverse();
    }
    let chosen = &elements[window];
    match options.store {
        Some(key) => store(context, chosen, &options.get, key, reply),
        None => answer(context, chosen, &options.get, reply),
    }
}

fn parse<'a>(context: &Context<'_>, args: Args<'a>, may_store: bool) -> Result<Options<'a>> {
    let refuse = |option: &str| {
        Err(Error::Text(format!("ERR {option} option of SORT denied due to insufficient ACL permissions.").into()))
    };
    let mut options = Options { count: -1, ..Options::default() };
    let mut at = 2;
    while let Some(word) = args.get(at) {
        let is = |name: &str| word.eq_ignore_ascii_case(name.as_bytes());
        at += 1;
        if is("asc") || is("desc") {
            options.descending = is("desc");
        } else if is("alpha") {
            options.alpha = true;
        } else if is("limit")
            && let (Some(offset), Some(count)) = (args.get(at), args.get(at + 1))
        {
            options.offset = parse_integer(offset).ok_or(Error::NotInteger)?;
            options.count = parse_integer(count).ok_or(Error::NotInteger)?;
            at += 2;
        } else if let Some(operand) = args.get(at) {
            at += 1;
            if is("store") && may_store {
                options.store = Some(operand);
            } else if is("by") {
                options.by = Some(operand);
                if operand.contains(&b'*') && context.named_only() {
                    return refuse("BY");
                }
            } else if is("get") {
                options.get.push(operand);
                if context.named_only() {
                    return refuse("GET");
                }
            } else {
                return Err(Error::Syntax);
            }
        } else {
            return Err(Error::Syntax);
        }
    }
    Ok(options)
}

/// The type of a key and its elements in their own order.
fn elements(context: &mut Context<'_>, key: &[u8]) -> Result<(Option<Kind>, Vec<Vec<u8>>)> {
    let spot = context.find(key, Lookup::Read)?;
    let Some(kind) = context.kind(spot).map(Kind::short) else { return Ok((None, Vec::new())) };
    let view = match kind {
        Kind::List | Kind::Set | Kind::Zset => context.view(spot, kind)?,
        _ => return Err(Error::WrongType),
    };
    let elements = match kind {
        Kind::Zset => view.members().map(|(member, _)| member.to_vec()).collect(),
        _ => view.items().map(<[u8]>::to_vec).collect(),
    };
    if kind == Kind::Zset
        && let Some(entry) = context.entry(spot)
    {
        // To sort one, Redis gives it the form of a large one.
        entry.set_hint(Hint::Text);
    }
    Ok((Some(kind), elements))
}

/// Which elements LIMIT leaves.
fn window(len: usize, offset: i64, count: i64) -> Range<usize> {
    let start = usize::try_from(offset).unwrap_or(0).min(len);
    let count = usize::try_from(count).unwrap_or(len);
    start..start.saturating_add(count).min(len)
}

fn sorted(context: &mut Context<'_>, elements: Vec<Vec<u8>>, options: &Options<'_>) -> Result<Vec<Vec<u8>>> {
    let mut weighed = Vec::with_capacity(elements.len());
    let mut not_a_number = false;
    for element in elements {
        let by = match options.by {
            Some(pattern) => look_up(context, pattern, &element)?,
            None => None,
        };
        let weight = match (options.alpha, options.by) {
            (true, None) => Weight::Itself,
            (true, Some(_)) => Weight::Bytes(by),
            (false, None) => parse_weight(&element).map_or(Weight::Itself, Weight::Number),
            (false, Some(_)) => by.map_or(Some(0.0), |by| parse_weight(&by)).map_or(Weight::Itself, Weight::Number),
        };
        not_a_number |= !options.alpha && matches!(weight, Weight::Itself);
        weighed.push((weight, element));
    }
    if not_a_number {
        return Err(Error::text("ERR One or more scores can't be converted into double"));
    }
    weighed.sort_by(|one, other| {
        let order = compare(one, other);
        if options.descending { order.reverse() } else { order }
    });
    Ok(weighed.into_iter().map(|(_, element)| element).collect())
}

/// Elements with the same number go by their bytes, those with the same text stay as they were.
fn compare((one, element): &(Weight, Vec<u8>), (other, other_element): &(Weight, Vec<u8>)) -> Ordering {
    match (one, other) {
        (Weight::Number(one), Weight::Number(other)) => {
            one.partial_cmp(other).unwrap_or(Ordering::Equal).then_with(|| element.cmp(other_element))
        }
        (Weight::Bytes(one), Weight::Bytes(other)) => one.cmp(other),
        _ => element.cmp(other_element),
    }
}

/// What a pattern stands for: `#` is the element, else the element takes the place of the first asterisk, and the string
/// of that key is meant, or behind `->` the field of its hash.
fn look_up(context: &mut Context<'_>, pattern: &[u8], element: &[u8]) -> Result<Option<Vec<u8>>> {
    if pattern == b"#" {
        return Ok(Some(element.to_vec()));
    }
    let Some(asterisk) = memchr::memchr(b'*', pattern) else { return Ok(None) };
    let (before, behind) = (&pattern[..asterisk], &pattern[asterisk + 1..]);
    let arrow = memchr::memmem::find(behind, b"->").filter(|arrow| arrow + 2 < behind.len());
    let (behind, field) = match arrow {
        Some(arrow) => (&behind[..arrow], Some(&behind[arrow + 2..])),
        None => (behind, None),
    };
    let spot = context.find(&[before, element, behind].concat(), Lookup::Read)?;
    let value = match (context.kind(spot).map(Kind::short), field) {
        (Some(Kind::String), None) => context.string(spot)?,
        (Some(Kind::Hash), Some(field)) => context.view(spot, Kind::Hash)?.field(context.placer(), field),
        _ => None,
    };
    Ok(value.map(<[u8]>::to_vec))
}

fn answer(context: &mut Context<'_>, elements: &[Vec<u8>], get: &[&[u8]], reply: &mut dyn Reply) -> Result {
    reply.array(elements.len() * get.len().max(1));
    for element in elements {
        if get.is_empty() {
            reply.bulk(element);
        }
        for pattern in get {
            match look_up(context, pattern, element)? {
                Some(value) => reply.bulk(&value),
                None => reply.null(),
            }
        }
    }
    Ok(())
}

fn store(context: &mut Context<'_>, elements: &[Vec<u8>], get: &[&[u8]], key: &[u8], reply: &mut dyn Reply) -> Result {
    let mut values = Vec::with_capacity(elements.len() * get.len().max(1));
    for element in elements {
        if get.is_empty() {
            values.push(element.clone());
        }
        for pattern in get {
            values.push(look_up(context, pattern, element)?.unwrap_or_default());
        }
    }
    let spot = context.find(key, Lookup::Write)?;
    if values.is_empty() {
        context.delete_told(spot, key);
    } else {
        let mut edit = context.open_new(spot, key, Kind::List);
        context.note_elements(&mut edit, values.iter().map(Vec::as_slice));
        for value in &values {
            context.list_push(&mut edit, key, value)?;
        }
        context.close(edit, key)?;
        context.notify(EventClass::List, "sortstore", key);
    }
    reply.integer(values.len() as i64);
    Ok(())
}
