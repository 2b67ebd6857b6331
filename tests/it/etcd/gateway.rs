//! The JSON gateway beside that of a real etcd: the same requests go to both over HTTP, random sequences and scripts, and the
//! bodies are compared. Where bodies are no JSON of a message, etcd's text is not ours, and its code is compared.

mod document;
mod own;
mod player;
mod scripts;
pub(super) mod web;

use super::differential::{Act, Pair};
use super::keeper::{Keeper, Kind, comparable_etcd_program};
use player::Player;
use web::Web;

/// Both servers, on new data. None, said loudly, when there is no etcd.
fn keepers() -> Option<[Keeper; 2]> {
    comparable_etcd_program("etcd")?;
    Some([Keeper::start_gateway(Kind::Etcd)?, Keeper::start_gateway(Kind::subject())?])
}

#[test]
fn random_sequences_get_the_bodies_of_etcd() {
    let Some(keepers) = keepers() else { return };
    let act = |keeper: &Keeper| -> Act {
        let player = Player::new(Web::new(keeper.address));
        Box::new(move |steps| player.play(steps))
    };
    Pair { peer: act(&keepers[0]), ours: act(&keepers[1]), _keepers: keepers }.compare_at_random();
}

#[test]
fn scripts_get_the_bodies_of_etcd() {
    let mut differences = Vec::new();
    for (title, script) in scripts::ALL {
        let Some(keepers) = keepers() else { return };
        let [peer, ours] = keepers.map(|keeper| scripts::run(Web::new(keeper.address), *script));
        assert_eq!(ours.len(), peer.len(), "{title}");
        let differing = peer.iter().zip(&ours).filter(|(peer, ours)| peer != ours);
        differences.extend(differing.map(|(peer, ours)| format!("{title}\n  etcd:   {peer}\n  ennead: {ours}")));
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}
