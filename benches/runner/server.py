"""Servers under test: started on a core of their own, waited for, and ended by their id."""

import os
import signal
import socket
import subprocess
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
START_SECONDS = 15
STOP_SECONDS = 10


def binary(name):
    """A program of this repository, as `build` made it."""
    target = os.environ.get("CARGO_TARGET_DIR", REPOSITORY / "target")
    path = Path(target) / "release" / name
    if not path.exists():
        raise SystemExit(f"{path} is missing: cargo build --release -p plenum -p plenum-benches")
    return path


def build(*packages):
    """Builds packages of this repository for measuring."""
    names = [flag for package in packages for flag in ("-p", package)]
    subprocess.run(["cargo", "build", "--release", *names], cwd=REPOSITORY, check=True)


class Server:
    """A server process. `with Server(...) as server:` starts and ends it."""

    def __init__(self, name, command, address, cores, environment=None):
        """`address` is (host, port) of the TCP port that says it is ready; `cores` a list."""
        self.name = name
        self.address = address
        self.command = ["taskset", "-c", ",".join(map(str, cores)), *map(str, command)]
        self.environment = {**os.environ, **(environment or {})}

    def __enter__(self):
        if listens(self.address):
            host, port = self.address
            raise SystemExit(f"{self.name}: something already listens at {host}:{port}; end it")
        self.log = open(f"/tmp/plenum-bench-{os.getpid()}-{self.name}.log", "wb")
        self.process = subprocess.Popen(
            self.command, env=self.environment, stdin=subprocess.DEVNULL,
            stdout=self.log, stderr=subprocess.STDOUT,
        )
        end = time.monotonic() + START_SECONDS
        while not listens(self.address):
            if self.process.poll() is not None or time.monotonic() > end:
                self.__exit__()
                raise SystemExit(f"{self.name} did not start, see {self.log.name}")
            time.sleep(0.1)
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.log.close()

    @property
    def pid(self):
        """taskset becomes the server, so the id stays."""
        return self.process.pid

    def memory(self):
        """Resident bytes."""
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
        raise SystemExit(f"{self.name} is gone, see {self.log.name}")

    def thread_cpu(self):
        """CPU seconds so far of each thread: {id: (name, seconds)}."""
        threads = {}
        for task in Path(f"/proc/{self.pid}/task").iterdir():
            try:
                name = (task / "comm").read_text().strip()
                nanoseconds = int((task / "schedstat").read_text().split()[0])
            except (FileNotFoundError, ProcessLookupError):
                continue
            threads[int(task.name)] = (name, nanoseconds / 1e9)
        return threads


def listens(address):
    """Whether a TCP port is open."""
    try:
        socket.create_connection(address, timeout=0.5).close()
        return True
    except OSError:
        return False


def plenum(host="127.0.0.1", cores=(0,), shards=1):
    """Plenum with its development key."""
    command = [binary("plenum"), "serve", "--dev", "--http", f"{host}:7880", "--advertise", host,
               "--shards", shards, "--log", "warn"]
    return Server("plenum", command, (host, 7880), cores, {"PLENUM_MEDIA__BIND": host})
