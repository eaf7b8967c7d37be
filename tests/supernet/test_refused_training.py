"""Trainings that meet checkpoints of something else, full disks or losses without bounds."""

import errno
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from torch import Tensor

from surrogate_nas.errors import RunFolderError, StoreError, TrainingError
from surrogate_nas.supernet.checkpoint import load_checkpoint
from surrogate_nas.supernet.rules.step_plan import Agenda, Step
from surrogate_nas.supernet.shared_network import SharedNetwork
from surrogate_nas.supernet.training import train_member
from tests.supernet.trainings import MakeJob, after, drawn, ignore, never


class TestRefusals:
    def test_a_checkpoint_of_something_else_is_named(self, job_of: MakeJob) -> None:
        job = job_of(groups=3)
        train_member(job, ignore, after(2))
        before = job.checkpoint.read_bytes()
        with pytest.raises(RunFolderError, match="was made with space = s, not other"):
            train_member(replace(job, identity={"space": "other"}), ignore, never)
        other = job_of(bands=[[1], [0, 2, 3]])
        with pytest.raises(RunFolderError, match="was made with subspace = 0 nonlinear, not 1 nonlinear"):
            train_member(other, ignore, never)
        assert job.checkpoint.read_bytes() == before

    def test_a_checkpoint_of_another_member_is_named(self, job_of: MakeJob) -> None:
        job, other = job_of(groups=2), job_of(groups=2, member=1)
        train_member(job, ignore, after(2))
        job.checkpoint.rename(other.checkpoint)
        with pytest.raises(RunFolderError, match="was made with member = 0, not 1"):
            train_member(other, ignore, never)

    def test_a_checkpoint_of_another_network_is_refused(self, job_of: MakeJob) -> None:
        job, wider = job_of(split="none"), job_of(split="none", sharing="depth", thresholds=[0.5], shared_stages=0)
        train_member(job, ignore, after(2))
        before = job.checkpoint.read_bytes()
        with pytest.raises(RunFolderError, match="is of another network"):
            train_member(wider, ignore, never)
        assert job.checkpoint.read_bytes() == before

    def test_a_checkpoint_beyond_the_last_step_is_refused(self, job_of: MakeJob) -> None:
        train_member(job_of(steps=6), ignore, never)
        with pytest.raises(StoreError, match="is damaged"):
            train_member(job_of(steps=4), ignore, never)

    @pytest.mark.parametrize("keep", [0, 7, 1000], ids=str)
    def test_a_damaged_checkpoint_is_not_trained_over(self, job_of: MakeJob, keep: int) -> None:
        job = job_of()
        train_member(job, ignore, after(2))
        job.checkpoint.write_bytes(job.checkpoint.read_bytes()[:keep])
        before = job.checkpoint.read_bytes()
        with pytest.raises(StoreError, match=re.escape(f"the checkpoint {job.checkpoint} is damaged")):
            train_member(job, ignore, never)
        assert job.checkpoint.read_bytes() == before

    def test_a_full_disk_keeps_the_checkpoint_before(self, job_of: MakeJob, monkeypatch: pytest.MonkeyPatch) -> None:
        job = job_of()
        train_member(job, ignore, after(2))
        before = job.checkpoint.read_bytes()

        def full(target: Path, content: bytes) -> None:
            target.write_text("half")
            raise OSError(errno.ENOSPC, "No space left on device")

        with monkeypatch.context() as patch:
            patch.setattr(Path, "write_bytes", full)
            with pytest.raises(TrainingError, match=re.escape("No space left on device; the one before it is kept")):
                train_member(job, ignore, never)
        assert job.checkpoint.read_bytes() == before
        assert [file.name for file in job.checkpoint.parent.iterdir()] == [job.checkpoint.name]
        assert train_member(job, ignore, never)


class TestDivergence:
    @staticmethod
    def infinite_at(monkeypatch: pytest.MonkeyPatch, step: int) -> None:
        worked_out = Agenda.step

        def spoilt(agenda: Agenda, number: int) -> Step:
            found = worked_out(agenda, number)
            return replace(found, rate=float("inf")) if number == step else found

        monkeypatch.setattr(Agenda, "step", spoilt)

    def test_a_loss_that_is_not_finite_names_step_and_subnet(
        self, job_of: MakeJob, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.infinite_at(monkeypatch, 5)
        job = job_of()
        train_member(job, ignore, after(3))
        before = job.checkpoint.read_bytes()
        subnet = job.plan.space.digits(drawn(job.plan, 6))[0]
        expected = (
            f"the training loss of supernet 0 became nan at step 6, subnet {subnet}: start over with a lower"
            " supernet.learning_rate and --overwrite"
        )
        with pytest.raises(TrainingError, match=re.escape(expected)):
            train_member(job, ignore, never)
        assert job.checkpoint.read_bytes() == before

    @pytest.mark.parametrize("settings", [{"checkpoint_seconds": 1e-9}, {"steps": 6}], ids=str)
    def test_weights_that_are_not_finite_are_never_saved(
        self, job_of: MakeJob, monkeypatch: pytest.MonkeyPatch, settings: dict[str, Any]
    ) -> None:
        # The loss of the step that spoils the weights is finite still.
        self.infinite_at(monkeypatch, 5)
        job = job_of(**settings)
        train_member(job, ignore, after(3))
        subnet = job.plan.space.digits(drawn(job.plan, 5))[0]
        expected = f"the weights of supernet 0 became infinite or NaN at step 5, subnet {subnet}: start over"
        with pytest.raises(TrainingError, match=re.escape(expected)):
            train_member(job, ignore, never)
        kept = load_checkpoint(job.checkpoint, job.identity)
        assert 3 <= kept.step <= 5
        assert all(bool(weight.isfinite().all()) for weight in kept.weights.values())

    def test_a_loss_beyond_all_bounds_is_named(self, job_of: MakeJob, monkeypatch: pytest.MonkeyPatch) -> None:
        job = job_of()
        forward = SharedNetwork.forward
        monkeypatch.setattr(SharedNetwork, "forward", lambda *args: forward(*args) * 1e8)
        subnet = job.plan.space.digits(drawn(job.plan, 0))[0]
        expected = rf"the training loss of supernet 0 became \S+e\+0\d at step 0, subnet {subnet}: start over"
        with pytest.raises(TrainingError, match=expected):
            train_member(job, ignore, never)
        assert not job.checkpoint.exists()

    def test_the_subnet_at_fault_is_named_among_several(self, job_of: MakeJob, monkeypatch: pytest.MonkeyPatch) -> None:
        job = job_of(sharing="depth", sampler="per_group", groups=3)
        guilty = drawn(job.plan, 4)[1]
        forward = SharedNetwork.forward

        def spoilt(network: SharedNetwork, x: Tensor, code: Sequence[int]) -> Tensor:
            return forward(network, x, code) * (float("nan") if list(code) == guilty else 1.0)

        monkeypatch.setattr(SharedNetwork, "forward", spoilt)
        expected = f"became nan at step 4, subnet {job.plan.space.digits([guilty])[0]}: start over"
        with pytest.raises(TrainingError, match=re.escape(expected)):
            train_member(job, ignore, never)
