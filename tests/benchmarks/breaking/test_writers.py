"""Writers of a run folder: whatever they are stopped at, the old content or the new one is there."""

from pathlib import Path
from typing import get_args

import pytest

from benchmarks.breaking.crash_points import How, stop_everywhere
from benchmarks.breaking.writers import independent_writers, writers

pytestmark = pytest.mark.posix


@pytest.mark.quick_cases(2)
@pytest.mark.parametrize("name", ["study.toml", "checkpoint", "costs", "labels", "zero-cost scores"])
def test_a_kill_leaves_the_old_or_the_new_content(tmp_path: Path, name: str) -> None:
    found = stop_everywhere(name, independent_writers()[name], tmp_path / "stops", "kill")
    assert found.faults == ()
    assert found.old > 0
    assert found.refused == 0


@pytest.mark.slow
def test_a_kill_or_a_full_disk_leaves_whole_results(tmp_path: Path, broken_run: Path) -> None:
    for name, writer in writers(broken_run, tmp_path).items():
        for how in get_args(How):
            found = stop_everywhere(name, writer, tmp_path / "stops", how)
            assert found.faults == (), name
            assert found.old > 0, name
