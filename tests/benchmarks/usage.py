"""What a process takes, from the operating system's accounting (proc(5))."""

import os
import re
from pathlib import Path


def cpu_s(pid: int) -> float:
    """Processor time that a process has used with all its threads, user and system (fields 14 and 15 of stat)."""
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def status_mb(pid: int, field: str) -> float:
    """A size of its status, such as `VmRSS`, in megabytes (10⁶ bytes)."""
    found = re.search(rf"^{field}:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text("ascii"), re.MULTILINE)
    assert found is not None
    return int(found[1]) * 1024 / 1e6
