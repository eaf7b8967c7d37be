"""Labels by a probe: one for each computation, kept, and never mixed with labels of supernets."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from surrogate_nas._processes.local_workers import LocalWorkers
from surrogate_nas.errors import Interrupted
from surrogate_nas.labels.records import NO_MEMBER
from surrogate_nas.labels.store import read_labels
from surrogate_nas.study.problem.problem import Problem
from surrogate_nas.study.running import Run
from surrogate_nas.study.stages.labelling.label_slices import label_slices
from surrogate_nas.zero_cost.slice_probe import ProbeJob, ProbeLabels

RunOf = Callable[..., Run]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[ProbeJob]:
    """Makes the probe a count of each architecture's digits; returns the jobs so far."""
    jobs: list[ProbeJob] = []

    def probe(job: ProbeJob, report: Callable[[int], None], _stopped: Callable[[], bool]) -> ProbeLabels:
        jobs.append(job)
        report(len(job.codes))
        sums = np.array([float(sum(code)) for code in job.codes])
        return ProbeLabels(sums, sums / 10)

    def run(_: object, task: Callable[..., ProbeLabels], todo: list[ProbeJob], **calls: Callable[..., object]) -> None:
        for position, job in enumerate(todo):
            if calls["should_stop"]():
                return
            calls["on_result"](position, task(job, calls["on_progress"], calls["should_stop"]))

    monkeypatch.setattr("surrogate_nas.study.stages.labelling.label_slices.probe_slices", probe)
    monkeypatch.setattr(LocalWorkers, "run", run)
    return jobs


def test_each_computation_is_labelled_once_and_kept(
    problem: Problem, run_of: RunOf, tmp_path: Path, asked: list[ProbeJob]
) -> None:
    labels = label_slices(problem, run_of(tmp_path))
    effective = problem.space.effective(problem.drawn)
    np.testing.assert_array_equal(labels.codes, problem.drawn)
    np.testing.assert_array_equal(labels.accuracy_percent, effective.sum(axis=1))
    np.testing.assert_allclose(labels.loss, effective.sum(axis=1) / 10)
    count = len(np.unique(effective, axis=0))
    assert labels.evaluations == sum(len(job.codes) for job in asked) == count
    stored = read_labels(tmp_path / "labels.h5")
    assert set(stored.member.tolist()) == {NO_MEMBER}
    assert set(stored.steps.tolist()) == {0}
    assert {job.network for job in asked} == {problem.plan.network}
    asked.clear()
    again = label_slices(problem, run_of(tmp_path))
    assert asked == []
    np.testing.assert_array_equal(again.loss, labels.loss)


def test_labels_of_supernets_are_others(problem: Problem, run_copy: Path, run_of: RunOf, asked: list[ProbeJob]) -> None:
    before = len(read_labels(run_copy / "labels.h5"))
    labels = label_slices(problem, run_of(run_copy))
    assert len(asked) > 0
    assert len(read_labels(run_copy / "labels.h5")) == before + labels.evaluations


def test_a_stop_that_was_asked_for_ends_it(
    problem: Problem, run_of: RunOf, tmp_path: Path, asked: list[ProbeJob]
) -> None:
    with pytest.raises(Interrupted, match="stopped while labelling"):
        label_slices(problem, run_of(tmp_path, stop=True))
    assert asked == []
