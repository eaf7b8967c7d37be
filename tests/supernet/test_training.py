"""Training steps against formulas."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional as F

from surrogate_nas.data.cache import save_splits
from surrogate_nas.data.images import DataSplits
from surrogate_nas.supernet.checkpoint import load_checkpoint
from surrogate_nas.supernet.rules.step_plan import Step
from surrogate_nas.supernet.training import LOSS_PARTS, train_member, train_step
from tests.supernet.trainings import (
    DECAY,
    MOMENTUM,
    RATE,
    MakeJob,
    MakePlan,
    assert_identical,
    batch,
    drawn,
    gradients,
    ignore,
    mean_losses,
    momenta_of,
    never,
    step_of,
)


class TestStep:
    def test_images_count_by_their_weights(self, plan_of: MakePlan) -> None:
        plan = plan_of()
        network, (images, labels) = plan.build(0), batch(0)
        code, weights = drawn(plan, 0)[0], torch.linspace(0, 2, len(batch(0)[1]))
        expected = (F.cross_entropy(network(images, code), labels, reduction="none") * weights).mean()
        network.zero_grad()
        expected.backward()  # type: ignore[no-untyped-call]
        wanted = gradients(network)
        network.zero_grad()
        (told,) = train_step(network, momenta_of(network), step_of([code], rate=0.0), images, labels, 0, weights)
        assert told == pytest.approx(expected.item())
        for name, gradient in gradients(network).items():
            torch.testing.assert_close(gradient, wanted[name])

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

    @pytest.mark.parametrize("share", [1.0, 0.25])
    @pytest.mark.parametrize("groups", [(0, 0, 0), (0, 2, 1)])
    def test_others_learn_what_the_largest_says(
        self, plan_of: MakePlan, share: float, groups: tuple[int, int, int]
    ) -> None:
        plan = plan_of(preset="fairnas")
        network, other = plan.build(0), plan.build(0)
        codes, factors = ([2] * 6, [3] * 6, [4, 3, 2, 3, 2, 3]), (0.5, 1.0, 2.0)
        images, labels = batch(0)
        scores = [network(images, code) for code in codes]
        said = scores[1].detach().softmax(dim=1)
        losses = []
        for position, each in enumerate(scores):
            taught = 0.0 if position == 1 else share
            logs = each.log_softmax(dim=1)
            losses.append(-((1 - taught) * logs[range(8), labels] + taught * (said * logs).sum(dim=1)).mean())
        step = Step(tuple(map(tuple, codes)), RATE, factors, groups, teacher=1, distillation=share)
        momenta = momenta_of(other, 3)
        told = train_step(other, momenta, step, images, labels, 0)
        assert told == pytest.approx([loss.item() for loss in losses], rel=1e-5)
        if len(set(groups)) == 1:
            sum(factor * loss for factor, loss in zip(factors, losses, strict=True)).backward()
            for name, gradient in gradients(network).items():
                assert torch.allclose(gradients(other)[name], gradient, rtol=1e-4, atol=1e-6)
        assert [len(held) > 0 for held in momenta.buffers()] == [group in groups for group in range(3)]

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


def test_a_supernet_on_weighted_images_weighs_them(
    job_of: MakeJob, splits: DataSplits, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = torch.cat([torch.nonzero(splits.train.labels == k).flatten()[: 4 + 4 * k] for k in range(4)])
    save_splits(tmp_path / "uneven", replace(splits, train=splits.train.take(few)).balanced(weighted=True))
    seen: list[Tensor] = []

    def step(_network: object, _momenta: object, step: Step, *given: Any) -> list[float]:  # noqa: ANN401
        _, labels, _, weights, _ = given
        torch.testing.assert_close(weights, torch.tensor([40 / 4 / (4 + 4 * k) for k in labels.tolist()]))
        seen.append(weights)
        return [1.0] * len(step.codes)

    monkeypatch.setattr("surrogate_nas.supernet.training.train_step", step)
    train_member(replace(job_of(steps=3), images=tmp_path / "uneven"), ignore, never)
    assert len(seen) == 3
