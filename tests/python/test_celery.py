"""Celery with the server as its broker and its result backend: a worker in a process of its own does what this one sends."""

import importlib
import os
import pathlib
import subprocess
import sys
import time

import pytest

LIMIT_S = 60


@pytest.fixture(scope="module")
def tasks(server):
    """The module of the tasks, with a worker running."""
    with server.client() as client:
        client.flushall()
    os.environ["CELERY_REDIS"] = f"redis://127.0.0.1:{server.port}/0"
    command = [sys.executable, "-B", "-m", "celery", "--app", "celery_tasks", "worker", "--loglevel", "INFO"]
    command += ["--concurrency", "2"]
    folder = pathlib.Path(__file__).parent
    log = pathlib.Path(server.folder.name, "celery.log")
    with open(log, "wb") as output:
        environment = {**os.environ, "C_FORCE_ROOT": "1"}
        worker = subprocess.Popen(command, cwd=folder, stdout=output, stderr=output, env=environment)
    module = importlib.import_module("celery_tasks")
    try:
        deadline = time.monotonic() + LIMIT_S
        while " ready." not in log.read_text():
            assert worker.poll() is None and time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)
        yield module
    finally:
        worker.terminate()
        try:
            worker.wait(LIMIT_S)
        finally:
            worker.kill()
            module.app.close()


def test_many_tasks(tasks):
    results = [tasks.add.delay(number, number) for number in range(20)]
    assert [result.get(timeout=LIMIT_S) for result in results] == [2 * number for number in range(20)]
    assert all(result.successful() for result in results)


def test_a_chain_and_a_group_and_a_chord(tasks):
    celery = importlib.import_module("celery")
    chain = celery.chain(tasks.add.s(1, 2), tasks.add.s(10), tasks.add.s(100))()
    assert chain.get(timeout=LIMIT_S) == 113
    group = celery.group(tasks.add.s(number, 1) for number in range(10))()
    assert group.get(timeout=LIMIT_S) == list(range(1, 11))
    chord = celery.chord((tasks.add.s(number, number) for number in range(10)), tasks.total.s())()
    assert chord.get(timeout=LIMIT_S) == 90


def test_a_task_with_a_countdown(tasks):
    sent = time.monotonic()
    result = tasks.add.apply_async((1, 1), countdown=1.5)
    assert result.get(timeout=LIMIT_S) == 2
    assert time.monotonic() - sent >= 1.4


def test_a_failure_and_a_retry(tasks):
    with pytest.raises(ValueError, match="as planned"):
        tasks.fail.delay().get(timeout=LIMIT_S)
    assert tasks.third_time_lucky.delay().get(timeout=LIMIT_S) == 2


def test_commands_to_the_workers_and_their_answers(tasks, server):
    """They go by publish/subscribe, and the answers come back through a list of the sender's own."""
    (answer,) = tasks.app.control.ping(timeout=20, limit=1)
    assert list(answer.values()) == [{"ok": "pong"}]
    stats = tasks.app.control.inspect(timeout=20, limit=1).stats()
    assert [worker["pool"]["max-concurrency"] for worker in stats.values()] == [2]


def test_a_revoked_task_is_not_done(tasks):
    celery = importlib.import_module("celery")
    task_id = celery.uuid()
    # The worker knows of it before the task comes.
    assert tasks.app.control.revoke(task_id, reply=True, timeout=20, limit=1)
    result = tasks.add.apply_async((1, 1), task_id=task_id)
    with pytest.raises(importlib.import_module("celery.exceptions").TaskRevokedError):
        result.get(timeout=LIMIT_S)


def test_nothing_is_left_in_the_queue(tasks, server):
    with server.client() as client:
        deadline = time.monotonic() + LIMIT_S
        # The worker confirms a task after it has stored the result.
        while client.hlen("unacked") and time.monotonic() < deadline:
            time.sleep(0.05)
        assert (client.llen("celery"), client.hlen("unacked"), client.zcard("unacked_index")) == (0, 0, 0)
        kept = client.keys("celery-task-meta-*")
        assert len(kept) >= 20
        assert 0 < client.ttl(kept[0]) <= 600
