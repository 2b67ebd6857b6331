"""What a shop and a community keep in Redis: profiles, carts, feeds, tags, followers, chat rooms, event logs."""

import datetime
import json
import threading
import time

import redis


def test_user_profile_and_its_counters(text):
    profile = {"name": "Zoë", "email": "zoe@example.org", "age": 33, "premium": "true"}
    assert text.hset("user:1", mapping=profile) == 4
    assert text.hgetall("user:1") == {name: str(value) for name, value in profile.items()}
    assert text.hget("user:1", "email") == "zoe@example.org"
    assert text.hget("user:1", "phone") is None
    assert text.hmget("user:1", "name", "phone", "age") == ["Zoë", None, "33"]
    assert text.hset("user:1", "age", 34) == 0, "a field that is there is changed, not added"

    assert [text.hincrby("user:1:stats", "logins"), text.hincrby("user:1:stats", "logins", 4)] == [1, 5]
    assert text.hincrbyfloat("user:1:stats", "balance", 10.5) == 10.5
    assert text.hgetall("user:1:stats") == {"logins": "5", "balance": "10.5"}


def test_shopping_cart(text):
    for product, quantity in {"book": 1, "pen": 10, "lamp": 1}.items():
        text.hset("cart:7", product, quantity)
    text.hset("cart:7", "pen", 12)
    assert text.hincrby("cart:7", "book", 1) == 2
    assert text.hsetnx("cart:7", "lamp", 5) == 0
    assert text.hdel("cart:7", "lamp", "sofa") == 1
    assert text.hgetall("cart:7") == {"book": "2", "pen": "12"}
    assert (text.hlen("cart:7"), text.hexists("cart:7", "lamp")) == (2, False)

    # The cart becomes an order in one step, unless it changes meanwhile.
    with text.pipeline() as order:
        order.watch("cart:7")
        text.hset("cart:7", "ink", 1)
        order.multi()
        order.rename("cart:7", "order:1")
        try:
            order.execute()
            raise AssertionError("the cart has changed")
        except redis.WatchError:
            pass
    assert text.rename("cart:7", "order:1")
    assert text.hgetall("cart:7") == {}
    assert text.hlen("order:1") == 3
    assert text.hdel("order:1", "book", "pen", "ink") == 3
    assert not text.exists("order:1"), "an empty hash is no key"


def test_sessions_kept_as_hashes(text):
    with text.pipeline() as pipe:
        pipe.hset("session:a1", mapping={"user": 7, "csrf": "x"}).expire("session:a1", 1800)
        assert pipe.execute() == [2, True]
    text.hset("session:a1", "seen", 1)
    assert 1790 <= text.ttl("session:a1") <= 1800, "a change of a field keeps the time to live"
    text.pexpire("session:a1", 20)
    while text.exists("session:a1"):
        pass
    assert text.hget("session:a1", "user") is None


def test_task_queue_of_json(server, text):
    answers = []

    def dequeue():
        with server.client(decode_responses=True) as client:
            _, task = client.brpop("tasks", 20)
            answers.append(json.loads(task))

    waiting = threading.Thread(target=dequeue)
    waiting.start()
    task = {"id": 1, "kind": "mail", "to": ["ann", "bob"]}
    text.lpush("tasks", json.dumps(task))
    waiting.join()
    assert answers == [task]
    # First in, first out; a queue that stays empty gives up.
    text.lpush("tasks", "a", "b")
    assert [list(text.brpop("tasks", 1)) for _ in range(2)] == [["tasks", "a"], ["tasks", "b"]]
    assert text.brpop("tasks", 0.01) is None


def test_pages_of_a_feed(text):
    for number in range(150):
        text.lpush("feed:7", json.dumps({"number": number}))
        text.ltrim("feed:7", 0, 99)

    def page(number, size=20):
        start = number * size
        return [json.loads(entry)["number"] for entry in text.lrange("feed:7", start, start + size - 1)]

    assert page(0) == list(range(149, 129, -1))
    assert page(4) == list(range(69, 49, -1))
    assert page(5) == []


def test_search_history(text):
    for number in range(15):
        text.lpush("search_history:7", f"query {number}")
        text.ltrim("search_history:7", 0, 9)
        text.expire("search_history:7", 30 * 86_400)
    assert text.lrange("search_history:7", 0, -1) == [f"query {number}" for number in range(14, 4, -1)]
    assert text.ttl("search_history:7") > 29 * 86_400


def test_tags(text):
    articles = {1: ["rust", "storage", "fast"], 2: ["rust", "web"], 3: ["storage", "disk", "rust"]}
    for article, tags in articles.items():
        assert text.sadd(f"article:{article}:tags", *tags) == len(tags)
        for tag in tags:
            text.sadd(f"tag:{tag}:articles", article)
    assert text.sadd("article:1:tags", "rust") == 0
    assert text.smembers("tag:rust:articles") == {"1", "2", "3"}
    assert text.sinter("article:1:tags", "article:3:tags") == {"rust", "storage"}
    assert text.sintercard(2, ["tag:rust:articles", "tag:storage:articles"]) == 2
    assert text.sunion("article:1:tags", "article:2:tags") == {"rust", "storage", "fast", "web"}
    assert text.sdiff("article:3:tags", "article:1:tags") == {"disk"}
    assert text.smismember("article:2:tags", ["web", "disk"]) == [1, 0]
    assert text.srem("article:2:tags", "web", "gone") == 1
    assert set(text.sscan_iter("article:2:tags")) == {"rust"}


def test_followers_and_friends_in_common(text):
    def follow(user, *others):
        for other in others:
            with text.pipeline() as pipe:
                pipe.sadd(f"user:{user}:following", other).sadd(f"user:{other}:followers", user).execute()

    follow("ann", "bob", "cid", "dee")
    follow("bob", "ann", "cid", "dee", "eve")
    assert text.sinter("user:ann:following", "user:bob:following") == {"cid", "dee"}
    assert text.smembers("user:cid:followers") == {"ann", "bob"}
    assert text.sdiffstore("suggested:ann", "user:bob:following", "user:ann:following", "self:ann") == 2
    assert text.smembers("suggested:ann") == {"ann", "eve"}
    assert text.smove("user:ann:following", "user:ann:muted", "dee")
    assert (text.scard("user:ann:following"), text.sismember("user:ann:following", "dee")) == (2, 0)


def test_users_online(text):
    for user in ["ann", "bob", "ann", "cid"]:
        text.sadd("users:online", user)
        text.expire("users:online", 300)
    assert text.scard("users:online") == 3
    assert 0 < text.ttl("users:online") <= 300
    winners = text.srandmember("users:online", 2)
    assert len(set(winners)) == 2
    assert len(text.srandmember("users:online", -10)) == 10
    drawn = {text.spop("users:online") for _ in range(3)}
    assert drawn == {"ann", "bob", "cid"}
    assert text.spop("users:online") is None


def test_articles_trending_within_a_day(text):
    now = time.time()
    for article, hours in {"old": 30, "noon": 12, "morning": 20, "fresh": 1}.items():
        text.zadd("trending", {article: now - hours * 3600}, gt=True)
    text.zadd("trending", {"fresh": now - 40 * 3600}, gt=True)
    found = text.zrevrangebyscore("trending", "+inf", now - 24 * 3600, start=0, num=10)
    assert found == ["fresh", "noon", "morning"]
    assert text.zremrangebyscore("trending", "-inf", f"({now - 24 * 3600!r}") == 1


def test_tasks_that_are_due(text):
    now = datetime.datetime.now()
    for task, seconds in {"late": -60, "now": -1, "soon": 3600}.items():
        text.zadd("scheduled_tasks", {task: (now + datetime.timedelta(seconds=seconds)).timestamp()})
    due = text.zrangebyscore("scheduled_tasks", 0, time.time())
    assert due == ["late", "now"]
    assert text.zrem("scheduled_tasks", *due) == 2
    assert text.zrange("scheduled_tasks", 0, -1) == ["soon"]


def test_a_worker_waits_for_the_most_urgent_task(server, text):
    got = []

    def wait():
        with server.client(decode_responses=True) as client:
            got.append(client.bzpopmin(["none", "task_queue"], 20))

    waiting = threading.Thread(target=wait)
    waiting.start()
    while not any(client["cmd"] == "bzpopmin" for client in text.client_list()):
        time.sleep(0.01)
    text.zadd("task_queue", {"report": 3, "page the doctor": 1})
    waiting.join()
    key, member, score = got[0]
    assert (key, member, float(score)) == ("task_queue", "page the doctor", 1.0)


def test_chat_room(server, text):
    rooms = {}
    for user in ["ann", "bob"]:
        rooms[user] = server.client(decode_responses=True).pubsub(ignore_subscribe_messages=False)
        rooms[user].subscribe("chat:1", "notify:" + user)
        assert [rooms[user].get_message(timeout=20)["data"] for _ in range(2)] == [1, 2]
    for number in range(50):
        said = {"user_id": "ann", "message": f"hello {number}", "timestamp": time.time()}
        assert text.publish("chat:1", json.dumps(said)) == 2
    assert text.publish("notify:bob", "you have mail") == 1
    for user, extra in {"ann": 0, "bob": 1}.items():
        heard = [rooms[user].get_message(timeout=20) for _ in range(50 + extra)]
        assert [json.loads(one["data"])["message"] for one in heard[:50]] == [f"hello {number}" for number in range(50)]
        assert [one["data"] for one in heard[50:]] == ["you have mail"] * extra
        rooms[user].close()


def test_event_log_of_bounded_length(text):
    for number in range(300):
        text.xadd("events", {"number": number}, maxlen=100, approximate=False)
    assert text.xlen("events") == 100
    assert text.xrange("events", count=1)[0][1] == {"number": "200"}
    for number in range(300):
        text.xadd("events:about", {"number": number}, maxlen=100)
    assert 100 <= text.xlen("events:about") <= 200, "whole nodes of 100 entries are cut off"


def test_newest_activity_of_a_user(text):
    for action in ["login", "view", "buy"]:
        text.xadd("activity:7", {"action": action, "details": json.dumps({"of": action}), "timestamp": time.time()})
    newest = text.xrevrange("activity:7", "+", "-", count=2)
    assert [entry["action"] for _, entry in newest] == ["buy", "view"]
    assert json.loads(newest[0][1]["details"]) == {"of": "buy"}


def test_a_group_of_workers_takes_each_event_once(server, text):
    seen = []

    def consume(name):
        with server.client(decode_responses=True) as client:
            while True:
                for _, events in client.xreadgroup("workers", name, {"events": ">"}, count=10, block=20_000):
                    for event, fields in events:
                        client.xack("events", "workers", event)
                        if "stop" in fields:
                            return
                        seen.append((fields["number"], name))

    assert text.xgroup_create("events", "workers", id="0", mkstream=True)
    try:
        text.xgroup_create("events", "workers", id="0", mkstream=True)
        raise AssertionError("a group is made once")
    except redis.ResponseError as error:
        assert "already exists" in str(error)
    workers = [threading.Thread(target=consume, args=[f"worker {number}"]) for number in range(3)]
    for worker in workers:
        worker.start()
    for number in range(300):
        text.xadd("events", {"number": number})
    # A worker that reads one "stop" may take the next with it.
    while any(worker.is_alive() for worker in workers):
        text.xadd("events", {"stop": 1})
        time.sleep(0.02)
    assert sorted(int(number) for number, _ in seen) == list(range(300))
