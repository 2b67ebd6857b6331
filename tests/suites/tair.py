#!/usr/bin/env python3
"""Runs Tair's compatibility suite for Redis against ennead, and compares with a baseline.

The suite is one file of cases, each some commands with the replies of Redis, from which version on. It is not part of this
repository: it is fetched from where it is published, at one commit, into the cache. Cases for clusters and for versions
newer than --version are left out. The baseline, tests/baselines/tair-cts.json, holds the names of the cases that pass; a run
that loses one fails, and --update adds new ones. It may only grow. The server is emptied before each case.

  tair.py --binary target/release/ennead               start ennead for the run
  tair.py --port 6379                                  take a server that already listens
  tair.py --binary ... --suite cts.json                take the cases from a file
"""
import argparse
import collections
import hashlib
import json
import os
import pathlib
import socket
import sys
import urllib.request

from server import Ennead

ROOT = pathlib.Path(__file__).resolve().parents[2]
BASELINE = ROOT / "tests" / "baselines" / "tair-cts.json"
COMMIT = "61e7e08583de3a45bbb79507f5ce77fa99f87dd3"
SHA256 = "cdecead384a73913abd35428ced15ddc313505a8acb77f13a455d129cad2a94a"
SOURCE = f"https://raw.githubusercontent.com/tair-opensource/compatibility-test-suite-for-redis/{COMMIT}/cts.json"
ESCAPES = {"n": 10, "r": 13, "t": 9, "a": 7, "b": 8}


def fetch():
    """The file of cases, from the cache or from where it is published."""
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache"), "ennead", "suites", "tair")
    file = cache / f"cts-{COMMIT[:12]}.json"
    if not file.exists():
        cache.mkdir(parents=True, exist_ok=True)
        draft = file.with_suffix(".draft")
        try:
            with urllib.request.urlopen(SOURCE, timeout=60) as response:
                draft.write_bytes(response.read())
        except OSError as error:
            sys.exit(f"{SOURCE} cannot be fetched ({error}); name the file of cases by --suite")
        draft.rename(file)
    if hashlib.sha256(file.read_bytes()).hexdigest() != SHA256:
        sys.exit(f"{file} is not what was expected; delete it to have it fetched again")
    return file


class Failure(Exception):
    """An error reply."""


class Client:
    """Speaks RESP2; texts are UTF-8."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), 10)
        self.socket.settimeout(30)
        self.input = self.socket.makefile("rb")

    def call(self, *words):
        request = b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words)
        self.socket.sendall(request)
        reply = self.reply()
        if isinstance(reply, Failure):
            raise reply
        return reply

    def reply(self):
        line = self.input.readline()
        if not line.endswith(b"\r\n"):
            raise ConnectionError("the connection is closed")
        kind, text = line[:1], line[1:-2]
        if kind == b"+":
            return text.decode()
        if kind == b"-":
            return Failure(text.decode())
        if kind == b":":
            return int(text)
        if kind == b"$":
            return None if text == b"-1" else self.input.read(int(text) + 2)[:-2].decode()
        if kind == b"*":
            return None if text == b"-1" else [self.reply() for _ in range(int(text))]
        raise ConnectionError(f"no reply: {line!r}")


def unescaped(command):
    """Bytes of a command in which letters behind a backslash stand for them."""
    result, letters = bytearray(), iter(command)
    for letter in letters:
        if letter != "\\":
            result.append(ord(letter))
            continue
        letter = next(letters)
        if letter == "x":
            result.append(int(next(letters) + next(letters), 16))
        else:
            result.append(ESCAPES.get(letter, ord(letter)))
    return bytes(result)


def words(command):
    """Parts between blanks that stand outside of quotation marks, which belong to none."""
    parts, quoted = [b""], False
    for byte in command:
        if byte == ord('"'):
            quoted = not quoted
        elif byte == ord(" ") and not quoted:
            parts.append(b"")
        else:
            parts[-1] += bytes([byte])
    return parts


def ordered(reply):
    """Of lists that hold no lists the order does not matter."""
    if any(isinstance(item, list) for item in reply):
        return [ordered(item) if isinstance(item, list) else item for item in reply]
    return sorted(reply)


def problem(port, case):
    """What is wrong with the answers to a case, if anything. It has a connection of its own: some leave it subscribed."""
    client = Client(port)
    client.call(b"FLUSHALL")
    for command, expected in zip(case["command"], case["result"]):
        command = unescaped(command) if "command_binary" in case else command.encode()
        try:
            reply = client.call(*words(command))
        except Failure as failure:
            return f"{command.decode(errors='replace')}: {failure}"
        if "sort_result" in case and isinstance(expected, list) and isinstance(reply, list):
            reply, expected = ordered(reply), ordered(expected)
        if reply != expected:
            return f"{command.decode(errors='replace')}: {reply!r}, not {expected!r}"
    return None


def version(text):
    return tuple(int(number) for number in text.split("."))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", default=os.environ.get("ENNEAD_BINARY"))
    parser.add_argument("--port", type=int)
    parser.add_argument("--suite", type=pathlib.Path, help="file of cases; fetched otherwise")
    parser.add_argument("--version", default="7.2.0", help="of Redis, whose cases are run")
    parser.add_argument("--update", action="store_true", help="add newly passing cases to the baseline")
    arguments = parser.parse_args()
    if not arguments.binary and not arguments.port:
        parser.error("--binary or --port")
    cases = json.loads((arguments.suite or fetch()).read_text())
    server = None if arguments.port else Ennead(arguments.binary)
    if server:
        server.ensure()
    passed, failed, seen = [], 0, collections.Counter()
    for case in cases:
        seen[case["name"]] += 1
        name = case["name"] if seen[case["name"]] == 1 else f"{case['name']} #{seen[case['name']]}"
        if "skipped" in case or case.get("tags") == "cluster" or version(case["since"]) > version(arguments.version):
            continue
        try:
            wrong = problem(arguments.port or server.port, case)
        except (OSError, ValueError) as error:
            wrong = repr(error)
            if server and server.ensure():
                wrong = "THE SERVER ENDED"
        if wrong:
            failed += 1
            print(f"failed: {name} (since {case['since']}): {wrong}")
        else:
            passed.append(name)
    if server:
        server.stop()
    baseline = json.loads(BASELINE.read_text()) if BASELINE.exists() else []
    lost = [name for name in baseline if name not in passed]
    for name in lost:
        print(f"lost: {name}")
    if arguments.update:
        names = sorted(set(baseline) | set(passed))
        BASELINE.write_text(json.dumps(names, indent=1, ensure_ascii=False) + "\n")
    print(f"{len(passed)} passed, {failed} failed, {len(lost)} of the baseline lost")
    sys.exit(1 if lost or (server and server.crashes) else 0)


main()
