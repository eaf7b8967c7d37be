"""Commands are begun in groups of their own, and parts of them are interrupted."""

import signal
from pathlib import Path

import pytest

from benchmarks.breaking.processes import Group

pytestmark = pytest.mark.posix


def test_a_command_that_ends_is_not_interrupted(tmp_path: Path) -> None:
    with (tmp_path / "log").open("wb") as output:
        group = Group(["--version"], output, {})
        assert group.wait(100) == 0
    assert not group.interrupt("group", signal.SIGTERM, 0.1)
    assert group.worker(0.1) is None
    assert group.orphans(1) == 0
    assert (tmp_path / "log").read_text(encoding="utf-8").startswith("surrogate_nas ")


def test_a_command_is_killed_with_its_group(tmp_path: Path) -> None:
    with (tmp_path / "log").open("wb") as output:
        group = Group(["study", "--output-dir", str(tmp_path / "run")], output, {})
    assert group.wait(0.05) is None
    assert group.interrupt("parent", signal.SIGTERM, 1)
    assert group.wait(100) in (-signal.SIGTERM, 130)
    assert group.orphans(10) == 0
