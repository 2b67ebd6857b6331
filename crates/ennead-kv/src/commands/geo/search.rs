//! GEOSEARCH, GEORADIUS and their variants.

use super::query::{Form, Order, Query, Source};
use super::{write_distance, write_place};
use crate::args::Args;
use crate::commands::sorted_sets::store;
use crate::context::collections::View;
use crate::context::{Context, Lookup};
use crate::entry::Kind;
use crate::error::Result;
use crate::geo::{Place, Shape};
use crate::reply::Reply;

/// A member that was found.
#[derive(Debug)]
struct Found<'a> {
    member: &'a [u8],
    score: f64,
    place: Place,
    /// Meters from the center.
    distance: f64,
}

/// The members within an area, at most so many.
fn members_within<'a>(view: View<'a>, shape: &Shape, most: usize) -> Vec<Found<'a>> {
    let mut found = Vec::new();
    for (from, below) in shape.scores() {
        let ranks = view.rank_where(|score, _| score < from)..view.rank_where(|score, _| score < below);
        for (member, score) in view.ranked(ranks, false) {
            let place = Place::of_score(score);
            if let Some(distance) = shape.distance_within(place) {
                found.push(Found { member, score, place, distance });
            }
            if found.len() >= most {
                return found;
            }
        }
    }
    found
}

fn sort(found: &mut [Found<'_>], order: Order) {
    found.sort_by(|left, right| {
        let nearest = left.distance.partial_cmp(&right.distance).unwrap_or(std::cmp::Ordering::Equal);
        if order == Order::Nearest { nearest } else { nearest.reverse() }
    });
}

fn run(context: &mut Context<'_>, args: Args<'_>, form: Form, reply: &mut dyn Reply) -> Result {
    let spot = context.find(&args[form.source()], Lookup::Read)?;
    let view = context.view(spot, Kind::Zset)?;
    let query = Query::parse(args, form, Source { view, placer: context.placer(), exists: spot.exists() })?;
    let shape = query.shape().filter(|_| spot.exists());
    let most = if query.any { query.count } else { usize::MAX };
    let mut found = shape.map_or_else(Vec::new, |shape| members_within(view, &shape, most));
    if let Some(order) = query.result_order() {
        sort(&mut found, order);
    }
    if query.count > 0 {
        found.truncate(query.count);
    }
    let unit = shape.map_or(1.0, |shape| shape.unit);
    let Some(target) = query.target else {
        write_found(reply, &query, &found, unit);
        return Ok(());
    };
    let score = |found: &Found<'_>| if query.store_distances { found.distance / unit } else { found.score };
    let members: Vec<_> = found.iter().map(|found| (found.member.to_vec(), score(found))).collect();
    let event = if form == Form::SearchStore { "geosearchstore" } else { "georadiusstore" };
    store(context, target, &members, event, reply)
}

fn write_found(reply: &mut dyn Reply, query: &Query<'_>, found: &[Found<'_>], unit: f64) {
    let options = [query.with_distance, query.with_score, query.with_place].into_iter().filter(|with| *with).count();
    reply.array(found.len());
    for Found { member, score, place, distance } in found {
        if options > 0 {
            reply.array(options + 1);
        }
        reply.bulk(member);
        if query.with_distance {
            write_distance(reply, distance / unit);
        }
        if query.with_score {
            reply.integer(*score as i64);
        }
        if query.with_place {
            write_place(reply, *place);
        }
    }
}

pub(super) fn georadius(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    run(context, args, Form::Radius, reply)
}

pub(super) fn georadius_ro(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    run(context, args, Form::RadiusReadOnly, reply)
}

pub(super) fn georadiusbymember(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    run(context, args, Form::RadiusByMember, reply)
}

pub(super) fn georadiusbymember_ro(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    run(context, args, Form::RadiusByMemberReadOnly, reply)
}

pub(super) fn geosearch(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    run(context, args, Form::Search, reply)
}

pub(super) fn geosearchstore(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    run(context, args, Form::SearchStore, reply)
}
