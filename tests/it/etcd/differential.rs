//! The daemon beside a real etcd: the same requests go to both through gRPC, one after the other, and the answers and
//! watch streams are compared.
//!
//! `ENNEAD_DIFFERENTIAL_SECONDS` runs random sequences longer than the default; `ENNEAD_DIFFERENTIAL_SEED` replays one
//! seed; `ENNEAD_DIFFERENTIAL_KEEP_GOING` collects the differences of the whole run before it fails.

mod fixed;
pub(super) mod generator;
pub(super) mod observation;
mod player;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::keeper::{Keeper, Kind, comparable_etcd_program};
use crate::grpc::runtime;
use crate::random::{Random, setting};
use generator::Step;
use player::Player;

/// How long random sequences run in `make test`.
const SECONDS: u64 = 10;

/// Sends the steps of a sequence to one server, emptied before, and says what it answered.
pub(super) type Act = Box<dyn FnMut(&[Step]) -> Vec<String>>;

/// Both servers, and what talks to each.
pub(super) struct Pair {
    pub(super) peer: Act,
    pub(super) ours: Act,
    pub(super) _keepers: [Keeper; 2],
}

/// None, said loudly, when there is no etcd.
fn pair() -> Option<Pair> {
    comparable_etcd_program("etcd")?;
    let keepers = [Keeper::start(Kind::Etcd)?, Keeper::start(Kind::subject())?];
    let runtime = Arc::new(runtime());
    let act = |keeper: &Keeper| -> Act {
        let runtime = Arc::clone(&runtime);
        let mut player = runtime.block_on(Player::connect(keeper.address));
        Box::new(move |steps| runtime.block_on(player.play(steps)))
    };
    Some(Pair { peer: act(&keepers[0]), ours: act(&keepers[1]), _keepers: keepers })
}

impl Pair {
    /// Where the answers to the steps differ, first; None when they are the same.
    fn difference(&mut self, steps: &[Step]) -> Option<Difference> {
        let peer = (self.peer)(steps);
        let ours = (self.ours)(steps);
        let at = (0..peer.len().max(ours.len())).find(|at| peer.get(*at) != ours.get(*at))?;
        Some(Difference { at, peer: peer.get(at).cloned(), ours: ours.get(at).cloned() })
    }

    /// Runs random sequences for the time that is set, and fails with the shortest that is answered differently.
    pub(super) fn compare_at_random(&mut self) {
        let replay = setting("ENNEAD_DIFFERENTIAL_SEED");
        let time = Duration::from_secs(setting("ENNEAD_DIFFERENTIAL_SECONDS").unwrap_or(SECONDS));
        let keep_going = setting("ENNEAD_DIFFERENTIAL_KEEP_GOING").is_some();
        let first = replay.unwrap_or_else(|| Random::new(u64::from(std::process::id())).next() >> 32);
        let begun = Instant::now();
        let mut found: BTreeMap<String, String> = BTreeMap::new();
        let (mut count, mut total) = (0, 0);
        for seed in first.. {
            let steps = generator::steps(&mut Random::new(seed));
            count += 1;
            total += steps.len();
            if let Some(difference) = self.difference(&steps) {
                let kind = difference.kind();
                if !found.contains_key(&kind) {
                    let (steps, difference) = self.shrink(steps, difference);
                    let text = difference.describe(&steps);
                    eprintln!("replay with ENNEAD_DIFFERENTIAL_SEED={seed}:\n{text}");
                    assert!(keep_going, "the answers differ, seed {seed}:\n{text}");
                    found.insert(difference.kind(), text.clone());
                    found.insert(kind, text);
                }
            }
            if replay.is_some() || begun.elapsed() > time {
                break;
            }
        }
        eprintln!("{count} random sequences of {total} steps from seed {first}, {} kinds of differences", found.len());
        assert!(found.is_empty(), "{}", found.into_values().collect::<Vec<_>>().join("\n"));
    }

    /// The fewest steps that still differ.
    fn shrink(&mut self, mut steps: Vec<Step>, mut difference: Difference) -> (Vec<Step>, Difference) {
        let mut size = steps.len().div_ceil(2);
        loop {
            let mut at = 0;
            while at < steps.len() {
                let mut fewer = steps.clone();
                fewer.drain(at..(at + size).min(steps.len()));
                match self.difference(&fewer) {
                    Some(found) => (steps, difference) = (fewer, found),
                    None => at += size,
                }
            }
            if size == 1 {
                return (steps, difference);
            }
            size = size.div_ceil(2);
        }
    }
}

/// Answers that differ; what came on watches stands after the answers.
struct Difference {
    at: usize,
    peer: Option<String>,
    ours: Option<String>,
}

impl Difference {
    fn describe(&self, steps: &[Step]) -> String {
        let mut text: String = steps.iter().enumerate().map(|(at, step)| format!("{at:3}  {step:?}\n")).collect();
        let absent = "nothing".to_owned();
        let (peer, ours) = (self.peer.as_ref().unwrap_or(&absent), self.ours.as_ref().unwrap_or(&absent));
        text += &format!("answer {}\n  etcd:   {peer}\n  ennead: {ours}\n", self.at);
        text
    }

    /// Differences that look alike are told once.
    fn kind(&self) -> String {
        let shape = |text: &Option<String>| -> String {
            text.iter().flat_map(|text| text.chars()).filter(|char| !char.is_ascii_digit()).take(60).collect()
        };
        format!("{} / {}", shape(&self.peer), shape(&self.ours))
    }
}

#[test]
fn random_sequences_get_the_answers_of_etcd() {
    if let Some(mut pair) = pair() {
        pair.compare_at_random();
    }
}

#[test]
fn chosen_sequences_get_the_answers_of_etcd() {
    let Some(mut pair) = pair() else { return };
    let mut differences = String::new();
    for (title, steps) in fixed::sequences() {
        if let Some(difference) = pair.difference(&steps) {
            differences += &format!("{title}\n{}", difference.describe(&steps));
        }
    }
    assert!(differences.is_empty(), "{differences}");
}
