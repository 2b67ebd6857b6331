"""Server processes that a benchmark starts, asks what they used, and ends with their data."""
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

from report import ROOT

TICKS = os.sysconf("SC_CLK_TCK")


class Server:
    """A server process on a port of its own, pinned as asked. Whoever inherits says how to start it and when it answers."""

    name = None

    def __init__(self, arguments):
        self.arguments = arguments
        self.folder = tempfile.mkdtemp(prefix=f"bench-{self.name}-", dir=arguments.folder)
        self.port = free_port()
        self.start()

    def command(self):
        """The words to start it with."""
        raise NotImplementedError

    def answers(self):
        """True when it serves requests."""
        raise NotImplementedError

    def start(self):
        """Starts it and waits until it answers; sets `start_s`."""
        self.spawn()
        self.start_s = self.wait_until(self.answers)

    def spawn(self):
        pin = ["taskset", "-c", self.arguments.pin_server] if self.arguments.pin_server else []
        self.begun = time.perf_counter()
        with open(os.path.join(self.folder, "stderr.log"), "ab") as log:
            self.process = subprocess.Popen(pin + self.command(), stdout=log, stderr=log, stdin=subprocess.DEVNULL)

    def wait_until(self, condition):
        """Seconds from its start until the condition holds."""
        while not condition():
            if self.process.poll() is not None:
                log = pathlib.Path(self.folder, "stderr.log").read_text(errors="replace")
                sys.exit(f"{self.name} ended while it started:\n{log[-2000:]}")
            time.sleep(0.001)
        return time.perf_counter() - self.begun

    def restart_until(self, condition):
        """Stops it and starts it again on its data; seconds until the condition holds."""
        self.terminate()
        self.spawn()
        return self.wait_until(condition)

    def cpu_s(self):
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def resident_bytes(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) * 1024

    def terminate(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(120)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            print(f"{self.name} did not stop within 120 s and was killed", file=sys.stderr)

    def stop(self):
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def load_generator(binary):
    """Beside the daemon; built when it is not there."""
    program = pathlib.Path(binary).resolve().parent / "examples" / "load"
    if not program.exists():
        subprocess.run(["cargo", "build", "--release", "--locked", "-p", "ennead", "--example", "load"], cwd=ROOT, check=True)
    return str(program)


def client(arguments, *words):
    """What a load generator prints; the benchmark ends when it fails."""
    pin = ["taskset", "-c", arguments.pin_client] if arguments.pin_client else []
    done = subprocess.run(pin + [str(word) for word in words], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{words}: {done.stdout}{done.stderr}")
    return done.stdout
