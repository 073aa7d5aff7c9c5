"""The rows, in the order of the table. Each knows its loads, its target and how to write itself."""

import json
import subprocess

from runner import figures
from runner.load import Load, LoadFailed, carried, holds
from runner.search import largest
from runner.server import REPOSITORY, binary, plenum

VIDEO = ["--payload", 1_100, "--frame-packets", 5]
LIVESTREAM = ["--scenario", "livestream", "--no-audio"]
RAMP = ["--ramp", "200/s"]


class Row:
    """One line of the table."""

    def __init__(self, name, target):
        self.name = name
        self.target = target

    def line(self, arguments):
        try:
            measured, floor, command = self.measure(arguments)
        except LoadFailed as failure:
            measured, floor, command = f"failed: {failure}", "", "plenum load"
        return [self.name, measured, self.target, floor, f"`{command}`"]


class Command(Row):
    """A row that another command of this repository fills."""

    def __init__(self, name, target, command, read):
        super().__init__(name, target)
        self.command, self.read = command, read

    def measure(self, _):
        done = subprocess.run(self.command, cwd=REPOSITORY, capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(f"{' '.join(self.command)} failed:\n{done.stdout}{done.stderr}")
        return self.read(done.stdout), "", " ".join(self.command)


class Cost(Row):
    """CPU per forwarded packet under a load, beside the kernel's floor."""

    def __init__(self, name, target, flags):
        super().__init__(name, target)
        self.flags = [*flags, *RAMP]

    def measure(self, arguments):
        runs, floors = [], []
        for _ in range(arguments.rounds):
            with plenum() as server:
                load = Load(server, seconds=arguments.seconds)
                runs.append(load.run(self.flags))
            floors.append(floor_of(runs[-1]))
        return (cost(runs[1:]), floor(floors[1:]),
                "plenum load " + " ".join(map(str, self.flags)))


class Sustained(Row):
    """The most packets a second, found by adding subscribers; and the latency at 70 % of that."""

    def __init__(self, name, target, packets, latency=False):
        super().__init__(name, target)
        self.packets, self.latency = packets, latency

    def flags(self, subscribers):
        return [*LIVESTREAM, "--payload", 1_100, "--frame-packets", self.packets,
                "--subscribers", subscribers, "--ramp", "400/s"]

    def measure(self, arguments):
        command = "plenum load " + " ".join(map(str, self.flags("N")))
        with plenum() as server:
            load = Load(server, seconds=arguments.seconds)
            runs = {}

            def carries(subscribers):
                runs[subscribers] = carried(load, self.flags(subscribers))
                return holds(runs[subscribers])

            most = largest(carries, 200, 12_000)
            if most == 0:
                return "less than 200 subscribers", "", command
            if self.latency:
                return self.latency_of(load, most, command)
        run = runs[most]
        # If the clients were the limit beyond it, the server's own limit is higher.
        limits = [other["client"]["bottleneck"] for n, other in runs.items() if n > most and other]
        at_least = "≥ " if any(limits) else ""
        limit = f"; beyond, the load benchmark is the limit: {next(filter(None, limits))}" if any(limits) else ""
        measured = f"{at_least}{figures.number(run['packets_per_second'])} packets/s (N = {most}){limit}"
        return measured, floor([floor_of(run)]), command

    def latency_of(self, load, most, command):
        run = load.run(self.flags(int(most * 0.7)))
        latency = run["latency_us"]
        return (f"p50 {latency['p50']} µs, p99 {latency['p99']} µs (N = {int(most * 0.7)})", "", command)


class Growth(Row):
    """The cost in one room of 500 against that in ten of 50, at equal packet rates."""

    def measure(self, arguments):
        sizes = {500: 1, 50: 10}
        runs = {size: [] for size in sizes}
        with plenum() as server:
            load = Load(server, seconds=arguments.seconds)
            for _ in range(arguments.rounds):
                for size, rooms in sizes.items():
                    flags = [*LIVESTREAM, *VIDEO, "--rooms", rooms, "--subscribers", size, *RAMP]
                    runs[size].append(load.run(flags))
        large, small = (figures.of(runs[size][1:], "server", "cpu_us_per_packet") for size in sizes)
        return (f"{(large / small - 1) * 100:+.0f} % ({figures.us(large)} against {figures.us(small)})",
                "", "plenum load --scenario livestream --rooms 1 --subscribers 500; --rooms 10 --subscribers 50")


class SecondShard(Row):
    """What a second shard adds.

    Two cores cannot show the throughput of two shards and a load. What they can show is what
    forwarding costs when the room is spread over two shards, so that half of the copies cross a
    link: twice the packets of one shard, divided by how much dearer each has become, is what two
    cores would carry. Caches and memory that the two would share are not in it.
    """

    def measure(self, arguments):
        runs = {1: [], 2: []}
        flags = [*LIVESTREAM, *VIDEO, "--subscribers", 200, *RAMP]
        balance = []
        for _ in range(arguments.rounds):
            for shards in runs:
                with plenum(shards=shards, cores=range(shards)) as server:
                    before = server.thread_cpu()
                    runs[shards].append(Load(server, seconds=arguments.seconds).run(flags))
                    if shards == 2:
                        balance.append(share_of_busiest(before, server.thread_cpu()))
        one, two = (figures.of(runs[n][1:], "server", "cpu_us_per_packet") for n in runs)
        return (f"{2 * one / two:.2f} × by CPU per packet ({figures.us(one)}, {figures.us(two)}; the busier "
                f"shard did {max(balance[1:]) * 100:.0f} %)", "",
                "plenum serve --shards 1, 2; plenum load " + " ".join(map(str, flags)))


class Joins(Row):
    """Joins a core carries: those made, divided by all CPU that the server used meanwhile.

    In rooms of 21: in one large room most of the work is telling everybody of everybody.
    """

    ROOMS, SUBSCRIBERS = 50, 20
    COUNT = ROOMS * (1 + SUBSCRIBERS)

    def measure(self, arguments):
        flags = ["--scenario", "audio", "--rooms", self.ROOMS, "--publishers", 1,
                 "--subscribers", self.SUBSCRIBERS, "--ramp", "700/s"]
        per_core, reached = [], []
        for _ in range(arguments.rounds):
            with plenum() as server:
                before = total_cpu(server)
                run = Load(server, settle=0).run(flags, seconds=1)
                if run["clients_failed"]:
                    raise LoadFailed(f"{run['clients_failed']} of {self.COUNT} could not join")
                per_core.append(self.COUNT / (total_cpu(server) - before))
                reached.append(run["joins_per_second"] or 0)
        return (f"≥ {figures.number(sorted(per_core[1:])[0])} by CPU, media and leaving included; "
                f"{figures.number(max(reached[1:]))} reached", "",
                "plenum load " + " ".join(map(str, flags)))


class Memory(Row):
    """Growth of the server's memory for each client that does something."""

    def __init__(self, name, target, flags, clients):
        super().__init__(name, target)
        self.flags, self.clients = [*flags, *RAMP], clients

    def measure(self, arguments):
        with plenum() as server:
            # Memory that a first call makes the allocator keep belongs to nobody.
            load = Load(server, seconds=arguments.seconds)
            load.run(["--scenario", "audio", "--publishers", 1, "--subscribers", 2], seconds=1)
            before = server.memory()
            run = load.run(self.flags)
        grown = run["server"]["rss_bytes"] - before
        return (f"{grown / self.clients / 1024:,.0f} KiB", "",
                "plenum load " + " ".join(map(str, self.flags)))


def cost(runs):
    user = figures.of(runs, "server", "cpu_user_us_per_packet")
    system = figures.of(runs, "server", "cpu_system_us_per_packet")
    total = figures.of(runs, "server", "cpu_us_per_packet")
    lost = figures.of(runs, "loss_ratio")
    runs_of = figures.of(runs, "server", "gso_segments_per_send")
    rate = figures.number(figures.of(runs, "packets_per_second"))
    return (f"{figures.us(total)} (user {user:.2f}, system {system:.2f}) at {rate}/s in runs of "
            f"{runs_of:.1f}, {lost * 100:.2f} % lost")


def floor_of(run):
    """The kernel's cost for the run length, rate, size and number of sockets of a run."""
    length = max(1, round(run["server"]["gso_segments_per_send"] or 1))
    size = round(run["bits_per_second"] / 8 / run["packets_per_second"])
    command = [binary("floor"), "--sockets", run["subscribers"], "--runs", length, "--bytes", size,
               "--rate", run["packets_per_second"], "--seconds", 3, "--rounds", 1,
               "--pin", 0, "--pin-receivers", 1, "--json", "-"]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=120)
    if done.returncode != 0:
        raise SystemExit(f"floor failed: {done.stderr}")
    return json.loads(done.stdout)["rows"][0]


def floor(rows):
    """Of the same number of datagrams in one message."""
    return f"{figures.us(figures.of(rows, 'cpu_us_per_packet'))} in runs of {rows[0]['run']}"


def total_cpu(server):
    return sum(seconds for _, seconds in server.thread_cpu().values())


def share_of_busiest(before, after):
    """Share of the shards' CPU that the busiest of them used."""
    used = [seconds - before.get(thread, ("", 0))[1] for thread, (name, seconds) in after.items()
            if name.startswith("shard")]
    return max(used) / sum(used) if used and sum(used) else 1


def nanoseconds(output):
    """The last row of the fan-out: 500 subscribers."""
    row = json.loads(output)[-1]
    return f"{row['ns_per_copy']:.0f} ns"


ALL = [
    Command("packet path without IO, 1 → 500", "≤ 300 ns",
            ["cargo", "run", "--quiet", "--release", "-p", "plenum-benches", "--bin", "fan_out", "--", "--json"],
            nanoseconds),
    Command("heap allocations per forwarded packet", "0",
            ["cargo", "test", "--quiet", "-p", "plenum-tests", "--test", "allocations"], lambda _: "0"),
    Cost("livestream 1 → 400", "≤ 1.5 µs, user ≤ 0.4, system ≤ 1.15 × floor",
         [*LIVESTREAM, *VIDEO, "--subscribers", 400]),
    Cost("meeting 16 × 16", "≤ 1.5 µs, then 1.0; user ≤ 0.4", ["--scenario", "meeting", "--participants", 16, *VIDEO]),
    Cost("meeting 30 × 30", "≤ 1.5 µs, then 1.0; user ≤ 0.4", ["--scenario", "meeting", "--participants", 30, *VIDEO]),
    Cost("audio 10 → 100", "≤ 4 µs, then 2.3", ["--scenario", "audio", "--subscribers", 100]),
    Cost("audio 10 → 500", "≤ 4 µs, then 2.3", ["--scenario", "audio", "--subscribers", 500]),
    Sustained("sustained, frames of 5", "≥ 500,000 packets/s", 5),
    Sustained("sustained, frames of 8", "≥ 750,000 packets/s", 8),
    Sustained("latency at 70 % of sustained", "p50 ≤ 150 µs, p99 ≤ 2 ms", 5, latency=True),
    SecondShard("second shard", "≥ 1.9 ×"),
    Growth("cost at 500 against 50 subscribers", "within 15 %"),
    Memory("memory per idle subscriber", "≤ 64 KiB",
           ["--scenario", "audio", "--publishers", 1, "--subscribers", 1_000], 1_000),
    Memory("memory per active video publisher", "≤ 1.5 MiB",
           ["--publishers", 50, "--subscribers", 1, "--video-bitrate", "2.5M"], 50),
    Joins("joins per second and core", "≥ 500"),
]
