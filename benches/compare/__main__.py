"""Plenum and Janus under the same load, in turns. Run it by benches/compare/run.

The server has core 0, the load core 1. Prints the CPU of the server process per packet that
subscribers received (medians; the first round is not counted), and the most packets a second that
each carries at a loss of at most 0.1 %.
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from compare import janus  # noqa: E402
from runner import figures, server  # noqa: E402
from runner.load import Load, LoadFailed, carried, holds  # noqa: E402
from runner.search import largest  # noqa: E402
from table import machine  # noqa: E402

VIDEO = ["--payload", 1_100, "--frame-packets", 5]
LIVESTREAM = ["--scenario", "livestream", "--no-audio", *VIDEO, "--ramp", "50/s"]
SCENARIOS = {
    "livestream 1 → 100": [*LIVESTREAM, "--subscribers", 100],
    "livestream 1 → 400": [*LIVESTREAM, "--subscribers", 400],
    "meeting 16 × 16": ["--scenario", "meeting", "--participants", 16, *VIDEO],
    "audio 10 → 100": ["--scenario", "audio", "--subscribers", 100],
}
FIRST, MOST = 50, 6_000


def main():
    parser = argparse.ArgumentParser(prog="benches/compare/run", description=__doc__)
    parser.add_argument("--address", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--rounds", type=int, default=4, help="the first is not counted")
    parser.add_argument("--seconds", type=int, default=10, help="of each run")
    parser.add_argument("--only", default="", help="only scenarios whose name contains this")
    parser.add_argument("--no-search", action="store_true", help="leave the largest loads out")
    arguments = parser.parse_args()
    if arguments.rounds < 2 or arguments.seconds < 1:
        parser.error("--rounds must be at least 2, --seconds at least 1")
    contenders = contenders_at(arguments.address)
    print(machine.header() + f"Janus {janus.version()} of Debian, video room, ICE lite\n")
    rows = [["µs of CPU per packet", *contenders]]
    for name, flags in SCENARIOS.items():
        if arguments.only in name:
            rows.append([name, *costs(contenders, flags, arguments)])
    print(figures.table(rows))
    if not arguments.no_search:
        rows = [["largest livestream at ≤ 0.1 % loss", *contenders]]
        rows.append(["", *(largest_load(*one, arguments) for one in contenders.values())])
        print("\n" + figures.table(rows))


def contenders_at(host):
    """By name: how to start each, and the flags that make the load speak its protocol."""
    janus_url = ["--janus", f"ws://{host}:{janus.PORT}"]
    return {
        "Plenum": (lambda: server.plenum(host), ["--url", f"http://{host}:7880"]),
        "Janus, one event loop": (lambda: janus.Janus(host, [0], 1), janus_url),
        "Janus, a thread per connection": (lambda: janus.Janus(host, [0], 0), janus_url),
    }


def costs(contenders, flags, arguments):
    """A cell for each contender, measured in turns."""
    runs = {name: [] for name in contenders}
    for _ in range(arguments.rounds):
        for name, (start, target) in contenders.items():
            with start() as running:
                load = Load(running, target=target, seconds=arguments.seconds)
                try:
                    runs[name].append(load.run(flags))
                except LoadFailed as failure:
                    print(f"… {name}: {failure}", file=sys.stderr, flush=True)
                    continue
            print(f"… {name}: {cell(runs[name][-1:])}", file=sys.stderr, flush=True)
    return [cell(of_one[1:]) if len(of_one) == arguments.rounds else "cannot carry it"
            for of_one in runs.values()]


def cell(runs):
    total = figures.of(runs, "server", "cpu_us_per_packet")
    user = figures.of(runs, "server", "cpu_user_us_per_packet")
    system = figures.of(runs, "server", "cpu_system_us_per_packet")
    cipher = runs[0]["machine"]["cipher"].removeprefix("AEAD_")
    text = f"{total:.2f} ({user:.2f} + {system:.2f}), {cipher}"
    lost = figures.of(runs, "loss_ratio")
    failed = figures.of(runs, "clients_failed")
    if lost > 0.001:
        text += f", {lost * 100:.1f} % lost"
    if failed:
        text += f", {failed:.0f} clients failed"
    return text


def largest_load(start, target, arguments):
    """Every size against a server that is started anew, so that none inherits another's debts."""
    rates = {}

    def carries(subscribers):
        with start() as running:
            load = Load(running, target=target, seconds=arguments.seconds)
            run = carried(load, [*LIVESTREAM, "--subscribers", subscribers])
        lost = "too many could not join"
        if run:
            rates[subscribers] = run["packets_per_second"]
            lost = f"{run['loss_ratio'] * 100:.3f} % lost"
        print(f"… {subscribers}: {lost}", file=sys.stderr, flush=True)
        return holds(run)

    found = largest(carries, FIRST, MOST)
    if not found:
        return f"less than 1 → {FIRST}"
    return f"1 → {found}: {figures.number(rates[found])} packets/s"


if __name__ == "__main__":
    main()
