//! Unions, intersections and differences of sorted sets, and of sets, whose members have the score 1.

use std::collections::HashMap;

use super::{row, store, write_members};
use crate::args::Args;
use crate::command::{Command, Flag, KeySpec, Text};
use crate::context::collections::View;
use crate::context::{Context, Lookup, Spot};
use crate::entry::Kind;
use crate::error::{Error, Result};
use crate::number::double::parse_double;
use crate::number::parse_integer;
use crate::packed::rank_order;
use crate::place::Placer;
use crate::reply::Reply;

const READ: &[Flag] = &[Flag::ReadOnly, Flag::MovableKeys];
const GROW: &[Flag] = &[Flag::Write, Flag::DenyOom, Flag::MovableKeys];
const KEYS: KeySpec = KeySpec::Counted { count: 1 };
const UNION: &str = "O(N)+O(M*log(M)) with N being the sum of the sizes of the input sorted sets, and M being the number of \
                     elements in the resulting sorted set.";
const INTERSECTION: &str = "O(N*K)+O(M*log(M)) worst case with N being the smallest input sorted set, K being the number of \
                            input sorted sets and M being the number of elements in the resulting sorted set.";
const DIFFERENCE: &str = "O(L + (N-K)log(N)) worst case where L is the total number of elements in all the sets, N is the size \
                          of the first set, and K is the size of the result set.";

pub(super) const COMMANDS: &[Command] = &[
    row(
        "zdiff",
        -3,
        READ,
        Text {
            since: "6.2.0",
            complexity: DIFFERENCE,
            syntax: "numkeys key [key ...] [WITHSCORES]",
            summary: "Returns the difference between multiple sorted sets.",
        },
        zdiff,
    )
    .keys(KEYS),
    row(
        "zdiffstore",
        -4,
        GROW,
        Text {
            since: "6.2.0",
            complexity: DIFFERENCE,
            syntax: "destination numkeys key [key ...]",
            summary: "Stores the difference of multiple sorted sets in a key.",
        },
        zdiffstore,
    )
    .keys(KeySpec::TargetAndCounted),
    row(
        "zinter",
        -3,
        READ,
        Text {
            since: "6.2.0",
            complexity: INTERSECTION,
            syntax: "numkeys key [key ...] [WEIGHTS weight [weight ...]] [AGGREGATE <SUM | MIN | MAX>] [WITHSCORES]",
            summary: "Returns the intersect of multiple sorted sets.",
        },
        zinter,
    )
    .keys(KEYS),
    row(
        "zintercard",
        -3,
        READ,
        Text {
            since: "7.0.0",
            complexity: "O(N*K) worst case with N being the smallest input sorted set, K being the number of input sorted \
                         sets.",
            syntax: "numkeys key [key ...] [LIMIT limit]",
            summary: "Returns the number of members of the intersect of multiple sorted sets.",
        },
        zintercard,
    )
    .keys(KEYS),
    row(
        "zinterstore",
        -4,
        GROW,
        Text {
            since: "2.0.0",
            complexity: INTERSECTION,
            syntax: "destination numkeys key [key ...] [WEIGHTS weight [weight ...]] [AGGREGATE <SUM | MIN | MAX>]",
            summary: "Stores the intersect of multiple sorted sets in a key.",
        },
        zinterstore,
    )
    .keys(KeySpec::TargetAndCounted),
    row(
        "zunion",
        -3,
        READ,
        Text {
            since: "6.2.0",
            complexity: UNION,
            syntax: "numkeys key [key ...] [WEIGHTS weight [weight ...]] [AGGREGATE <SUM | MIN | MAX>] [WITHSCORES]",
            summary: "Returns the union of multiple sorted sets.",
        },
        zunion,
    )
    .keys(KEYS),
    row(
        "zunionstore",
        -4,
        GROW,
        Text {
            since: "2.0.0",
            complexity: UNION,
            syntax: "destination numkeys key [key ...] [WEIGHTS weight [weight ...]] [AGGREGATE <SUM | MIN | MAX>]",
            summary: "Stores the union of multiple sorted sets in a key.",
        },
        zunionstore,
    )
    .keys(KeySpec::TargetAndCounted),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operation {
    Union,
    Intersection,
    Difference,
    /// Of an intersection, only how many members it has.
    Cardinality,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Aggregate {
    Sum,
    Min,
    Max,
}

impl Aggregate {
    fn parse(word: &[u8]) -> Result<Aggregate> {
        match word.to_ascii_lowercase().as_slice() {
            b"sum" => Ok(Aggregate::Sum),
            b"min" => Ok(Aggregate::Min),
            b"max" => Ok(Aggregate::Max),
            _ => Err(Error::Syntax),
        }
    }

    fn apply(self, score: f64, other: f64) -> f64 {
        match self {
            Aggregate::Sum => number(score + other),
            Aggregate::Min if other < score => other,
            Aggregate::Max if other > score => other,
            Aggregate::Min | Aggregate::Max => score,
        }
    }
}

/// Infinities of both signs make 0.
fn number(score: f64) -> f64 {
    if score.is_nan() { 0.0 } else { score }
}

/// One set, and what its scores are multiplied by.
#[derive(Debug, Clone, Copy)]
struct Source<'a> {
    view: View<'a>,
    kind: Kind,
    weight: f64,
}

impl<'a> Source<'a> {
    fn len(&self) -> usize {
        if self.kind == Kind::Set { self.view.len() } else { self.view.pair_count() }
    }

    fn members(&self) -> Box<dyn Iterator<Item = (&'a [u8], f64)> + 'a> {
        if self.kind == Kind::Set {
            Box::new(self.view.items().map(|member| (member, 1.0)))
        } else {
            self.view.members()
        }
    }

    fn score(&self, placer: &Placer, member: &[u8]) -> Option<f64> {
        if self.kind == Kind::Set {
            self.view.contains(placer, member).then_some(1.0)
        } else {
            self.view.score(placer, member)
        }
    }
}

/// A whole request.
#[derive(Debug)]
struct Query {
    weights: Vec<f64>,
    aggregate: Aggregate,
    with_scores: bool,
    /// Members that ZINTERCARD counts at most; 0 for all.
    limit: usize,
}

impl Query {
    /// Options from a word on.
    fn parse(args: Args<'_>, at: usize, keys: usize, operation: Operation, stores: bool) -> Result<Query> {
        let mut query = Query { weights: vec![1.0; keys], aggregate: Aggregate::Sum, with_scores: false, limit: 0 };
        let weighs = matches!(operation, Operation::Union | Operation::Intersection);
        let counts = operation == Operation::Cardinality;
        let mut words = args.iter_from(at);
        while let Some(word) = words.next() {
            match word.to_ascii_lowercase().as_slice() {
                b"weights" if weighs && words.len() >= keys => {
                    for (weight, word) in query.weights.iter_mut().zip(words.by_ref()) {
                        *weight = parse_double(word).ok_or(Error::text("ERR weight value is not a float"))?;
                    }
                }
                b"aggregate" if weighs => query.aggregate = Aggregate::parse(words.next().ok_or(Error::Syntax)?)?,
                b"withscores" if !stores && !counts => query.with_scores = true,
                b"limit" if counts => {
                    let limit = parse_integer(words.next().ok_or(Error::Syntax)?);
                    query.limit = limit
                        .and_then(|limit| usize::try_from(limit).ok())
                        .ok_or(Error::text("ERR LIMIT can't be negative"))?;
                }
                _ => return Err(Error::Syntax),
            }
        }
        Ok(query)
    }
}

type Members = Vec<(Vec<u8>, f64)>;

/// The result, in order; `at` is the word with the number of keys.
fn compute(context: &mut Context<'_>, args: Args<'_>, at: usize, operation: Operation) -> Result<(Members, Query)> {
    let number = parse_integer(&args[at]).ok_or(Error::NotInteger)?;
    let Some(keys) = usize::try_from(number).ok().filter(|keys| *keys > 0) else {
        let name = String::from_utf8_lossy(&args[0]).to_ascii_lowercase();
        return Err(Error::Text(format!("ERR at least 1 input key is needed for '{name}' command").into()));
    };
    if keys > args.len() - at - 1 {
        return Err(Error::Syntax);
    }
    let mut found: Vec<(&[u8], Spot, Kind)> = Vec::new();
    for key in args.iter_from(at + 1).take(keys) {
        let spot = context.find(key, Lookup::Read)?;
        let kind = match context.kind(spot).map(Kind::short) {
            Some(Kind::Set) => Kind::Set,
            None | Some(Kind::Zset) => Kind::Zset,
            Some(_) => return Err(Error::WrongType),
        };
        found.push((key, spot, kind));
    }
    let query = Query::parse(args, at + 1 + keys, keys, operation, at == 2)?;
    let mut sources = Vec::with_capacity(keys);
    for ((key, spot, kind), weight) in found.into_iter().zip(&query.weights) {
        sources.push(Source { view: context.view(context.again(spot, key), kind)?, kind, weight: *weight });
    }
    let mut members = match operation {
        Operation::Union => union(sources, query.aggregate),
        Operation::Intersection => intersection(context.placer(), sources, query.aggregate, usize::MAX),
        Operation::Cardinality => {
            let most = if query.limit == 0 { usize::MAX } else { query.limit };
            intersection(context.placer(), sources, query.aggregate, most)
        }
        Operation::Difference => difference(context.placer(), &sources),
    };
    members.sort_unstable_by(|left, right| rank_order((left.1, &left.0), (right.1, &right.0)));
    Ok((members, query))
}

/// Sums of floats depend on the order: as in Redis smaller sets come first.
fn by_size(mut sources: Vec<Source<'_>>) -> Vec<Source<'_>> {
    sources.sort_by_cached_key(Source::len);
    sources
}

fn union(sources: Vec<Source<'_>>, aggregate: Aggregate) -> Members {
    let mut scores: HashMap<&[u8], f64> = HashMap::new();
    for source in by_size(sources) {
        for (member, score) in source.members() {
            let score = number(score * source.weight);
            scores.entry(member).and_modify(|sum| *sum = aggregate.apply(*sum, score)).or_insert(score);
        }
    }
    scores.into_iter().map(|(member, score)| (member.to_vec(), score)).collect()
}

fn intersection(placer: &Placer, sources: Vec<Source<'_>>, aggregate: Aggregate, most: usize) -> Members {
    let sources = by_size(sources);
    let Some((smallest, others)) = sources.split_first() else { return Vec::new() };
    let in_all = |(member, score): (&[u8], f64)| {
        let mut sum = number(score * smallest.weight);
        for other in others {
            sum = aggregate.apply(sum, other.score(placer, member)? * other.weight);
        }
        Some((member.to_vec(), sum))
    };
    smallest.members().filter_map(in_all).take(most).collect()
}

fn difference(placer: &Placer, sources: &[Source<'_>]) -> Members {
    let Some((first, others)) = sources.split_first() else { return Vec::new() };
    let in_none = |(member, _): &(&[u8], f64)| others.iter().all(|other| other.score(placer, member).is_none());
    first.members().filter(in_none).map(|(member, score)| (member.to_vec(), score)).collect()
}

fn answer(context: &mut Context<'_>, args: Args<'_>, operation: Operation, reply: &mut dyn Reply) -> Result {
    let (members, query) = compute(context, args, 1, operation)?;
    let pairs = members.iter().map(|(member, score)| (member.as_slice(), *score));
    write_members(reply, members.len(), query.with_scores, pairs);
    Ok(())
}

fn store_result(context: &mut Context<'_>, args: Args<'_>, operation: Operation, reply: &mut dyn Reply) -> Result {
    let (members, _) = compute(context, args, 2, operation)?;
    let event = match operation {
        Operation::Union => "zunionstore",
        Operation::Difference => "zdiffstore",
        Operation::Intersection | Operation::Cardinality => "zinterstore",
    };
    store(context, &args[1], &members, event, reply)
}

fn zunion(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    answer(context, args, Operation::Union, reply)
}

fn zinter(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    answer(context, args, Operation::Intersection, reply)
}

fn zdiff(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    answer(context, args, Operation::Difference, reply)
}

fn zunionstore(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    store_result(context, args, Operation::Union, reply)
}

fn zinterstore(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    store_result(context, args, Operation::Intersection, reply)
}

fn zdiffstore(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    store_result(context, args, Operation::Difference, reply)
}

fn zintercard(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    let (members, _) = compute(context, args, 1, Operation::Cardinality)?;
    reply.integer(members.len() as i64);
    Ok(())
}
