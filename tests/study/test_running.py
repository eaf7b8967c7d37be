"""A run in progress."""

from collections.abc import Callable
from pathlib import Path

import pytest

from surrogate_nas.errors import Interrupted
from surrogate_nas.runs.settings import StudySettings
from surrogate_nas.study.running import Run

RunOf = Callable[..., Run]


def test_progress_ends_where_a_stop_was_asked_for(run_of: RunOf, tmp_path: Path) -> None:
    with run_of(tmp_path).progress("images", "reading images") as advance:
        advance(1, 2)
    with (
        pytest.raises(Interrupted, match="stopped while reading images"),
        run_of(tmp_path, stop=True).progress("images", "reading images") as advance,
    ):
        advance(1, 2)
    run_of(tmp_path).stop_if_asked("measuring")
    with pytest.raises(Interrupted, match="stopped while measuring"):
        run_of(tmp_path, stop=True).stop_if_asked("measuring")


def test_it_has_as_many_workers_as_the_settings_say(run_of: RunOf, tmp_path: Path) -> None:
    settings = StudySettings(name="wide")
    wide = settings.model_copy(update={"compute": settings.compute.model_copy(update={"processes": 3})})
    run = run_of(tmp_path, wide)
    assert run.workers.processes == 3
    assert run.settings is wide
    assert run_of(tmp_path, settings).workers.processes == 1
