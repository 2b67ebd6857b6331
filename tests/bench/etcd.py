#!/usr/bin/env python3
"""Runs etcd's own load generator, and what that lacks, against etcd and ennead in alternation; prints a Markdown table.

Both servers get the same work on the same disk and the same processors, and sync every write; each figure is the median of
the runs, the ratio is taken within one run of this script. CPU is what the server process used per operation: with few
processors the client shares them, and a server that uses less leaves it more.
"""
import argparse
import os
import pathlib
import re
import subprocess
import time

from grpc_call import count_of, varint
from grpc_watch import Watches
from process import Server, client, load_generator
from report import ROOT, Table, machine, write_page

VALUE_BYTES, KEY_BYTES, KEYS = 256, 16, 100_000
READ_KEY = "read by every range"
# A database larger than the default quota of etcd.
QUOTA_BYTES = 8 << 30
# What an idle watcher may take.
WATCHER_BYTES = 2048


class Keeper(Server):
    """Either of the two."""

    def answers(self):
        return count_of(self.port, b"no such key") is not None

    def benchmark(self, *words, clients, conns=None):
        """What etcd's load generator prints."""
        program = os.path.join(self.arguments.etcd, "benchmark")
        return client(self.arguments, program, "--endpoints", f"127.0.0.1:{self.port}", "--clients", clients, "--conns",
                      conns or clients, *words)

    def counted(self, connections, each, events, key):
        """Watchers that count what they are told of a key while 20 clients put it; events in all, and seconds."""
        words = [self.arguments.load_generator, "watchers", self.port, connections, each, events, key]
        pin = ["taskset", "-c", self.arguments.pin_client] if self.arguments.pin_client else []
        with subprocess.Popen(pin + [str(word) for word in words], stdout=subprocess.PIPE, text=True) as watchers:
            if watchers.stdout.readline() != "ready\n":
                raise SystemExit("the watchers did not begin")
            self.benchmark("put", "--total", events, "--key-size", KEY_BYTES, "--val-size", VALUE_BYTES, "--key-space-size", 1,
                           "--sequential-keys", clients=20)
            told, seconds = watchers.stdout.readline().split()
        return int(told), float(seconds)

    def swap(self, total, clients):
        program = os.path.join(self.arguments.etcd, "swap")
        return client(self.arguments, program, "-endpoint", f"127.0.0.1:{self.port}", "-clients", clients, "-conns", clients,
                      "-total", total, "-val-size", VALUE_BYTES)


class Etcd(Keeper):
    name = "etcd"

    def command(self):
        url = f"http://127.0.0.1:{self.port}"
        return [os.path.join(self.arguments.etcd, "etcd"), "--data-dir", os.path.join(self.folder, "data"), "--listen-client-urls",
                url, "--advertise-client-urls", url, "--listen-peer-urls", "http://127.0.0.1:0", "--log-level", "warn",
                "--quota-backend-bytes", str(QUOTA_BYTES)]


class Ennead(Keeper):
    name = "ennead"

    def command(self):
        return [self.arguments.binary, "serve", "--data", os.path.join(self.folder, "data"), "--resp", "off", "--http", "off",
                "--grpc", f"127.0.0.1:{self.port}", *[word for setting in self.arguments.set for word in ("--set", setting)]]


def rate_and_p99(output):
    """Of the last summary: operations a second, and the slowest hundredth in milliseconds."""
    rates = re.findall(r"Requests/sec:\s+([\d.]+)", output)
    p99 = re.findall(r"99% in ([\d.]+) secs", output)
    if not rates or "Error distribution" in output:
        raise SystemExit(f"the load generator reports errors:\n{output[-2000:]}")
    return float(rates[-1]), float(p99[-1]) * 1000 if p99 else 0.0


def put(clients):
    def run(server, total):
        return *rate_and_p99(server.benchmark("put", "--total", total, "--val-size", VALUE_BYTES, "--key-size", KEY_BYTES,
                                              "--key-space-size", KEYS, clients=clients)), total

    return run


def one_key_range(consistency):
    def run(server, total):
        return *rate_and_p99(server.benchmark("range", READ_KEY, "--total", total, "--consistency", consistency, clients=100)), total

    return run


def swap(server, total):
    return *rate_and_p99(server.swap(total, clients=100)), total


def watched_keys(streams, keys):
    """100 watchers on each stream; an event is one that a watcher got."""
    def run(server, total):
        watchers = streams * 100
        puts = max(10, total * keys // watchers)
        rate, _ = rate_and_p99(server.benchmark("watch", "--streams", streams, "--watch-per-stream", 100, "--watched-key-total", keys,
                                                "--key-space-size", keys, "--sequential-keys", "--put-total", puts, clients=20))
        return rate, None, puts * watchers // keys

    return run


def counted(connections):
    """The same of one key, by a client that does not decode what it counts."""
    def run(server, total):
        told, seconds = server.counted(connections, 100, max(10, total // connections // 100), key_at(0).hex())
        return told / seconds, None, told

    return run


def key_at(number):
    """The key that etcd's generator writes for a number with --sequential-keys: a zig-zag varint, padded."""
    return varint(number * 2).ljust(KEY_BYTES, b"\0")


# Title, run, share of --requests, what the issue asks of the rate. A run gives operations a second, the slowest hundredth in
# milliseconds where that is measured, and the number of operations.
LOADS = [
    ("put 256 B, 1 client", put(1), 0.05, 1.5),
    ("put 256 B, 100 clients", put(100), 1, 2.0),
    ("linearizable range, 100 clients", one_key_range("l"), 1, 1.5),
    ("serializable range, 100 clients", one_key_range("s"), 1, 1.5),
    ("compare-and-swap, 100 clients", swap, 1, 2.0),
    ("events to 1,000 watchers of one key", watched_keys(10, 1), 10, 1.5),
    ("events to 1,000 watchers of one key, counted without decoding", counted(10), 50, 1.5),
    ("events to 10,000 watchers of one key", watched_keys(100, 1), 10, None),
    ("events to 10,000 watchers of one key, counted without decoding", counted(100), 50, None),
    ("events to 10,000 watchers of 10,000 keys", watched_keys(100, 10_000), 0.2, None),
]


def throughput(arguments, table):
    servers = [Etcd(arguments), Ennead(arguments)]
    for server in servers:
        server.benchmark("put", "--sequential-keys", "--total", KEYS // 10, "--key-size", KEY_BYTES, "--val-size", VALUE_BYTES,
                         "--key-space-size", KEYS, clients=100)
        client(arguments, os.path.join(arguments.etcd, "etcdctl"), "--endpoints", f"127.0.0.1:{server.port}", "put", READ_KEY,
               "v" * VALUE_BYTES)
    for title, load, share, must in LOADS:
        if arguments.load and arguments.load not in title:
            continue
        figures = {server.name: [] for server in servers}
        total = max(200, int(arguments.requests * share))
        for run in range(arguments.runs + 1):
            # Who goes first alternates; the first run only warms.
            for server in servers if run % 2 else servers[::-1]:
                before = server.cpu_s()
                rate, p99, operations = load(server, total if run else max(200, total // 5))
                if run:
                    figures[server.name].append((rate, p99, (server.cpu_s() - before) / operations * 1e6))
        column = lambda which: [[run[which] for run in figures[server.name]] for server in servers]
        table.ratio(title, "/s", *column(0), must)
        if None not in column(1)[0]:
            table.ratio(f"{title}: p99", "ms", *column(1), 1.0, more_is_better=False)
        table.ratio(f"{title}: CPU of the server", "us/op", *column(2), more_is_better=False)
    for server in servers:
        server.stop()


def size_and_start(arguments, table):
    """Memory with many keys, and the start with them."""
    count = arguments.keys
    label = f"{count / 1e6:g} M keys of {KEY_BYTES} B, values of {VALUE_BYTES} B"
    fill, resident, start = {}, {}, {}
    for kind in (Etcd, Ennead):
        server = kind(arguments)
        output = server.benchmark("put", "--sequential-keys", "--total", count, "--key-size", KEY_BYTES, "--val-size", VALUE_BYTES,
                                  "--key-space-size", count, clients=1000, conns=100)
        fill[kind] = rate_and_p99(output)[0]
        time.sleep(arguments.settle)
        resident[kind] = server.resident_bytes() / 1e6
        there = lambda: count_of(server.port, key_at(count // 2)) == 1
        start[kind] = [server.restart_until(there) for _ in range(arguments.starts)]
        held = count_of(server.port, b"\0", b"\0")
        if held != count:
            raise SystemExit(f"{server.name} holds {held} of {count} keys after a start")
        time.sleep(arguments.settle)
        resident[kind, "again"] = server.resident_bytes() / 1e6
        server.stop()
    pair = lambda figures, key=None: ([figures[Etcd, key] if key else figures[Etcd]], [figures[Ennead, key] if key else figures[Ennead]])
    table.ratio(f"filling, 1,000 clients: {label}", "/s", *pair(fill))
    table.ratio(f"resident memory, {label}", "MB", *pair(resident), 0.7, more_is_better=False)
    table.ratio("resident memory after a start on them", "MB", *pair(resident, "again"), more_is_better=False)
    table.ratio("start on them until a key is answered", "s", start[Etcd], start[Ennead], 0.5, more_is_better=False)


def idle(arguments, table):
    resident, start_ms = {}, {}
    for kind in (Etcd, Ennead):
        server = kind(arguments)
        start_ms[kind] = [server.start_s * 1000]
        time.sleep(2)
        resident[kind] = [server.resident_bytes() / 1e6]
        server.stop()
    table.ratio("empty: resident memory", "MB", resident[Etcd], resident[Ennead], more_is_better=False)
    table.ratio("empty: first start until an answer", "ms", start_ms[Etcd], start_ms[Ennead], more_is_better=False)


def watchers(arguments, table):
    """Memory for each of 10,000 watchers that nothing happens to, on 100 connections."""
    count, connections = 10_000, 100
    numbered = lambda number: b"watched/%08d" % number
    loads = {"of one prefix": lambda number: (b"watched/", b"watched0"), "of as many keys": lambda number: (numbered(number), b"")}
    for title, span in loads.items():
        each = {}
        for kind in (Etcd, Ennead):
            server = kind(arguments)
            # Connections cost as well, and are not what is measured.
            held = [Watches(server.port, [span(0)]) for _ in range(connections)]
            time.sleep(arguments.settle)
            before = server.resident_bytes()
            for at in range(connections):
                spans = [span(number) for number in range(at, count, connections)]
                held.append(Watches(server.port, spans))
                held.pop(0).close()
            time.sleep(arguments.settle)
            each[kind] = (server.resident_bytes() - before) / count
            for watches in held:
                watches.close()
            server.stop()
        table.absolute(f"memory of each of 10,000 idle watchers {title}", "B", [each[Etcd]], [each[Ennead]], WATCHER_BYTES, None)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", default=os.environ.get("ENNEAD_BINARY"), help="the release build of ennead")
    parser.add_argument("--etcd", default=os.environ.get("ENNEAD_ETCD"), help="the folder of etcd and its load generators")
    parser.add_argument("--load-generator", help="what etcd's lacks; default: beside the binary")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--requests", type=int, default=100_000, help="of a load with 100 clients")
    parser.add_argument("--keys", type=int, default=1_000_000, help="for memory and start")
    parser.add_argument("--quick", action="store_true", help="about two minutes: one run, fewer requests and keys")
    parser.add_argument("--only", default="", help="of: throughput, size, watchers, idle; separated by commas")
    parser.add_argument("--load", default="", help="of throughput, the loads whose title contains this")
    parser.add_argument("--pin-server", help="processors of both servers, as taskset takes them")
    parser.add_argument("--pin-client", help="processors of the clients")
    parser.add_argument("--folder", help="where the data goes; default: the temporary folder")
    parser.add_argument("--set", action="append", default=[], help="a setting of ennead, section.key=value")
    parser.add_argument("--write", action="store_true", help="write the table into docs/benchmarks.md")
    arguments = parser.parse_args()
    if not arguments.binary or not arguments.etcd:
        parser.error("ENNEAD_BINARY and ENNEAD_ETCD say where both are; `make bench-etcd` does it all")
    for program in ("etcd", "benchmark", "swap"):
        if not os.access(os.path.join(arguments.etcd, program), os.X_OK):
            parser.error(f"{arguments.etcd} has no {program}: the load generators are built from Go modules, so Go is needed")
    if arguments.quick:
        arguments.runs, arguments.requests, arguments.keys = 1, min(arguments.requests, 20_000), min(arguments.keys, 100_000)
    arguments.load_generator = arguments.load_generator or load_generator(arguments.binary)
    arguments.settle, arguments.starts = (2, 1) if arguments.quick else (15, 3)
    return arguments


def main():
    arguments = parse_arguments()
    table = Table("etcd")
    wanted = lambda name: not arguments.only or name in arguments.only.split(",")
    if wanted("throughput"):
        throughput(arguments, table)
    if wanted("size"):
        size_and_start(arguments, table)
    if wanted("watchers"):
        watchers(arguments, table)
    if wanted("idle"):
        idle(arguments, table)
    version = subprocess.run([os.path.join(arguments.etcd, "etcd"), "--version"], capture_output=True, text=True).stdout
    peer = "etcd " + version.split("\n")[0].split()[-1]
    section = (f"## Against etcd\n\n{machine(arguments, peer)}; every write synced by both; median of {arguments.runs} runs of "
               f"{arguments.requests} requests, {KEYS} keys, values of {VALUE_BYTES} B.\n\n{table.markdown()}\n")
    print("\n" + section)
    if arguments.write:
        write_page("etcd", section)


main()
