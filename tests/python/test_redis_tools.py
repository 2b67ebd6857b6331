"""redis-cli and redis-benchmark, as people type them."""

import os
import shutil
import subprocess

import pytest

REQUIRED = "CI" in os.environ or "ENNEAD_REQUIRE_PEERS" in os.environ


@pytest.fixture(autouse=True)
def tools():
    for tool in ("redis-cli", "redis-benchmark"):
        if not shutil.which(tool):
            message = f"{tool} is not installed"
            pytest.fail(message) if REQUIRED else pytest.skip(message)


def run(server, *words, **options):
    command = [words[0], "-p", str(server.port), *words[1:]]
    done = subprocess.run(command, capture_output=True, timeout=60, **options)
    assert done.returncode == 0, (command, done.stdout, done.stderr)
    assert b"rror" not in done.stderr, (command, done.stderr)
    return done.stdout.decode()


def test_cli(server):
    assert run(server, "redis-cli", "FLUSHALL") == "OK\n"
    assert run(server, "redis-cli", "SET", "greeting", "hello", "EX", "100") == "OK\n"
    assert run(server, "redis-cli", "GET", "greeting") == "hello\n"
    assert run(server, "redis-cli", "-3", "--no-raw", "INCR", "n") == "(integer) 1\n"
    assert run(server, "redis-cli", "-n", "3", "DBSIZE") == "0\n"
    assert run(server, "redis-cli", "-x", "SET", "from-stdin", input=b"a\r\nb") == "OK\n"
    assert run(server, "redis-cli", "STRLEN", "from-stdin") == "4\n"
    assert run(server, "redis-cli", input=b"SET a 1\nGET a\nBAD\n").splitlines()[:2] == ["OK", "1"]
    assert "redis_version" in run(server, "redis-cli", "INFO", "server")


def test_cli_pipe_mode(server):
    run(server, "redis-cli", "FLUSHALL")
    commands = b"".join(b"*3\r\n$3\r\nSET\r\n$6\r\nk%05d\r\n$1\r\nv\r\n" % number for number in range(20_000))
    assert "errors: 0, replies: 20000" in run(server, "redis-cli", "--pipe", input=commands)
    assert run(server, "redis-cli", "DBSIZE") == "20000\n"


def test_cli_scans(server):
    run(server, "redis-cli", "FLUSHALL")
    run(server, "redis-cli", "MSET", "a", "x" * 100, "b", "2", "c:1", "3")
    assert sorted(run(server, "redis-cli", "--scan").split()) == ["a", "b", "c:1"]
    assert run(server, "redis-cli", "--scan", "--pattern", "c:*").split() == ["c:1"]
    assert 'Biggest string found' in run(server, "redis-cli", "--bigkeys")
    assert "Sampled 3 keys" in run(server, "redis-cli", "--memkeys")


@pytest.mark.parametrize("pipeline", ["1", "16"])
def test_benchmark(server, pipeline):
    tests = "ping,set,get,incr,mset"
    words = ["-q", "-n", "5000", "-c", "20", "-d", "64", "-r", "1000", "-P", pipeline, "-t", tests]
    output = run(server, "redis-benchmark", *words)
    for name in ("PING_INLINE", "PING_MBULK", "SET", "GET", "INCR", "MSET (10 keys)"):
        assert f"{name}: " in output.replace("\r", "\n"), (name, output)


def test_benchmark_of_other_commands(server):
    output = run(server, "redis-benchmark", "-q", "-n", "2000", "-3", "SETRANGE", "key:__rand_int__", "0", "abc")
    assert "requests per second" in output
