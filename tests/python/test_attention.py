"""What clients hear of one another's requests: events of keys, caches that are kept right, MONITOR."""

import threading
import uuid


def events(pubsub, count):
    """The next events as pairs of channel and text."""
    found = []
    while len(found) < count:
        message = pubsub.get_message(ignore_subscribe_messages=True, timeout=30)
        if message is not None:
            found.append((message["channel"], message["data"]))
    return found


def test_events_of_keys(text):
    text.config_set("notify-keyspace-events", "KEA")
    listener = text.pubsub()
    listener.psubscribe("__key*@0__:*")
    assert listener.get_message(timeout=30)["type"] == "psubscribe"
    text.set("order:7", "new", px=30)
    text.delete("cart:1")
    assert events(listener, 5) == [
        ("__keyspace@0__:order:7", "set"),
        ("__keyevent@0__:set", "order:7"),
        ("__keyspace@0__:order:7", "expire"),
        ("__keyevent@0__:expire", "order:7"),
        # It goes by itself.
        ("__keyspace@0__:order:7", "expired"),
    ]
    text.config_set("notify-keyspace-events", "")
    listener.close()


class Cache:
    """Keeps what it has read until the server says that it has changed, as client libraries do over RESP2."""

    def __init__(self, server):
        self.client = server.client(protocol=2, decode_responses=True, single_connection_client=True)
        name = f"cache-{uuid.uuid4().hex}"
        self.listener = server.client(protocol=2, decode_responses=True, client_name=name).pubsub()
        self.listener.subscribe("__redis__:invalidate")
        assert self.listener.get_message(timeout=30)["type"] == "subscribe"
        [receiver] = [client for client in self.client.client_list(_type="pubsub") if client["name"] == name]
        self.client.client_tracking_on(clientid=int(receiver["id"]))
        self.kept = {}
        self.missed = 0

    def get(self, key):
        while (message := self.listener.get_message(timeout=0)) is not None:
            for changed in message["data"] or list(self.kept):
                self.kept.pop(changed, None)
        if key not in self.kept:
            self.missed += 1
            self.kept[key] = self.client.get(key)
        return self.kept[key]

    def close(self):
        self.listener.close()
        self.client.close()


def test_a_cache_at_the_client_is_kept_right(server, text):
    cache = Cache(server)
    text.set("user:1", "ann")
    assert [cache.get("user:1") for _ in range(5)] == ["ann"] * 5
    assert cache.missed == 1
    text.set("user:1", "bob")
    while cache.get("user:1") != "bob":
        pass
    text.flushall()
    while cache.get("user:1") is not None:
        pass
    assert cache.missed == 3
    cache.close()


def test_monitor_shows_requests(text):
    with text.monitor() as monitor:
        text.set("k", 'a "b"')
        shown = monitor.next_command()
        while not shown["command"].startswith("SET "):
            shown = monitor.next_command()
    assert shown["db"] == 0 and shown["client_type"] == "tcp"
    assert shown["command"] == 'SET k a \\"b\\"' or shown["command"] == 'SET k a "b"'


def test_caches_in_many_threads_come_to_see_the_last_value(server, text):
    rounds = 300
    text.set("turn", 0)
    failures = []

    def read_until_the_end():
        cache = Cache(server)
        last = 0
        while last < rounds and not failures:
            seen = int(cache.get("turn"))
            if seen < last:
                failures.append((last, seen))
            last = seen
        cache.close()

    readers = []
    for _ in range(4):
        readers.append(threading.Thread(target=read_until_the_end))
        readers[-1].start()
    for _ in range(rounds):
        text.incr("turn")
    for thread in readers:
        thread.join(timeout=60)
    assert not failures and not any(thread.is_alive() for thread in readers)
