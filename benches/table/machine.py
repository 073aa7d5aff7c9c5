"""What the figures were measured on."""

import platform
import subprocess
from pathlib import Path

from runner.server import REPOSITORY


def header():
    """Machine, kernel and commit, as a line of Markdown."""
    names = [line.split(":", 1)[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
             if line.startswith("model name")]
    git = ["git", "-C", REPOSITORY, "describe", "--always", "--dirty", "--exclude=*"]
    commit = subprocess.run(git, capture_output=True, text=True, check=True).stdout.strip()
    return (f"{names[0] if names else 'unknown'} × {len(names)}, Linux {platform.release()}, "
            f"commit {commit}\n")
