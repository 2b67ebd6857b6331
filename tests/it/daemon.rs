//! The daemon from outside: flags, messages, exit codes, signals, health, metrics.

pub(crate) mod process;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::wait::TIMEOUT;
use crate::wire::Reply;

use process::{Daemon, ennead, folder_of, output, refusal};

#[test]
fn every_listener_says_where_it_is_and_answers() {
    let daemon = Daemon::start(&[]);
    assert_eq!(daemon.wire().call(&[b"PING"]).unwrap(), Reply::Simple(b"PONG".to_vec()));
    assert_eq!(daemon.http("GET /healthz HTTP/1.1"), (200, "{\"status\":\"ok\"}".to_owned()));
    assert_eq!(daemon.http("GET /readyz HTTP/1.1").0, 200);
    let (status, banner) = daemon.http("GET / HTTP/1.1");
    assert_eq!(status, 200);
    assert!(banner.contains("\"name\":\"ennead\""), "{banner}");
    let (status, page) = daemon.http("GET /console/ HTTP/1.1");
    assert!(status == 200 && page.contains("<title>Ennead</title>"), "{page}");
    assert_eq!(daemon.http("GET /console/console.css HTTP/1.1").0, 200);
    // An HTTP/2 server answers the client's preface with a frame of settings: type 4 after the length.
    let mut grpc = TcpStream::connect(daemon.address("grpc")).unwrap();
    grpc.set_read_timeout(Some(TIMEOUT)).unwrap();
    grpc.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00").unwrap();
    let mut frame = [0; 9];
    grpc.read_exact(&mut frame).unwrap();
    assert_eq!(frame[3], 4);
}

#[test]
fn failures_over_http_are_json_with_a_status() {
    let daemon = Daemon::start(&[]);
    let (status, body) = daemon.http("GET /nowhere HTTP/1.1");
    assert_eq!(status, 404);
    assert_eq!(body, "{\"code\":\"not_found\",\"message\":\"there is nothing at /nowhere\",\"retryable\":false}");
    let (status, body) = daemon.http("POST /healthz HTTP/1.1");
    assert!(status == 405 && body.contains("\"code\":\"unsupported\""), "{body}");
    let long = format!("GET / HTTP/1.1\r\nX-Long: {}", "x".repeat(100 << 10));
    let (status, body) = daemon.http(&long);
    assert!(status == 431 && body.contains("\"code\":\"too_large\""), "{body}");
}

#[test]
fn metrics_name_the_commands_that_ran() {
    let daemon = Daemon::start(&[]);
    let mut wire = daemon.wire();
    for _ in 0..5 {
        wire.call(&[b"SET", b"key", b"value"]).unwrap();
    }
    wire.call(&[b"INCR", b"key"]).unwrap();
    let (status, text) = daemon.http("GET /metrics HTTP/1.1");
    assert_eq!(status, 200);
    for line in [
        "ennead_command_calls_total{command=\"set\"} 5",
        "ennead_command_failures_total{command=\"incr\"} 1",
        "ennead_command_duration_seconds_count{command=\"set\"} 5",
        "ennead_command_duration_seconds_bucket{le=\"+Inf\",command=\"set\"} 5",
        "ennead_connected_clients 1.0",
        "ennead_store_poisoned 0.0",
    ] {
        assert!(text.lines().any(|found| found.starts_with(line)), "no {line} in:\n{text}");
    }
    assert!(text.ends_with("# EOF\n"));
}

#[test]
fn a_password_guards_all_but_the_health_of_the_process() {
    let folder = tempfile::tempdir().unwrap();
    let (file, name) = folder_of(folder.path(), "password");
    std::fs::write(file, "swordfish\n").unwrap();
    let daemon = Daemon::start(&["--password-file", &name]);
    assert_eq!(daemon.http("GET /healthz HTTP/1.1").0, 200);
    let (status, body) = daemon.http("GET /metrics HTTP/1.1");
    assert!(status == 401 && body.contains("unauthenticated"), "{body}");
    for header in ["Bearer swordfish", "Basic ZGVmYXVsdDpzd29yZGZpc2g="] {
        assert_eq!(daemon.http(&format!("GET /metrics HTTP/1.1\r\nAuthorization: {header}")).0, 200, "{header}");
    }
    for header in ["Bearer swordfis", "Basic ZGVmYXVsdDp4", "Basic !", "Digest x"] {
        assert_eq!(daemon.http(&format!("GET /metrics HTTP/1.1\r\nAuthorization: {header}")).0, 401, "{header}");
    }
    let mut wire = daemon.wire();
    assert!(matches!(wire.call(&[b"GET", b"a"]).unwrap(), Reply::Error(text) if text.starts_with(b"NOAUTH")));
    assert_eq!(wire.call(&[b"AUTH", b"swordfish"]).unwrap(), Reply::Simple(b"OK".to_vec()));
    let mut setuser = |rules: &[u8]| {
        assert_eq!(wire.call(&[b"ACL", b"SETUSER", b"ann", rules]).unwrap(), Reply::Simple(b"OK".to_vec()));
        daemon.http("GET /metrics HTTP/1.1\r\nAuthorization: Basic YW5uOmNhcnA=").0
    };
    assert_eq!(setuser(b">carp"), 401, "who is off does not get in");
    assert_eq!(setuser(b"on"), 200);
}

#[test]
fn signals_and_shutdown_end_it_with_the_data_on_disk() {
    let mut daemon = Daemon::start(&["--durability", "none"]);
    for (round, end) in ["TERM", "INT", "SHUTDOWN"].into_iter().enumerate() {
        let key = format!("key-{round}");
        assert_eq!(daemon.wire().call(&[b"SET", key.as_bytes(), b"kept"]).unwrap(), Reply::Simple(b"OK".to_vec()));
        // An idle client must not hold up the end.
        let _idle = daemon.wire();
        match end {
            "SHUTDOWN" => drop(daemon.wire().call(&[b"SHUTDOWN"])),
            signal => daemon.signal(signal),
        }
        assert_eq!(daemon.wait().code(), Some(0), "{end}: {}", daemon.log());
        daemon = daemon.restart();
        for earlier in 0..=round {
            let key = format!("key-{earlier}");
            let reply = daemon.wire().call(&[b"GET", key.as_bytes()]).unwrap();
            assert_eq!(reply, Reply::Bulk(b"kept".to_vec()), "{key} after {end}");
        }
    }
}

#[test]
fn what_cannot_start_says_why_and_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let (_, data) = folder_of(folder.path(), "data");
    let quiet = ["--http", "off", "--grpc", "off"];
    let serve = |further: &[&str]| {
        let mut arguments = vec!["serve"];
        arguments.extend(quiet);
        arguments.extend(further);
        refusal(&arguments)
    };

    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let message = serve(&["--data", &data, "--resp", &address]);
    assert!(message.contains(&address) && message.contains("in use") && message.contains("--resp"), "{message}");

    let message = serve(&["--data", &data, "--resp", "0.0.0.0:0"]);
    assert!(message.contains("--password-file") && message.contains("--insecure"), "{message}");

    let (file, name) = folder_of(folder.path(), "file");
    std::fs::write(&file, "").unwrap();
    let message = serve(&["--data", &name, "--resp", "127.0.0.1:0"]);
    assert!(message.contains(&name) && message.contains("--data"), "{message}");

    std::fs::write(&file, "[store]\n\ndurabilty = \"always\"\n").unwrap();
    let message = serve(&["--data", &data, "--config", &name]);
    assert!(message.contains(":3: unknown setting 'store.durabilty'; did you mean 'store.durability'?"), "{message}");
    assert_eq!(refusal(&["check-config", "--config", &name]), message);

    let message = serve(&["--data", &data, "--durability", "sometimes"]);
    assert!(message.contains("--durability") && message.contains("none, everysec, always"), "{message}");
    let message = serve(&["--data", &data, "--tls-key", &name]);
    assert!(message.contains("tls.certificate_file"), "{message}");
}

#[test]
fn one_process_owns_a_data_directory() {
    let daemon = Daemon::start(&[]);
    let data = daemon.folder.path().join("data").display().to_string();
    let message = refusal(&["serve", "--resp", "127.0.0.1:0", "--http", "off", "--grpc", "off", "--data", &data]);
    assert!(message.contains(&data) && message.contains(&daemon.child.id().to_string()), "{message}");
}

#[test]
fn commands_that_only_answer() {
    let version = output(&["version"]);
    assert!(version.status.success());
    assert!(version.stdout.starts_with(format!("ennead {}", env!("CARGO_PKG_VERSION")).as_bytes()));
    let good = output(&["check-config", "--durability", "always", "--set", "memory.maxmemory=1gb"]);
    let text = String::from_utf8(good.stdout).unwrap();
    assert!(good.status.success(), "{text}");
    assert!(text.contains("store.durability = always  (--durability)"), "{text}");
    assert!(text.contains("memory.maxmemory = 1gb  (--set memory.maxmemory)"), "{text}");
    assert!(text.ends_with("the configuration is good\n"), "{text}");
}

#[test]
fn log_lines_can_be_json() {
    let folder = tempfile::tempdir().unwrap();
    let log = std::fs::File::create(folder.path().join("log")).unwrap();
    let mut command = ennead();
    command.args(["--log-format", "json", "--http", "off", "--grpc", "off", "--resp", "127.0.0.1:0", "--data"]);
    let mut child = command.arg(folder.path().join("data")).stdout(Stdio::null()).stderr(log).spawn().unwrap();
    let start = Instant::now();
    let line = loop {
        let text = std::fs::read_to_string(folder.path().join("log")).unwrap();
        if let Some(line) = text.lines().find(|line| line.contains("\"listening\"")) {
            break line.to_owned();
        }
        assert!(start.elapsed() < TIMEOUT, "{text}");
        std::thread::sleep(Duration::from_millis(2));
    };
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(line.starts_with('{') && line.ends_with('}'), "{line}");
    assert!(line.contains("\"protocol\":\"resp\"") && line.contains("\"address\":\"127.0.0.1:"), "{line}");
}

#[test]
fn copies_are_made_restored_and_compacted_offline() {
    let mut daemon = Daemon::start(&[]);
    daemon.wire().call(&[b"SET", b"key", b"kept"]).unwrap();
    daemon.signal("TERM");
    daemon.wait();
    let folder = daemon.folder.path().to_owned();
    let place = |name: &str| folder.join(name).display().to_string();
    let (data, copy, second) = (place("data"), place("copy"), place("second"));
    let run = |arguments: &[&str]| {
        let output = output(arguments);
        let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {text}");
        text
    };
    run(&["backup", "--data", &data, &copy]);
    run(&["restore", &copy, "--data", &second]);
    assert!(run(&["repair", "--data", &second]).contains("sound"));
    run(&["compact", "--data", &second]);
    assert!(refusal(&["backup", "--data", &data, &copy]).contains(&copy));
    assert!(refusal(&["restore", &copy, "--data", &second]).contains("not empty"));
    assert!(refusal(&["restore", &data, "--data", &place("third")]).contains(&data));
    assert!(refusal(&["compact", "--data", &place("nowhere")]).contains("--data"));

    std::fs::rename(&data, place("lost")).unwrap();
    std::fs::rename(&second, &data).unwrap();
    daemon = daemon.restart();
    assert_eq!(daemon.wire().call(&[b"GET", b"key"]).unwrap(), Reply::Bulk(b"kept".to_vec()));
}

#[test]
fn data_of_a_newer_format_is_refused() {
    let mut daemon = Daemon::start(&[]);
    daemon.signal("TERM");
    daemon.wait();
    let data = daemon.folder.path().join("data");
    std::fs::write(data.join("FORMAT"), "ennead-store 99\n").unwrap();
    let name = data.display().to_string();
    let message = refusal(&["serve", "--resp", "127.0.0.1:0", "--http", "off", "--grpc", "off", "--data", &name]);
    assert!(message.contains("99") && message.contains(&name), "{message}");
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let mut daemon = Daemon::start(&["--set", "server.shutdown_timeout=10m"]);
    daemon.wire().call(&[b"SET", b"key", b"kept"]).unwrap();
    // A request that is never finished holds up the end.
    let mut unfinished = TcpStream::connect(daemon.address("http")).unwrap();
    unfinished.write_all(b"GET /healthz HTTP/1.1\r\nHost:").unwrap();
    assert_eq!(daemon.http("GET /healthz HTTP/1.1").0, 200);
    daemon.signal("TERM");
    daemon.wait_for("stopping");
    assert!(daemon.child.try_wait().unwrap().is_none(), "{}", daemon.log());
    daemon.signal("TERM");
    assert_eq!(daemon.wait().code(), Some(1));
    let daemon = daemon.restart();
    assert_eq!(daemon.wire().call(&[b"GET", b"key"]).unwrap(), Reply::Bulk(b"kept".to_vec()));
}

#[test]
fn the_service_manager_hears_that_it_is_ready_alive_and_stopping() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(TIMEOUT)).unwrap();
    let wait_for = |text: &str| {
        let mut heard = String::new();
        while !heard.lines().any(|line| line == text) {
            let mut bytes = [0; 512];
            let count = socket.recv(&mut bytes).unwrap_or_else(|error| panic!("no {text} in {heard}: {error}"));
            heard += &String::from_utf8_lossy(&bytes[..count]);
            heard.push('\n');
        }
    };
    let mut daemon = Daemon::start_with(tempfile::tempdir().unwrap(), &[], |command| {
        command.env("NOTIFY_SOCKET", &path).env("WATCHDOG_USEC", "300000");
    });
    wait_for("READY=1");
    wait_for("WATCHDOG=1");
    daemon.signal("TERM");
    wait_for("STOPPING=1");
    assert_eq!(daemon.wait().code(), Some(0));
}

/// A certificate for localhost with its key, and the names of their files.
pub(crate) fn self_signed(folder: &Path) -> (rcgen::CertifiedKey<rcgen::KeyPair>, String, String) {
    let signed = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (certificate, certificate_name) = folder_of(folder, "certificate.pem");
    let (key, key_name) = folder_of(folder, "key.pem");
    std::fs::write(certificate, signed.cert.pem()).unwrap();
    std::fs::write(key, signed.signing_key.serialize_pem()).unwrap();
    (signed, certificate_name, key_name)
}

#[test]
fn all_listeners_speak_tls_when_there_is_a_certificate() {
    let folder = tempfile::tempdir().unwrap();
    let (signed, certificate_name, key_name) = self_signed(folder.path());
    let daemon = Daemon::start(&["--tls-certificate", &certificate_name, "--tls-key", &key_name]);

    let mut roots = rustls::RootCertStore::empty();
    roots.add(signed.cert.der().clone()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let connect = |protocol: &str, inside: &[u8]| {
        let builder = rustls::ClientConfig::builder_with_provider(Arc::clone(&provider));
        let builder = builder.with_safe_default_protocol_versions().unwrap();
        let mut config = builder.with_root_certificates(roots.clone()).with_no_client_auth();
        config.alpn_protocols = if inside.is_empty() { Vec::new() } else { vec![inside.to_vec()] };
        let name = rustls::pki_types::ServerName::try_from("localhost").unwrap();
        let connection = rustls::ClientConnection::new(Arc::new(config), name).unwrap();
        let stream = TcpStream::connect(daemon.address(protocol)).unwrap();
        stream.set_read_timeout(Some(TIMEOUT)).unwrap();
        rustls::StreamOwned::new(connection, stream)
    };
    let mut resp = connect("resp", b"");
    resp.write_all(b"PING\r\n").unwrap();
    let mut reply = [0; 7];
    resp.read_exact(&mut reply).unwrap();
    assert_eq!(&reply, b"+PONG\r\n");
    let mut http = connect("http", b"http/1.1");
    http.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
    let mut status = [0; 15];
    http.read_exact(&mut status).unwrap();
    assert_eq!(&status, b"HTTP/1.1 200 OK");
    let mut grpc = connect("grpc", b"h2");
    grpc.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00").unwrap();
    let mut frame = [0; 9];
    grpc.read_exact(&mut frame).unwrap();
    assert_eq!(frame[3], 4);
    // Who does not speak TLS gets nothing.
    let mut plain = TcpStream::connect(daemon.address("http")).unwrap();
    plain.set_read_timeout(Some(TIMEOUT)).unwrap();
    plain.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    let _ = plain.read_to_end(&mut answer);
    assert!(!answer.starts_with(b"HTTP"), "{answer:?}");
}

#[test]
fn an_authority_of_clients_keeps_out_those_without_a_certificate() {
    use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};

    let folder = tempfile::tempdir().unwrap();
    let (signed, certificate_name, key_name) = self_signed(folder.path());
    let authority = format!("tls.client_ca_file={certificate_name}");
    let daemon = Daemon::start(&["--tls-certificate", &certificate_name, "--tls-key", &key_name, "--set", &authority]);
    let mut roots = rustls::RootCertStore::empty();
    roots.add(signed.cert.der().clone()).unwrap();
    for shows_certificate in [true, false] {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = rustls::ClientConfig::builder_with_provider(provider);
        let builder = builder.with_safe_default_protocol_versions().unwrap().with_root_certificates(roots.clone());
        let config = if shows_certificate {
            let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(signed.signing_key.serialize_der()));
            builder.with_client_auth_cert(vec![signed.cert.der().clone()], key).unwrap()
        } else {
            builder.with_no_client_auth()
        };
        let name = ServerName::try_from("localhost").unwrap();
        let connection = rustls::ClientConnection::new(Arc::new(config), name).unwrap();
        let stream = TcpStream::connect(daemon.address("resp")).unwrap();
        stream.set_read_timeout(Some(TIMEOUT)).unwrap();
        let mut resp = rustls::StreamOwned::new(connection, stream);
        // With TLS 1.3 the refusal comes with the first answer.
        let _ = resp.write_all(b"PING\r\n");
        let answered = resp.read_exact(&mut [0; 7]).is_ok();
        assert_eq!(answered, shows_certificate);
    }
}
