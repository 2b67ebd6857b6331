//! Places on the earth as Redis keeps them: a place is the number of a cell of a grid of 2^26 by 2^26, bits of latitude
//! and longitude in turn, which is the score of a member of a sorted set. Cells that begin with the same bits are
//! neighbours, so an area is some ranges of scores.
//!
//! Every step of the arithmetic is that of Redis, in its order: replies show the last bits.

mod area;
#[cfg(test)]
mod tests;

pub(crate) use area::{Extent, Shape};

/// Degrees, at most and at least.
pub(crate) const LONGITUDE_MAX: f64 = 180.0;
/// Degrees; the projection does not reach the poles.
pub(crate) const LATITUDE_MAX: f64 = 85.05112878;
/// Bits of each coordinate in a score.
const STEPS: u32 = 26;
/// The earth's quadratic mean radius, meters.
const EARTH_RADIUS: f64 = 6372797.560856;
const RADIANS: f64 = std::f64::consts::PI / 180.0;

/// A place, degrees.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Place {
    pub(crate) longitude: f64,
    pub(crate) latitude: f64,
}

/// A cell of a grid of 2^steps by 2^steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Cell {
    bits: u64,
    steps: u32,
}

/// What a cell covers: least and greatest degrees.
#[derive(Debug, Clone, Copy)]
struct Span {
    longitude: (f64, f64),
    latitude: (f64, f64),
}

impl Place {
    /// The place of a score; scores that are none give one all the same.
    pub(crate) fn of_score(score: f64) -> Place {
        Cell { bits: unsigned(score), steps: STEPS }.center()
    }

    pub(crate) fn score(self) -> f64 {
        Cell::of(self, STEPS, LATITUDE_MAX).bits as f64
    }

    /// Its text in the alphabet of geohash.org, whose latitudes reach the poles.
    pub(crate) fn hash(self) -> String {
        const ALPHABET: &[u8; 32] = b"0123456789bcdefghjkmnpqrstuvwxyz";
        let bits = Cell::of(self, STEPS, 90.0).bits;
        // There are 52 bits, and eleven letters of five: the last one is as good as none.
        let letters = (1..=10).map(|letter| ALPHABET[(bits >> (52 - letter * 5)) as usize & 0x1f]);
        letters.chain([b'0']).map(char::from).collect()
    }

    /// Meters between two places, by the haversine formula.
    pub(crate) fn distance(self, other: Place) -> f64 {
        let across = ((other.longitude * RADIANS - self.longitude * RADIANS) / 2.0).sin();
        if across == 0.0 {
            return self.distance_along(other);
        }
        let (from, to) = (self.latitude * RADIANS, other.latitude * RADIANS);
        let along = ((to - from) / 2.0).sin();
        let part = along * along + from.cos() * to.cos() * across * across;
        2.0 * EARTH_RADIUS * part.sqrt().asin()
    }

    /// Meters between two places of one meridian.
    fn distance_along(self, other: Place) -> f64 {
        EARTH_RADIUS * (other.latitude * RADIANS - self.latitude * RADIANS).abs()
    }
}

impl Cell {
    fn of(place: Place, steps: u32, latitude_max: f64) -> Cell {
        let scale = (1u64 << steps) as f64;
        let latitude = (place.latitude + latitude_max) / (latitude_max + latitude_max) * scale;
        let longitude = (place.longitude + LONGITUDE_MAX) / (LONGITUDE_MAX + LONGITUDE_MAX) * scale;
        Cell { bits: spread(latitude as u32) | spread(longitude as u32) << 1, steps }
    }

    fn span(self) -> Span {
        let scale = (1u64 << self.steps) as f64;
        let edge = |number: u32, max: f64| -max + f64::from(number) / scale * (max + max);
        let (latitude, longitude) = (gather(self.bits), gather(self.bits >> 1));
        Span {
            longitude: (edge(longitude, LONGITUDE_MAX), edge(longitude.wrapping_add(1), LONGITUDE_MAX)),
            latitude: (edge(latitude, LATITUDE_MAX), edge(latitude.wrapping_add(1), LATITUDE_MAX)),
        }
    }

    fn center(self) -> Place {
        let Span { longitude, latitude } = self.span();
        Place {
            longitude: ((longitude.0 + longitude.1) / 2.0).clamp(-LONGITUDE_MAX, LONGITUDE_MAX),
            latitude: ((latitude.0 + latitude.1) / 2.0).clamp(-LATITUDE_MAX, LATITUDE_MAX),
        }
    }

    /// The cell so many cells east and north, around the earth if need be.
    fn beside(self, east: i32, north: i32) -> Cell {
        let mask = ((1u64 << self.steps) - 1) as u32;
        // At the greatest degree of all a number has a bit too many, and keeps it unless it is moved.
        let moved = |number: u32, by: i32| if by == 0 { number } else { number.wrapping_add_signed(by) & mask };
        let latitude = moved(gather(self.bits), north);
        let longitude = moved(gather(self.bits >> 1), east);
        Cell { bits: spread(latitude) | spread(longitude) << 1, ..self }
    }

    /// The scores of the places within: from, and below.
    fn scores(self) -> (f64, f64) {
        let shift = 52 - self.steps * 2;
        ((self.bits << shift) as f64, ((self.bits + 1) << shift) as f64)
    }
}

/// Puts a 0 before each bit.
fn spread(number: u32) -> u64 {
    let mut bits = u64::from(number);
    bits = (bits | bits << 16) & 0x0000_ffff_0000_ffff;
    bits = (bits | bits << 8) & 0x00ff_00ff_00ff_00ff;
    bits = (bits | bits << 4) & 0x0f0f_0f0f_0f0f_0f0f;
    bits = (bits | bits << 2) & 0x3333_3333_3333_3333;
    (bits | bits << 1) & 0x5555_5555_5555_5555
}

/// Every other bit, from the lowest on.
fn gather(bits: u64) -> u32 {
    let mut bits = bits & 0x5555_5555_5555_5555;
    bits = (bits | bits >> 1) & 0x3333_3333_3333_3333;
    bits = (bits | bits >> 2) & 0x0f0f_0f0f_0f0f_0f0f;
    bits = (bits | bits >> 4) & 0x00ff_00ff_00ff_00ff;
    bits = (bits | bits >> 8) & 0x0000_ffff_0000_ffff;
    (bits | bits >> 16) as u32
}

/// What a processor makes of a number that is no cell: below zero it wraps around, and what is too large is 0.
fn unsigned(score: f64) -> u64 {
    const HALF: f64 = 9_223_372_036_854_775_808.0;
    if score < HALF {
        score as i64 as u64
    } else if score < HALF + HALF {
        score as u64
    } else {
        0
    }
}
