"""The server that a suite is run against."""
import os
import shutil
import socket
import subprocess
import tempfile
import time


def exchange(port, *requests):
    """Sends inline requests on a connection of their own, and waits for an answer to the last."""
    with socket.create_connection(("127.0.0.1", port), 5) as connection:
        connection.settimeout(5)
        connection.sendall("\r\n".join([*requests, "PING the-end", ""]).encode())
        received = b""
        while b"the-end" not in received:
            data = connection.recv(1 << 16)
            if not data:
                return received
            received += data
        return received


class Ennead:
    """A server for the run; started again when a test brought it down."""

    def __init__(self, binary):
        self.binary, self.folder, self.process = binary, tempfile.mkdtemp(prefix="ennead-suite-"), None
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.crashes = 0

    def ensure(self):
        """Starts it when it does not run; True when it had ended by itself."""
        ended = self.process is not None and self.process.poll() is not None
        if ended:
            self.crashes += 1
        if self.process is None or ended:
            with open(os.path.join(self.folder, "log"), "ab") as log:
                self.process = subprocess.Popen(
                    [self.binary, "serve", "--data", os.path.join(self.folder, "data"), "--resp", f"127.0.0.1:{self.port}",
                     "--http", "off", "--grpc", "off", "--set", "server.debug_command=yes",
                     "--set", "memory.maxmemory_policy=noeviction"], stdout=log, stderr=log)
            for _ in range(3000):
                try:
                    if b"the-end" in exchange(self.port):
                        break
                except OSError:
                    time.sleep(0.01)
        return ended

    def stop(self):
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)
