#!/usr/bin/env python3
"""Runs Redis's own test suite, in its mode for an external server, against ennead, and compares with a baseline.

The suite is not part of this repository: it is fetched from Debian's source package of Redis into the cache. One unit runs in
one process, so that a crash or a hang costs that unit only. Tests that need what ennead does not have (data types to come,
replication, RDB files) are left out by unit and by tag. The baseline, tests/baselines/redis-tcl.json, holds the names of
the tests that pass; a run that loses one fails, and --update adds new ones. It may only grow.

  redis.py --binary target/release/ennead              start ennead for the run
  redis.py --port 6379                                  take a server that already listens
  redis.py --units unit/expire --tail                   one unit, with the end of its output when it fails
"""
import argparse
import collections
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tarfile
import time

from server import Ennead, exchange

ROOT = pathlib.Path(__file__).resolve().parents[2]
BASELINE = ROOT / "tests" / "baselines" / "redis-tcl.json"
MIRROR = "http://deb.debian.org/debian"
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
# Units that run against an external server, and are not about replication, clusters or redis-server's own files.
UNITS = """unit/protocol unit/keyspace unit/scan unit/info-command unit/type/string unit/type/incr unit/expire unit/other
unit/type/list unit/type/list-2 unit/type/list-3 unit/type/set unit/type/zset unit/type/hash unit/type/stream unit/type/stream-cgroups unit/sort unit/geo
unit/quit unit/latency-monitor unit/slowlog unit/introspection unit/introspection-2 unit/bitops unit/bitfield unit/hyperloglog unit/lazyfree
unit/pause unit/pubsub unit/tracking unit/multi unit/scripting unit/functions unit/limits unit/querybuf unit/dump unit/violations
unit/replybufsize""".split()
# Tags of tests that look into what only redis-server has.
DENIED = "needs:repl needs:save needs:config-resetstat cluster large-memory"
# It waits for what 7.2 does not send any more: that tracks the keys that a script reads, not those that are declared.
SKIPPED = ["/Tracking only occurs for scripts"]
COLOURS = re.compile(r"\x1b\[[0-9;]*m")
RESULT = re.compile(r"^\[(ok|err|exception|TIMEOUT|skip|ignore)\]:\s?(.*)$")


def cache():
    return pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache"), "ennead", "suites", "redis")


def fetch():
    """The folder of the suite, from the cache or from Debian's archive."""
    folder = cache()
    ready = sorted(folder.glob("redis-*/tests/test_helper.tcl"))
    if ready:
        return prepared(ready[-1].parents[1])
    lists = folder / "lists"
    (lists / "partial").mkdir(parents=True, exist_ok=True)
    (folder / "sources.list").write_text(f"deb-src [signed-by={KEYRING}] {MIRROR} bookworm main\n")
    # Lists of our own: what apt knows on this machine stays as it is.
    options = ["-o", f"Dir::Etc::sourcelist={folder}/sources.list", "-o", "Dir::Etc::sourceparts=-", "-o",
               f"Dir::State::Lists={lists}", "-o", "APT::Sandbox::User="]
    for words in (["update", "-qq"], ["source", "-qq", "--download-only", "redis"]):
        subprocess.run(["apt-get", *options, *words], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    archive = sorted(folder.glob("redis_*.orig.tar.gz"))[-1]
    with tarfile.open(archive) as tar:
        tar.extractall(folder, filter="data")
    return prepared(sorted(folder.glob("redis-*/tests/test_helper.tcl"))[-1].parents[1])


def prepared(suite):
    """The suite, with what it does before every unit made harmless for a server without some settings."""
    support = suite / "tests" / "support" / "server.tcl"
    text = support.read_text()
    text = re.sub(r"^        r config set \$param \$val$", "        catch {r config set $param $val}", text, flags=re.M)
    text = re.sub(r"^        dict set saved_config \$param \[lindex \[r config get \$param\] 1\]$",
                  "        catch {dict set saved_config $param [lindex [r config get $param] 1]}", text, flags=re.M)
    support.write_text(text)
    return suite


def run_unit(suite, port, unit, timeout):
    """Names of passed and failed tests, remarks, and the end of the output."""
    command = ["tclsh", "tests/test_helper.tcl", "--host", "127.0.0.1", "--port", str(port), "--single", unit, "--durable",
               "--timeout", str(timeout), "--tags", " ".join("-" + tag for tag in DENIED.split()), "--ignore-digest"]
    for test in SKIPPED:
        command += ["--skiptest", test]
    process = subprocess.Popen(command, cwd=suite, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)
    remarks = []
    try:
        output, _ = process.communicate(timeout=timeout + 30)
    except subprocess.TimeoutExpired:
        remarks.append("hung")
        output = b""
    try:
        # The runner and the client processes it started share a session of their own.
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    if remarks:
        output, _ = process.communicate()
    text = COLOURS.sub("", output.decode("utf-8", "replace"))
    passed, failed, seen = [], [], collections.Counter()
    for line in text.splitlines():
        found = RESULT.match(line)
        if not found:
            continue
        kind, name = found.groups()
        if kind == "ok":
            name = re.sub(r" \(\d+ ms\)$", "", name)
            seen[name] += 1
            passed.append(name if seen[name] == 1 else f"{name} #{seen[name]}")
        elif kind == "err":
            failed.append(re.sub(r" in tests/\S+$", "", name))
        elif kind in ("exception", "TIMEOUT"):
            remarks.append(f"{kind} {name}")
    if "[exception]" in text and not any("exception" in remark for remark in remarks):
        remarks.append("exception: " + " ".join(text[text.index("[exception]"):].split())[:160])
    return passed, failed, remarks, text[-3000:]


def reset(port, before):
    """Undoes what a killed unit may have left."""
    try:
        exchange(port, "CLIENT UNPAUSE", "FLUSHALL", *before)
    except OSError:
        pass


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", default=os.environ.get("ENNEAD_BINARY"))
    parser.add_argument("--port", type=int)
    parser.add_argument("--units", default="", help="separated by commas; default: those that apply")
    parser.add_argument("--timeout", type=int, default=120, help="seconds for a unit")
    parser.add_argument("--update", action="store_true", help="add newly passing tests to the baseline")
    parser.add_argument("--tail", action="store_true", help="print the end of a failing unit's output")
    arguments = parser.parse_args()
    if not arguments.binary and not arguments.port:
        parser.error("--binary or --port")
    suite = fetch()
    server = None if arguments.port else Ennead(arguments.binary)
    if server:
        server.ensure()
    port = arguments.port or server.port
    units = arguments.units.split(",") if arguments.units else UNITS
    baseline = json.loads(BASELINE.read_text()) if BASELINE.exists() else {}
    lost, total, failures = [], 0, 0
    settings = ["CONFIG SET slowlog-log-slower-than 10000", "CONFIG SET slowlog-max-len 128", "CONFIG SET maxmemory 0",
                "CONFIG SET maxmemory-policy noeviction", "CONFIG SET proto-max-bulk-len 536870912",
                "CONFIG SET latency-monitor-threshold 0", "CONFIG SET requirepass \"\"", "DEBUG SET-ACTIVE-EXPIRE 1"]
    print(f"{'unit':28} passed failed  lost  seconds")
    for unit in units:
        begun = time.time()
        passed, failed, remarks, tail = run_unit(suite, port, unit, arguments.timeout)
        reset(port, settings)
        if server and server.ensure():
            remarks.append("THE SERVER ENDED")
        missing = [name for name in baseline.get(unit, []) if name not in passed]
        lost += [f"{unit}: {name}" for name in missing]
        total, failures = total + len(passed), failures + len(failed)
        print(f"{unit:28} {len(passed):6} {len(failed):6} {len(missing):5} {time.time() - begun:8.1f}  {'; '.join(remarks)[:200]}",
              flush=True)
        for name in failed:
            print(f"    failed: {name}")
        if arguments.tail and (failed or remarks):
            print(tail)
        if arguments.update:
            baseline[unit] = sorted(set(baseline.get(unit, [])) | set(passed))
    if server:
        server.stop()
    print(f"{total} passed, {failures} failed, {len(lost)} of the baseline lost")
    if arguments.update:
        BASELINE.parent.mkdir(exist_ok=True)
        BASELINE.write_text(json.dumps({unit: names for unit, names in sorted(baseline.items()) if names}, indent=1,
                                       ensure_ascii=False) + "\n")
    for name in lost:
        print(f"lost: {name}")
    sys.exit(1 if lost or (server and server.crashes) else 0)


main()
