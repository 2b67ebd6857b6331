"""Publish and subscribe as applications use it: chat rooms, feeds by pattern, workers that wait for news."""

import asyncio
import json
import threading

import pytest
import redis
import redis.asyncio


def next_message(pubsub, timeout=30):
    """The next message that is no answer to a subscription."""
    message = pubsub.get_message(ignore_subscribe_messages=True, timeout=timeout)
    while message is None:
        message = pubsub.get_message(ignore_subscribe_messages=True, timeout=timeout)
    return message


def subscribed(pubsub, count):
    """Reads the answers to so many subscriptions."""
    answers = [pubsub.get_message(timeout=30) for _ in range(count)]
    assert all(answer["type"].endswith("subscribe") for answer in answers), answers
    return answers


def test_chat_room(server, text):
    rooms = []
    for _ in range(3):
        member = text.pubsub()
        member.subscribe("room:42")
        subscribed(member, 1)
        rooms.append(member)
    assert text.pubsub_numsub("room:42") == [("room:42", 3)]
    said = [{"from": "ann", "text": "Grüß dich"}, {"from": "bob", "text": "hi"}, {"from": "ann", "text": "bye"}]
    for line in said:
        assert text.publish("room:42", json.dumps(line)) == 3
    for member in rooms:
        heard = [next_message(member) for _ in said]
        assert [json.loads(message["data"]) for message in heard] == said
        assert {message["channel"] for message in heard} == {"room:42"}
    rooms[0].unsubscribe("room:42")
    subscribed(rooms[0], 1)
    assert text.publish("room:42", "x") == 2
    for member in rooms:
        member.close()
    while text.pubsub_channels("room:*"):
        pass
    assert text.publish("room:42", "nobody") == 0


def test_patterns_and_channels_together(text):
    pubsub = text.pubsub()
    pubsub.psubscribe("news.*", "*.sport")
    pubsub.subscribe("news.sport")
    assert [answer["data"] for answer in subscribed(pubsub, 3)] == [1, 2, 3]
    assert text.pubsub_numpat() == 2
    assert text.publish("news.sport", "goal") == 3
    heard = [next_message(pubsub) for _ in range(3)]
    assert sorted((message["type"], message["pattern"] or "") for message in heard) == [
        ("message", ""),
        ("pmessage", "*.sport"),
        ("pmessage", "news.*"),
    ]
    assert {message["data"] for message in heard} == {"goal"}
    pubsub.close()


def test_handlers_in_a_thread(text):
    heard = []
    enough = threading.Event()

    def on_message(message):
        heard.append(message["data"])
        if len(heard) == 100:
            enough.set()

    pubsub = text.pubsub()
    pubsub.subscribe(**{"jobs": on_message})
    subscribed(pubsub, 1)
    thread = pubsub.run_in_thread(sleep_time=0.01, daemon=True)
    with text.pipeline(transaction=False) as pipeline:
        for number in range(100):
            pipeline.publish("jobs", number)
        assert pipeline.execute() == [1] * 100
    assert enough.wait(30)
    thread.stop()
    thread.join()
    assert heard == [str(number) for number in range(100)]


def test_ping_and_other_commands_while_subscribed(server):
    for protocol in (2, 3):
        client = server.client(protocol=protocol, decode_responses=True)
        pubsub = client.pubsub()
        pubsub.subscribe("c")
        subscribed(pubsub, 1)
        # In RESP3 redis-py takes the answer apart letter by letter when it decodes replies, whatever the server is.
        if protocol == 2:
            pubsub.ping("hello")
            assert pubsub.get_message(timeout=30)["data"] == "hello"
        connection = pubsub.connection
        connection.send_command("GET", "nothing")
        if protocol == 2:
            with pytest.raises(redis.ResponseError, match="Can't execute 'get'"):
                connection.read_response()
        else:
            assert connection.read_response() is None
        pubsub.close()
        client.close()


def test_published_in_a_transaction(text):
    pubsub = text.pubsub()
    pubsub.subscribe("changes")
    subscribed(pubsub, 1)
    with text.pipeline(transaction=True) as pipeline:
        pipeline.set("state", "new")
        pipeline.publish("changes", "state")
        assert pipeline.execute() == [True, 1]
    assert next_message(pubsub)["data"] == "state"
    assert text.get("state") == "new"
    pubsub.close()


def test_shard_channels(server):
    client = server.client(protocol=3, decode_responses=True)
    connection = client.connection_pool.get_connection()
    connection.send_command("SSUBSCRIBE", "orders")
    assert connection.read_response(push_request=True) == ["ssubscribe", "orders", 1]
    assert client.execute_command("SPUBLISH", "orders", "one") == 1
    assert connection.read_response(push_request=True) == ["smessage", "orders", "one"]
    assert client.execute_command("PUBLISH", "orders", "two") == 0
    connection.disconnect()
    client.close()


def test_many_listeners_of_asyncio(server):
    async def listen(client, count):
        async with client.pubsub() as pubsub:
            await pubsub.subscribe("ticks")
            heard = []
            async for message in pubsub.listen():
                if message["type"] == "subscribe":
                    ready.release()
                else:
                    heard.append(int(message["data"]))
                    if len(heard) == count:
                        return heard

    async def run():
        client = redis.asyncio.Redis(port=server.port, max_connections=200)
        tasks = [asyncio.create_task(listen(client, 50)) for _ in range(100)]
        for _ in tasks:
            await ready.acquire()
        for number in range(50):
            assert await client.publish("ticks", number) == 100
        for heard in await asyncio.gather(*tasks):
            assert heard == list(range(50))
        await client.aclose()

    ready = asyncio.Semaphore(0)
    asyncio.run(run())
