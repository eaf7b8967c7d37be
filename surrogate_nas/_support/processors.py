"""Counts the processors that this process may use, by its affinity and its container's limits where there are any."""

import math
import os
from collections.abc import Iterator
from pathlib import Path

ROOT = Path("/")


def processor_count(root: Path = ROOT) -> int:
    """Returns the number of processors that this process may keep busy, at least 1.

    A process that is bound to some processors (``taskset``) counts these. A container with a share of processors
    (``docker run --cpus 1.5``) counts the share, rounded up: more processes than that only wait for each other.

    Args:
        root: Where Linux shows control groups; other systems have none.
    """
    limits = [math.ceil(limit) for folder in _group_folders(root) for limit in _limits(folder)]
    return max(1, min([_bound(), *limits]))


def _bound() -> int:
    """Processors that the system's scheduler lets this process run on."""
    # Only Linux has it; macOS and Windows give every process all processors.
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity is not None else os.cpu_count() or 1


def _group_folders(root: Path) -> Iterator[Path]:
    """Yields the folders of the groups that this process is in, and of their parents: each of them limits it.

    A container may see its own group as the top one while ``/proc/self/cgroup`` has its path outside, so that folders
    that do not exist are not an error.
    """
    mounted = root / "sys/fs/cgroup"
    for line in _text(root / "proc/self/cgroup").splitlines():
        # Such as '0::/user.slice' of version 2, and '4:cpu,cpuacct:/docker/ab' of version 1.
        _, _, rest = line.partition(":")
        controllers, _, place = rest.partition(":")
        if controllers and "cpu" not in controllers.split(","):
            continue
        parts = [part for part in place.split("/") if part not in ("", "..")]
        for top in (mounted / controllers, mounted / "cpu") if controllers else (mounted,):
            yield from (top.joinpath(*parts[:depth]) for depth in range(len(parts) + 1))


def _limits(folder: Path) -> Iterator[float]:
    """Yields the limit of one group, if it has any."""
    words = _text(folder / "cpu.max").split()
    if not words:
        words = [_text(folder / f"cpu.cfs_{name}_us").strip() for name in ("quota", "period")]
    # 'max' and -1 say that there is no limit.
    if len(words) == 2 and all(word.isdecimal() for word in words) and int(words[1]) > 0:
        yield int(words[0]) / int(words[1])


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
