//! Messages to connections on several workers, and what becomes of those that do not read them.

use std::io::{Read, Write};
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::server::{Peer, Server, wait_until};

/// A subscriber of the channel, speaking RESP3 if asked to.
fn subscriber(server: &Server, channel: &str, resp3: bool) -> Peer {
    let mut peer = server.connect();
    if resp3 {
        peer.send(b"HELLO 3\r\n");
        wait_until(|| peer.read_some().ends_with(b"modules\r\n*0\r\n"));
    }
    let kind = if resp3 { '>' } else { '*' };
    let answer = format!("{kind}3\r\n$9\r\nsubscribe\r\n${}\r\n{channel}\r\n:1\r\n", channel.len());
    peer.check(&format!("SUBSCRIBE {channel}\r\n"), &answer);
    peer
}

fn message(resp3: bool, channel: &str, text: &str) -> String {
    let kind = if resp3 { '>' } else { '*' };
    format!("{kind}3\r\n$7\r\nmessage\r\n${}\r\n{channel}\r\n${}\r\n{text}\r\n", channel.len(), text.len())
}

fn disconnections(server: &Server) -> u64 {
    server.engine.figures().totals().output_buffer_disconnections
}

/// Bytes that wait for the client that is furthest behind.
fn unread(server: &Server) -> u64 {
    let clients = server.engine.clients().list();
    let unread = clients.iter().map(|client| client.mailbox.bytes() + client.output_bytes.load(Ordering::Relaxed));
    unread.max().unwrap_or(0)
}

#[test]
fn a_hundred_subscribers_get_all_messages_in_order() {
    let server = Server::start(&[]);
    let mut peers: Vec<Peer> = (0..100).map(|number| subscriber(&server, "news", number % 3 == 0)).collect();
    let mut publisher = server.connect();
    let mut texts = Vec::new();
    for round in 0..20 {
        let batch: Vec<String> = (0..round).map(|number| format!("{round}-{number}")).collect();
        let requests: String = batch.iter().map(|text| format!("PUBLISH news {text}\r\n")).collect();
        publisher.check(&requests, &":100\r\n".repeat(batch.len()));
        texts.extend(batch);
    }
    for (number, peer) in peers.iter_mut().enumerate() {
        let expected: String = texts.iter().map(|text| message(number % 3 == 0, "news", text)).collect();
        peer.expect(expected.as_bytes());
    }
    drop(peers);
    wait_until(|| server.engine.clients().len() == 1);
    publisher.check("PUBSUB NUMSUB news\r\nPUBSUB CHANNELS\r\n", "*2\r\n$4\r\nnews\r\n:0\r\n*0\r\n");
}

#[test]
fn publishers_on_both_workers_are_seen_in_one_order() {
    let server = Server::start(&[]);
    let mut peers: Vec<Peer> = (0..6).map(|_| subscriber(&server, "c", false)).collect();
    let threads: Vec<_> = (0..4)
        .map(|number| {
            let mut publisher = server.connect();
            std::thread::spawn(move || {
                for count in 0..250 {
                    publisher.check(&format!("PUBLISH c {number}{count:03}\r\n"), ":6\r\n");
                }
            })
        })
        .collect();
    let length = 1000 * message(false, "c", "0000").len();
    let mut streams = peers.iter_mut().map(|peer| {
        let mut bytes = vec![0; length];
        peer.stream.read_exact(&mut bytes).unwrap();
        bytes
    });
    let first = streams.next().unwrap();
    assert!(streams.all(|other| other == first));
    for thread in threads {
        thread.join().unwrap();
    }
}

#[test]
fn a_subscriber_that_does_not_read_is_closed_at_the_hard_limit() {
    let server = Server::start(&[("clients.output_pubsub_hard", "1mb")]);
    let mut slow: Vec<Peer> = (0..2).map(|_| subscriber(&server, "c", false)).collect();
    let mut reader = subscriber(&server, "c", true);
    let mut publisher = server.connect();
    let text = "x".repeat(60_000);
    let request = format!("PUBLISH c {text}\r\n");
    let expected = message(true, "c", &text);
    wait_until(|| {
        publisher.send(request.as_bytes());
        let mut reply = [0; 4];
        publisher.stream.read_exact(&mut reply).unwrap();
        reader.expect(expected.as_bytes());
        assert!(unread(&server) <= 1 << 20, "{}", unread(&server));
        disconnections(&server) == 2
    });
    // They got what had been written, and then the end.
    for peer in &mut slow {
        let mut rest = Vec::new();
        let _ = peer.stream.read_to_end(&mut rest);
    }
    wait_until(|| server.engine.clients().len() == 2);
    publisher.check("PUBSUB NUMSUB c\r\n", "*2\r\n$1\r\nc\r\n:1\r\n");
}

#[test]
fn a_subscriber_may_be_behind_for_a_while() {
    let settings = [("clients.output_pubsub_soft", "1mb"), ("clients.output_pubsub_soft_time", "1s")];
    let server = Server::start(&settings);
    let mut slow = subscriber(&server, "c", false);
    let mut publisher = server.connect();
    let text = "x".repeat(60_000);
    let expected = message(false, "c", &text);
    let mut publish = || {
        publisher.send(format!("PUBLISH c {text}\r\n").as_bytes());
        publisher.expect(b":");
        publisher.read_some() == b"1\r\n"
    };
    let start = std::time::Instant::now();
    wait_until(|| {
        publish();
        unread(&server) > 3 << 20 || disconnections(&server) == 1
    });
    // It reads a little all the time, and stays behind by more than the soft limit.
    let mut receives = true;
    wait_until(|| {
        let mut bytes = vec![0; expected.len()];
        receives = receives && slow.stream.read_exact(&mut bytes).is_ok();
        while receives && disconnections(&server) == 0 && unread(&server) < 3 << 20 {
            publish();
        }
        std::thread::sleep(Duration::from_millis(1));
        disconnections(&server) == 1
    });
    assert!(start.elapsed() >= Duration::from_secs(1), "{:?}", start.elapsed());
    let _ = slow.stream.read_to_end(&mut Vec::new());
    wait_until(|| !publish());
    assert!(unread(&server) < 1 << 20);
}

/// What waits for a client that is slow but reads comes all, and its own replies behind it.
#[test]
fn a_slow_subscriber_misses_nothing() {
    let server = Server::start(&[]);
    let mut slow = subscriber(&server, "c", false);
    let mut publisher = server.connect();
    let text = "x".repeat(30_000);
    let mut count = 0;
    wait_until(|| {
        count += 1;
        publisher.check(&format!("PUBLISH c {count:06}{text}\r\n"), ":1\r\n");
        unread(&server) > 4 << 20
    });
    slow.send(b"PING done\r\n");
    for number in 1..=count {
        slow.expect(message(false, "c", &format!("{number:06}{text}")).as_bytes());
    }
    slow.expect(b"*2\r\n$4\r\npong\r\n$4\r\ndone\r\n");
    assert_eq!(disconnections(&server), 0);
}

#[test]
fn subscribers_are_killed_and_never_idle() {
    let server = Server::start(&[]);
    let mut peer = subscriber(&server, "c", false);
    // An ordinary client is closed meanwhile.
    server.engine.settings().set("clients.timeout", "300ms").unwrap();
    server.connect().expect_end();
    server.engine.settings().set("clients.timeout", "0").unwrap();
    let mut publisher = server.connect();
    publisher.check("PUBLISH c x\r\n", ":1\r\n");
    peer.expect(message(false, "c", "x").as_bytes());
    let mut killer = server.connect();
    killer.check("CLIENT KILL TYPE pubsub\r\n", ":1\r\n");
    peer.expect_end();
}

/// Subscribers that say nothing move as well when their worker is superfluous, and miss nothing on the way.
#[test]
fn subscribers_move_between_workers() {
    let (server, mut peers) = Server::start_with_two_workers(|server| -> Vec<Peer> {
        (0..7).map(|_| subscriber(server, "c", false)).collect()
    });
    let mut publisher = server.connect();
    let mut count = 0;
    let mut publish = |peers: &mut Vec<Peer>| {
        count += 1;
        publisher.check(&format!("PUBLISH c {count}\r\n"), ":7\r\n");
        for peer in peers {
            peer.expect(message(false, "c", &count.to_string()).as_bytes());
        }
    };
    wait_until(|| {
        publish(&mut peers);
        server.workers() == 1
    });
    for _ in 0..100 {
        publish(&mut peers);
    }
    for peer in &mut peers {
        peer.check("PING\r\n", "*2\r\n$4\r\npong\r\n$0\r\n\r\n");
    }
    publish(&mut peers);
}

#[test]
fn a_message_does_not_overtake_the_disk() {
    let server = Server::start(&[("store.durability", "always")]);
    let mut peers: Vec<Peer> = (0..4).map(|_| subscriber(&server, "c", true)).collect();
    let mut writer = server.connect();
    for number in 0..50 {
        let before = server.engine.store().committed();
        writer.stream.write_all(format!("SET k {number}\r\nPUBLISH c {number}\r\n").as_bytes()).unwrap();
        for peer in &mut peers {
            peer.expect(message(true, "c", &number.to_string()).as_bytes());
            assert!(server.engine.store().durable() > before);
        }
        writer.expect(b"+OK\r\n:4\r\n");
    }
}
