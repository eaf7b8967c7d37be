"""Helpers of tests of trainings: steps, when to stop, and the content of a checkpoint."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from surrogate_nas.supernet.plan import SupernetPlan
from surrogate_nas.supernet.rules.momenta import Momenta
from surrogate_nas.supernet.rules.step_plan import Step
from surrogate_nas.supernet.settings import SupernetSettings
from surrogate_nas.supernet.training import LOSS_PARTS, TrainingJob

MakePlan = Callable[..., SupernetPlan]
MakeJob = Callable[..., TrainingJob]
RATE, DECAY, MOMENTUM = 0.05, 5e-4, 0.9
# Sub-supernets that go on from a parent.
SOFT: dict[str, Any] = {
    "split": "nonlinear",
    "sampler": "nonlinear",
    "parent_share": 0.9,
    "inherit": "state",
    "own_share": 0.7,
    "steps": 100,
}


def never() -> bool:
    return False


def ignore(_step: int) -> None:
    pass


def after(steps: int) -> Callable[[], bool]:
    """Returns a function that is true once it was called so often."""
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
    """Returns a step of some subnets, by default with whole losses and common momenta."""
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


def mean_losses(loss_sum: Tensor, steps: int) -> list[float]:
    """Returns the training curve: mean loss in each part of the training, without parts that have no steps."""
    bounds = [-(-part * steps // LOSS_PARTS) for part in range(LOSS_PARTS + 1)]
    return [
        float(total) / (end - start)
        for total, start, end in zip(loss_sum.tolist(), bounds, bounds[1:], strict=False)
        if end > start
    ]
