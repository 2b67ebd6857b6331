"""redis-py's own surface against the server: pipelines, pools, scans, expiry, binary and big values, administration."""

import datetime
import threading
import time

import pytest
import redis


def test_binary_keys_and_values(r):
    everything = bytes(range(256))
    r.set(everything, everything)
    assert r.get(everything) == everything
    assert r.strlen(everything) == 256
    assert r.keys(b"*") == [everything]
    r.set(b"", b"")
    assert r.get(b"") == b""
    r.set("crlf", b"a\r\nb\r\n")
    assert r.get("crlf") == b"a\r\nb\r\n"


def test_text(text):
    text.set("ключ", "значение")
    assert text.get("ключ") == "значение"
    text.append("ключ", "!")
    assert text.get("ключ") == "значение!"


@pytest.mark.parametrize("size", [1 << 20, 100 << 20], ids=["1MB", "100MB"])
def test_big_values(server, size):
    with server.client() as client:
        client.flushall()
        value = bytes(bytearray(range(256)) * (size // 256))
        client.set("big", value)
        assert client.strlen("big") == size
        assert client.getrange("big", size - 5, -1) == value[-5:]
        client.setrange("big", size // 2, b"here")
        assert client.getrange("big", size // 2 - 1, size // 2 + 4) == bytes([255]) + b"here" + bytes([4])
        assert client.append("big", b"tail") == size + 4
        got = client.get("big")
        assert len(got) == size + 4 and got.endswith(b"tail") and got[:1000] == value[:1000]
        client.delete("big")


def test_pipeline_without_transaction(r):
    with r.pipeline(transaction=False) as pipe:
        for number in range(2000):
            pipe.set(f"k{number}", number).get(f"k{number}")
        replies = pipe.execute()
    assert replies[::2] == [True] * 2000
    assert replies[1::2] == [str(number).encode() for number in range(2000)]


def test_a_transaction_is_one_step(r):
    with r.pipeline() as pipe:
        replies = pipe.set("a", 1).incr("a").get("a").ping().execute()
    assert replies == [True, 2, b"2", True]
    with r.pipeline() as pipe:
        replies = pipe.set("a", "x").incr("a").get("a").execute(raise_on_error=False)
    assert replies[0] is True and replies[2] == b"x"
    assert isinstance(replies[1], redis.ResponseError)
    with r.pipeline() as pipe:
        replies = pipe.set("b", 1).dbsize().flushdb().dbsize().set("a", "x").keys("*").execute()
    assert replies == [True, 2, True, 0, True, [b"a"]]
    with r.pipeline() as pipe:
        pipe.set("a", "y").execute_command("NOPE")
        with pytest.raises(redis.ResponseError, match="NOPE"):
            pipe.execute()
    assert r.get("a") == b"x"


def test_watch_is_tried_again_until_it_holds(r):
    r.set("a", 0)
    with r.pipeline() as pipe:
        pipe.watch("a")
        r.incr("a")
        pipe.multi()
        pipe.set("a", 100)
        with pytest.raises(redis.WatchError):
            pipe.execute()

    def step(pipe):
        value = int(pipe.get("a"))
        pipe.multi()
        pipe.set("a", value + 1)

    threads = [threading.Thread(target=lambda: [r.transaction(step, "a") for _ in range(50)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert r.get("a") == b"201"


def test_error_within_a_pipeline(r):
    with r.pipeline(transaction=False) as pipe:
        replies = pipe.set("a", "x").incr("a").get("a").execute(raise_on_error=False)
    assert replies[0] is True
    assert isinstance(replies[1], redis.ResponseError)
    assert replies[2] == b"x"


def test_connection_pool_and_threads(server):
    pool = redis.BlockingConnectionPool(host="127.0.0.1", port=server.port, max_connections=5, timeout=20)
    client = redis.Redis(connection_pool=pool)
    client.flushall()
    wrong = []

    def work(number):
        for turn in range(100):
            client.set(f"t{number}", turn)
            if client.get(f"t{number}") != str(turn).encode():
                wrong.append((number, turn))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    pool.disconnect()


def test_many_connections(server):
    clients = [server.client() for _ in range(200)]
    assert all(client.ping() for client in clients)
    for client in clients:
        client.close()


def test_scan_iter(r):
    expected = {f"user:{number}".encode() for number in range(5000)}
    r.mset({key: 1 for key in expected})
    r.mset({f"other:{number}": 1 for number in range(500)})
    assert set(r.scan_iter(match="user:*", count=100)) == expected
    assert len(set(r.scan_iter())) == 5500
    assert set(r.scan_iter(_type="string", match="other:49?")) == {f"other:49{digit}".encode() for digit in range(10)}
    assert list(r.scan_iter(_type="list")) == []


def test_scan_returns_what_stays_while_others_come_and_go(r):
    stays = {f"stays:{number}".encode() for number in range(1000)}
    r.mset({key: 1 for key in stays})
    seen, cursor, turn = set(), 0, 0
    while True:
        cursor, page = r.scan(cursor, count=20)
        seen.update(page)
        r.mset({f"new:{turn}:{number}": 1 for number in range(50)})
        if turn:
            r.delete(*[f"new:{turn - 1}:{number}" for number in range(50)])
        turn += 1
        if cursor == 0:
            break
        assert turn < 10_000
    assert stays <= seen


def test_expire(r):
    r.set("k", "v")
    assert r.ttl("k") == -1
    assert r.ttl("missing") == -2
    assert r.expire("k", 100)
    assert not r.expire("k", 200, nx=True)
    assert not r.expire("k", 50, gt=True)
    assert r.expire("k", 50, lt=True)
    assert 45 <= r.ttl("k") <= 50
    assert r.persist("k")
    assert not r.persist("k")
    assert not r.expire("missing", 10)
    end = datetime.datetime.now() + datetime.timedelta(hours=1)
    r.expireat("k", end)
    assert 3590 <= r.ttl("k") <= 3600
    assert r.expiretime("k") == int(end.timestamp())
    assert r.pexpiretime("k") == 1000 * int(end.timestamp())
    assert r.expire("k", -1)
    assert not r.exists("k")


def test_keys_end_on_time(r):
    start = time.monotonic()
    r.set("k", "v", px=300)
    kept = time.monotonic()
    # However long an answer takes on its way: who asks in time gets the value, who asks later does not.
    while True:
        asked = time.monotonic()
        if r.get("k") is None:
            break
        assert asked < kept + 0.31
    assert time.monotonic() - start >= 0.299


def test_keys_end_without_being_looked_at(r):
    with r.pipeline(transaction=False) as pipe:
        for number in range(1000):
            pipe.set(f"short:{number}", "v", px=50)
        pipe.set("long", "v", ex=1000).execute()
    deadline = time.monotonic() + 30
    while r.dbsize() > 1:
        assert time.monotonic() < deadline, "expired keys are still counted"
        time.sleep(0.02)
    assert r.keys() == [b"long"]


def test_set_keeps_or_drops_the_time_to_live(r):
    r.set("k", "1", ex=100)
    r.set("k", "2", keepttl=True)
    assert r.ttl("k") > 90
    r.incr("k")
    assert r.ttl("k") > 90
    r.set("k", "3")
    assert r.ttl("k") == -1


def test_rename_copy_move(r):
    r.set("a", "1", ex=100)
    r.rename("a", "b")
    assert r.ttl("b") > 90
    assert r.copy("b", "c")
    assert not r.copy("b", "c")
    assert r.copy("b", "c", replace=True)
    assert r.copy("b", "c", destination_db=3)
    assert r.move("b", 4)
    assert r.dbsize() == 1
    with pytest.raises(redis.ResponseError, match="no such key"):
        r.rename("missing", "x")


def test_dump_and_restore(r):
    for value in [b"", b"12345", b"hello", b"x" * 10_000, bytes(range(256)) * 300]:
        r.set("k", value)
        payload = r.dump("k")
        r.restore("copy", 0, payload, replace=True)
        assert r.get("copy") == value
    with pytest.raises(redis.ResponseError, match="BUSYKEY"):
        r.restore("copy", 0, payload)
    with pytest.raises(redis.ResponseError, match="checksum"):
        r.restore("other", 0, payload[:-1] + bytes([payload[-1] ^ 1]))


def test_bits(r):
    assert r.setbit("bits", 7, 1) == 0
    assert r.get("bits") == b"\x01"
    assert r.getbit("bits", 7) == 1
    assert r.bitcount("bits") == 1
    assert r.bitpos("bits", 1) == 7


def test_numbers(r):
    assert r.incrbyfloat("f", "10.5") == 10.5
    assert r.incrbyfloat("f", "0.1") == pytest.approx(10.6)
    assert r.decrby("n", 5) == -5
    r.set("n", 2**63 - 1)
    with pytest.raises(redis.ResponseError, match="overflow"):
        r.incr("n")


def test_lcs(r):
    r.mset({"a": "ohmytext", "b": "mynewtext"})
    assert r.lcs("a", "b") == b"mytext"
    assert r.lcs("a", "b", len=True) == 6


def test_info(text):
    text.set("k", "v", ex=1000)
    info = text.info()
    for field in (
        "redis_version redis_mode process_id tcp_port uptime_in_seconds connected_clients used_memory used_memory_rss "
        "maxmemory_policy loading total_connections_received total_commands_processed instantaneous_ops_per_sec "
        "expired_keys evicted_keys keyspace_hits keyspace_misses role used_cpu_sys aof_enabled rdb_last_save_time"
    ).split():
        assert field in info, field
    assert info["role"] == "master"
    assert info["db0"]["keys"] == 1 and info["db0"]["expires"] == 1
    assert info["connected_clients"] >= 1
    assert set(text.info("memory")) < set(info)
    assert "cmdstat_set" in text.info("commandstats")


def test_config(text):
    assert text.config_get("databases") == {"databases": "16"}
    before = text.config_get("slowlog-max-len")["slowlog-max-len"]
    assert text.config_set("slowlog-max-len", 77)
    assert text.config_get("slowlog-*")["slowlog-max-len"] == "77"
    text.config_set("slowlog-max-len", before)
    assert text.config_get("maxmemory") == {"maxmemory": "0"}
    assert text.config_get("appendfsync") == {"appendfsync": "everysec"}
    with pytest.raises(redis.ResponseError):
        text.config_set("no-such-setting", 1)


def test_clients(server, text):
    text.client_setname("tester")
    assert text.client_getname() == "tester"
    own = text.client_id()
    listed = {int(client["id"]): client for client in text.client_list()}
    assert listed[own]["name"] == "tester"
    assert listed[own]["addr"].startswith("127.0.0.1:")
    assert text.client_info()["id"] == own
    with server.client() as other:
        doomed = other.client_id()
        assert text.client_kill_filter(_id=doomed) == 1
        assert other.client_id() != doomed


def test_commands_are_described(text):
    commands = text.command()
    assert commands["get"]["arity"] == 2
    assert "readonly" in commands["get"]["flags"]
    assert text.command_count() == len(commands)
    assert text.command_getkeys("MSET", "a", 1, "b", 2) == ["a", "b"]


def test_server_calls(text):
    text.set("k", "v")
    seconds, micros = text.time()
    assert abs(seconds + micros / 1e6 - time.time()) < 5
    assert text.dbsize() == 1
    assert text.echo("hi") == "hi"
    assert text.memory_usage("k") > 0
    assert text.object("encoding", "k") == "embstr"
    assert text.slowlog_reset()
    assert text.slowlog_len() >= 0
    assert isinstance(text.lastsave(), datetime.datetime)


def test_databases(server):
    with server.client(db=9) as nine, server.client(db=0) as zero:
        zero.flushall()
        nine.set("k", "v")
        assert zero.get("k") is None
        assert zero.swapdb(0, 9)
        assert zero.get("k") == b"v"
        nine.set("x", 1)
        nine.flushdb()
        assert nine.dbsize() == 0 and zero.dbsize() == 1


def test_password(start):
    server = start(password="correct horse")
    with server.client(password=None) as stranger:
        with pytest.raises(redis.AuthenticationError):
            stranger.get("k")
    with server.client(password="wrong") as stranger:
        with pytest.raises(redis.AuthenticationError):
            stranger.get("k")
    for protocol in (2, 3):
        with server.client(protocol=protocol) as client:
            assert client.set("k", "v")
        with server.client(protocol=protocol, username="default") as client:
            assert client.get("k") == b"v"


def test_unknown_command(r):
    with pytest.raises(redis.ResponseError, match="unknown command 'NOSUCH', with args beginning with: 'a' 'b'"):
        r.execute_command("NOSUCH", "a", "b")


def test_the_policy_that_loses_nothing_is_told_by_a_name_that_clients_know(start):
    server = start()
    with server.client(decode_responses=True) as r:
        if r.config_get("maxmemory-policy") == {"maxmemory-policy": "tier"}:
            assert r.info("memory")["maxmemory_policy"] == "noeviction"
        r.config_set("maxmemory-policy", "allkeys-lru")
        assert r.info("memory")["maxmemory_policy"] == "allkeys-lru"


def test_fields_of_a_hash_expire(r):
    r.hset("h", mapping={"a": 1, "b": 2, "c": 3})
    assert r.execute_command("HPEXPIRE", "h", 60_000, "FIELDS", 2, "a", "x") == [1, -2]
    assert r.execute_command("HEXPIRE", "h", 100, "NX", "FIELDS", 2, "a", "b") == [0, 1]
    assert r.execute_command("HTTL", "h", "FIELDS", 3, "b", "c", "x") == [100, -1, -2]
    assert r.execute_command("HPERSIST", "h", "FIELDS", 1, "b") == [1]
    assert r.execute_command("HPEXPIRE", "h", 50, "FIELDS", 1, "a") == [1]
    while r.hget("h", "a") is not None:
        time.sleep(0.01)
    assert r.hgetall("h") == {b"b": b"2", b"c": b"3"}
    assert r.execute_command("HEXPIREAT", "h", 1, "FIELDS", 2, "b", "c") == [2, 2]
    assert not r.exists("h")
