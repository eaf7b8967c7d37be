"""The usable processors are all of them, the ones that the process is bound to, or a container's share."""

import os
from pathlib import Path

import pytest

from surrogate_nas._support.processors import processor_count


@pytest.fixture(autouse=True)
def _eight_of_sixteen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pretends a machine of 16 processors; this process is bound to 8 of them."""
    monkeypatch.setattr(os, "cpu_count", lambda: 16)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _process: set(range(8)), raising=False)


def machine(root: Path, groups: str, **files: str) -> Path:
    """Writes files of Linux under a folder; a name has '__' for '/'."""
    for name, text in {"proc__self__cgroup": groups, **files}.items():
        path = root / name.replace("__", "/").replace("DOT", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n", encoding="utf-8")
    return root


def test_a_bound_process_counts_what_it_is_bound_to(tmp_path: Path) -> None:
    assert processor_count(tmp_path) == 8


def test_systems_without_affinity_count_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "sched_getaffinity")
    assert processor_count(tmp_path) == 16
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert processor_count(tmp_path) == 1


@pytest.mark.parametrize(
    ("limit", "count"),
    [("max 100000", 8), ("150000 100000", 2), ("10000 100000", 1), ("300000 100000", 3), ("9900000 100000", 8)],
)
def test_a_share_of_processors_is_rounded_up(tmp_path: Path, limit: str, count: int) -> None:
    assert processor_count(machine(tmp_path, "0::/", sys__fs__cgroup__cpuDOTmax=limit)) == count


def test_the_smallest_share_from_the_group_to_the_top_counts(tmp_path: Path) -> None:
    files = {
        "sys__fs__cgroup__a__cpuDOTmax": "400000 100000",
        "sys__fs__cgroup__a__b__cpuDOTmax": "600000 100000",
        "sys__fs__cgroup__other__cpuDOTmax": "100000 100000",
    }
    assert processor_count(machine(tmp_path, "0::/a/b", **files)) == 4


def test_a_container_that_sees_its_own_group_as_the_top(tmp_path: Path) -> None:
    """The path belongs to the machine outside, which is not there."""
    assert processor_count(machine(tmp_path, "0::/docker/0123", sys__fs__cgroup__cpuDOTmax="200000 100000")) == 2


@pytest.mark.parametrize("folder", ["cpu", "cpu,cpuacct"])
def test_version_1(tmp_path: Path, folder: str) -> None:
    groups = "5:memory:/docker/a\n4:cpu,cpuacct:/docker/a\n1:name=systemd:/docker/a"
    files = {
        f"sys__fs__cgroup__{folder}__docker__a__cpuDOTcfs_quota_us": "250000",
        f"sys__fs__cgroup__{folder}__docker__a__cpuDOTcfs_period_us": "100000",
        f"sys__fs__cgroup__{folder}__cpuDOTcfs_quota_us": "-1",
        f"sys__fs__cgroup__{folder}__cpuDOTcfs_period_us": "100000",
        "sys__fs__cgroup__memory__docker__a__cpuDOTcfs_quota_us": "100000",
        "sys__fs__cgroup__memory__docker__a__cpuDOTcfs_period_us": "100000",
    }
    assert processor_count(machine(tmp_path, groups, **files)) == 3


@pytest.mark.parametrize("limit", ["", "100000", "100000 0", "x y", "-5 100000", "1 2 3"])
def test_what_cannot_be_read_limits_nothing(tmp_path: Path, limit: str) -> None:
    assert processor_count(machine(tmp_path, "0::/\nnonsense", sys__fs__cgroup__cpuDOTmax=limit)) == 8
