use super::*;

/// The messages that wait for the session's client.
fn mail(it: &Fixture) -> String {
    let mut reply = Transcript { protocol: it.session.protocol, ..Transcript::default() };
    let mut messages = Vec::new();
    it.session.client.mailbox.take(usize::MAX, &mut messages);
    messages.iter().for_each(|message| message.write(&mut reply));
    reply.texts.join(" ")
}

fn other(it: &mut Fixture) -> Session {
    let session = Fixture::connect(&it.engine);
    std::mem::replace(&mut it.session, session)
}

#[test]
fn a_subscription_is_answered_with_the_count() {
    let mut it = Fixture::new(&[]);
    it.check("subscribe a b a", ">3 subscribe a :1 >3 subscribe b :2 >3 subscribe a :2");
    it.check("psubscribe a*", ">3 psubscribe a* :3");
    it.check("ssubscribe s", ">3 ssubscribe s :1");
    it.check("unsubscribe b c", ">3 unsubscribe b :2 >3 unsubscribe c :2");
    it.check("punsubscribe", ">3 punsubscribe a* :1");
    it.check("punsubscribe", ">3 punsubscribe null :1");
    it.check("sunsubscribe", ">3 sunsubscribe s :0");
    it.check("unsubscribe", ">3 unsubscribe a :0");
    assert!(!it.session.client.is_subscriber());
}

#[test]
fn messages_come_by_channel_pattern_and_shard() {
    let mut it = Fixture::new(&[]);
    it.ask("subscribe a");
    it.ask("psubscribe a* *");
    it.ask("ssubscribe a");
    let subscriber = other(&mut it);
    it.check("publish a hi", ":3");
    it.check("spublish a ho", ":1");
    it.check("publish b x", ":1");
    it.check("pubsub channels", "*1 a");
    it.check("pubsub channels b*", "*0");
    it.check("pubsub numsub a b", "*4 a :1 b :0");
    it.check("pubsub numpat", ":2");
    it.check("pubsub shardchannels", "*1 a");
    it.check("pubsub shardnumsub a b", "*4 a :1 b :0");
    it.check(
        "pubsub channels a b",
        "-ERR unknown subcommand or wrong number of arguments for 'channels'. Try PUBSUB HELP.",
    );
    let info = it.ask("info stats");
    assert!(info.contains("pubsub_channels:1\r\npubsub_patterns:2\r\npubsubshard_channels:1\r\n"), "{info}");
    it.session = subscriber;
    assert_eq!(mail(&it), ">3 message a hi >4 pmessage a* a hi >4 pmessage * a hi >3 smessage a ho >4 pmessage * b x");
}

#[test]
fn a_subscriber_of_resp2_may_do_little_else() {
    let mut it = Fixture::new(&[]);
    it.ask("subscribe a");
    let refusal = "only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context";
    it.check("get a", &format!("-ERR Can't execute 'get': {refusal}"));
    it.check("client list", &format!("-ERR Can't execute 'client|list': {refusal}"));
    it.check("ping", "*2 pong ");
    it.check("ping x", "*2 pong x");
    it.check("ping x y", "-ERR wrong number of arguments for 'ping' command");
    it.check("reset", "+RESET");
    it.check("ping", "+PONG");
    it.check("get a", "null");
    it.check("pubsub channels", "*0");
    it.ask("hello 3");
    it.check("subscribe a", ">3 subscribe a :1");
    it.check("ping", "+PONG");
    it.check("get a", "null");
    let list = it.ask("client list");
    assert!(list.contains(" flags=P ") && list.contains(" sub=1 psub=0 ssub=0 "), "{list}");
}

/// Redis 7.2 does so; 7.0 put the message in front, in EXEC even into the array.
#[test]
fn what_a_client_publishes_to_itself_comes_after_the_reply() {
    let mut it = Fixture::new(&[]);
    it.ask("hello 3");
    it.ask("subscribe a");
    it.check("publish a x", ":1");
    assert_eq!(mail(&it), ">3 message a x");
    it.check("multi", "+OK");
    it.check("publish a y", "+QUEUED");
    it.check("unsubscribe a", "+QUEUED");
    it.check("subscribe b c", "+QUEUED");
    it.check("ssubscribe d", "+QUEUED");
    it.check(
        "exec",
        "*4 :1 >3 unsubscribe a :0 >3 subscribe b :1 >3 subscribe c :2 -ERR SSUBSCRIBE isn't allowed for a DENY \
         BLOCKING client",
    );
    assert_eq!(mail(&it), ">3 message a y");
}

#[test]
fn messages_come_before_the_end_of_their_subscription() {
    let mut it = Fixture::new(&[]);
    it.ask("subscribe a b");
    let subscriber = other(&mut it);
    it.check("publish a 1", ":1");
    it.check("publish b 2", ":1");
    it.session = subscriber;
    it.check("unsubscribe a", ">3 message a 1 >3 message b 2 >3 unsubscribe a :1");
    it.check("reset", "+RESET");
    it.check("publish b 3", ":0");
}

#[test]
fn client_reply_keeps_no_message_back() {
    let mut it = Fixture::new(&[]);
    it.check("client reply off", "");
    it.check("subscribe a", ">3 subscribe a :1");
    it.check("ping", "");
    it.check("unsubscribe", ">3 unsubscribe a :0");
    it.check("client reply on", "+OK");
    it.check("client reply skip", "");
    it.check("subscribe a", ">3 subscribe a :1");
    it.check("ping", "*2 pong ");
}

#[test]
fn who_is_gone_listens_no_more() {
    let mut it = Fixture::new(&[]);
    it.ask("subscribe a");
    it.ask("psubscribe *");
    it.ask("ssubscribe s");
    drop(other(&mut it));
    it.check("publish a x", ":0");
    it.check("pubsub numpat", ":0");
    it.check("pubsub shardchannels", "*0");
    assert_eq!(it.ask("client list type pubsub"), "");
}

#[test]
fn subscribers_are_killed_by_type() {
    let mut it = Fixture::new(&[]);
    it.ask("psubscribe *");
    let subscriber = other(&mut it);
    assert_eq!(it.ask("client list type pubsub").lines().count(), 1);
    assert_eq!(it.ask("client list type normal").lines().count(), 1);
    it.check("client kill type pubsub", ":1");
    assert!(subscriber.client().is_killed());
}

#[test]
fn shard_channels_are_no_keys() {
    let mut it = Fixture::new(&[]);
    it.check("command getkeys spublish a b", "-ERR The command has no key arguments");
    assert!(it.ask("command docs subscribe").contains("group pubsub"));
    assert!(it.ask("command info ssubscribe").contains(":1 :-1 :1 ~2 +@pubsub +@slow *0 *1 %3 flags ~1 +not_key"));
}

#[test]
fn a_message_waits_for_the_writes_before_it() {
    let mut it = Fixture::new(&[("store.durability", "always")]);
    it.ask("subscribe a");
    let subscriber = other(&mut it);
    it.ask("set k v");
    it.check("publish a x", ":1");
    let mut messages = Vec::new();
    subscriber.client.mailbox.take(usize::MAX, &mut messages);
    let sequence = it.engine.store().committed();
    assert_eq!(messages[0].hold(), Hold::Durable(sequence));
    it.engine.store().request_sync(sequence);
    it.engine.store().wait_durable(sequence).unwrap();
    it.check("publish a x", ":1");
    subscriber.client.mailbox.take(usize::MAX, &mut messages);
    assert_eq!(messages[1].hold(), Hold::None);
}
