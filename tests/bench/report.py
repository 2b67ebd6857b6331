"""What a benchmark says: a table of a peer beside ennead with the marks to reach, and its place in docs/benchmarks.md."""
import datetime
import os
import pathlib
import platform
import re
import statistics
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]


class Table:
    """Rows of: measure, peer's figure, ours, ratio, bounds."""

    def __init__(self, peer):
        self.head = ("measure", peer, "ennead", "ratio", "must", "aim", "must met")
        self.rows = []

    def ratio(self, title, unit, peers, ours, must=None, aim=None, more_is_better=True):
        """A row judged by ours against the peer's, both lists of runs."""
        peer, own = statistics.median(peers), statistics.median(ours)
        value = own / peer if peer else float("inf")
        sign = "≥" if more_is_better else "≤"
        bound = lambda limit: "" if limit is None else f"{sign} {limit}x"
        met = None if must is None else (value >= must if more_is_better else value <= must)
        self.add(title, f"{figure(peer)} {unit}", f"{figure(own)} {unit}", f"{value:.2f}x", bound(must), bound(aim), met)

    def absolute(self, title, unit, peers, ours, must, aim):
        """A row judged by ours alone."""
        peer, own = statistics.median(peers), statistics.median(ours)
        self.add(title, f"{figure(peer)} {unit}", f"{figure(own)} {unit}", f"{own / peer:.2f}x" if peer else "",
                 f"≤ {figure(must)} {unit}", f"≤ {figure(aim)} {unit}" if aim else "", own <= must)

    def add(self, title, peer, own, ratio, must, aim, met):
        verdict = {None: "", True: "yes", False: "**no**"}[met]
        row = (title, peer, own, ratio, must, aim, verdict)
        self.rows.append(row)
        print("| " + " | ".join(row) + " |", flush=True)

    def markdown(self):
        return "\n".join("| " + " | ".join(row) + " |" for row in (self.head, ("---",) * len(self.head), *self.rows))


def figure(value):
    if value >= 1000:
        return f"{value:,.0f}".replace(",", " ")
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def machine(arguments, peer):
    """The day, this machine, both programs and how they were pinned: what every figure depends on."""
    info = pathlib.Path("/proc/cpuinfo").read_text()
    model = re.search(r"model name\s*:\s*(.*)", info)
    memory = int(re.search(r"MemTotal:\s+(\d+)", pathlib.Path("/proc/meminfo").read_text())[1]) / 1e6
    own = subprocess.run([arguments.binary, "version"], capture_output=True, text=True).stdout.strip().splitlines()
    file_system = subprocess.run(["stat", "-f", "-c", "%T", arguments.folder or tempfile.gettempdir()], capture_output=True,
                                 text=True).stdout.strip()
    pinned = f"servers on processor {arguments.pin_server}, clients on {arguments.pin_client}" if arguments.pin_server else "not pinned"
    return (f"{datetime.date.today()}, {os.cpu_count()} processors ({model[1] if model else platform.machine()}), "
            f"{memory:.0f} GB, Linux {platform.release()}, data on {file_system}; {peer}, "
            f"{own[0] if own else 'ennead'}; {pinned}")


def write_page(name, section):
    """Puts the section between the marks of its name in docs/benchmarks.md, and leaves the rest of the page."""
    page = ROOT / "docs" / "benchmarks.md"
    begin, end = f"<!-- {name}: written by tests/bench/{name}.py -->", f"<!-- {name} ends -->"
    text = page.read_text() if page.exists() else "# Benchmarks\n"
    block = f"{begin}\n{section}\n{end}"
    if begin in text:
        text = text[: text.index(begin)] + block + text[text.index(end) + len(end):]
    else:
        text = text.rstrip("\n") + "\n\n" + block + "\n"
    page.parent.mkdir(exist_ok=True)
    page.write_text(text)
