// ioredis, in both protocols: what its users do beyond single commands.

"use strict";

const assert = require("node:assert/strict");
const { test, describe, beforeEach, after } = require("node:test");
const Redis = require("ioredis");
const { where, until, LIMIT_MS } = require("./server");

for (const protocol of [2, 3]) {
  describe(`RESP${protocol}`, { timeout: LIMIT_MS }, () => {
    const clients = [];
    const connect = (options) => {
      clients.push(new Redis({ ...where, protocol, ...options }));
      return clients.at(-1);
    };
    const r = connect();
    beforeEach(() => r.flushall());
    after(() => clients.forEach((client) => client.disconnect()));

    test("values, buffers, times to live", async () => {
      assert.equal(await r.set("key", "välue", "EX", 100), "OK");
      assert.equal(await r.get("key"), "välue");
      assert.deepEqual(await r.getBuffer("key"), Buffer.from("välue"));
      assert.ok((await r.ttl("key")) > 90);
      assert.equal(await r.set("key", "x", "NX"), null);
      assert.deepEqual(await r.mget("key", "none"), ["välue", null]);
      await assert.rejects(r.incr("key"), /ERR value is not an integer or out of range/);
    });

    test("hashes, lists, sets, sorted sets as JavaScript's own", async () => {
      assert.equal(await r.hset("hash", { name: "ann", age: 33 }), 2);
      assert.deepEqual(await r.hgetall("hash"), { name: "ann", age: "33" });
      assert.deepEqual(await r.hgetall("none"), {});
      assert.equal(await r.rpush("list", ...Array(1000).keys()), 1000);
      assert.deepEqual(await r.lrange("list", -2, -1), ["998", "999"]);
      assert.equal(await r.sadd("set", ["a", "b", "a"]), 2);
      assert.deepEqual((await r.smembers("set")).sort(), ["a", "b"]);
      assert.equal(await r.zadd("board", 1.5, "ann", 2, "bob"), 2);
      assert.deepEqual(await r.zrange("board", 0, -1, "WITHSCORES"), ["ann", "1.5", "bob", "2"]);
      assert.equal(await r.zscore("board", "ann"), "1.5");
    });

    test("a pipeline answers in order, errors in their places", async () => {
      const pipeline = r.pipeline();
      for (let number = 0; number < 500; number++) pipeline.set(`key:${number}`, number);
      pipeline.get("key:499").lpush("key:1", "x").incr("key:9");
      const replies = await pipeline.exec();
      assert.equal(replies.length, 503);
      assert.deepEqual(replies[500], [null, "499"]);
      assert.match(replies[501][0].message, /^WRONGTYPE/);
      assert.deepEqual(replies[502], [null, 10]);
    });

    test("a client that gathers its commands by itself", async () => {
      const gathering = connect({ enableAutoPipelining: true });
      const replies = await Promise.all(Array.from({ length: 300 }, () => gathering.incr("hits")));
      assert.deepEqual(replies.sort((a, b) => a - b), Array.from({ length: 300 }, (_, index) => index + 1));
    });

    test("a transaction, and one that a watched key ends", async () => {
      assert.deepEqual(await r.multi().set("a", 1).incr("a").hset("h", "f", 1).hgetall("h").exec(), [
        [null, "OK"],
        [null, 2],
        [null, 1],
        [null, { f: "1" }],
      ]);
      await r.watch("a");
      await connect().set("a", 10);
      assert.equal(await r.multi().incr("a").exec(), null);
      await assert.rejects(r.multi().set("only a key").exec(), /EXECABORT/);
      assert.equal(await r.get("a"), "10");
    });

    test("publish and subscribe, by name and by pattern", async () => {
      const listener = connect();
      const heard = [];
      listener.on("message", (channel, message) => heard.push([channel, message]));
      listener.on("pmessage", (pattern, channel, message) => heard.push([pattern, channel, message]));
      assert.equal(await listener.subscribe("news", "chat"), 2);
      assert.equal(await listener.psubscribe("n?ws"), 3);
      assert.equal(await r.publish("news", "hello"), 2);
      assert.equal(await r.publish("chat", "hi"), 1);
      await until(() => heard.length === 3);
      assert.deepEqual(heard.sort(), [["chat", "hi"], ["n?ws", "news", "hello"], ["news", "hello"]].sort());
      assert.equal(await listener.unsubscribe("news"), 2);
      assert.equal(await r.publish("news", "again"), 1);
    });

    test("events of keys", async () => {
      const listener = connect();
      await r.config("SET", "notify-keyspace-events", "KEA");
      const heard = [];
      listener.on("message", (channel, message) => heard.push(`${channel} ${message}`));
      await listener.subscribe("__keyspace@0__:key", "__keyevent@0__:expired");
      await r.set("key", 1, "PX", 20);
      await until(() => heard.length === 4);
      await r.config("SET", "notify-keyspace-events", "");
      assert.deepEqual(heard.sort(), [
        "__keyevent@0__:expired key",
        "__keyspace@0__:key expire",
        "__keyspace@0__:key expired",
        "__keyspace@0__:key set",
      ]);
    });

    test("commands of one's own in Lua", async () => {
      const client = connect();
      client.defineCommand("takeOne", {
        numberOfKeys: 1,
        lua: `
          local left = tonumber(redis.call("GET", KEYS[1]) or ARGV[1])
          if left == 0 then return {err = "EMPTY nothing left"} end
          redis.call("SET", KEYS[1], left - 1, "EX", ARGV[2])
          return {left - 1, redis.call("TTL", KEYS[1]), cjson.encode({left = left - 1})}`,
      });
      assert.deepEqual(await client.takeOne("stock", 2, 60), [1, 60, '{"left":1}']);
      // A pipeline sends EVALSHA of a script that the server may have lost.
      await r.script("FLUSH");
      const [[, reply], [error]] = await client.pipeline().takeOne("stock", 2, 60).takeOne("stock", 2, 60).exec();
      assert.deepEqual(reply, [0, 60, '{"left":0}']);
      assert.match(error.message, /^EMPTY nothing left/);
    });

    test("streams: adding, reading, waiting, groups", async () => {
      const reader = connect();
      const waited = reader.xread("BLOCK", LIMIT_MS, "STREAMS", "events", "$");
      await until(async () => (await r.client("LIST")).includes("cmd=xread "));
      const id = await r.xadd("events", "*", "kind", "login", "user", "7");
      assert.deepEqual(await waited, [["events", [[id, ["kind", "login", "user", "7"]]]]]);
      assert.equal(await r.xgroup("CREATE", "events", "mailers", "0"), "OK");
      const taken = await r.xreadgroup("GROUP", "mailers", "ann", "COUNT", 10, "STREAMS", "events", ">");
      assert.equal(taken[0][1][0][0], id);
      assert.deepEqual(await r.xpending("events", "mailers"), [1, id, id, [["ann", "1"]]]);
      assert.equal(await r.xack("events", "mailers", id), 1);
      assert.equal(await reader.xread("BLOCK", 20, "STREAMS", "events", "$"), null);
    });

    test("a waiting pop is woken, and others wait their turn", async () => {
      const [first, second] = [connect(), connect()];
      const pops = [first.blpop("jobs", 20)];
      await until(async () => (await r.client("LIST")).split("cmd=blpop ").length === 2);
      pops.push(second.blpop("jobs", 20));
      await until(async () => (await r.client("LIST")).split("cmd=blpop ").length === 3);
      await r.rpush("jobs", "a", "b");
      assert.deepEqual(await Promise.all(pops), [["jobs", "a"], ["jobs", "b"]]);
    });

    test("scans as streams of objects", async () => {
      const pipeline = r.pipeline();
      for (let number = 0; number < 2000; number++) pipeline.set(`scan:${number}`, number).hset("big", number, number);
      await pipeline.exec();
      const found = new Set();
      for await (const keys of r.scanStream({ match: "scan:*", count: 100 })) keys.forEach((key) => found.add(key));
      assert.equal(found.size, 2000);
      let pairs = 0;
      for await (const part of r.hscanStream("big", { count: 50 })) pairs += part.length;
      assert.equal(pairs, 4000);
    });

    test("another database, a name, a key prefix, the monitor", async () => {
      const other = connect({ db: 3, connectionName: "other", keyPrefix: "app:" });
      await other.set("key", "three");
      assert.equal(await r.get("app:key"), null);
      await r.select(3);
      assert.equal(await r.get("app:key"), "three");
      await r.select(0);
      assert.equal(await other.client("GETNAME"), "other");
      const monitor = await connect().monitor();
      const seen = new Promise((resolve) => monitor.on("monitor", (_, words) => resolve(words)));
      await r.set("watched", 1);
      assert.deepEqual(await seen, ["set", "watched", "1"]);
      monitor.disconnect();
    });

    test("a client whose connection is cut comes back by itself", async () => {
      const client = connect();
      const listener = connect();
      await listener.subscribe("news");
      let heard;
      listener.on("message", (_, message) => (heard = message));
      const id = await client.client("ID");
      await r.client("KILL", "TYPE", "pubsub");
      await r.client("KILL", "ID", id);
      assert.equal(await client.ping(), "PONG");
      assert.notEqual(await client.client("ID"), id);
      // The subscription comes back as well, a moment later.
      await until(async () => (await r.publish("news", "still here")) && heard);
      assert.equal(heard, "still here");
    });
  });
}
