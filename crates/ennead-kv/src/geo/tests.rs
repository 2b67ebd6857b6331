use super::{Extent, LATITUDE_MAX, Place, Shape};
use crate::place::next_random;

const PALERMO: Place = Place { longitude: 13.361389, latitude: 38.115556 };
const CATANIA: Place = Place { longitude: 15.087269, latitude: 37.502669 };

#[test]
fn places_have_the_scores_and_hashes_that_redis_gives_them() {
    assert_eq!(PALERMO.score(), 3479099956230698.0);
    assert_eq!(CATANIA.score(), 3479447370796909.0);
    assert_eq!(Place::of_score(3479099956230698.0).hash(), "sqc8b49rny0");
    assert_eq!(Place::of_score(3479447370796909.0).hash(), "sqdtr74hyu0");
    let meters = Place::of_score(PALERMO.score()).distance(Place::of_score(CATANIA.score()));
    assert_eq!(format!("{meters:.4}"), "166274.1516");
}

#[test]
fn a_score_is_the_place_it_was_made_of() {
    let mut random = 3;
    for _ in 0..1000 {
        let place = random_place(&mut random);
        let again = Place::of_score(place.score());
        assert!(place.distance(again) < 1.0, "{place:?} {again:?}");
        assert_eq!(again.score(), place.score());
    }
}

#[test]
fn what_an_area_has_lies_in_its_ranges() {
    let mut random = 5;
    let places: Vec<Place> = (0..2000).map(|_| random_place(&mut random)).collect();
    for number in 0..400 {
        let center = Place { latitude: places[number].latitude * 0.8, ..places[number] };
        let size = 10f64.powi(number as i32 % 7) * 3.0;
        let extent = if number % 2 == 0 {
            Extent::Circle { radius: size }
        } else {
            Extent::Box { width: size, height: size / 2.0 }
        };
        let shape = Shape { center, extent, unit: 1.0 };
        let ranges = shape.scores();
        assert!(ranges.len() <= 9);
        // Larger ones reach around the earth or over a pole, where Redis misses what lies behind.
        if size > 1e6 || center.longitude.abs() > 150.0 {
            continue;
        }
        for place in places.iter().map(|place| Place::of_score(place.score())) {
            if shape.distance_within(place).is_some() {
                let score = place.score();
                assert!(ranges.iter().any(|(from, below)| (*from..*below).contains(&score)), "{shape:?} {place:?}");
            }
        }
    }
}

fn random_place(random: &mut u64) -> Place {
    let mut share = || next_random(random) as f64 / u64::MAX as f64 * 2.0 - 1.0;
    Place { longitude: share() * 180.0, latitude: share() * LATITUDE_MAX }
}
