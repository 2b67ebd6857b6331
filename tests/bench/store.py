#!/usr/bin/env python3
"""Runs RocksDB's db_bench and ennead-store's bench_store in alternation and prints a Markdown table.

Each workload starts from the same state on both sides: 16-byte keys, 100-byte values, the same number of keys,
write buffer, block cache and sync setting, no compression. The ratio is ours to RocksDB's, medians of the runs.
CPU is what a process used in all, start and end included, in seconds per million operations.
"""
import argparse
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile

LINE = re.compile(r"^(\w+)\s+:\s+([\d.]+) micros/op (\d+) ops/sec .*?(\d+) operations", re.M)
OLD_LINE = re.compile(r"^(\w+)\s+:\s+([\d.]+) micros/op (\d+) ops/sec", re.M)


class Workload:
    def __init__(self, title, benchmark, threads=1, sync=False, existing=True, share=1.0):
        self.title, self.benchmark, self.threads = title, benchmark, threads
        self.sync, self.existing, self.share = sync, existing, share


WORKLOADS = [
    Workload("fillrandom", "fillrandom", existing=False),
    Workload("overwrite", "overwrite"),
    Workload("readrandom", "readrandom"),
    Workload("seekrandom, 10 nexts", "seekrandom", share=0.25),
    Workload("readwhilewriting", "readwhilewriting", share=0.5),
    Workload("fillsync, 1 thread", "fillrandom", sync=True, existing=False, share=0.01),
    Workload("fillsync, 16 threads", "fillrandom", threads=16, sync=True, existing=False, share=0.002),
]


def rocksdb(arguments, workload, directory):
    fill = workload.benchmark in ("fillrandom", "overwrite")
    operations = max(1, int(arguments.num * workload.share))
    command = [
        arguments.db_bench,
        f"--benchmarks={workload.benchmark}",
        f"--db={directory}",
        f"--num={operations if fill else arguments.num}",
        f"--threads={workload.threads}",
        f"--use_existing_db={int(workload.existing)}",
        f"--sync={int(workload.sync)}",
        "--key_size=16",
        "--value_size=100",
        "--compression_type=none",
        f"--write_buffer_size={arguments.buffer}",
        f"--cache_size={arguments.cache}",
        "--seek_nexts=10",
    ]
    if not fill:
        command.append(f"--reads={operations}")
    return command


def ours(arguments, workload, directory):
    fill = workload.benchmark in ("fillrandom", "overwrite")
    operations = max(1, int(arguments.num * workload.share))
    command = [
        arguments.bench,
        workload.benchmark,
        "--db", directory,
        "--num", str(operations if fill else arguments.num),
        "--threads", str(workload.threads),
        "--existing", str(int(workload.existing)),
        "--sync", str(int(workload.sync)),
        "--memtable-bytes", str(arguments.buffer),
        "--cache-bytes", str(arguments.cache),
        "--seek-nexts", "10",
    ]
    if not fill:
        command += ["--reads", str(operations)]
    return command


def measure(command, workload, num, timeout):
    """Operations a second, and CPU seconds per million operations."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        output, _ = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        sys.exit(f"no answer within {timeout} s: {' '.join(command)}")
    usage = resource_of_children()
    found = LINE.search(output) or OLD_LINE.search(output)
    if process.returncode != 0 or not found:
        sys.exit(f"failed: {' '.join(command)}\n{output}")
    operations = max(1, int(num * workload.share)) * workload.threads
    cpu = usage - measure.used
    measure.used = usage
    return float(found.group(3)), cpu / operations * 1e6


def resource_of_children():
    import resource

    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def directory_bytes(directory):
    return sum(os.path.getsize(os.path.join(root, name)) for root, _, names in os.walk(directory) for name in names)


def main():
    target = os.environ.get("CARGO_TARGET_DIR", "target")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--num", type=int, default=1_000_000, help="keys and operations")
    parser.add_argument("--runs", type=int, default=5, help="runs of each workload; the median counts")
    parser.add_argument("--db-bench", default=shutil.which("db_bench"), help="RocksDB's db_bench")
    parser.add_argument("--bench", default=os.path.join(target, "release/examples/bench_store"))
    parser.add_argument("--buffer", type=int, default=64 << 20, help="memtable of both, bytes")
    parser.add_argument("--cache", type=int, default=64 << 20, help="block or page cache of both, bytes")
    parser.add_argument("--only", help="workloads whose title contains this")
    parser.add_argument("--timeout", type=int, default=600, help="seconds for one run")
    parser.add_argument("--directory", help="where to put the data; default: a temporary directory")
    arguments = parser.parse_args()
    if not arguments.db_bench:
        sys.exit("db_bench is missing: apt install rocksdb-tools")
    if not os.path.exists(arguments.bench):
        sys.exit(f"{arguments.bench} is missing: cargo build --release -p ennead-store --example bench_store")
    workloads = [w for w in WORKLOADS if not arguments.only or arguments.only in w.title]
    needs_data = any(w.existing for w in workloads)
    figures = {(w.title, side): [] for w in workloads for side in (0, 1)}
    measure.used = resource_of_children()
    with tempfile.TemporaryDirectory(dir=arguments.directory) as root:
        sides = [(rocksdb, os.path.join(root, "rocksdb")), (ours, os.path.join(root, "ennead"))]
        for run in range(arguments.runs):
            if needs_data and WORKLOADS[0] not in workloads:
                for command, directory in sides:
                    measure(command(arguments, WORKLOADS[0], directory), WORKLOADS[0], arguments.num, arguments.timeout)
            for workload in workloads:
                for side in (0, 1) if run % 2 == 0 else (1, 0):
                    command, directory = sides[side]
                    place = directory if workload.existing or workload is WORKLOADS[0] else directory + "-sync"
                    line = command(arguments, workload, place)
                    figures[workload.title, side].append(measure(line, workload, arguments.num, arguments.timeout))
                    print(f"run {run + 1}: {workload.title}: {('RocksDB', 'Ennead')[side]} "
                          f"{figures[workload.title, side][-1][0]:.0f}/s", file=sys.stderr)
        sizes = [directory_bytes(directory) for _, directory in sides]

    print(f"{arguments.num:,} keys of 16 B, values of 100 B, memtable {arguments.buffer >> 20} MiB, cache "
          f"{arguments.cache >> 20} MiB, median of {arguments.runs}, {platform.machine()}, {os.cpu_count()} cores\n")
    print("| workload | RocksDB ops/s | Ennead ops/s | ratio | RocksDB CPU s/M | Ennead CPU s/M |")
    print("|---|---:|---:|---:|---:|---:|")
    for workload in workloads:
        (peer, peer_cpu), (own, own_cpu) = (
            [statistics.median(column) for column in zip(*figures[workload.title, side])] for side in (0, 1)
        )
        print(f"| {workload.title} | {peer:,.0f} | {own:,.0f} | {own / peer:.2f} | {peer_cpu:.2f} | {own_cpu:.2f} |")
    if needs_data:
        print(f"\nOn disk at the end, log included: RocksDB {sizes[0] / 1e6:.0f} MB, Ennead {sizes[1] / 1e6:.0f} MB")


if __name__ == "__main__":
    main()
