"""Every row of the results table, measured: `python3 benches/table`.

The server has core 0, the load core 1. Rows that compare are measured in turns, the first round
is not counted, and medians are quoted. Beside each row with packets stands the kernel's floor for
the same run length and packet rate, measured between its rounds.
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from runner import figures, server  # noqa: E402
from table import machine, rows  # noqa: E402


def main():
    parser = argparse.ArgumentParser(prog="python3 benches/table", description=__doc__)
    parser.add_argument("--rows", default="", help="only those whose name contains this")
    parser.add_argument("--rounds", type=int, default=4, help="the first is not counted")
    parser.add_argument("--seconds", type=int, default=10, help="of each run")
    parser.add_argument("--list", action="store_true", help="name the rows and end")
    arguments = parser.parse_args()
    chosen = [row for row in rows.ALL if arguments.rows in row.name]
    if not chosen:
        parser.error(f"no row is named like '{arguments.rows}', see --list")
    if arguments.list:
        print("\n".join(row.name for row in chosen))
        return
    if arguments.rounds < 2 or arguments.seconds < 1:
        parser.error("--rounds must be at least 2, --seconds at least 1")
    server.build("plenum", "plenum-benches")
    print(machine.header() + "Plenum with AEAD_AES_128_GCM, its first choice of what the clients offer\n")
    head = ["", "measured", "target", "kernel's floor", "command"]
    lines = [head]
    for row in chosen:
        print(f"… {row.name}", file=sys.stderr, flush=True)
        lines.append(row.line(arguments))
    print(figures.table(lines))


if __name__ == "__main__":
    main()
