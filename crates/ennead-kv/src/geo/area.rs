//! Areas around a place, and the cells to look for them.

use super::{Cell, EARTH_RADIUS, Place, RADIANS};

/// Half the way around the earth at the equator, by the projection, meters.
const MERCATOR_MAX: f64 = 20037726.37;
const STEPS_MAX: u32 = 26;

/// An area around a place.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    pub(crate) center: Place,
    pub(crate) extent: Extent,
    /// Meters in the unit of the extent.
    pub(crate) unit: f64,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Extent {
    Circle { radius: f64 },
    Box { width: f64, height: f64 },
}

/// Least and greatest degrees of an area.
struct Bounds {
    longitude: (f64, f64),
    latitude: (f64, f64),
}

impl Shape {
    /// How far a place is from the center, meters, if it lies within.
    pub(crate) fn distance_within(&self, place: Place) -> Option<f64> {
        match self.extent {
            Extent::Circle { radius } => {
                let distance = self.center.distance(place);
                let outside = distance > radius * self.unit;
                (!outside).then_some(distance)
            }
            Extent::Box { width, height } => {
                let along = place.distance_along(self.center);
                let across = place.distance(Place { latitude: place.latitude, ..self.center });
                if along > height * self.unit / 2.0 || across > width * self.unit / 2.0 {
                    return None;
                }
                Some(self.center.distance(place))
            }
        }
    }

    /// Ranges of scores, from and below, in the order in which they are searched. A very large area may have one twice.
    pub(crate) fn scores(&self) -> Vec<(f64, f64)> {
        let bounds = self.bounds();
        let steps = self.steps();
        let mut center = Cell::of(self.center, steps, super::LATITUDE_MAX);
        if steps > 1 && !neighbours_reach(center, &bounds) {
            center = Cell::of(self.center, steps - 1, super::LATITUDE_MAX);
        }
        let (mut cells, mut last) = (vec![center], 0);
        for (number, cell) in neighbours(center, &bounds).into_iter().enumerate() {
            let Some(cell) = cell else { continue };
            // What came last is not searched again; the first cell does not count as last, as in Redis.
            if last > 0 && cells.last() == Some(&cell) {
                continue;
            }
            cells.push(cell);
            last = number + 1;
        }
        cells.into_iter().map(Cell::scores).collect()
    }

    /// Of half the area, in both directions.
    fn half(&self) -> (f64, f64) {
        match self.extent {
            Extent::Circle { radius } => (self.unit * radius, self.unit * radius),
            Extent::Box { width, height } => (self.unit * (width / 2.0), self.unit * (height / 2.0)),
        }
    }

    fn bounds(&self) -> Bounds {
        let Place { longitude, latitude } = self.center;
        let (width, height) = self.half();
        let along = height / EARTH_RADIUS / RADIANS;
        let across = |latitude: f64| width / EARTH_RADIUS / (latitude * RADIANS).cos() / RADIANS;
        // Meridians are nearest to each other at the edge towards the pole.
        let across = if latitude < 0.0 { across(latitude - along) } else { across(latitude + along) };
        Bounds { longitude: (longitude - across, longitude + across), latitude: (latitude - along, latitude + along) }
    }

    /// Of the grid whose cells are about as large as the area.
    fn steps(&self) -> u32 {
        let radius = match self.extent {
            Extent::Circle { radius } => radius,
            Extent::Box { width, height } => ((width / 2.0) * (width / 2.0) + (height / 2.0) * (height / 2.0)).sqrt(),
        };
        let mut radius = radius * self.unit;
        if radius == 0.0 {
            return STEPS_MAX;
        }
        let mut steps = 1i32;
        while radius < MERCATOR_MAX {
            radius *= 2.0;
            steps += 1;
        }
        let poles = self.center.latitude.abs();
        let wider = i32::from(poles > 66.0) + i32::from(poles > 80.0);
        (steps - 2 - wider).clamp(1, STEPS_MAX as i32) as u32
    }
}

/// Whether a cell and those around it cover an area.
fn neighbours_reach(cell: Cell, bounds: &Bounds) -> bool {
    let (north, south) = (cell.beside(0, 1).span(), cell.beside(0, -1).span());
    let (east, west) = (cell.beside(1, 0).span(), cell.beside(-1, 0).span());
    !(north.latitude.1 < bounds.latitude.1
        || south.latitude.0 > bounds.latitude.0
        || east.longitude.1 < bounds.longitude.1
        || west.longitude.0 > bounds.longitude.0)
}

/// The cells around one, without those that the area does not reach.
fn neighbours(cell: Cell, bounds: &Bounds) -> [Option<Cell>; 8] {
    let span = cell.span();
    let inner = cell.steps >= 2;
    let south = !(inner && span.latitude.0 < bounds.latitude.0);
    let north = !(inner && span.latitude.1 > bounds.latitude.1);
    let west = !(inner && span.longitude.0 < bounds.longitude.0);
    let east = !(inner && span.longitude.1 > bounds.longitude.1);
    let beside = |wanted: bool, to_east: i32, to_north: i32| wanted.then(|| cell.beside(to_east, to_north));
    [
        beside(north, 0, 1),
        beside(south, 0, -1),
        beside(east, 1, 0),
        beside(west, -1, 0),
        beside(north && east, 1, 1),
        beside(north && west, -1, 1),
        beside(south && east, 1, -1),
        beside(south && west, -1, -1),
    ]
}
