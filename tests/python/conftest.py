"""Servers for the tests: the daemon named by ENNEAD_BINARY, on a port that it picks, with data that goes with it.

ENNEAD_SUBJECT=redis-server puts redis-server in its place, ENNEAD_SUBJECT=etcd the etcd of the folder ENNEAD_ETCD, to try
the tests themselves.
"""

import os
import pathlib
import re
import socket
import subprocess
import tempfile
import time

import etcd3
import grpc
import pytest
import redis

START_TIMEOUT_S = 30


class Server:
    """A running server; `port` is where it listens."""

    def __init__(self, *flags, password=None):
        self.folder = tempfile.TemporaryDirectory(prefix="ennead-python-")
        self.password = password
        self.flags = flags
        self.log = pathlib.Path(self.folder.name, "log")
        self.port = None
        self.start()

    def start(self):
        command, announced = self.command()
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        deadline = time.monotonic() + START_TIMEOUT_S
        while True:
            self.port = announced or self.announced_port()
            if self.port and self.answers():
                return
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.process.kill()
                pytest.fail(f"{command} did not start:\n{self.log.read_text()}")
            time.sleep(0.01)

    def command(self):
        if os.environ.get("ENNEAD_SUBJECT") == "redis-server":
            with socket.socket() as free:
                free.bind(("127.0.0.1", 0))
                port = free.getsockname()[1]
            words = ["redis-server", "--port", str(port), "--dir", self.folder.name, "--appendonly", "yes"]
            words += ["--requirepass", self.password] if self.password else []
            return words, port
        data = os.path.join(self.folder.name, "data")
        words = [os.environ["ENNEAD_BINARY"], "serve", "--data", data, "--resp", "127.0.0.1:0", "--http", "off"]
        words += ["--grpc", "off", *self.flags]
        if self.password:
            words += ["--set", f"server.password={self.password}"]
        return words, None

    def announced_port(self):
        for line in reversed(self.log.read_text(errors="replace").splitlines()):
            match = re.search(r"127\.0\.0\.1:(\d+)", line)
            if match and "resp" in line.lower():
                return int(match[1])
        return None

    def port_of(self, protocol):
        """Where a listener is; None before the log tells it."""
        match = re.search(rf'protocol="{protocol}" address=127\.0\.0\.1:(\d+)', self.log.read_text(errors="replace"))
        return match and int(match[1])

    def answers(self):
        try:
            with socket.create_connection(("127.0.0.1", self.port), 1) as connection:
                connection.sendall(b"PING\r\n")
                reply = connection.recv(100)
                return bool(reply) and not reply.startswith(b"-LOADING")
        except OSError:
            return False

    def client(self, **options):
        options.setdefault("password", self.password)
        # What takes longer is sent again by the library.
        options.setdefault("socket_timeout", 60)
        return redis.Redis(host="127.0.0.1", port=self.port, **options)

    def kill(self):
        """kill -9."""
        self.process.kill()
        self.process.wait()

    def stop(self):
        self.kill()
        self.folder.cleanup()


class Keeper(Server):
    """A running server of etcd's API; `port` is where its gRPC listener is."""

    def command(self):
        data = os.path.join(self.folder.name, "data")
        if os.environ.get("ENNEAD_SUBJECT") == "etcd":
            with socket.socket() as free:
                free.bind(("127.0.0.1", 0))
                url = f"http://127.0.0.1:{free.getsockname()[1]}"
            words = [os.path.join(os.environ["ENNEAD_ETCD"], "etcd"), "--data-dir", data, "--listen-client-urls", url]
            words += ["--advertise-client-urls", url, "--listen-peer-urls", "http://127.0.0.1:0", "--log-level", "warn"]
            return words, int(url.rsplit(":", 1)[1])
        words = [os.environ["ENNEAD_BINARY"], "serve", "--data", data, "--grpc", "127.0.0.1:0", "--resp", "off"]
        return [*words, "--http", "off", *self.flags], None

    def announced_port(self):
        return self.port_of("grpc")

    def answers(self):
        try:
            with grpc.insecure_channel(f"127.0.0.1:{self.port}") as channel:
                grpc.channel_ready_future(channel).result(timeout=1)
                return True
        except grpc.FutureTimeoutError:
            return False

    def client(self, **options):
        return etcd_client(self.port, **options)


def etcd_client(port, **options):
    return etcd3.client(host="127.0.0.1", port=port, timeout=START_TIMEOUT_S, **options)


@pytest.fixture(scope="session")
def keeper():
    keeper = Keeper()
    yield keeper
    keeper.stop()


@pytest.fixture
def etcd(keeper):
    """A client on an emptied store."""
    client = keeper.client()
    everything = etcd3.etcdrpc.DeleteRangeRequest(key=b"\0", range_end=b"\0")
    client.kvstub.DeleteRange(everything)
    yield client
    client.close()


@pytest.fixture(scope="session")
def server():
    server = Server()
    yield server
    server.stop()


@pytest.fixture
def start():
    """Starts further servers: start(*flags, password=...)."""
    started = []

    def start_one(*flags, **options):
        started.append(Server(*flags, **options))
        return started[-1]

    yield start_one
    for server in started:
        server.stop()


@pytest.fixture(params=[2, 3], ids=["resp2", "resp3"])
def r(server, request):
    """A client on an emptied server, once for each protocol."""
    client = server.client(protocol=request.param)
    client.flushall()
    yield client
    client.close()


@pytest.fixture(params=[2, 3], ids=["resp2", "resp3"])
def text(server, request):
    """The same, with replies decoded."""
    client = server.client(protocol=request.param, decode_responses=True)
    client.flushall()
    yield client
    client.close()
