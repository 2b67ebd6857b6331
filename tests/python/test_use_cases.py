"""What applications do with Redis strings: sessions, rate limits, caches, counters, locks."""

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
