"""Locks of etcd's API that protect keys of Redis's."""

import base64
import json
import os
import pathlib
import re
import threading
import urllib.error
import urllib.request

import etcd3
import grpc
import pytest
import redis

from conftest import START_TIMEOUT_S, Server, etcd_client

DOCUMENT = pathlib.Path(__file__).resolve().parents[2] / "docs" / "locks.md"


class Both(Server):
    """A server with all listeners; `port` is that of Redis's protocol."""

    def command(self):
        data = os.path.join(self.folder.name, "data")
        words = [os.environ["ENNEAD_BINARY"], "serve", "--data", data, "--resp", "127.0.0.1:0", "--http", "127.0.0.1:0"]
        return [*words, "--grpc", "127.0.0.1:0", *self.flags], None

    def announced_port(self):
        ports = [self.port_of(protocol) for protocol in ("resp", "http", "grpc")]
        return ports[0] if all(ports) else None


class KeeperOf:
    """The same server as the fixtures for etcd's API know it."""

    def __init__(self, server):
        self.server = server

    def client(self):
        return etcd_client(self.server.port_of("grpc"))


@pytest.fixture(scope="session")
def server():
    server = Both()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def keeper(server):
    return KeeperOf(server)


@pytest.fixture
def lock(etcd):
    """The key of a lock that is held, its create revision, and its lease."""
    lease = etcd.lease(600)
    etcd.put("locks/a b", "me", lease)
    _, metadata = etcd.get("locks/a b")
    return "locks/a b", metadata.create_revision, lease


def test_the_document_is_true(server):
    """Its blocks run one after the other, as in one program."""
    text = "\n".join(re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(), re.S))
    assert text.count('"FENCE"') == 3
    # A machine may stand still for longer than the lease of the document.
    over = "while etcd.get(lock.key)[0] is not None: time.sleep(0.05)"
    for shown, patient in [("ttl=2", "ttl=6"), ("time.sleep(3)", over)]:
        assert text.count(shown) == 1
        text = text.replace(shown, patient)
    ports = {"6379": server.port, "2379": server.port_of("grpc")}
    exec(re.sub(r"\b(6379|2379)\b", lambda match: str(ports[match[0]]), text), {})


def test_what_a_connection_writes_is_refused_once_the_lock_is_lost(r, etcd, lock):
    key, revision, lease = lock
    assert r.execute_command("FENCE", "GET") is None
    r.execute_command("FENCE", "ON", key, "REVISION", revision, "LEASE", hex(lease.id))
    fence = r.execute_command("FENCE", "GET")
    pairs = fence if isinstance(fence, dict) else dict(zip(fence[::2], fence[1::2]))
    assert pairs == {b"key": key.encode(), b"revision": revision, b"lease": lease.id, b"holds": 1}
    r.set("k", 1)
    r.rpush("l", "a")
    assert r.eval("return redis.call('INCR', KEYS[1])", 1, "k") == 2
    lease.revoke()
    refused = "FENCED the key of the lock is not there; nothing was written"
    writes = [
        lambda: r.set("k", 5),
        lambda: r.delete("none"),
        lambda: r.eval("return redis.call('INCR', KEYS[1])", 1, "k"),
        lambda: r.pipeline(transaction=True).incr("k").rpush("l", "b").execute(),
        lambda: r.flushall(),
    ]
    for write in writes:
        with pytest.raises(redis.ResponseError, match=refused.removeprefix("FENCED ")):
            write()
    # Each for itself, and reads between them.
    answers = r.pipeline(transaction=False).get("k").set("k", 6).incr("k").get("k").execute(raise_on_error=False)
    assert [answers[0], answers[3]] == [b"2", b"2"]
    assert [str(answer) for answer in answers[1:3]] == [refused] * 2
    assert r.lrange("l", 0, -1) == [b"a"]
    with pytest.raises(redis.ResponseError, match="FENCED"):
        r.execute_command("FENCE", "ON", key, "LEASE", lease.id)
    r.execute_command("FENCE", "OFF")
    assert r.incr("k") == 3


def test_a_transaction_carries_its_fence(r, etcd, lock):
    key, revision, lease = lock
    def transact():
        pipeline = r.pipeline(transaction=True)
        pipeline.incr("k")
        pipeline.execute_command("FENCE", "ON", key, "REVISION", revision)
        return pipeline.incr("k").execute()

    assert transact() == [1, b"OK", 2]
    assert r.execute_command("FENCE", "GET") is None
    etcd.delete(key)
    etcd.put(key, "somebody else")
    with pytest.raises(redis.ResponseError, match="made in another revision"):
        transact()
    # After it nothing is fenced.
    assert r.incr("k") == 3
    r.execute_command("MULTI")
    with pytest.raises(redis.ResponseError, match="lease"):
        r.execute_command("FENCE", "ON", key, "LEASE", "x")
    with pytest.raises(redis.ResponseError, match="EXECABORT|discarded"):
        r.execute_command("EXEC")


def test_a_waiting_command_is_checked_when_it_is_served(server, r, etcd, lock):
    key, _, lease = lock
    r.execute_command("FENCE", "ON", key, "LEASE", lease.id)
    outcome = []

    def wait():
        try:
            outcome.append(r.blpop("queue", timeout=START_TIMEOUT_S))
        except redis.ResponseError as error:
            outcome.append(str(error))

    other = server.client()
    for lost in (False, True):
        thread = threading.Thread(target=wait)
        thread.start()
        while other.info("clients")["blocked_clients"] == 0:
            pass
        if lost:
            lease.revoke()
        other.rpush("queue", "job")
        thread.join()
    assert outcome[0] == (b"queue", b"job") or outcome[0] == [b"queue", b"job"]
    assert outcome[1] == "FENCED the key of the lock is not there; nothing was written"
    assert other.lrange("queue", 0, -1) == [b"job"]


@pytest.mark.parametrize("words", ["", "key", "key REVISION", "key REVISION x", "key LEASE 1 LEASE 1", "key OTHER 1"])
def test_what_is_no_fence_is_refused(r, words):
    with pytest.raises(redis.ResponseError):
        r.execute_command("FENCE", "ON", *words.split())


@pytest.mark.parametrize("request_words", ["ACL SETUSER somebody on", "FUNCTION FLUSH", "ACL DELUSER somebody"])
def test_what_cannot_be_fenced_says_so(r, lock, request_words):
    key, revision, _ = lock
    r.execute_command("FENCE", "ON", key, "REVISION", revision)
    with pytest.raises(redis.ResponseError, match="cannot be fenced"):
        r.execute_command(*request_words.split())
    r.execute_command("RESET")
    assert r.execute_command("FENCE", "GET") is None


def test_a_fence_over_grpc(etcd, lock):
    key, revision, _ = lock
    put = etcd3.etcdrpc.PutRequest(key=b"k", value=b"v")
    field = key.replace(" ", "%20")
    etcd.kvstub.Put(put, metadata=[("ennead-fence", f"{field}; revision={revision}")])
    for fence, code in [
        (f"{field}; revision={revision + 1}", grpc.StatusCode.FAILED_PRECONDITION),
        ("other; lease=1", grpc.StatusCode.FAILED_PRECONDITION),
        (field, grpc.StatusCode.INVALID_ARGUMENT),
    ]:
        with pytest.raises(grpc.RpcError) as error:
            etcd.kvstub.Put(put, metadata=[("ennead-fence", fence)])
        assert error.value.code() == code


def test_a_fence_over_http(server, lock):
    key, _, lease = lock
    url = f"http://127.0.0.1:{server.port_of('http')}/v3/kv/put"

    def put(fence):
        pair = {name: base64.b64encode(name.encode()).decode() for name in ("key", "value")}
        request = urllib.request.Request(url, json.dumps(pair).encode(), {"Ennead-Fence": fence})
        return json.load(urllib.request.urlopen(request, timeout=START_TIMEOUT_S))

    fence = f"{key.replace(' ', '%20')}; lease={lease.id}"
    assert "revision" in put(fence)["header"]
    lease.revoke()
    with pytest.raises(urllib.error.HTTPError) as error:
        put(fence)
    assert json.load(error.value)["message"] == "ennead: fenced: the key of the lock is not there; nothing was written"


def test_no_write_is_acknowledged_after_the_lock_is_gone(server, etcd):
    """Writers in full run, whose locks are taken away: what they were told is all that is there."""
    for round_number in range(20):
        lease = etcd.lease(600)
        name = f"race-{round_number}"
        etcd.put(name, "", lease)
        told = [0, 0, 0]

        def write(number):
            client = server.client(single_connection_client=True)
            client.execute_command("FENCE", "ON", name, "LEASE", lease.id)
            try:
                while True:
                    told[number] = client.incr(f"{name}-{number}")
            except redis.ResponseError as error:
                assert str(error).startswith("FENCED")

        threads = [threading.Thread(target=write, args=[number]) for number in range(len(told))]
        for thread in threads:
            thread.start()
        while min(told) < 20:
            pass
        lease.revoke()
        client = server.client()
        at_once = [int(client.get(f"{name}-{number}")) for number in range(len(told))]
        for thread in threads:
            thread.join()
        assert at_once == told == [int(client.get(f"{name}-{number}")) for number in range(len(told))]
