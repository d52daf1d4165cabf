"""CPU seconds and peak memory of processes, and of the floors the figures are compared with. Linux only (/proc)."""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

_TICK = os.sysconf("SC_CLK_TCK")


@dataclass
class Usage:
    """Wall and CPU seconds of a span of time, and a process's peak resident memory in MiB since it started."""

    wall: float = 0.0
    cpu: dict[str, float] = field(default_factory=dict)
    peak: dict[str, float] = field(default_factory=dict)


def cpu_seconds(pid: int) -> float:
    """User and system seconds of a process so far, its threads included."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICK


def peak_mib(pid: int) -> float:
    """VmHWM."""
    for line in Path(f"/proc/{pid}/status").read_text().split("\n"):
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return 0.0


@contextmanager
def measured(pids: dict[str, int]) -> Iterator[Usage]:
    """Fill a Usage for the processes named while the block runs."""
    usage, begin = Usage(), time.perf_counter()
    before = {name: cpu_seconds(pid) for name, pid in pids.items()}
    yield usage
    usage.wall = time.perf_counter() - begin
    for name, pid in pids.items():
        usage.cpu[name] = round(cpu_seconds(pid) - before[name], 2)
        usage.peak[name] = round(peak_mib(pid), 1)


def timed(command: list[str], **options: object) -> tuple[float, float]:
    """(wall seconds, CPU seconds) of a command that must succeed."""
    before, begin = os.times(), time.perf_counter()
    subprocess.run(command, check=True, **options)  # type: ignore[call-overload]
    after = os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return time.perf_counter() - begin, cpu
