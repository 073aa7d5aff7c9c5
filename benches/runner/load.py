"""Runs of the load benchmark."""

import json
import subprocess
import tempfile
from pathlib import Path

from .server import binary

# Beyond what a run is asked to last: joins, settling, saying goodbye.
GRACE_SECONDS = 120


class LoadFailed(Exception):
    """The load could not be put on the server; the text is what the benchmark said last."""


class Load:
    """How every run of a table is made: against which server, from which core."""

    def __init__(self, server, core=1, target=(), seconds=10, settle=3):
        """`target` are the flags that name the server's protocol and address."""
        self.server = server
        self.core = core
        self.target = list(target)
        self.seconds = seconds
        self.settle = settle

    def command(self, flags, seconds=None):
        """The command line of a run, without its JSON file."""
        return [str(binary("plenum")), "load", *self.target, "--pin", str(self.core),
                "--duration", f"{seconds or self.seconds}s", "--settle", f"{self.settle}s",
                *map(str, flags)]

    def run(self, flags, seconds=None):
        """Runs one load; its figures as the benchmark's JSON has them."""
        with tempfile.TemporaryDirectory(prefix="plenum-bench-") as directory:
            file = Path(directory) / "figures.json"
            command = ["taskset", "-c", str(self.core), *self.command(flags, seconds),
                       "--pid", str(self.server.pid), "--json", str(file)]
            limit = (seconds or self.seconds) + self.settle + GRACE_SECONDS
            done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, text=True, timeout=limit)
            if not file.exists():
                said = done.stdout.strip().splitlines() or ["nothing"]
                raise LoadFailed(said[-1])
            figures = json.loads(file.read_text())
        return figures[0] if isinstance(figures, list) else figures


def carried(load, flags):
    """The figures of a run that may be too much for the server; None if it was so much that not
    enough clients could join."""
    try:
        return load.run(flags)
    except LoadFailed:
        return None


def holds(figures, loss=0.001):
    """Whether everybody joined and at most `loss` of the packets were lost."""
    return figures is not None and (figures["clients_failed"] == 0 and figures["packets_received"] > 0
                                    and figures["loss_ratio"] <= loss)
