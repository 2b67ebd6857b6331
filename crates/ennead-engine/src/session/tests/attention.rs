use super::*;

/// The messages that wait for a session's client.
fn mail(session: &Session) -> String {
    let mut reply = Transcript { protocol: session.protocol, ..Transcript::default() };
    let mut messages = Vec::new();
    session.client.mailbox.take(usize::MAX, &mut messages);
    messages.iter().for_each(|message| message.write(&mut reply));
    reply.texts.join(" ")
}

/// A session in RESP3 that has run some requests, and another one in its place.
fn aside(it: &mut Fixture, lines: &[&str]) -> Session {
    it.ask("hello 3");
    lines.iter().for_each(|line| drop(it.ask(line)));
    let session = Fixture::connect(&it.engine);
    std::mem::replace(&mut it.session, session)
}

#[test]
fn a_key_that_was_read_is_told_of_once() {
    let mut it = Fixture::new(&[]);
    let reader = aside(&mut it, &["client tracking on", "get k", "mget k l"]);
    it.ask("set k 1");
    it.ask("set k 2");
    assert_eq!(mail(&reader), ">2 invalidate *1 k");
    let figures = it.engine.tracking().figures();
    assert_eq!((figures.clients, figures.keys, figures.items, figures.prefixes), (1, 1, 1, 0));
    it.ask("flushall");
    assert_eq!(mail(&reader), ">2 invalidate null");
    drop(reader);
    assert_eq!(it.engine.tracking().figures(), crate::TrackingFigures::default());
}

#[test]
fn the_table_of_keys_has_a_limit() {
    let mut it = Fixture::new(&[("clients.tracking_table_max_keys", "10")]);
    let lines: Vec<String> = (0..100).map(|number| format!("get key:{number}")).collect();
    let lines: Vec<&str> = std::iter::once("client tracking on").chain(lines.iter().map(String::as_str)).collect();
    let reader = aside(&mut it, &lines);
    assert_eq!(it.engine.tracking().figures().keys, 10);
    assert_eq!(mail(&reader).matches("invalidate").count(), 90);
    it.engine.settings().set("clients.tracking_table_max_keys", "4").unwrap();
    assert_eq!(it.engine.tracking().figures().keys, 4);
    assert_eq!(mail(&reader).matches("invalidate").count(), 6);
}

#[test]
fn a_redirection_to_a_client_that_is_gone_is_told() {
    let mut it = Fixture::new(&[]);
    let receiver = aside(&mut it, &[]);
    let line = format!("client tracking on redirect {}", receiver.client.id);
    let reader = aside(&mut it, &[&line, "get k", "get l"]);
    it.ask("set k 1");
    assert_eq!((mail(&reader).as_str(), mail(&receiver).as_str()), ("", ">2 invalidate *1 k"));
    let id = receiver.client.id;
    drop(receiver);
    it.ask("set l 1");
    assert_eq!(mail(&reader), format!(">2 tracking-redir-broken :{id}"));
    it.session = reader;
    it.check("client trackinginfo", &format!("%3 flags ~2 on broken_redirect redirect :{id} prefixes *0"));
    let line = it.ask("client info");
    assert!(line.contains(" flags=tR ") && line.contains(&format!(" redir={id} ")), "{line}");
}

#[test]
fn what_is_evicted_for_a_request_is_told_before_its_reply() {
    let mut it = Fixture::new(&[("memory.maxmemory_policy", "volatile-random")]);
    for line in ["hello 3", "client tracking on", "set k v ex 1000", "get k", "setbit big 1600000 0"] {
        it.ask(line);
    }
    it.engine.settings().set("memory.maxmemory", "1").unwrap();
    it.check("getbit big 0", ">2 invalidate *1 k :0");
}

#[test]
fn a_pause_keeps_keys_that_are_due() {
    let mut it = Fixture::new(&[]);
    // The pause has to come before its end.
    loop {
        let begun = std::time::Instant::now();
        it.ask("set k v px 500");
        it.ask("client pause 100000 write");
        if begun.elapsed() < Duration::from_millis(400) {
            break;
        }
        it.ask("client unpause");
    }
    std::thread::sleep(Duration::from_millis(502));
    it.clock = Clock::new();
    it.check("get k", "null");
    it.check("dbsize", ":1");
    it.ask("client unpause");
    it.check("get k", "null");
    it.check("dbsize", ":0");
}

#[test]
fn a_monitor_that_does_not_read_is_cut_off_at_its_limit() {
    let mut it = Fixture::new(&[("clients.output_normal_hard", "10kb")]);
    let monitor = aside(&mut it, &["monitor"]);
    for _ in 0..100 {
        assert!(monitor.client.mailbox.bytes() <= 10 << 10);
        it.ask(&format!("set k {}", "v".repeat(200)));
    }
    assert!(monitor.client.mailbox.is_overflown());
    assert_eq!(monitor.client.mailbox.bytes(), 0);
}

#[test]
fn monitors_are_shown_requests_until_they_go() {
    let mut it = Fixture::new(&[]);
    let monitor = aside(&mut it, &["monitor"]);
    it.ask("set k v");
    it.ask("config get maxclients");
    let shown = mail(&monitor);
    assert!(shown.starts_with('+') && shown.ends_with("] \"set\" \"k\" \"v\""), "{shown}");
    assert!(it.engine.monitors().any());
    drop(monitor);
    assert!(!it.engine.monitors().any());
}
