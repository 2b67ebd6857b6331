"""What applications do with Redis: sessions, rate limits, caches, counters, locks, leaderboards, queues, places."""

import json
import threading
import uuid

import redis


def test_session_with_time_to_live(text):
    user = {"id": 42, "name": "Zoë", "roles": ["admin", "editor"]}
    text.setex("session:abc", 3600, json.dumps(user))
    assert json.loads(text.get("session:abc")) == user
    assert 3590 <= text.ttl("session:abc") <= 3600
    assert text.get("session:other") is None
    assert text.delete("session:abc") == 1
    assert text.get("session:abc") is None


def test_session_is_prolonged_when_used(text):
    text.setex("session:abc", 100, "x")
    assert text.getex("session:abc", ex=3600) == "x"
    assert text.ttl("session:abc") > 3500
    assert text.getex("session:abc", persist=True) == "x"
    assert text.ttl("session:abc") == -1


def test_rate_limiter(text):
    def is_rate_limited(user, most=5, window=60):
        key = f"rate_limit:{user}"
        current = text.incr(key)
        if current == 1:
            text.expire(key, window)
        return current > most

    assert [is_rate_limited("ann") for _ in range(7)] == [False] * 5 + [True] * 2
    assert not is_rate_limited("bob")
    assert 0 < text.ttl("rate_limit:ann") <= 60


def test_rate_limiter_window_ends(text):
    key = "rate_limit:short"
    assert text.incr(key) == 1
    text.pexpire(key, 30)
    while text.exists(key):
        pass
    assert text.incr(key) == 1
    assert text.ttl(key) == -1


def test_cache_of_api_answers(text):
    calls = []

    def fetch(endpoint):
        calls.append(endpoint)
        return {"endpoint": endpoint, "items": list(range(100))}

    def cached(endpoint, ttl=300):
        key = f"api_cache:{endpoint}"
        known = text.get(key)
        if known:
            return json.loads(known)
        answer = fetch(endpoint)
        text.setex(key, ttl, json.dumps(answer))
        return answer

    assert cached("/users") == cached("/users")
    assert calls == ["/users"]


def test_counters_under_many_clients(server, text):
    def count():
        with server.client() as client:
            for _ in range(200):
                client.incr("hits")
                client.incrby("bytes", 10)

    threads = [threading.Thread(target=count) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert text.get("hits") == "1600"
    assert text.get("bytes") == "16000"


def test_lock_by_set_nx(text):
    token = uuid.uuid4().hex
    assert text.set("lock:report", token, nx=True, px=30_000)
    assert not text.set("lock:report", "other", nx=True, px=30_000)
    assert text.get("lock:report") == token
    text.delete("lock:report")
    assert text.set("lock:report", "other", nx=True, px=30_000)


def test_compare_by_get_and_set(text):
    text.set("state", "old")
    assert text.set("state", "new", get=True) == "old"
    assert text.getset("state", "newer") == "new"
    assert text.getdel("state") == "newer"
    assert text.get("state") is None


def test_unique_visitors(text):
    days = {"2024-05-01": range(0, 6000), "2024-05-02": range(4000, 9000), "2024-05-03": range(8500, 8600)}
    for day, users in days.items():
        with text.pipeline(transaction=False) as pipe:
            for user in users:
                pipe.pfadd(f"visitors:{day}", f"user:{user}")
            pipe.execute()
        assert abs(text.pfcount(f"visitors:{day}") - len(users)) <= len(users) * 0.03
    assert text.pfadd("visitors:2024-05-01", "user:17") == 0, "a visitor who comes again"
    assert text.pfadd("visitors:2024-05-04", "user:1", "user:1", "user:2") == 1
    assert text.pfcount("visitors:2024-05-04") == 2

    keys = [f"visitors:{day}" for day in days]
    union = text.pfcount(*keys)
    assert abs(union - 9000) <= 9000 * 0.03
    assert text.pfmerge("visitors:2024-05", *keys)
    assert text.pfcount("visitors:2024-05") == union
    assert text.strlen("visitors:2024-05") == 12304
    assert text.strlen("visitors:2024-05-03") < 400, "few visitors take few bytes"


def test_unique_visitors_move_between_servers_as_strings(r):
    r.pfadd("visitors", *range(100))
    estimate = r.pfcount("visitors")
    r.set("copy", r.get("visitors"))
    r.restore("restored", 0, r.dump("visitors"))
    assert r.pfcount("copy") == r.pfcount("restored") == estimate
    assert r.pfadd("copy", *range(100)) == 0


def test_daily_active_users(text):
    days = {"mon": [1, 5, 100, 1_000_000], "tue": [5, 7, 1_000_000], "wed": [5]}
    for day, users in days.items():
        for user in users:
            assert text.setbit(f"active:{day}", user, 1) == 0
    assert text.getbit("active:mon", 100) == 1
    assert text.getbit("active:tue", 100) == 0
    assert [text.bitcount(f"active:{day}") for day in days] == [4, 3, 1]

    keys = [f"active:{day}" for day in days]
    assert text.bitop("AND", "active:each", *keys) == 125_001
    assert text.bitcount("active:each") == 1
    assert text.bitpos("active:each", 1) == 5
    text.bitop("OR", "active:any", *keys)
    assert text.bitcount("active:any") == 5
    assert text.bitcount("active:any", 0, 99, "BIT") == 3
    text.bitop("XOR", "active:changed", "active:mon", "active:tue")
    assert text.bitcount("active:changed") == 3

    assert text.setbit("active:mon", 100, 0) == 1
    assert text.bitcount("active:mon") == 3


def test_counters_packed_into_one_string(text):
    game = text.bitfield("player:1")
    assert game.set("u32", "#0", 1000).incrby("u32", "#0", 50).incrby("u32", "#1", 1).execute() == [0, 1050, 1]
    game = text.bitfield("player:1", default_overflow="FAIL")
    assert game.incrby("u8", 64, 250).incrby("u8", 64, 10).get("u8", 64).execute() == [250, None, 250]
    assert text.bitfield_ro("player:1", "u32", 0) == [1050]
    assert text.strlen("player:1") == 9


def test_wrong_number_is_an_error_and_the_connection_goes_on(text):
    text.set("name", "ann")
    try:
        text.incr("name")
        raise AssertionError("INCR of a word must fail")
    except redis.ResponseError as error:
        assert str(error) == "value is not an integer or out of range"
    assert text.get("name") == "ann"


def test_data_survives_kill_and_restart(start):
    server = start()
    with server.client() as client:
        for number in range(1000):
            client.set(f"key:{number}", number)
        client.setex("session", 3600, "x")
    server.kill()
    server.start()
    with server.client(decode_responses=True) as client:
        assert client.dbsize() == 1001
        assert client.mget([f"key:{number}" for number in range(1000)]) == [str(number) for number in range(1000)]
        assert 3500 < client.ttl("session") <= 3600


def test_job_queue_with_workers_that_wait(server, text):
    done = []

    def work():
        with server.client(decode_responses=True) as client:
            while True:
                _, job = client.brpop(["jobs:urgent", "jobs"], timeout=20)
                if job == "stop":
                    return
                done.append(job)

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for number in range(200):
        text.lpush("jobs" if number % 3 else "jobs:urgent", f"job {number}")
    for _ in workers:
        text.lpush("jobs", "stop")
    for worker in workers:
        worker.join()
    assert sorted(done) == sorted(f"job {number}" for number in range(200))
    assert text.llen("jobs") == 0
    assert text.brpop("jobs", timeout=0.01) is None


def test_reliable_queue_keeps_jobs_until_they_are_done(text):
    text.rpush("queue", "a", "b")
    assert text.blmove("queue", "working", 1, "LEFT", "RIGHT") == "a"
    assert text.lrange("working", 0, -1) == ["a"]
    assert text.lrem("working", 1, "a") == 1
    assert text.lmove("queue", "working") == "b"
    assert text.rpoplpush("working", "queue") == "b"


def test_activity_feed_of_the_newest_entries(text):
    for number in range(250):
        text.lpush("feed", f"entry {number}")
        text.ltrim("feed", 0, 99)
    assert text.llen("feed") == 100
    assert text.lrange("feed", 0, 2) == ["entry 249", "entry 248", "entry 247"]
    assert text.lpos("feed", "entry 150") == 99
    assert text.lmpop(2, "none", "feed", direction="RIGHT", count=2) == ["feed", ["entry 150", "entry 151"]]


def pairs(found):
    """Members and scores: redis-py has tuples of them in RESP2, lists in RESP3."""
    return [(member, float(score)) for member, score in found]


def test_leaderboard(text):
    board = "leaderboard:2026"
    text.zadd(board, {"ann": 1200, "bob": 950, "cid": 1710, "dee": 1200})
    assert text.zincrby(board, 300, "bob") == 1250
    assert pairs(text.zrevrange(board, 0, 2, withscores=True)) == [("cid", 1710.0), ("bob", 1250.0), ("dee", 1200.0)]
    assert text.zrevrank(board, "cid") == 0
    assert text.zrank(board, "nobody") is None
    # Only better results count.
    assert text.zadd(board, {"ann": 100, "cid": 2000}, gt=True, ch=True) == 1
    assert (text.zscore(board, "ann"), text.zscore(board, "cid")) == (1200.0, 2000.0)
    # Those around a player.
    rank = text.zrevrank(board, "bob")
    assert text.zrange(board, max(rank - 1, 0), rank + 1, desc=True) == ["cid", "bob", "dee"]


def test_leaderboard_of_many_players(text):
    for first in range(0, 20_000, 1000):
        text.zadd("board", {f"player:{number}": number * 7919 % 20_000 for number in range(first, first + 1000)})
    assert text.zcard("board") == 20_000
    top = text.zrevrange("board", 0, 9, withscores=True)
    assert [score for _, score in top] == [float(score) for score in range(19_999, 19_989, -1)]
    assert all(text.zrevrank("board", player) == place for place, (player, _) in enumerate(top))
    assert text.zcount("board", 100, "(200") == 100
    assert text.zremrangebyrank("board", 0, -1001) == 19_000
    assert text.zrange("board", 0, 0, withscores=True)[0][1] == 19_000.0


def test_priority_queue(text):
    text.zadd("jobs", {"backup": 5, "page the doctor": 1, "report": 3, "clean": 9})
    assert pairs(text.zpopmin("jobs", 1)) == [("page the doctor", 1.0)]
    key, found = text.zmpop(2, ["urgent", "jobs"], min=True, count=2)
    assert (key, pairs(found)) == ("jobs", [("report", 3.0), ("backup", 5.0)])
    assert pairs(text.zpopmax("jobs", 1)) == [("clean", 9.0)]
    assert text.zpopmin("jobs") == []
    assert not text.exists("jobs")


def test_scheduled_tasks(text):
    text.zadd("schedule", {f"task:{number}": 1000 + number * 10 for number in range(10)})
    now = 1035
    due = text.zrangebyscore("schedule", "-inf", now)
    assert due == ["task:0", "task:1", "task:2", "task:3"]
    # Of several workers one gets each task.
    assert [text.zrem("schedule", task) for task in due + due] == [1] * 4 + [0] * 4
    assert text.zrange("schedule", "-inf", "+inf", byscore=True, offset=0, num=1) == ["task:4"]


def test_trending(text):
    for hour, views in enumerate([{"cat": 5, "dog": 2}, {"cat": 1, "fox": 7}, {"dog": 4}]):
        for topic, count in views.items():
            text.zincrby(f"views:{hour}", count, topic)
    hours = {"views:0": 0.25, "views:1": 0.5, "views:2": 1}
    assert text.zunionstore("trending", hours) == 3
    assert pairs(text.zrevrange("trending", 0, -1, withscores=True)) == [("dog", 4.5), ("fox", 3.5), ("cat", 1.75)]
    assert pairs(text.zinter(["views:0", "views:1"], aggregate="MAX", withscores=True)) == [("cat", 5.0)]
    text.sadd("banned", "fox")
    assert text.zdiff(["trending", "banned"]) == ["cat", "dog"]


def test_sliding_window_rate_limit(text):
    def allowed(user, at, most=3, window=60):
        key = f"window:{user}"
        with text.pipeline() as pipe:
            pipe.zremrangebyscore(key, 0, at - window)
            pipe.zadd(key, {str(at): at})
            pipe.zcard(key)
            pipe.expire(key, window)
            return pipe.execute()[2] <= most

    assert [allowed("ann", at) for at in (0, 10, 20, 30, 75, 200)] == [True, True, True, False, True, True]


def test_words_that_begin_alike(text):
    text.zadd("words", {word: 0 for word in ["car", "cart", "cat", "dog", "care", "carbon"]})
    assert text.zrangebylex("words", "[car", "[car\xff") == ["car", "carbon", "care", "cart"]
    assert text.zlexcount("words", "-", "(cat") == 4


def test_workers_of_a_stream(text):
    for number in range(6):
        text.xadd("orders", {"order": number, "total": number * 10}, id=f"{number + 1}-0")
    assert text.xgroup_create("orders", "billing", id="0")
    got = {name: text.xreadgroup("billing", name, {"orders": ">"}, count=3) for name in ("ann", "bob")}
    [[stream, entries]] = got["ann"].items() if isinstance(got["ann"], dict) else got["ann"]
    entries = entries[0] if isinstance(got["ann"], dict) else entries
    assert stream == "orders"
    assert entries[0] == ("1-0", {"order": "0", "total": "0"})
    assert text.xack("orders", "billing", "1-0", "2-0") == 2
    summary = text.xpending("orders", "billing")
    assert (summary["pending"], summary["min"], summary["max"]) == (4, "3-0", "6-0")
    # Ann is gone, Bob takes over what she had.
    claimed = text.xautoclaim("orders", "billing", "bob", min_idle_time=0, start_id="0-0", count=1)
    assert claimed[1] == [("3-0", {"order": "2", "total": "20"})]
    assert [entry["times_delivered"] for entry in text.xpending_range("orders", "billing", "-", "+", 10)] == [2, 1, 1, 1]
    [group] = text.xinfo_groups("orders")
    assert (group["consumers"], group["pending"], group["lag"]) == (2, 4, 0)
    assert text.xtrim("orders", maxlen=2, approximate=False) == 4
    assert text.xrange("orders", count=1) == [("5-0", {"order": "4", "total": "40"})]


def test_shops_nearby(text):
    text.geoadd("shops", [13.361389, 38.115556, "palermo", 15.087269, 37.502669, "catania"])
    text.geoadd("shops", [12.4964, 41.9028, "rome"])
    found = text.geosearch("shops", longitude=15, latitude=37, radius=200, unit="km", sort="ASC", withdist=True)
    assert found == [["catania", 56.4413], ["palermo", 190.4424]]
    assert text.geodist("shops", "palermo", "catania", unit="km") == 166.2742
    assert text.geohash("shops", "palermo") == ["sqc8b49rny0"]
    assert text.geosearchstore("near", "shops", member="rome", radius=500, unit="km") == 2
