use super::*;
use crate::api::etcdserverpb::watch_request::RequestUnion;
use crate::api::etcdserverpb::{WatchCancelRequest, WatchCreateRequest, WatchProgressRequest, WatchRequest};

fn create(stream: &WatchStream, request: WatchCreateRequest) -> WatchResponse {
    stream.request(WatchRequest { request_union: Some(RequestUnion::CreateRequest(request)) });
    next(stream)
}

fn watch(stream: &WatchStream, key: &str, end: &str, start_revision: i64) -> i64 {
    let request = WatchCreateRequest { key: bytes(key), range_end: bytes(end), start_revision, ..Default::default() };
    let created = create(stream, request);
    assert!(created.created && !created.canceled, "{created:?}");
    created.watch_id
}

fn cancel(stream: &WatchStream, watch_id: i64) {
    stream.request(WatchRequest { request_union: Some(RequestUnion::CancelRequest(WatchCancelRequest { watch_id })) });
}

fn ask_progress(stream: &WatchStream) {
    stream.request(WatchRequest { request_union: Some(RequestUnion::ProgressRequest(WatchProgressRequest {})) });
}

/// Events of the next answers until there are so many.
fn collect(stream: &WatchStream, count: usize) -> Vec<(char, String, i64)> {
    let mut found = Vec::new();
    while found.len() < count {
        found.extend(events(&next(stream)));
    }
    found
}

fn event(kind: char, key: &str, revision: i64) -> (char, String, i64) {
    (kind, key.to_owned(), revision)
}

#[test]
fn changes_are_told_as_they_happen() {
    let world = World::new();
    let stream = world.coord.watch();
    let (one, many) = (watch(&stream, "a", "", 0), watch(&stream, "a", "c", 0));
    assert_eq!((one, many), (0, 1));
    world.put("a", "1");
    let mut ids = [next(&stream), next(&stream)].map(|response| {
        assert_eq!(events(&response), [event('p', "a", 2)]);
        response.watch_id
    });
    ids.sort_unstable();
    assert_eq!(ids, [0, 1]);
    world.put("c", "not watched");
    world.put("b", "1");
    world.delete("a", "z");
    // None of them is taken before all are told.
    cancel(&stream, 77);
    let told = [next(&stream), next(&stream)];
    let of = |id| events(told.iter().find(|response| response.watch_id == id).unwrap());
    let both = vec![event('p', "b", 4), event('d', "a", 5), event('d', "b", 5)];
    assert_eq!((of(one), of(many)), (vec![event('d', "a", 5)], both));
    cancel(&stream, one);
    let canceled = next(&stream);
    assert_eq!((canceled.watch_id, canceled.canceled), (one, true));
    world.put("a", "2");
    assert_eq!(next(&stream).watch_id, many);
}

#[test]
fn a_watch_begins_in_the_past_and_goes_on() {
    let world = World::new();
    world.put("a", "1");
    world.put("a", "2");
    world.delete("a", "");
    let stream = world.coord.watch();
    watch(&stream, "a", "", 3);
    assert_eq!(collect(&stream, 2), [event('p', "a", 3), event('d', "a", 4)]);
    world.put("a", "3");
    assert_eq!(collect(&stream, 1), [event('p', "a", 5)]);
    // And in the future.
    watch(&stream, "b", "", 7);
    world.put("b", "1");
    world.put("b", "2");
    assert_eq!(collect(&stream, 1), [event('p', "b", 7)]);
}

#[test]
fn a_compacted_beginning_cancels() {
    let world = World::new();
    world.put("a", "1");
    world.put("a", "2");
    world.compact(3).unwrap();
    let stream = world.coord.watch();
    let id = watch(&stream, "a", "", 2);
    let canceled = next(&stream);
    assert_eq!((canceled.watch_id, canceled.canceled, canceled.compact_revision), (id, true, 3));
    // Its id is taken until the client cancels it, too.
    assert_ne!(watch(&stream, "a", "", 3), id);
    assert_eq!(collect(&stream, 1), [event('p', "a", 3)]);
}

#[test]
fn filters_and_previous_values() {
    let world = World::new();
    world.put("a", "1");
    let stream = world.coord.watch();
    let request = WatchCreateRequest { key: bytes("a"), prev_kv: true, filters: vec![0], ..Default::default() };
    create(&stream, request);
    world.put("a", "2");
    world.delete("a", "");
    let deleted = next(&stream);
    assert_eq!(events(&deleted), [event('d', "a", 4)]);
    assert_eq!(text(&deleted.events[0].prev_kv.as_ref().unwrap().value), "2");
}

#[test]
fn watches_that_cannot_be_are_refused() {
    let world = World::new();
    let stream = world.coord.watch();
    let refused = |request: WatchCreateRequest| {
        let response = create(&stream, request);
        assert!(response.created && response.canceled && response.watch_id == -1);
        response.cancel_reason
    };
    let request = WatchCreateRequest { key: bytes("b"), watch_id: 4, ..Default::default() };
    assert_eq!(create(&stream, request.clone()).watch_id, 4);
    assert_eq!(refused(request.clone()), "mvcc: duplicate watch ID provided on the WatchStream");
    assert_eq!(
        refused(WatchCreateRequest { range_end: bytes("a"), ..request.clone() }),
        "mvcc: watcher range is empty"
    );
    let reason = refused(WatchCreateRequest { start_revision: -1, ..request });
    assert_eq!(reason, "etcdserver: mvcc: required revision has been compacted");
}

/// What a client knows of by the answers to its writes comes before what it asks afterwards.
#[test]
fn progress_and_ends_are_told_behind_the_events() {
    let world = World::new();
    let stream = world.coord.watch();
    let id = watch(&stream, "a", "", 0);
    for round in 0..200 {
        let revision = world.put("a", "1");
        ask_progress(&stream);
        assert_eq!(events(&next(&stream)), [event('p', "a", revision)], "round {round}");
        let progress = next(&stream);
        assert_eq!((progress.watch_id, progress.header.unwrap().revision, progress.events.len()), (-1, revision, 0));
    }
    let revision = world.put("a", "2");
    cancel(&stream, id);
    assert_eq!(events(&next(&stream)), [event('p', "a", revision)]);
    assert!(next(&stream).canceled);
}

/// A client that takes nothing while more is written than its mailbox holds gets all of it in the end, in order and once.
#[test]
fn a_slow_client_loses_nothing() {
    let world = World::new();
    let stream = world.coord.watch();
    watch(&stream, "k", "l", 0);
    let value = "x".repeat(1 << 20);
    let mut answers = Vec::new();
    for number in 0..40 {
        answers.push(world.coord.put(&put_request(&format!("k{number:02}"), &value)).unwrap());
        while world.coord.pressure() != ennead_store::Pressure::None {
            std::thread::yield_now();
        }
    }
    for answer in answers {
        block_on(answer).unwrap();
    }
    let expected: Vec<_> = (0..40).map(|number| event('p', &format!("k{number:02}"), 2 + number)).collect();
    assert_eq!(collect(&stream, 40), expected);
    world.put("k", "");
    assert_eq!(collect(&stream, 1), [event('p', "k", 42)]);
}

/// What a watch is told while its client takes nothing comes as few answers, each with whole revisions; what is said in
/// between stays where it was said.
#[test]
fn what_waits_is_told_together() {
    let world = World::new();
    let stream = world.coord.watch();
    let request = WatchCreateRequest { key: bytes("a"), progress_notify: true, ..Default::default() };
    let (one, other) = (create(&stream, request).watch_id, watch(&stream, "b", "", 0));
    world.put("a", "1");
    assert_eq!(events(&next(&stream)), [event('p', "a", 2)]);
    stream.notify_progress();
    world.put("a", "2");
    world.put("a", "3");
    world.put("b", "1");
    // One that is not there: what was written is told of then.
    cancel(&stream, 77);
    // The first finds that it was told of something meanwhile.
    stream.notify_progress();
    stream.notify_progress();
    world.put("a", "4");
    let response = next(&stream);
    assert_eq!((response.watch_id, response.header.as_ref().unwrap().revision), (one, 4));
    assert_eq!(events(&response), [event('p', "a", 3), event('p', "a", 4)]);
    let response = next(&stream);
    assert_eq!((response.watch_id, events(&response)), (other, vec![event('p', "b", 5)]));
    let progress = next(&stream);
    assert_eq!((progress.watch_id, progress.header.unwrap().revision, progress.events.len()), (one, 5, 0));
    assert_eq!(events(&next(&stream)), [event('p', "a", 6)]);
}

/// A watch ends behind what was written before, and one that comes in its place is told of nothing of that.
#[test]
fn a_watch_in_the_place_of_another_is_told_of_its_own() {
    let world = World::new();
    let stream = world.coord.watch();
    let request = WatchCreateRequest { key: bytes("a"), prev_kv: true, watch_id: 7, ..Default::default() };
    create(&stream, request.clone());
    world.put("a", "1");
    world.put("a", "2");
    cancel(&stream, 7);
    stream.request(WatchRequest { request_union: Some(RequestUnion::CreateRequest(request)) });
    world.put("a", "3");
    let told = next(&stream);
    assert_eq!(events(&told), [event('p', "a", 2), event('p', "a", 3)]);
    // As it was asked for, though the watch has ended.
    assert_eq!(told.events[1].prev_kv.as_ref().map(|pair| text(&pair.value)), Some("1".to_owned()));
    let (canceled, created) = (next(&stream), next(&stream));
    assert!(canceled.canceled && created.created, "{canceled:?} {created:?}");
    assert_eq!(events(&next(&stream)), [event('p', "a", 4)]);
}

/// Watches that come and go at any revision, while others write, are told of each change from their beginning on, once.
#[test]
fn watches_beside_writers_miss_nothing() {
    let world = World::new();
    let coord = world.coord.clone();
    let writer = std::thread::spawn(move || {
        for number in 0..400 {
            block_on(coord.put(&put_request(&format!("k{}", number % 5), "")).unwrap()).unwrap();
        }
    });
    for round in 0..20 {
        let stream = world.coord.watch();
        watch(&stream, "k", "l", 1 + round * 10);
        let from = (1 + round * 10).max(2);
        let revisions: Vec<i64> = collect(&stream, 100).into_iter().map(|(_, _, revision)| revision).collect();
        let expected: Vec<i64> = (from..from + revisions.len() as i64).collect();
        assert_eq!(revisions, expected, "round {round}");
    }
    writer.join().unwrap();
}
