//! What GEOSEARCH and GEORADIUS ask for.

use super::{parse_place, parse_unit};
use crate::args::Args;
use crate::context::collections::View;
use crate::error::{Error, Result};
use crate::geo::{Extent, Place, Shape};
use crate::number::double::parse_double;
use crate::number::parse_integer;
use crate::place::Placer;

/// Which command it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Radius,
    RadiusByMember,
    /// The same without storing.
    RadiusReadOnly,
    RadiusByMemberReadOnly,
    Search,
    SearchStore,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    Nearest,
    Farthest,
}

/// A whole request.
#[derive(Debug, Default)]
pub(super) struct Query<'a> {
    center: Option<Place>,
    extent: Option<(Extent, f64)>,
    /// Whether there was a member to search around, be it found or not.
    from_member: bool,
    from_place: bool,
    pub(super) with_place: bool,
    pub(super) with_distance: bool,
    pub(super) with_score: bool,
    pub(super) order: Option<Order>,
    /// 0 for all.
    pub(super) count: usize,
    /// Any will do, not just the nearest.
    pub(super) any: bool,
    /// Where the result goes.
    pub(super) target: Option<&'a [u8]>,
    /// Distances become scores.
    pub(super) store_distances: bool,
}

/// Where members are looked up.
#[derive(Clone, Copy)]
pub(super) struct Source<'v> {
    pub(super) view: View<'v>,
    pub(super) placer: &'v Placer,
    pub(super) exists: bool,
}

impl Source<'_> {
    /// The place of a member; none where the key does not exist, which is no error yet.
    fn place(&self, member: &[u8]) -> Result<Option<Place>> {
        if !self.exists {
            return Ok(None);
        }
        let score = self.view.score(self.placer, member);
        let score = score.ok_or(Error::text("ERR could not decode requested zset member"))?;
        Ok(Some(Place::of_score(score)))
    }
}

impl Form {
    fn searches(self) -> bool {
        matches!(self, Form::Search | Form::SearchStore)
    }

    fn may_store(self) -> bool {
        matches!(self, Form::Radius | Form::RadiusByMember)
    }

    /// The word of the source.
    pub(super) fn source(self) -> usize {
        if self == Form::SearchStore { 2 } else { 1 }
    }
}

impl<'a> Query<'a> {
    pub(super) fn parse(args: Args<'a>, form: Form, source: Source<'_>) -> Result<Query<'a>> {
        let mut query = Query::default();
        let options = match form {
            Form::Radius | Form::RadiusReadOnly => {
                query.center = Some(parse_place(&args[2], &args[3])?);
                query.extent = Some(parse_circle(&args[4], &args[5])?);
                6
            }
            Form::RadiusByMember | Form::RadiusByMemberReadOnly => {
                query.center = source.place(&args[2])?;
                if source.exists {
                    query.extent = Some(parse_circle(&args[3], &args[4])?);
                }
                5
            }
            Form::Search => 2,
            Form::SearchStore => {
                query.target = args.get(1);
                3
            }
        };
        let mut rest = args.skip(options);
        while !rest.is_empty() {
            let taken = query.parse_option(rest, form, source)?;
            rest = rest.skip(taken);
        }
        query.check(&args[0], form)?;
        Ok(query)
    }

    /// One option, with which the words begin; how many words it has.
    fn parse_option(&mut self, words: Args<'a>, form: Form, source: Source<'_>) -> Result<usize> {
        let left = words.len() - 1;
        match words[0].to_ascii_lowercase().as_slice() {
            b"withdist" => self.with_distance = true,
            b"withhash" => self.with_score = true,
            b"withcoord" => self.with_place = true,
            b"any" => self.any = true,
            b"asc" => self.order = Some(Order::Nearest),
            b"desc" => self.order = Some(Order::Farthest),
            b"count" if left >= 1 => {
                let count = parse_integer(&words[1]).ok_or(Error::NotInteger)?;
                self.count = usize::try_from(count).unwrap_or(0);
                if self.count == 0 {
                    return Err(Error::text("ERR COUNT must be > 0"));
                }
                return Ok(2);
            }
            option @ (b"store" | b"storedist") if left >= 1 && form.may_store() => {
                self.target = words.get(1);
                self.store_distances = option == b"storedist";
                return Ok(2);
            }
            b"storedist" if form == Form::SearchStore => self.store_distances = true,
            _ if form.searches() => return self.parse_area(words, source),
            _ => return Err(Error::Syntax),
        }
        Ok(1)
    }

    /// One of the options that say where to search.
    fn parse_area(&mut self, words: Args<'a>, source: Source<'_>) -> Result<usize> {
        let left = words.len() - 1;
        let is_box = |extent: &(Extent, f64)| matches!(extent.0, Extent::Box { .. });
        match words[0].to_ascii_lowercase().as_slice() {
            b"frommember" if left >= 1 && !self.from_place => {
                self.center = source.place(&words[1])?;
                self.from_member = true;
                Ok(2)
            }
            b"fromlonlat" if left >= 2 && !self.from_member => {
                self.center = Some(parse_place(&words[1], &words[2])?);
                self.from_place = true;
                Ok(3)
            }
            b"byradius" if left >= 2 && !self.extent.is_some_and(|extent| is_box(&extent)) => {
                self.extent = Some(parse_circle(&words[1], &words[2])?);
                Ok(3)
            }
            b"bybox" if left >= 3 && self.extent.is_none_or(|extent| is_box(&extent)) => {
                self.extent = Some(parse_box(&words[1], &words[2], &words[3])?);
                Ok(4)
            }
            _ => Err(Error::Syntax),
        }
    }

    fn check(&self, name: &[u8], form: Form) -> Result {
        let name = String::from_utf8_lossy(name);
        let text = if self.target.is_some() && (self.with_distance || self.with_score || self.with_place) {
            let what = if form == Form::SearchStore { "GEOSEARCHSTORE" } else { "STORE option in GEORADIUS" };
            format!("ERR {what} is not compatible with WITHDIST, WITHHASH and WITHCOORD options")
        } else if form.searches() && !self.from_member && !self.from_place {
            format!("ERR exactly one of FROMMEMBER or FROMLONLAT can be specified for {name}")
        } else if form.searches() && self.extent.is_none() {
            format!("ERR exactly one of BYRADIUS and BYBOX can be specified for {name}")
        } else if self.any && self.count == 0 {
            "ERR the ANY argument requires COUNT argument".to_owned()
        } else {
            return Ok(());
        };
        Err(Error::Text(text.into()))
    }

    /// The area; none where the source does not exist.
    pub(super) fn shape(&self) -> Option<Shape> {
        let (extent, unit) = self.extent?;
        Some(Shape { center: self.center?, extent, unit })
    }

    /// The order of the result: what is limited is what is nearest, unless anything will do.
    pub(super) fn result_order(&self) -> Option<Order> {
        self.order.or((self.count > 0 && !self.any).then_some(Order::Nearest))
    }
}

fn parse_circle(radius: &[u8], unit: &[u8]) -> Result<(Extent, f64)> {
    let radius = parse_double(radius).ok_or(Error::text("ERR need numeric radius"))?;
    if radius < 0.0 {
        return Err(Error::text("ERR radius cannot be negative"));
    }
    Ok((Extent::Circle { radius }, parse_unit(unit)?))
}

fn parse_box(width: &[u8], height: &[u8], unit: &[u8]) -> Result<(Extent, f64)> {
    let width = parse_double(width).ok_or(Error::text("ERR need numeric width"))?;
    let height = parse_double(height).ok_or(Error::text("ERR need numeric height"))?;
    if width < 0.0 || height < 0.0 {
        return Err(Error::text("ERR height or width cannot be negative"));
    }
    Ok((Extent::Box { width, height }, parse_unit(unit)?))
}
