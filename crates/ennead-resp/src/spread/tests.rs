use super::*;

/// Workers whose idle and spare time a test decides on.
struct World {
    spread: Spread,
    watches: Vec<Watch>,
    now: Instant,
    spent: Vec<Spent>,
    /// The share of time in which a worker is busy, but without a processor.
    waiting: f64,
    /// The share of requests that have the keyspace to themselves.
    exclusive: f64,
    spare: Duration,
}

impl World {
    fn new(workers: usize, connections: usize) -> World {
        let options = Options { workers, workers_at_first: 1, unneeded_after: 5 * SECOND };
        let spread = Spread::new(&options, None);
        let now = spread.started;
        for _ in 0..connections {
            spread.connected(spread.least_connected());
        }
        let watches = (0..workers).map(|number| Watch::new(number, 1, now)).collect();
        World {
            spread,
            watches,
            now,
            spent: vec![Spent::default(); workers],
            waiting: 0.0,
            exclusive: 0.0,
            spare: Duration::ZERO,
        }
    }

    /// Lets time pass in which the workers are busy for these shares, and a share of one processor is left.
    fn pass(&mut self, time: Duration, busy: &[f64], spare: f64) {
        let windows = time.as_millis() / WINDOW.as_millis();
        for _ in 0..windows {
            self.now += WINDOW;
            self.spare += WINDOW.mul_f64(spare);
            for (number, busy) in busy.iter().enumerate() {
                let spent = &mut self.spent[number];
                spent.idle += WINDOW.mul_f64(1.0 - busy);
                spent.waited += WINDOW.mul_f64(self.waiting);
                spent.ran += WINDOW.mul_f64(busy - self.waiting);
                spent.exclusive = (self.now - self.spread.started).mul_f64(self.exclusive);
                self.watches[number].look(&self.spread, self.now, || *spent, || self.spare);
            }
        }
    }

    /// Moves what is too much, as connections do when they have something to do.
    fn move_all(&mut self) {
        for number in 0..self.watches.len() {
            while self.watches[number].has_surplus() {
                let to = self.watches[number].give();
                self.spread.disconnected(number);
                self.spread.connected(to);
            }
        }
    }

    fn connections(&self) -> Vec<usize> {
        self.spread.loads.iter().map(|load| load.connections.load(Relaxed)).collect()
    }
}

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn all_stay_on_one_worker_as_long_as_it_is_idle_at_times() {
    let mut world = World::new(4, 50);
    world.pass(SECOND, &[0.9], 1.0);
    world.move_all();
    assert_eq!(world.connections(), [50, 0, 0, 0]);
}

#[test]
fn nobody_joins_in_when_the_clients_need_the_processors() {
    let mut world = World::new(2, 50);
    world.pass(SECOND, &[1.0], 0.05);
    world.move_all();
    assert_eq!(world.connections(), [50, 0]);
}

#[test]
fn workers_join_in_while_those_there_are_saturated_and_go_when_they_are_not_needed() {
    let mut world = World::new(3, 60);
    world.pass(SECOND / 5, &[1.0], 0.5);
    assert_eq!(world.spread.active(), 2);
    world.move_all();
    assert_eq!(world.connections(), [30, 30, 0]);
    world.pass(SECOND / 5, &[1.0, 1.0], 0.5);
    world.move_all();
    assert_eq!((world.spread.active(), world.connections()), (3, vec![20, 20, 20]));
    // New ones go to those who have the fewest.
    world.spread.disconnected(1);
    assert_eq!(world.spread.least_connected(), 1);
    world.spread.connected(1);
    world.pass(SECOND * 4, &[0.4, 0.4, 0.4], 1.0);
    assert_eq!(world.spread.active(), 3);
    world.pass(SECOND * 2, &[0.4, 0.4, 0.4], 1.0);
    world.move_all();
    assert_eq!((world.spread.active(), world.connections()), (2, vec![30, 30, 0]));
    world.pass(SECOND * 6, &[0.5, 0.0], 1.0);
    world.move_all();
    assert_eq!((world.spread.active(), world.connections()), (1, vec![60, 0, 0]));
}

#[test]
fn a_single_worker_watches_nothing() {
    let mut world = World::new(1, 5);
    world.pass(SECOND, &[1.0], 1.0);
    assert_eq!((world.spread.active(), world.watches[0].has_surplus()), (1, false));
}

#[test]
fn those_who_would_wait_for_each_other_are_one() {
    let mut world = World::new(2, 10);
    world.exclusive = 0.6;
    world.pass(SECOND, &[1.0], 1.0);
    assert_eq!(world.spread.active(), 1);
    let mut world = World::new(2, 10);
    world.pass(SECOND, &[1.0], 1.0);
    assert_eq!(world.spread.active(), 2);
    world.exclusive = 0.9;
    world.pass(SECOND * 6, &[1.0, 1.0], 0.0);
    assert_eq!(world.spread.active(), 1);
}

#[test]
fn nobody_joins_in_while_workers_wait_for_processors() {
    let mut world = World::new(2, 50);
    world.waiting = 0.2;
    world.pass(SECOND, &[1.0], 0.5);
    assert_eq!(world.spread.active(), 1);
    world.waiting = 0.05;
    world.pass(SECOND, &[1.0], 0.5);
    assert_eq!(world.spread.active(), 2);
}

#[test]
fn who_waits_for_processors_goes_when_the_others_would_fill_theirs() {
    let mut world = World::new(2, 50);
    world.pass(SECOND / 5, &[1.0], 0.5);
    world.move_all();
    // Each would need a processor of its own.
    world.waiting = 0.3;
    world.pass(SECOND * 2, &[1.0, 1.0], 0.0);
    assert_eq!(world.spread.active(), 2);
    // What they need is one processor.
    world.waiting = 0.4;
    world.pass(SECOND * 2, &[0.8, 0.8], 0.0);
    world.move_all();
    assert_eq!((world.spread.active(), world.connections()), (1, vec![50, 0]));
    world.waiting = 0.0;
    world.pass(SECOND / 5, &[1.0], 0.5);
    world.move_all();
    // They would fit, but nobody waits.
    world.pass(SECOND * 2, &[0.45, 0.8], 0.0);
    assert_eq!(world.spread.active(), 2);
}

#[test]
fn who_comes_back_does_not_go_for_what_it_waited_before() {
    let mut world = World::new(2, 50);
    world.pass(SECOND / 5, &[1.0], 0.5);
    world.move_all();
    world.waiting = 0.8;
    world.pass(SECOND * 2, &[0.9, 0.9], 0.0);
    world.move_all();
    assert_eq!(world.spread.active(), 1);
    world.waiting = 0.0;
    world.pass(SECOND / 5, &[1.0], 0.5);
    world.move_all();
    world.pass(SECOND, &[0.3, 0.3], 0.0);
    assert_eq!(world.spread.active(), 2);
}
