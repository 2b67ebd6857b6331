//! Commands on places: members of a sorted set whose scores are cells of the earth.

use crate::args::Args;
use crate::command::{Command, FIRST_TWO, Flag, GROW, Group, KeySpec, READ, Run, Text};
use crate::commands::sorted_sets::add::{Options, add_members};
use crate::context::{Context, Lookup};
use crate::entry::Kind;
use crate::error::{Error, Result};
use crate::geo::{LATITUDE_MAX, LONGITUDE_MAX, Place};
use crate::number::double::parse_double;
use crate::reply::Reply;

mod query;
mod search;
#[cfg(test)]
mod tests;

const RADIUS: &str = "O(N+log(M)) where N is the number of elements inside the bounding box of the circular area delimited by \
                      center and radius and M is the number of items inside the index.";
const SEARCH: &str = "O(N+log(M)) where N is the number of elements in the grid-aligned bounding box area around the shape \
                      provided as the filter and M is the number of items inside the shape";
const GROW_MOVABLE: &[Flag] = &[Flag::Write, Flag::DenyOom, Flag::MovableKeys];

const fn row(name: &'static str, arity: i32, flags: &'static [Flag], text: Text, run: Run) -> Command {
    Command::of(Group::Geo, name, arity, flags, text, run)
}

pub(super) const COMMANDS: &[Command] = &[
    row(
        "geoadd",
        -5,
        GROW,
        Text {
            since: "3.2.0",
            complexity: "O(log(N)) for each item added, where N is the number of elements in the sorted set.",
            syntax: "key [NX | XX] [CH] longitude latitude member [longitude latitude member ...]",
            summary: "Adds one or more members to a geospatial index. The key is created if it doesn't exist.",
        },
        geoadd,
    ),
    row(
        "geodist",
        -4,
        READ,
        Text {
            since: "3.2.0",
            complexity: "O(1)",
            syntax: "key member1 member2 [M | KM | FT | MI]",
            summary: "Returns the distance between two members of a geospatial index.",
        },
        geodist,
    ),
    row(
        "geohash",
        -2,
        READ,
        Text {
            since: "3.2.0",
            complexity: "O(1) for each member requested.",
            syntax: "key [member [member ...]]",
            summary: "Returns members from a geospatial index as geohash strings.",
        },
        geohash,
    ),
    row(
        "geopos",
        -2,
        READ,
        Text {
            since: "3.2.0",
            complexity: "O(1) for each member requested.",
            syntax: "key [member [member ...]]",
            summary: "Returns the longitude and latitude of members from a geospatial index.",
        },
        geopos,
    ),
    row(
        "georadius",
        -6,
        GROW_MOVABLE,
        Text {
            since: "3.2.0",
            complexity: RADIUS,
            syntax: "key longitude latitude radius <M | KM | FT | MI> [WITHCOORD] [WITHDIST] [WITHHASH] [COUNT count [ANY]] [ASC | DESC] [STORE key | STOREDIST key]",
            summary: "Queries a geospatial index for members within a distance from a coordinate, optionally stores the result.",
        },
        search::georadius,
    )
    .keys(KeySpec::OneAndStored { from: 6 }),
    row(
        "georadius_ro",
        -6,
        READ,
        Text {
            since: "3.2.10",
            complexity: RADIUS,
            syntax: "key longitude latitude radius <M | KM | FT | MI> [WITHCOORD] [WITHDIST] [WITHHASH] [COUNT count [ANY]] [ASC | DESC]",
            summary: "Returns members from a geospatial index that are within a distance from a coordinate.",
        },
        search::georadius_ro,
    ),
    row(
        "georadiusbymember",
        -5,
        GROW_MOVABLE,
        Text {
            since: "3.2.0",
            complexity: RADIUS,
            syntax: "key member radius <M | KM | FT | MI> [WITHCOORD] [WITHDIST] [WITHHASH] [COUNT count [ANY]] [ASC | DESC] [STORE key | STOREDIST key]",
            summary: "Queries a geospatial index for members within a distance from a member, optionally stores the result.",
        },
        search::georadiusbymember,
    )
    .keys(KeySpec::OneAndStored { from: 5 }),
    row(
        "georadiusbymember_ro",
        -5,
        READ,
        Text {
            since: "3.2.10",
            complexity: RADIUS,
            syntax: "key member radius <M | KM | FT | MI> [WITHCOORD] [WITHDIST] [WITHHASH] [COUNT count [ANY]] [ASC | DESC]",
            summary: "Returns members from a geospatial index that are within a distance from a member.",
        },
        search::georadiusbymember_ro,
    ),
    row(
        "geosearch",
        -7,
        READ,
        Text {
            since: "6.2.0",
            complexity: SEARCH,
            syntax: "key <FROMMEMBER member | FROMLONLAT longitude latitude> <BYRADIUS radius <M | KM | FT | MI> | BYBOX width height <M | KM | FT | MI>> [ASC | DESC] [COUNT count [ANY]] [WITHCOORD] [WITHDIST] [WITHHASH]",
            summary: "Queries a geospatial index for members inside an area of a box or a circle.",
        },
        search::geosearch,
    ),
    row(
        "geosearchstore",
        -8,
        GROW,
        Text {
            since: "6.2.0",
            complexity: SEARCH,
            syntax: "destination source <FROMMEMBER member | FROMLONLAT longitude latitude> <BYRADIUS radius <M | KM | FT | MI> | BYBOX width height <M | KM | FT | MI>> [ASC | DESC] [COUNT count [ANY]] [STOREDIST]",
            summary: "Queries a geospatial index for members inside an area of a box or a circle, optionally stores the result.",
        },
        search::geosearchstore,
    )
    .keys(FIRST_TWO),
];

/// Longitude and latitude, in two words.
fn parse_place(longitude: &[u8], latitude: &[u8]) -> Result<Place> {
    let longitude = parse_double(longitude).ok_or(Error::NotFloat)?;
    let latitude = parse_double(latitude).ok_or(Error::NotFloat)?;
    if longitude.abs() > LONGITUDE_MAX || latitude.abs() > LATITUDE_MAX {
        let text = format!("ERR invalid longitude,latitude pair {longitude:.6},{latitude:.6}");
        return Err(Error::Text(text.into()));
    }
    Ok(Place { longitude, latitude })
}

/// Meters in a unit.
fn parse_unit(word: &[u8]) -> Result<f64> {
    match word.to_ascii_lowercase().as_slice() {
        b"m" => Ok(1.0),
        b"km" => Ok(1000.0),
        b"ft" => Ok(0.3048),
        b"mi" => Ok(1609.34),
        _ => Err(Error::text("ERR unsupported unit provided. please use M, KM, FT, MI")),
    }
}

/// With four digits after the point, a bulk string in every protocol.
fn write_distance(reply: &mut dyn Reply, distance: f64) {
    let scaled = (distance * 10000.0).round_ties_even() as i64;
    let sign = if scaled < 0 { "-" } else { "" };
    let scaled = scaled.unsigned_abs();
    reply.bulk(format!("{sign}{}.{:04}", scaled / 10000, scaled % 10000).as_bytes());
}

fn write_place(reply: &mut dyn Reply, place: Place) {
    reply.array(2);
    for degrees in [place.longitude, place.latitude] {
        let text = format!("{degrees:.17}");
        match text.trim_end_matches('0').trim_end_matches('.') {
            "-0" => reply.double_text("0"),
            text => reply.double_text(text),
        }
    }
}

fn geoadd(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    let mut options = Options::default();
    let mut first = 2;
    while let Some(word) = args.get(first) {
        match word.to_ascii_lowercase().as_slice() {
            b"nx" => options.new_only = true,
            b"xx" => options.present_only = true,
            b"ch" => options.changed = true,
            _ => break,
        }
        first += 1;
    }
    let words = args.len() - first;
    if !words.is_multiple_of(3) || words == 0 || options.new_only && options.present_only {
        return Err(Error::Syntax);
    }
    let mut members = Vec::with_capacity(words / 3);
    let mut words = args.iter_from(first);
    while let (Some(longitude), Some(latitude), Some(member)) = (words.next(), words.next(), words.next()) {
        members.push((member, parse_place(longitude, latitude)?.score()));
    }
    add_members(context, &args[1], members, options, reply)
}

fn geodist(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    let unit = match args.len() {
        4 => 1.0,
        5 => parse_unit(&args[4])?,
        _ => return Err(Error::Syntax),
    };
    let spot = context.find(&args[1], Lookup::Read)?;
    let view = context.view(spot, Kind::Zset)?;
    let place = |member: &[u8]| view.score(context.placer(), member).map(Place::of_score);
    match (place(&args[2]), place(&args[3])) {
        (Some(from), Some(to)) => write_distance(reply, from.distance(to) / unit),
        _ => reply.null(),
    }
    Ok(())
}

fn geohash(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    let spot = context.find(&args[1], Lookup::Read)?;
    let view = context.view(spot, Kind::Zset)?;
    reply.array(args.len() - 2);
    for member in args.iter_from(2) {
        match view.score(context.placer(), member) {
            Some(score) => reply.bulk(Place::of_score(score).hash().as_bytes()),
            None => reply.null(),
        }
    }
    Ok(())
}

fn geopos(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    let spot = context.find(&args[1], Lookup::Read)?;
    let view = context.view(spot, Kind::Zset)?;
    reply.array(args.len() - 2);
    for member in args.iter_from(2) {
        match view.score(context.placer(), member) {
            Some(score) => write_place(reply, Place::of_score(score)),
            None => reply.null_array(),
        }
    }
    Ok(())
}
