"""CPU and memory of a process, as the kernel counts them (Linux)."""

import os
from pathlib import Path

_HERTZ = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid: int) -> float:
    """User and system time of a process and its threads so far; children not among it."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _HERTZ


def memory_mb(pid: int) -> tuple[float, float]:
    """Resident memory of a process now and at its peak."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    kb = {
        name: int(value.split()[0])
        for name, _, value in (line.partition(":") for line in lines)
        if name in _MEMORY
    }
    return kb["VmRSS"] / 1024, kb["VmHWM"] / 1024


_MEMORY = ("VmRSS", "VmHWM")
