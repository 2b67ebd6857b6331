#!/usr/bin/env python3
"""Runs redis-benchmark and a load of our own against redis-server and ennead in alternation; prints a Markdown table.

Both servers get the same work, the same durability and the same processors; each figure is the median of the runs, the
ratio is taken within one run of this script. CPU is what the server process used, in seconds per million operations:
with few processors the client shares them, and a server that uses less leaves it more.
"""
import argparse
import csv
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import time

import memory
from process import Server, client, load_generator
from report import Table, figure, machine, write_page

CONNECTIONS, VALUE_BYTES, RANDOM_KEYS = 50, 64, 100_000
# What redis-benchmark is given for each.
STRINGS = {"SET": ["-t", "set"], "GET": ["-t", "get"], "INCR": ["-t", "incr"], "MSET (10 keys)": ["-t", "mset"]}
# Fewer requests of these: each does much.
SLOW = ("MSET", "LRANGE", "EVAL")
FIVE = "local k = KEYS[1]; redis.call('SET', k, ARGV[1]); redis.call('INCR', k); redis.call('GET', k); " \
       "redis.call('EXPIRE', k, 100); return redis.call('TTL', k)"
STRUCTURES = {
    **{name: ["-t", name.lower()] for name in ("LPUSH", "RPUSH", "LPOP", "RPOP", "SADD", "HSET", "SPOP", "ZADD", "ZPOPMIN")},
    **{f"LRANGE_{count}": ["LRANGE", "range", "0", str(count - 1)] for count in (100, 300, 500, 600)},
    "ZRANK": ["ZRANK", "ranked", "m:__rand_int__"],
    "ZRANGE of 10": ["ZRANGE", "ranked", "__rand_int__", "+inf", "BYSCORE", "LIMIT", "0", "10"],
    "XADD": ["XADD", "stream", "MAXLEN", "~", "100000", "*", "field", "__rand_int__"],
    "XREADGROUP, 8 consumers": ["-r", "8", "XREADGROUP", "GROUP", "g", "c:__rand_int__", "COUNT", "1", "STREAMS", "filled", ">"],
    "EVAL of 5 commands": ["EVAL", FIVE, "1", "script:__rand_int__", "1"],
}


class RespServer(Server):
    """Either of the two."""

    def __init__(self, arguments, durability):
        self.durability = durability
        super().__init__(arguments)

    def answers(self):
        return answer(self.port, b"PING\r\n") == b"+PONG\r\n"

    def restart_until_get(self, key):
        """Stops it, starts it again on its data; seconds until a GET of `key` gives its value."""
        def found():
            reply = answer(self.port, b"GET " + key + b"\r\n")
            return reply.startswith(b"$") and not reply.startswith(b"$-1")

        return self.restart_until(found)


class Redis(RespServer):
    name = "redis"

    def command(self):
        sync = {"everysec": "everysec", "always": "always", "none": "no"}[self.durability]
        # No rewrite of the append-only file of its own choice within a measurement.
        return ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--dir", self.folder, "--save", "",
                "--appendonly", "yes", "--appendfsync", sync, "--auto-aof-rewrite-percentage", "0",
                "--loglevel", "warning"]

    def background_work(self):
        answer(self.port, b"BGREWRITEAOF\r\n")


class Volatile(Redis):
    """A redis-server that keeps nothing on disk."""

    def command(self):
        return [*super().command(), "--appendonly", "no"]


class Ennead(RespServer):
    name = "ennead"

    def command(self):
        return [self.arguments.binary, "serve", "--data", os.path.join(self.folder, "data"), "--resp",
                f"127.0.0.1:{self.port}", "--http", "off", "--grpc", "off", "--durability", self.durability,
                *[word for setting in self.arguments.set for word in ("--set", setting)]]

    def background_work(self):
        """Nothing to ask for: the fill before it has left memtables to flush, and the load makes more."""


def answer(port, request):
    """The first bytes of the reply to one inline request; empty when there is nobody."""
    try:
        with socket.create_connection(("127.0.0.1", port), 5) as connection:
            connection.settimeout(60)
            connection.sendall(request)
            return connection.recv(4096)
    except OSError:
        return b""


def redis_benchmark(arguments, server, command, pipeline, requests):
    """Requests a second, and the server's CPU seconds per million requests."""
    before = server.cpu_s()
    output = client(arguments, "redis-benchmark", "-p", server.port, "-c", CONNECTIONS, "-d", VALUE_BYTES, "-r", RANDOM_KEYS,
                    "-n", requests, "-P", pipeline, "--csv", *command)
    cpu = server.cpu_s() - before
    row = list(csv.reader(output.strip().splitlines()))[-1]
    return float(row[1]), cpu / requests * 1e6


def pair(arguments, durability):
    return [Redis(arguments, durability), Ennead(arguments, durability)]


def fill(arguments, server):
    """What the commands of STRUCTURES read."""
    members = arguments.keys
    run = lambda *words: client(arguments, "redis-benchmark", "-p", server.port, "-q", *words)
    run("-n", 600, "-P", 100, "RPUSH", "range", "x" * VALUE_BYTES)
    run("-n", members, "-r", members, "-P", 100, "ZADD", "ranked", "__rand_int__", "m:__rand_int__")
    run("-n", members // 2, "-P", 100, "XADD", "filled", "*", "field", "value")
    answer(server.port, b"XGROUP CREATE filled g 0\r\n")


def alternate(arguments, servers, measure):
    """Operations a second, and CPU seconds per million of them, of all runs by the server's name. `measure` takes a server and the
    share of the work to do."""
    speed, cpu = {server.name: [] for server in servers}, {server.name: [] for server in servers}
    for run in range(arguments.runs + 1):
        # Who goes first alternates; the first run only fills and warms.
        for server in servers if run % 2 else servers[::-1]:
            rate, used = measure(server, 1 if run else 0.25)
            if run:
                speed[server.name].append(rate)
                cpu[server.name].append(used)
    return speed, cpu


def throughput(arguments, table, durability, commands, pipelines):
    servers = pair(arguments, durability)
    if commands is STRUCTURES:
        for server in servers:
            fill(arguments, server)
        time.sleep(arguments.settle)
    for pipeline, (must, aim, cpu_aim) in pipelines.items():
        for title, command in commands.items():
            requests = int(arguments.requests * (pipeline ** 0.5 if pipeline > 1 else 1) * (0.3 if title.startswith(SLOW) else 1))
            run = lambda server, share: redis_benchmark(arguments, server, command, pipeline, max(1000, int(requests * share)))
            speed, cpu = alternate(arguments, servers, run)
            how = f"{title}, {durability}, " + (f"pipeline {pipeline}" if pipeline > 1 else "no pipeline")
            table.ratio(how, "/s", speed["redis"], speed["ennead"], must, aim)
            table.ratio(f"{how}: CPU", "s/M", cpu["redis"], cpu["ennead"], None, cpu_aim, more_is_better=False)
    for server in servers:
        server.stop()


def publish(arguments, table):
    """PUBLISH by 10 connections to one channel until its 100 subscribers have each message."""
    subscribers, publishers = 100, 10
    servers = pair(arguments, "everysec")
    each = max(100, arguments.requests // 50)

    def run(server, share):
        before, count = server.cpu_s(), max(100, int(each * share))
        seconds, = load(arguments, "published", server.port, subscribers, publishers, count, VALUE_BYTES)
        return count * publishers / seconds, (server.cpu_s() - before) / (count * publishers) * 1e6

    speed, cpu = alternate(arguments, servers, run)
    title = f"PUBLISH to {subscribers} subscribers, {publishers} connections"
    table.ratio(title, "/s", speed["redis"], speed["ennead"], 1.0)
    table.ratio(f"{title}: CPU", "s/M", cpu["redis"], cpu["ennead"], more_is_better=False)
    for server in servers:
        server.stop()


def load(arguments, *words):
    return [float(word) for word in client(arguments, arguments.load, *words).split()]


def size_and_start(arguments, table):
    """Fills both servers, then measures memory, latency beside a flush, and the start on that data."""
    keys = arguments.keys
    label = f"{keys / 1e6:g} M keys of 16 B, values of 64 B"
    figures = {}
    for kind in (Redis, Ennead):
        server = kind(arguments, "everysec")
        seconds, = load(arguments, "fill", server.port, keys, VALUE_BYTES)
        at_once = server.resident_bytes()
        time.sleep(arguments.settle)
        figures[kind] = {"fill": keys / seconds, "full": at_once, "resident": server.resident_bytes(), "server": server}
        if kind is Redis:
            # Two filled servers do not disturb each other, but two that flush would.
            server.process.send_signal(signal.SIGSTOP)
    figures[Redis]["server"].process.send_signal(signal.SIGCONT)
    column = lambda name: ([figures[Redis][name]], [figures[Ennead][name]])
    scaled = lambda name, by: tuple([figure[0] / by] for figure in column(name))
    table.ratio(f"filling with SET, one connection, pipeline 500: {label}", "/s", *column("fill"))
    table.ratio(f"resident memory at once, {label}", "B/key", *scaled("full", keys), more_is_better=False)
    table.ratio(f"resident memory {arguments.settle} s after, {label}", "B/key", *scaled("resident", keys), 1.0, 0.8,
                more_is_better=False)
    latency(arguments, table, [figures[kind]["server"] for kind in (Redis, Ennead)])
    start_s = {}
    for kind in (Redis, Ennead):
        server = figures[kind]["server"]
        runs = [server.restart_until_get(b"key:%012d" % (keys // 2)) for _ in range(arguments.starts)]
        start_s[kind] = runs
        server.stop()
    table.absolute(f"start with {keys / 1e6:g} M keys until the first GET is answered", "s", start_s[Redis],
                   start_s[Ennead], 1.0, 0.2)


def footprint(arguments, table):
    """Resident memory of small collections and of a large one, against a redis-server that has no log to keep."""
    for title, commands, count in memory.SHAPES:
        if arguments.shape not in title:
            continue
        count = max(1000, int(count * arguments.memory_share))
        found = {}
        for kind in (Volatile, Ennead):
            server = kind(arguments, "everysec")
            memory.fill(server.port, commands(count), count)
            at_once = server.resident_bytes() / 1e6
            time.sleep(arguments.settle)
            found[kind] = (at_once, server.resident_bytes() / 1e6)
            server.stop()
        for when, must in enumerate((None, 1.0)):
            after = f"{arguments.settle} s after" if when else "at once"
            table.ratio(f"resident memory {after}, {count / 1e6:g} M {title}, redis-server without AOF", "MB",
                        [found[Volatile][when]], [found[Ennead][when]], must, more_is_better=False)


def latency(arguments, table, servers):
    """SET at half the peak load, while one flushes and the other rewrites its file."""
    keys, seconds = arguments.keys, arguments.latency_s
    found = {}
    # What nobody on this machine can be better than.
    longest, _ = load(arguments, "stops", os.path.join(servers[0].folder, "stops"), 1000)
    table.add("the machine itself, while 1 GB is written: longest stop of a program that only reads the clock", "",
              f"{figure(longest / 1000)} ms", "", "", "", None)
    for server in servers:
        peak, = load(arguments, "peak", server.port, 2 if arguments.quick else 5, CONNECTIONS, keys, VALUE_BYTES)
        server.background_work()
        count, *micros = load(arguments, "rate", server.port, int(peak / 2), seconds, 8, keys, VALUE_BYTES)
        found[server.name] = (peak / 2, [value / 1000 for value in micros])
    at = lambda which: ([found["redis"][1][which]], [found["ennead"][1][which]])
    rates = " and ".join(f"{figure(found[name][0])}/s" for name in ("redis", "ennead"))
    title = f"SET at half the peak ({rates}) during a rewrite or flush"
    table.ratio(f"{title}: p50", "ms", *at(0), more_is_better=False)
    table.ratio(f"{title}: p99", "ms", *at(1), more_is_better=False)
    table.absolute(f"{title}: p99.9", "ms", *at(2), 10, 3)
    table.ratio(f"{title}: longest", "ms", *at(3), more_is_better=False)


def idle(arguments, table):
    start_ms, resident, cpu = {}, {}, {}
    for kind in (Redis, Ennead):
        server = kind(arguments, "everysec")
        starts = [server.start_s * 1000]
        for _ in range(arguments.starts):
            server.terminate()
            server.start()
            starts.append(server.start_s * 1000)
        time.sleep(2)
        before, begun = server.cpu_s(), time.perf_counter()
        time.sleep(arguments.idle_s)
        cpu[kind] = [100 * (server.cpu_s() - before) / (time.perf_counter() - begun)]
        resident[kind] = [server.resident_bytes() / 1e6]
        start_ms[kind] = starts
        server.stop()
    table.absolute("idle: resident memory", "MB", resident[Redis], resident[Ennead], 25, 12)
    table.absolute("idle: start until PING is answered", "ms", start_ms[Redis], start_ms[Ennead], 100, 30)
    table.absolute("idle: CPU", "%", cpu[Redis], cpu[Ennead], 0.5, None)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", default=os.environ.get("ENNEAD_BINARY"), help="the release build of ennead")
    parser.add_argument("--load", help="the load generator; default: beside the binary")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--requests", type=int, default=200_000, help="of one redis-benchmark without pipeline")
    parser.add_argument("--keys", type=int, default=5_000_000, help="for memory, start and latency")
    parser.add_argument("--quick", action="store_true", help="about a minute: one run, fewer requests and keys")
    parser.add_argument("--only", default="", help="of: throughput, structures, publish, always, size, memory, idle; separated by commas")
    parser.add_argument("--shape", default="", help="of memory: only what has this in its name")
    parser.add_argument("--pin-server", help="processors of both servers, as taskset takes them")
    parser.add_argument("--pin-client", help="processors of the clients")
    parser.add_argument("--folder", help="where the data goes; default: the temporary folder")
    parser.add_argument("--set", action="append", default=[], help="a setting of ennead, section.key=value")
    parser.add_argument("--write", action="store_true", help="write the table into docs/benchmarks.md")
    arguments = parser.parse_args()
    if not arguments.binary:
        parser.error("--binary or ENNEAD_BINARY names the release build of ennead; `make bench-redis` does it all")
    quick = arguments.quick
    arguments.runs = 1 if quick else arguments.runs
    arguments.requests = min(arguments.requests, 40_000) if quick else arguments.requests
    arguments.keys = min(arguments.keys, 500_000) if quick else arguments.keys
    arguments.settle, arguments.starts = (2, 1) if quick else (15, 3)
    arguments.memory_share = 0.1 if quick else 1
    arguments.latency_s, arguments.idle_s = (4, 3) if quick else (20, 20)
    arguments.load = arguments.load or load_generator(arguments.binary)
    return arguments


def main():
    arguments = parse_arguments()
    table = Table("redis-server")
    wanted = lambda name: not arguments.only or name in arguments.only.split(",")
    if wanted("throughput"):
        throughput(arguments, table, "everysec", STRINGS, {1: (1.0, None, 0.7), 16: (1.5, 3.0, None)})
    if wanted("structures"):
        throughput(arguments, table, "everysec", STRUCTURES, {1: (1.0, 2.0, None), 16: (1.5, 2.0, None)})
    if wanted("publish"):
        publish(arguments, table)
    if wanted("always"):
        throughput(arguments, table, "always", {"SET": ["-t", "set"]}, {1: (1.0, 2.0, None), 16: (1.0, 2.0, None)})
    if wanted("size"):
        size_and_start(arguments, table)
    if wanted("memory"):
        footprint(arguments, table)
    if wanted("idle"):
        idle(arguments, table)
    redis = re.search(r"v=([\d.]+)", subprocess.run(["redis-server", "--version"], capture_output=True, text=True).stdout)[1]
    section = (f"## Against redis-server\n\n{machine(arguments, f'redis-server {redis} with AOF')}; median of {arguments.runs} runs of "
               f"{arguments.requests} requests, {CONNECTIONS} connections, values of {VALUE_BYTES} B, {RANDOM_KEYS} random keys.\n\n"
               f"{table.markdown()}\n")
    print("\n" + section)
    if arguments.write:
        write_page("redis", section)


main()
