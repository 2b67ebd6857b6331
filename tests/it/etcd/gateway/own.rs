//! What the gateway does beside answering as etcd does: passwords, pages of other servers, deadlines, streams in both
//! directions, the end of the server.

use std::io::Write;

use serde_json::{Value, json};

use super::web::{Answer, Web};
use crate::daemon::process::{Daemon, http};

fn web(daemon: &Daemon) -> Web {
    Web::new(daemon.address("http"))
}

#[test]
fn the_gateway_and_grpc_are_one_server() {
    let daemon = Daemon::start(&[]);
    let (status, answer) = web(&daemon).post("cluster/member/list", "{}");
    assert_eq!(status, 200);
    let url = format!("http://{}", daemon.address("grpc"));
    assert_eq!(answer["members"][0]["clientURLs"], json!([url]));
}

#[test]
fn a_password_is_asked_for() {
    let daemon = Daemon::start(&["--set", "server.password=secret"]);
    let mut web = web(&daemon);
    let put = r#"{"key":"YQ=="}"#;
    for token in [None, Some("Bearer wrong"), Some("Basic ZGVmYXVsdDp3cm9uZw==")] {
        web.token = token.map(str::to_owned);
        let (status, answer) = web.post("kv/put", put);
        assert_eq!((status, &answer["code"]), (401, &json!(16)), "{answer}");
    }
    for token in ["Bearer secret", "Basic ZGVmYXVsdDpzZWNyZXQ="] {
        web.token = Some(token.to_owned());
        assert_eq!(web.post("kv/put", put).0, 200);
    }
    web.token = None;
    let login = json!({"name": "default", "password": "secret"}).to_string();
    let (status, answer) = web.post("auth/authenticate", &login);
    assert_eq!(status, 200, "{answer}");
    web.token = answer["token"].as_str().map(str::to_owned);
    assert_eq!(web.post("kv/put", put).0, 200);
}

#[test]
fn pages_of_other_servers_are_refused() {
    let daemon = Daemon::start(&[]);
    let post = |origin: &str| {
        let head = format!("POST /v3/kv/put HTTP/1.1\r\nOrigin: {origin}\r\nContent-Length: 14");
        let (status, _) = http(daemon.address("http"), &head.replace("Content-Length: 14", "Content-Length: 0"));
        status
    };
    assert_eq!(post("http://elsewhere"), 403);
    assert_eq!(post("null"), 403);
    // An empty body is a put without a key.
    assert_eq!(post("http://test"), 400);
}

#[test]
fn every_path_of_the_reference_answers() {
    let daemon = Daemon::start(&[]);
    for (method, path, ..) in ennead_http::ROUTES {
        let (status, body) = daemon.http(&format!("{method} {path} HTTP/1.1"));
        assert_eq!(status, 200, "{path}: {body}");
    }
    for (path, _) in ennead_http::gateway::PATHS {
        // With another method nothing is done.
        let (status, body) = daemon.http(&format!("GET {}{path} HTTP/1.1", ennead_http::gateway::PREFIX));
        assert_eq!((status, body.contains("Method Not Allowed")), (501, true), "{path}: {body}");
    }
}

#[test]
fn a_client_may_say_how_long_it_waits_and_the_timeout_of_http_does_not() {
    let daemon = Daemon::start(&["--set", "http.timeout=4s"]);
    let web = web(&daemon);
    assert_eq!(web.post("lock/lock", r#"{"name":"bA=="}"#).0, 200);
    let head = "POST /v3/lock/lock HTTP/1.1\r\nGrpc-Timeout: 5000m\r\nTransfer-Encoding: chunked";
    let mut stream = std::net::TcpStream::connect(daemon.address("http")).unwrap();
    write!(stream, "{head}\r\nHost: test\r\nConnection: close\r\n\r\nf\r\n{{\"name\":\"bA==\"}}\r\n0\r\n\r\n").unwrap();
    let (status, answer) = Answer::begin(stream).whole();
    assert_eq!((status, &answer["code"]), (504, &json!(4)), "{answer}");
}

fn chunk(stream: &mut impl Write, text: &str) {
    write!(stream, "{:x}\r\n{text}\r\n", text.len()).unwrap();
    stream.flush().unwrap();
}

#[test]
fn a_stream_takes_requests_while_it_answers() {
    let daemon = Daemon::start(&[]);
    let web = web(&daemon);
    let mut requests = web.begin_chunked("watch");
    chunk(&mut requests, r#"{"create_request":{"key":"YQ=="#);
    chunk(&mut requests, r#""}}"#);
    let mut answer = Answer::begin(requests.try_clone().unwrap());
    assert_eq!(answer.line().unwrap()["result"]["created"], json!(true));
    chunk(&mut requests, r#"{"create_request":{"key":"Yg=="}}{"progress_request":{}}"#);
    assert_eq!(answer.line().unwrap()["result"]["watch_id"], json!("1"));
    assert_eq!(answer.line().unwrap()["result"]["watch_id"], json!("-1"));
    assert_eq!(web.post("kv/put", r#"{"key":"Yg=="}"#).0, 200);
    assert_eq!(answer.line().unwrap()["result"]["events"][0]["kv"]["key"], json!("Yg=="));
    chunk(&mut requests, r#"{"cancel_request":{"watch_id":1}}"#);
    assert_eq!(answer.line().unwrap()["result"]["canceled"], json!(true));
    chunk(&mut requests, "junk");
    let last = answer.line().unwrap();
    assert_eq!(last["error"]["code"], json!(3), "{last}");
    assert_eq!(answer.line(), None);
}

#[test]
fn large_messages_come_and_go_up_to_the_limit() {
    let daemon = Daemon::start(&["--set", "http.body_limit=1mb"]);
    let web = web(&daemon);
    // 600 KB in base64, which is not converted on the event loop.
    let value = "QUJD".repeat(200_000);
    let (status, answer) = web.post("kv/put", &json!({"key": "YQ==", "value": value}).to_string());
    assert_eq!(status, 200, "{answer}");
    let (_, answer) = web.post("kv/range", r#"{"key":"YQ=="}"#);
    assert_eq!(answer["kvs"][0]["value"], Value::String(value));
    let (status, answer) = web.post("kv/put", &json!({"key": "YQ==", "value": "QUJD".repeat(300_000)}).to_string());
    assert_eq!((status, &answer["code"]), (400, &json!(3)), "{answer}");
}

#[test]
fn open_streams_and_waiting_calls_do_not_hold_up_the_end() {
    let mut daemon = Daemon::start(&["--set", "server.shutdown_timeout=10m"]);
    let web = web(&daemon);
    let mut watching = web.open("POST", "watch", r#"{"create_request":{"key":"YQ=="}}"#);
    assert!(watching.line().is_some());
    assert_eq!(web.post("lock/lock", r#"{"name":"bA=="}"#).0, 200);
    let waiting = web.send("POST", "lock/lock", r#"{"name":"bA=="}"#);
    let both = r#"{"key":"bC8=","range_end":"bDA=","count_only":true}"#;
    crate::wait::until("the lock to be waited for", || (web.post("kv/range", both).1["count"] == "2").then_some(()));
    daemon.signal("TERM");
    assert_eq!(watching.line(), None);
    let (status, answer) = Answer::begin(waiting).whole();
    assert_eq!((status, &answer["code"]), (503, &json!(14)), "{answer}");
    assert!(daemon.wait().success());
}
