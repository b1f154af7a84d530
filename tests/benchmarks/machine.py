"""What the figures were measured on: without it they say nothing."""

import os
import platform
import re
import subprocess
from datetime import UTC, datetime
from pathlib import Path

from tests.repository import ROOT

GIBIBYTE = 1 << 30


def machine() -> str:
    """Date, revision, cores, processor, memory, kernel, and how busy the machine is now, in a line each."""
    memory_bytes = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    load = " ".join(f"{value:.1f}" for value in os.getloadavg())
    return "\n".join(
        (
            f"date      {datetime.now(UTC):%Y-%m-%d %H:%M} UTC, revision {_revision()}",
            f"machine   {len(os.sched_getaffinity(0))} cores, {_processor()}, {memory_bytes / GIBIBYTE:.1f} GiB RAM",
            f"software  Linux {platform.release()}, Python {platform.python_version()}",
            f"load      {load} before the start (1, 5, 15 minutes); 0 is an idle machine",
        )
    )


def _processor() -> str:
    described = Path("/proc/cpuinfo").read_text("utf-8")
    found = re.search(r"^(?:model name|Model|Hardware)\s*:\s*(.+)$", described, re.MULTILINE)
    return found[1] if found else platform.machine()


def _revision() -> str:
    command = ["git", "rev-parse", "--short", "HEAD"]
    asked = subprocess.run(command, check=False, cwd=ROOT, capture_output=True, text=True)
    return asked.stdout.strip() or "unknown"
