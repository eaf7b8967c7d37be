"""Trainings that stop, crash or are killed continue as if they had not."""

import multiprocessing
import os
import signal
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from surrogate_nas._processes import slotted_workers
from surrogate_nas._processes.local_workers import LocalWorkers
from surrogate_nas.errors import TrainingError
from surrogate_nas.supernet.checkpoint import load_checkpoint
from surrogate_nas.supernet.training import train_member
from tests.supernet.trainings import MakeJob, after, assert_identical, content, ignore, mean_losses, never

KINDS: dict[str, dict[str, Any]] = {
    "whole": {"member": 1, "groups": 2},
    "one supernet": {"preset": "spos"},
    "depth": {"sharing": "depth", "sampler": "per_group", "groups": 3},
    "balanced": {"sharing": "one", "groups": 4, "weight_average": 0.6},
    "edge": {"split": "edge", "parent_share": 0, "member": 3},
    "drawn by count": {"split": "edge", "sampler": "nonlinear", "parent_share": 0, "member": 3},
    "dynas": {"preset": "dynas", "weight_average": 0.5},
    "fair": {"preset": "fairnas", "schedule": "complexity", "momentum_groups": "separated", "distillation": 0.5},
    "sandwich": {"groups": 2, "sampler": "sandwich", "member": 1},
}


class TestResuming:
    @pytest.mark.quick_cases(3)
    @pytest.mark.parametrize("kind", KINDS)
    def test_a_stopped_training_goes_on_as_if_it_had_not(self, job_of: MakeJob, kind: str) -> None:
        whole, parts = job_of(name="whole", **KINDS[kind]), job_of(name="parts", **KINDS[kind])
        told: list[int] = []
        assert train_member(whole, told.append, never)
        assert told == list(range(13))
        for steps in (1, 4, 6):
            assert not train_member(parts, ignore, after(steps))
        assert load_checkpoint(parts.checkpoint, parts.identity).step == 11
        assert train_member(parts, ignore, never)
        assert_identical(content(parts), content(whole))

    @settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(stops=st.lists(st.integers(1, 4), min_size=1, max_size=4))
    def test_wherever_it_stops(self, job_of: MakeJob, stops: list[int]) -> None:
        whole, parts = job_of(name="whole"), job_of(name=f"parts-{stops}")
        train_member(whole, ignore, never)
        for steps in stops:
            train_member(parts, ignore, after(steps))
        assert train_member(parts, ignore, never)
        assert_identical(content(parts), content(whole))

    def test_a_crash_between_checkpoints_is_taken_up_from_the_last(
        self, job_of: MakeJob, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        whole, crashed = job_of(name="whole"), job_of(name="crashed")
        train_member(whole, ignore, never)
        seconds = iter(float(tick) for tick in range(10**6))
        monkeypatch.setattr("time.monotonic", lambda: 3e8 * next(seconds))  # every fourth step is saved

        def crash(step: int) -> None:
            if step == 7:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            train_member(crashed, crash, never)
        assert 0 < load_checkpoint(crashed.checkpoint, crashed.identity).step < 7
        assert train_member(crashed, ignore, never)
        assert_identical(content(crashed), content(whole))

    @pytest.mark.slow
    @pytest.mark.posix
    def test_a_killed_process_loses_nothing(self, job_of: MakeJob, monkeypatch: pytest.MonkeyPatch) -> None:
        settings = {"steps": 60, "checkpoint_seconds": 1e-9}  # saved after every step, so most likely hit while saving
        whole, killed = job_of(name="whole", **settings), job_of(name="killed", **settings)
        monkeypatch.setattr(slotted_workers, "_POLL_SECONDS", 0.005)

        def kill(step: int) -> None:
            if step >= 5:
                for process in multiprocessing.active_children():
                    assert process.pid is not None
                    with suppress(ProcessLookupError):  # it may have ended since the list was made
                        os.kill(process.pid, signal.SIGKILL)

        with LocalWorkers(1) as pool, pytest.raises(TrainingError, match="a worker process died"):
            pool.run(train_member, [killed], on_result=lambda *_: None, on_progress=kill, should_stop=never)
        assert 1 <= load_checkpoint(killed.checkpoint, killed.identity).step < 60
        assert train_member(killed, ignore, never)
        train_member(whole, ignore, never)
        assert_identical(content(killed), content(whole))

    def test_a_complete_training_is_left_alone(self, job_of: MakeJob) -> None:
        job = job_of()
        train_member(job, ignore, never)
        before = job.checkpoint.stat()  # not of the time of reading, which changes
        told: list[int] = []
        assert train_member(replace(job, images=Path("gone")), told.append, never)
        assert told == [12]
        after_it = job.checkpoint.stat()
        assert (after_it.st_mtime_ns, after_it.st_ino) == (before.st_mtime_ns, before.st_ino)

    def test_a_stop_before_the_first_step_writes_nothing(self, job_of: MakeJob) -> None:
        job = job_of()
        assert not train_member(job, ignore, lambda: True)
        assert not job.checkpoint.exists()

    @pytest.mark.slow
    def test_training_learns_and_its_curve_falls(self, job_of: MakeJob) -> None:
        job = job_of(steps=200, batch_size=32, channels=4)
        train_member(job, ignore, never)
        curve = mean_losses(load_checkpoint(job.checkpoint, job.identity).loss_sum, 200)
        assert len(curve) == 200
        assert np.mean(curve[-30:]) < np.mean(curve[:30]) - 0.1
