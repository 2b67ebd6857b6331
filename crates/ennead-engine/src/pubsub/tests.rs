use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::{Clients, Origin};

const TOPICS: [Topic; 3] = [Topic::Channel, Topic::Pattern, Topic::Shard];
const NAMES: [&[u8]; 6] = [b"a", b"ab", b"b", b"", b"a*", b"*"];

fn setting(name: &str, value: &str) -> PubSub {
    let settings = Settings::new();
    settings.set(name, value).unwrap();
    PubSub::new(Arc::new(settings))
}

fn clients(count: usize) -> Vec<Arc<Client>> {
    let clients = Clients::default();
    (0..count).map(|_| clients.register(Origin::default(), count, 0).unwrap()).collect()
}

/// What waits for a client, as text.
fn mail(client: &Client) -> Vec<String> {
    let mut messages = Vec::new();
    client.mailbox.take(usize::MAX, &mut messages);
    messages
        .iter()
        .map(|message| {
            let kind = match &message.origin() {
                None => "",
                Some(pattern) => std::str::from_utf8(pattern).unwrap(),
            };
            format!("{kind}|{}", String::from_utf8_lossy(message.text()))
        })
        .collect()
}

/// Random subscriptions, ends of them and messages, beside a plain set of who listens to what.
#[test]
fn the_registry_is_a_set_of_subscriptions() {
    arbtest::arbtest(|random| {
        let pubsub = setting("clients.output_pubsub_hard", "0");
        let clients = clients(4);
        let mut model: BTreeSet<(usize, &[u8], usize)> = BTreeSet::new();
        let mut number = 0;
        while !random.is_empty() && number < 200 {
            number += 1;
            let (topic, name) = (random.choose_index(3)?, NAMES[random.choose_index(NAMES.len())?]);
            let client = random.choose_index(clients.len())?;
            match random.int_in_range(0..=4)? {
                0 | 1 => {
                    pubsub.subscribe(TOPICS[topic], name, &clients[client]);
                    model.insert((topic, name, client));
                }
                2 => {
                    pubsub.unsubscribe(TOPICS[topic], name, clients[client].id);
                    model.remove(&(topic, name, client));
                }
                _ => check_publish(&pubsub, &clients, &model, topic, name, number),
            }
            for (topic, kind) in TOPICS.into_iter().enumerate() {
                let names: BTreeSet<_> = model.iter().filter(|entry| entry.0 == topic).map(|entry| entry.1).collect();
                assert_eq!(pubsub.count(kind), names.len());
                if topic != 1 {
                    let known = pubsub.names(topic == 2);
                    assert_eq!(known.iter().map(|name| &**name).collect::<BTreeSet<_>>(), names);
                }
            }
        }
        Ok(())
    });
}

fn check_publish(
    pubsub: &PubSub,
    clients: &[Arc<Client>],
    model: &BTreeSet<(usize, &[u8], usize)>,
    topic: usize,
    name: &[u8],
    number: usize,
) {
    let text = number.to_string();
    let shard = topic == 2;
    let direct = |client: usize| usize::from(model.contains(&(if shard { 2 } else { 0 }, name, client)));
    let patterns = |client: usize| {
        let matching = model
            .iter()
            .filter(move |(topic, pattern, other)| *topic == 1 && *other == client && !shard && matches(pattern, name));
        matching.map(|(_, pattern, _)| format!("{}|{}", std::str::from_utf8(pattern).unwrap(), number))
    };
    let expected: usize = (0..clients.len()).map(|client| direct(client) + patterns(client).count()).sum();
    let publish = if shard { PubSub::publish_to_shard } else { PubSub::publish };
    assert_eq!(publish(pubsub, name, text.as_bytes(), Hold::None), expected as u64);
    assert_eq!(pubsub.subscribers(shard, name), (0..clients.len()).map(direct).sum::<usize>());
    for (index, client) in clients.iter().enumerate() {
        let mut expected: Vec<_> = patterns(index).chain((0..direct(index)).map(|_| format!("|{number}"))).collect();
        let mut got = mail(client);
        expected.sort();
        got.sort();
        assert_eq!(got, expected);
        assert!(!client.mailbox.is_waiting() && client.mailbox.bytes() == 0);
    }
}

#[test]
fn a_worker_is_woken_once_for_all_its_clients() {
    let pubsub = setting("clients.output_pubsub_hard", "0");
    let clients = clients(100);
    let wakes = Arc::new(AtomicUsize::new(0));
    let bells = [(), ()].map(|()| {
        let wakes = Arc::clone(&wakes);
        Arc::new(Doorbell::new(move || {
            wakes.fetch_add(1, Ordering::SeqCst);
        }))
    });
    for (number, client) in clients.iter().enumerate() {
        client.mailbox.move_to(Arc::clone(&bells[number % 2]), client.id);
        pubsub.subscribe(Topic::Channel, b"news", client);
    }
    for _ in 0..3 {
        assert_eq!(pubsub.publish(b"news", b"x", Hold::None), 100);
    }
    assert_eq!(wakes.load(Ordering::SeqCst), 2);
    let mut rung = Vec::new();
    bells[0].answer(&mut rung);
    assert_eq!(rung.len(), 50);
    // Whose mail still waits is not rung for again; who has taken it, is.
    mail(&clients[0]);
    pubsub.publish(b"news", b"y", Hold::None);
    rung.clear();
    bells[0].answer(&mut rung);
    assert_eq!(rung, [clients[0].id]);
    assert_eq!(wakes.load(Ordering::SeqCst), 3);
    // Mail that waits comes along to another worker.
    clients[0].mailbox.move_to(Arc::clone(&bells[1]), clients[0].id);
    rung.clear();
    bells[1].answer(&mut rung);
    assert_eq!(rung.last(), Some(&clients[0].id));
}

#[test]
fn who_does_not_read_is_cut_off_at_the_limit() {
    let pubsub = setting("clients.output_pubsub_hard", "1kb");
    let clients = clients(2);
    for client in &clients {
        pubsub.subscribe(Topic::Pattern, b"*", client);
    }
    let text = [b'x'; 100];
    for _ in 0..20 {
        assert_eq!(pubsub.publish(b"c", &text, Hold::None), 2);
        assert_eq!(mail(&clients[1]).len(), 1);
    }
    assert!(clients[0].mailbox.is_overflown() && !clients[1].mailbox.is_overflown());
    assert!(!clients[0].mailbox.is_waiting() && clients[0].mailbox.bytes() == 0);
    // What the worker holds for a client counts as well.
    clients[1].output_bytes.store(1000, Ordering::Relaxed);
    pubsub.publish(b"c", &text, Hold::None);
    assert!(clients[1].mailbox.is_overflown());
}

#[test]
fn all_receivers_share_one_frame() {
    let pubsub = setting("clients.output_pubsub_hard", "0");
    let clients = clients(2);
    for client in &clients {
        pubsub.subscribe(Topic::Shard, b"s", client);
    }
    assert_eq!(pubsub.publish_to_shard(b"s", b"x", Hold::None), 2);
    let mut messages = Vec::new();
    for client in &clients {
        assert!(client.mailbox.take(usize::MAX, &mut messages));
    }
    let mut encoded = 0;
    for message in &messages {
        for protocol in [2, 3, 2] {
            let frame = message.frame(protocol, |_| {
                encoded += 1;
                vec![protocol]
            });
            assert_eq!(frame, [protocol]);
        }
    }
    assert_eq!(encoded, 2);
}

#[test]
fn mail_is_taken_in_portions() {
    let pubsub = setting("clients.output_pubsub_hard", "0");
    let clients = clients(1);
    pubsub.subscribe(Topic::Channel, b"c", &clients[0]);
    for number in 0..10 {
        pubsub.publish(b"c", &[number; 100], Hold::None);
    }
    let mut messages = Vec::new();
    assert!(clients[0].mailbox.take(1, &mut messages));
    assert_eq!(messages.len(), 1);
    assert!(clients[0].mailbox.take(300, &mut messages));
    assert_eq!(messages.len(), 3);
    assert_eq!(clients[0].mailbox.bytes(), 7 * 141);
    clients[0].mailbox.end();
    assert!(!clients[0].mailbox.take(usize::MAX, &mut messages));
    assert_eq!(pubsub.publish(b"c", b"x", Hold::None), 1);
    assert!(!clients[0].mailbox.is_waiting());
}
