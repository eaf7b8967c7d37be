"""Stages take what earlier ones find, and say how their time is recorded."""

from collections.abc import Callable
from pathlib import Path

import pytest

from surrogate_nas.errors import Interrupted
from surrogate_nas.runs.state import RECORDED
from surrogate_nas.study.findings import Findings
from surrogate_nas.study.run import STAGES, run_stage
from surrogate_nas.study.running import Run
from surrogate_nas.study.stages.protocol import Stage, Timing

RunOf = Callable[..., Run]


class Counting(Stage):
    """Finds how often it was run, or what was found before; may be interrupted."""

    name = "search"
    inputs = (int,)

    def __init__(self, timing: Timing, inputs: str = "") -> None:
        self.timing = timing  # type: ignore[misc]
        self.inputs_hash = inputs

    def made_from(self, findings: Findings) -> str:  # noqa: ARG002
        return self.inputs_hash

    def reuse(self, findings: Findings, run: Run) -> Findings | None:  # noqa: ARG002
        return Findings("found before") if self.inputs_hash else None

    def run(self, findings: Findings, run: Run) -> Findings:
        run.stop_if_asked("counting")
        return Findings(findings[int] + 1)


def test_names_are_unique_and_the_recorded_ones_are_those_of_the_state() -> None:
    names = [stage.name for stage in STAGES]
    assert len(set(names)) == len(names)
    timed = [stage.name for stage in STAGES if stage.timing is not Timing.NONE]
    assert timed == list(RECORDED)


def test_a_stage_of_moments_leaves_no_record(run_of: RunOf, tmp_path: Path) -> None:
    run = run_of(tmp_path)
    assert run_stage(Counting(Timing.NONE), Findings(1), run)[int] == 2
    assert run.folder.state.seconds() == {}


def test_the_last_time_counts_and_what_was_made_from_the_same_is_reused(run_of: RunOf, tmp_path: Path) -> None:
    run = run_of(tmp_path)
    stage = Counting(Timing.ANEW, "inputs")
    assert run_stage(stage, Findings(1), run)[int] == 2
    assert run.folder.state.is_done("search", "inputs")
    assert run_stage(stage, Findings(1), run)[str] == "found before"
    assert run_stage(Counting(Timing.ANEW, "others"), Findings(1), run)[int] == 2
    assert not run.folder.state.is_done("search", "inputs")


def test_an_interrupt_adds_the_time_of_a_stage_that_is_gone_on_with(run_of: RunOf, tmp_path: Path) -> None:
    run = run_of(tmp_path, stop=True)
    with pytest.raises(Interrupted):
        run_stage(Counting(Timing.ANEW), Findings(1), run)
    assert run.folder.state.seconds() == {}
    with pytest.raises(Interrupted):
        run_stage(Counting(Timing.ADDED), Findings(1), run)
    assert "search" in run.folder.state.seconds()
    assert not run.folder.state.is_done("search", "")
    run_stage(Counting(Timing.ADDED), Findings(1), run_of(tmp_path))
    assert run.folder.state.is_done("search", "")
