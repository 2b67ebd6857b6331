//! The listener by raw bytes over a real socket.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod pubsub;
mod server;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use server::{PATIENCE, Peer, Server, wait_until};

#[test]
fn requests_and_replies() {
    let server = Server::start(&[]);
    let mut peer = server.connect();
    peer.check("PING\r\n", "+PONG\r\n");
    peer.check("*2\r\n$4\r\nECHO\r\n$3\r\na\r\n\r\n", "$3\r\na\r\n\r\n");
    peer.check("SET k \"a b\"\r\nGET k\r\nGET none\r\n", "+OK\r\n$3\r\na b\r\n$-1\r\n");
    peer.check("*0\r\n\r\n*-1\r\nPING\r\n", "+PONG\r\n");
    peer.check("SELECT 1\r\nGET k\r\nSELECT 0\r\nGET k\r\n", "+OK\r\n$-1\r\n+OK\r\n$3\r\na b\r\n");
}

#[test]
fn resp3_after_hello() {
    let server = Server::start(&[]);
    let mut peer = server.connect();
    peer.check("HELLO 3\r\n", "%7\r\n$6\r\nserver\r\n$5\r\nredis\r\n$7\r\nversion\r\n");
    let mut rest = [0; 1024];
    wait_until(|| {
        let read = peer.stream.read(&mut rest).unwrap();
        rest[..read].ends_with(b"*0\r\n")
    });
    peer.check("GET none\r\n", "_\r\n");
    peer.check("HELLO 4\r\n", "-NOPROTO unsupported protocol version\r\n");
}

#[test]
fn a_request_byte_by_byte() {
    let server = Server::start(&[]);
    let mut peer = server.connect();
    for byte in b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$5\r\nab\r\nc\r\n" {
        peer.send(&[*byte]);
    }
    peer.expect(b"+OK\r\n");
    peer.check("GET k\r\n", "$5\r\nab\r\nc\r\n");
}

#[test]
fn a_long_pipeline_keeps_its_order() {
    let server = Server::start(&[]);
    let mut peer = server.connect();
    let count = 50_000;
    let mut writer = peer.stream.try_clone().unwrap();
    let sender = std::thread::spawn(move || {
        let requests: String = (0..count).map(|n| format!("*2\r\n$4\r\nINCR\r\n$1\r\n{}\r\n", n % 2)).collect();
        writer.write_all(requests.as_bytes()).unwrap();
    });
    let expected: String = (0..count).map(|n| format!(":{}\r\n", n / 2 + 1)).collect();
    peer.expect(expected.as_bytes());
    sender.join().unwrap();
}

#[test]
fn replies_may_be_read_after_all_requests_were_sent() {
    let server = Server::start(&[]);
    let mut peer = server.connect();
    let value = "x".repeat(10_000);
    peer.check(&format!("SET k {value}\r\n"), "+OK\r\n");
    let requests = "GET k\r\n".repeat(3_000);
    peer.send(requests.as_bytes());
    let reply = format!("$10000\r\n{value}\r\n");
    for _ in 0..3_000 {
        peer.expect(reply.as_bytes());
    }
}

#[test]
fn large_values_come_and_go() {
    let server = Server::start(&[]);
    let mut peer = server.connect();
    let value = vec![b'v'; 20 << 20];
    peer.send(format!("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n${}\r\n", value.len()).as_bytes());
    peer.send(&value);
    peer.send(b"\r\n*2\r\n$3\r\nGET\r\n$1\r\nk\r\n");
    peer.expect(format!("+OK\r\n${}\r\n", value.len()).as_bytes());
    peer.expect(&value);
    peer.expect(b"\r\n");
}

#[test]
fn protocol_errors_end_the_connection() {
    let server = Server::start(&[]);
    for (request, error) in [
        ("*3000000000\r\n", "-ERR Protocol error: invalid multibulk length\r\n"),
        ("*1\r\nfoo\r\n", "-ERR Protocol error: expected '$', got 'f'\r\n"),
        ("*1\r\n$-1\r\n", "-ERR Protocol error: invalid bulk length\r\n"),
        ("SET \"a\r\n", "-ERR Protocol error: unbalanced quotes in request\r\n"),
    ] {
        let mut peer = server.connect();
        peer.check(&format!("PING\r\n{request}"), &format!("+PONG\r\n{error}"));
        peer.expect_end();
    }
}

#[test]
fn strangers_are_kept_short() {
    let server = Server::start(&[("server.password", "secret")]);
    let mut peer = server.connect();
    peer.check("GET a\r\n", "-NOAUTH Authentication required.\r\n");
    peer.check("*11\r\n", "-ERR Protocol error: unauthenticated multibulk length\r\n");
    peer.expect_end();
    let mut peer = server.connect();
    peer.check("*2\r\n$4\r\nAUTH\r\n$16385\r\n", "-ERR Protocol error: unauthenticated bulk length\r\n");
    let mut peer = server.connect();
    peer.check("AUTH secret\r\n*2\r\n$4\r\nECHO\r\n$16385\r\n", "+OK\r\n");
}

#[test]
fn quit_and_half_closed_connections() {
    let server = Server::start(&[]);
    let mut peer = server.connect();
    peer.check("QUIT\r\nPING\r\n", "+OK\r\n");
    peer.expect_end();
    let mut peer = server.connect();
    peer.send(b"PING\r\n");
    peer.stream.shutdown(std::net::Shutdown::Write).unwrap();
    peer.expect(b"+PONG\r\n");
    peer.expect_end();
    wait_until(|| server.engine.clients().is_empty());
}

#[test]
fn clients_of_other_workers_are_killed() {
    let server = Server::start(&[]);
    let mut victims: Vec<Peer> = (0..3).map(|_| server.connect()).collect();
    for victim in &mut victims {
        victim.check("PING\r\n", "+PONG\r\n");
    }
    let mut peer = server.connect();
    peer.check("CLIENT KILL TYPE normal\r\n", ":3\r\n");
    for mut victim in victims {
        victim.expect_end();
    }
    peer.check("PING\r\n", "+PONG\r\n");
}

/// What a connection is in the middle of goes with it when its worker has become superfluous.
#[test]
fn connections_move_between_workers() {
    let (server, mut peers) = Server::start_with_two_workers(|server| {
        let mut peers: Vec<Peer> = (0..6).map(|_| server.connect()).collect();
        for (number, peer) in peers.iter_mut().enumerate() {
            peer.send(b"HELLO 3\r\n");
            wait_until(|| peer.read_some().windows(7).any(|window| window == b"modules"));
            peer.check(&format!("SELECT {number}\r\nMULTI\r\nINCR k\r\n"), "+OK\r\n+OK\r\n+QUEUED\r\n");
        }
        peers
    });
    let mut queued = 1;
    wait_until(|| {
        queued += 1;
        for peer in &mut peers {
            peer.check("INCR k\r\n", "+QUEUED\r\n");
        }
        server.workers() == 1
    });
    // Whoever is still there moves with its next request.
    for _ in 0..3 {
        queued += 1;
        for peer in &mut peers {
            peer.check("INCR k\r\n", "+QUEUED\r\n");
        }
    }
    let replies: String = (1..=queued).map(|n| format!(":{n}\r\n")).collect();
    for peer in &mut peers {
        peer.check("EXEC\r\n", &format!("*{queued}\r\n{replies}"));
        peer.check("GET nothing\r\n", "_\r\n");
    }
    let mut killer = server.connect();
    killer.check("CLIENT KILL TYPE normal\r\n", ":6\r\n");
    for mut peer in peers {
        peer.expect_end();
    }
}

#[test]
fn replies_that_nobody_reads_are_bounded() {
    let server = Server::start(&[]);
    let mut peer = server.connect();
    let value = "x".repeat(1 << 20);
    peer.send(format!("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n${}\r\n{value}\r\n", value.len()).as_bytes());
    peer.expect(b"+OK\r\n");
    peer.send("GET k\r\n".repeat(200).as_bytes());
    let unsent = || {
        server
            .engine
            .clients()
            .list()
            .iter()
            .map(|client| client.output_bytes.load(std::sync::atomic::Ordering::Relaxed))
            .max()
    };
    wait_until(|| unsent() > Some(64 << 20));
    std::thread::sleep(Duration::from_millis(100));
    assert!(unsent() <= Some(66 << 20), "{:?}", unsent());
    let reply = format!("$1048576\r\n{value}\r\n");
    for _ in 0..200 {
        peer.expect(reply.as_bytes());
    }
    peer.check("PING\r\n", "+PONG\r\n");
}

#[test]
fn a_pause_holds_requests_back() {
    let server = Server::start(&[]);
    let mut peer = server.connect();
    let mut other = server.connect();
    peer.check("CLIENT PAUSE 100000 WRITE\r\n", "+OK\r\n");
    other.send(b"PING\r\nSET a b\r\nGET a\r\n");
    other.expect(b"+PONG\r\n");
    peer.check("GET a\r\n", "$-1\r\n");
    peer.check("CLIENT UNPAUSE\r\n", "+OK\r\n");
    other.expect(b"+OK\r\n$1\r\nb\r\n");
}

#[test]
fn always_waits_for_the_disk() {
    let server = Server::start(&[("store.durability", "always")]);
    let mut peers: Vec<Peer> = (0..8).map(|_| server.connect()).collect();
    for round in 0..20 {
        for (number, peer) in peers.iter_mut().enumerate() {
            peer.send(format!("SET {number} {round}\r\nINCR all\r\nPING\r\n").as_bytes());
        }
        for peer in &mut peers {
            peer.expect(b"+OK\r\n:");
            let mut digit = [0; 1];
            while digit != *b"+" {
                peer.stream.read_exact(&mut digit).unwrap();
            }
            peer.expect(b"PONG\r\n");
        }
        let store = server.engine.store();
        assert!(store.durable() >= 16 * (round + 1), "{} in round {round}", store.durable());
    }
}

#[test]
fn silent_and_surplus_clients_are_closed() {
    let server = Server::start(&[("clients.maxclients", "1")]);
    let mut peer = server.connect();
    peer.check("PING\r\n", "+PONG\r\n");
    let mut surplus = server.connect();
    surplus.expect(b"-ERR max number of clients reached\r\n");
    surplus.expect_end();
    server.engine.settings().set("clients.timeout", "1ms").unwrap();
    peer.expect_end();
}

#[test]
fn clients_that_do_not_read_are_closed() {
    let server = Server::start(&[("clients.output_normal_hard", "1mb")]);
    let mut peer = server.connect();
    peer.check(&format!("SET k {}\r\n", "x".repeat(60_000)), "+OK\r\n");
    peer.stream.set_write_timeout(Some(PATIENCE)).unwrap();
    let requests = "GET k\r\n".repeat(500);
    wait_until(|| peer.stream.write_all(requests.as_bytes()).is_err() || server.engine.clients().is_empty());
    assert_eq!(server.engine.figures().totals().output_buffer_disconnections, 1);
}

#[test]
fn a_stop_answers_what_was_sent() {
    let mut server = Server::start(&[]);
    let mut peer = server.connect();
    let mut idle = server.connect();
    idle.check("PING\r\n", "+PONG\r\n");
    peer.check("SET a b\r\nGET a\r\n", "+OK\r\n$1\r\nb\r\n");
    server.stop();
    peer.expect_end();
    idle.expect_end();
    assert!(TcpStream::connect(server.address).is_err());
}

#[test]
fn tls_with_clients_certificates() {
    use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};

    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let certificate = made.cert.der().clone();
    let key = || PrivateKeyDer::from(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let roots = || {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(certificate.clone()).unwrap();
        Arc::new(roots)
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = rustls::server::WebPkiClientVerifier::builder_with_provider(roots(), Arc::clone(&provider));
    let config = rustls::ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(verifier.build().unwrap())
        .with_single_cert(vec![certificate.clone()], key())
        .unwrap();
    let server = Server::start_with(&[], Some(Arc::new(config)));

    let connect = |shows_certificate: bool| {
        let builder = rustls::ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots());
        let config = if shows_certificate {
            builder.with_client_auth_cert(vec![certificate.clone()], key()).unwrap()
        } else {
            builder.with_no_client_auth()
        };
        let session =
            rustls::ClientConnection::new(Arc::new(config), ServerName::try_from("localhost").unwrap()).unwrap();
        let stream = TcpStream::connect(server.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        rustls::StreamOwned::new(session, stream)
    };

    let mut friend = connect(true);
    let value = vec![b'v'; 300_000];
    friend.write_all(format!("PING\r\n*3\r\n$3\r\nSET\r\n$1\r\nk\r\n${}\r\n", value.len()).as_bytes()).unwrap();
    friend.write_all(&value).unwrap();
    friend.write_all(b"\r\nGET k\r\n").unwrap();
    let head = format!("+PONG\r\n+OK\r\n${}\r\n", value.len());
    let mut got = vec![0; head.len() + value.len() + 2];
    friend.read_exact(&mut got).unwrap();
    assert_eq!(got, [head.as_bytes(), &value, b"\r\n"].concat());

    let mut stranger = connect(false);
    let _ = stranger.write_all(b"PING\r\n");
    assert!(stranger.read_exact(&mut [0; 1]).is_err(), "a client without certificate was let in");
}
