"""Training steps against formulas, and trainings that stop, crash, are killed, diverge or meet a full disk."""

import errno
import multiprocessing
import os
import re
import signal
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional as F

from surrogate_nas.errors import RunFolderError, StoreError, TrainingError
from surrogate_nas.supernet import workers
from surrogate_nas.supernet.agenda import Agenda, Step
from surrogate_nas.supernet.checkpoint import load_checkpoint
from surrogate_nas.supernet.momentum import Momenta
from surrogate_nas.supernet.plan import SupernetPlan
from surrogate_nas.supernet.settings import SupernetSettings
from surrogate_nas.supernet.sharing import SharedNetwork
from surrogate_nas.supernet.training import LOSS_PARTS, TrainingJob, mean_losses, train_member, train_step
from surrogate_nas.supernet.workers import Workers

MakePlan = Callable[..., SupernetPlan]
MakeJob = Callable[..., TrainingJob]
RATE, DECAY, MOMENTUM = 0.05, 5e-4, 0.9
KINDS: dict[str, dict[str, Any]] = {
    "whole": {"member": 1, "groups": 2},
    "one supernet": {"preset": "spos"},
    "depth": {"sharing": "depth", "sampler": "per_group", "groups": 3},
    "balanced": {"sharing": "one", "groups": 4, "weight_average": 0.6},
    "edge": {"split": "edge", "parent_share": 0, "member": 3},
    "dynas": {"preset": "dynas", "weight_average": 0.5},
    "fair": {"preset": "fairnas", "schedule": "complexity", "momentum_groups": "separated"},
}


def never() -> bool:
    return False


def ignore(_step: int) -> None:
    pass


def after(steps: int) -> Callable[[], bool]:
    """Is true once it was asked so often."""
    asked = iter(range(steps))
    return lambda: next(asked, None) is None


def momenta_of(network: nn.Module, groups: int = 1) -> Momenta:
    return Momenta(network, SupernetSettings(momentum=MOMENTUM, weight_decay=DECAY), groups)


def step_of(
    codes: Sequence[Sequence[int]],
    rate: float = RATE,
    factors: Sequence[float] | None = None,
    groups: Sequence[int] | None = None,
) -> Step:
    """Some subnets, by default with whole losses and common momenta."""
    return Step(tuple(map(tuple, codes)), rate, tuple(factors or [1.0] * len(codes)), tuple(groups or [0] * len(codes)))


def drawn(plan: SupernetPlan, step: int, member: int = 0) -> list[list[int]]:
    codes: list[list[int]] = plan.sampler(plan.training(member)).draw(step).tolist()
    return codes


def batch(seed: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(8, 1, 8, 8, generator=generator), torch.arange(8) % 4


def gradients(network: nn.Module) -> dict[str, Tensor]:
    return {name: p.grad.clone() for name, p in network.named_parameters() if p.grad is not None}


def content(job: TrainingJob) -> dict[str, Tensor]:
    """Weights, momenta and curve as they are on disk."""
    return load_file(job.checkpoint)


def assert_identical(ours: dict[str, Tensor], theirs: dict[str, Tensor]) -> None:
    assert ours.keys() == theirs.keys()
    for name, tensor in ours.items():
        assert tensor.numpy().tobytes() == theirs[name].numpy().tobytes(), name


class TestStep:
    def test_gradients_of_the_subnets_are_summed(self, plan_of: MakePlan) -> None:
        plan = plan_of(sharing="depth", sampler="per_group")
        network = plan.build(0)
        codes = drawn(plan, 0)
        images, labels = batch(0)
        expected: dict[str, Tensor] = {}
        losses = []
        for code in codes:
            network.zero_grad()
            loss = F.cross_entropy(network(images, code), labels)
            loss.backward()  # type: ignore[no-untyped-call]
            losses.append(loss.item())
            for name, gradient in gradients(network).items():
                expected[name] = expected[name] + gradient if name in expected else gradient
        told = train_step(network, momenta_of(network), step_of(codes), images, labels, 0)
        assert told == losses
        assert_identical(gradients(network), expected)

    def test_weights_move_as_nesterov_says_and_paths_that_rest_stay(self, plan_of: MakePlan) -> None:
        # Sutskever et al. 2013 as in torch: v = mu v + g; w = w - rate (g + mu v), with decay inside g
        plan = plan_of()
        network = plan.build(0)
        momenta = momenta_of(network)
        velocity: dict[str, Tensor] = {}
        for step in range(4):
            before = {name: weight.detach().clone() for name, weight in network.named_parameters()}
            train_step(network, momenta, step_of(drawn(plan, step)), *batch(step), 0)
            moved = gradients(network)
            assert 0 < len(moved) < len(before)
            for name, weight in network.named_parameters():
                if name not in moved:
                    assert torch.equal(weight, before[name])
                    continue
                gradient = moved[name] + DECAY * before[name]
                velocity[name] = MOMENTUM * velocity[name] + gradient if name in velocity else gradient
                expected = before[name] - RATE * (gradient + MOMENTUM * velocity[name])
                assert torch.allclose(weight, expected, rtol=1e-5, atol=1e-7)

    def test_a_factor_of_a_subnet_scales_its_gradient(self, plan_of: MakePlan) -> None:
        plan = plan_of()
        network = plan.build(0)
        first, second = (drawn(plan, step)[0] for step in (0, 1))
        images, labels = batch(0)
        losses = [F.cross_entropy(network(images, code), labels) for code in (first, second)]
        (losses[0] + 0.25 * losses[1]).backward()  # type: ignore[no-untyped-call]
        expected = gradients(network)
        told = train_step(network, momenta_of(network), step_of([first, second], 0.2, [1.0, 0.25]), images, labels, 0)
        assert told == [loss.item() for loss in losses]
        for name, gradient in gradients(network).items():
            assert torch.allclose(gradient, expected[name], rtol=1e-4, atol=1e-7)

    def test_long_gradients_are_cut_and_short_ones_are_not(self, plan_of: MakePlan) -> None:
        plan = plan_of()
        clipped = {}
        for clip in (0, 1e6, 1e-3):
            network = plan.build(0)
            train_step(network, momenta_of(network), step_of(drawn(plan, 0)), *batch(0), clip)
            clipped[clip] = gradients(network)
        assert_identical(clipped[0], clipped[1e6])
        norms = {
            clip: torch.cat([g.flatten() for g in found.values()]).norm().item() for clip, found in clipped.items()
        }
        assert norms[0] > 0.01
        assert norms[1e-3] == pytest.approx(1e-3, rel=1e-3)
        for name, gradient in clipped[1e-3].items():
            assert torch.allclose(gradient * (norms[0] / 1e-3), clipped[0][name], rtol=1e-2, atol=1e-6)

    def test_members_without_common_weights_may_be_trained_apart(self, plan_of: MakePlan) -> None:
        """Steps on one subnet of each member are the steps of each member alone, so members need not wait."""
        plan = plan_of(groups=3)

        class Together(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.members = nn.ModuleList(plan.build(member) for member in range(plan.members))

            def forward(self, x: Tensor, code: Sequence[int]) -> Tensor:
                scores: Tensor = self.members[int(plan.member_of([code])[0])](x, code)
                return scores

        together, apart = Together(), [plan.build(member) for member in range(plan.members)]
        joint, single = momenta_of(together), [momenta_of(network) for network in apart]
        for step in range(6):
            codes = [drawn(plan, step, member)[0] for member in range(plan.members)]
            rate = RATE / (step + 1)
            losses = train_step(together, joint, step_of(codes, rate), *batch(step), 0)
            for member, code in enumerate(codes):
                alone = train_step(apart[member], single[member], step_of([code], rate), *batch(step), 0)
                assert alone == [losses[member]]
        for member, network in enumerate(apart):
            assert_identical(
                {name: weight.detach() for name, weight in together.members[member].named_parameters()},
                {name: weight.detach() for name, weight in network.named_parameters()},
            )

    def test_no_momentum_is_plain_descent(self, job_of: MakeJob) -> None:
        job = job_of(momentum=0.0, steps=3)
        assert train_member(job, ignore, never)
        assert not any(load_checkpoint(job.checkpoint, job.identity).momenta)


class TestResuming:
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

    def test_a_killed_process_loses_nothing(self, job_of: MakeJob, monkeypatch: pytest.MonkeyPatch) -> None:
        settings = {"steps": 60, "checkpoint_seconds": 1e-9}  # saved after every step, so most likely hit while saving
        whole, killed = job_of(name="whole", **settings), job_of(name="killed", **settings)
        monkeypatch.setattr(workers, "_POLL_SECONDS", 0.005)

        def kill(step: int) -> None:
            if step >= 5:
                for process in multiprocessing.active_children():
                    assert process.pid is not None
                    with suppress(ProcessLookupError):  # it may have ended since it was listed
                        os.kill(process.pid, signal.SIGKILL)

        with Workers(1) as pool, pytest.raises(TrainingError, match="a worker process died"):
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

    def test_training_learns_and_its_curve_falls(self, job_of: MakeJob) -> None:
        job = job_of(steps=200, batch_size=32, channels=4)
        train_member(job, ignore, never)
        curve = mean_losses(load_checkpoint(job.checkpoint, job.identity).loss_sum, 200)
        assert len(curve) == 200
        assert np.mean(curve[-30:]) < np.mean(curve[:30]) - 0.1


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
            f"the training loss of supernet 0 became nan at step 6, subnet {subnet}: lower supernet.learning_rate"
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
        expected = f"the weights of supernet 0 became infinite or NaN at step 5, subnet {subnet}: lower"
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
        expected = rf"the training loss of supernet 0 became \S+e\+0\d at step 0, subnet {subnet}: lower"
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
        expected = f"became nan at step 4, subnet {job.plan.space.digits([guilty])[0]}: lower"
        with pytest.raises(TrainingError, match=re.escape(expected)):
            train_member(job, ignore, never)


@settings(deadline=None)
@given(steps=st.integers(1, 1500))
def test_the_curve_is_the_mean_of_its_parts(steps: int) -> None:
    losses = np.random.default_rng(steps).random(steps)
    sums = torch.zeros(LOSS_PARTS, dtype=torch.float64)
    parts: list[list[float]] = [[] for _ in range(LOSS_PARTS)]
    for step, loss in enumerate(losses.tolist()):
        sums[step * LOSS_PARTS // steps] += loss
        parts[step * LOSS_PARTS // steps].append(loss)
    assert mean_losses(sums, steps) == pytest.approx([np.mean(part) for part in parts if part])
