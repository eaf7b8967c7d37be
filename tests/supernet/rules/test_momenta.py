"""Joint and separated momenta against descent written out weight by weight (DYNAS, arXiv 2503.10740)."""

from collections.abc import Sequence

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from surrogate_nas.nets.places.importance import Reordering
from surrogate_nas.supernet.rules.momenta import Momenta
from surrogate_nas.supernet.rules.step_plan import Step
from surrogate_nas.supernet.settings import SupernetSettings
from surrogate_nas.supernet.training import train_step

MU, DECAY = 0.9, 5e-4
SETTINGS = SupernetSettings(momentum=MU, weight_decay=DECAY)


class Paths(nn.Module):
    """A common layer, and three others of which a code takes one."""

    def __init__(self) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(0)
        self.common = nn.Linear(4, 4, bias=False)
        self.choices = nn.ModuleList(nn.Linear(4, 3, bias=False) for _ in range(3))
        for weight in self.parameters():
            nn.init.normal_(weight, generator=generator)

    def forward(self, x: Tensor, code: Sequence[int]) -> Tensor:
        scores: Tensor = self.choices[code[0]](torch.tanh(self.common(x)))
        return scores


def naive(network: Paths, steps: Sequence[Step], images: Tensor, labels: Tensor, clip: float) -> dict[str, Tensor]:
    """Nesterov descent with a dictionary of velocities per group; a missing gradient leaves a weight and it alone."""
    weights = {name: weight.detach().clone() for name, weight in network.named_parameters()}
    velocities: dict[int, dict[str, Tensor]] = {}
    for step in steps:
        moved: dict[int, dict[str, Tensor]] = {}
        for code, factor, group in zip(step.codes, step.factors, step.groups, strict=True):
            leaves = {name: weight.clone().requires_grad_() for name, weight in weights.items()}
            loss = F.cross_entropy(torch.func.functional_call(network, leaves, (images, code)), labels) * factor
            loss.backward()  # type: ignore[no-untyped-call]
            for name, leaf in leaves.items():
                if leaf.grad is not None:
                    total = moved.setdefault(group, {})
                    total[name] = total[name] + leaf.grad if name in total else leaf.grad
        for group in sorted(moved):
            norm = torch.cat([gradient.flatten() for gradient in moved[group].values()]).norm()
            cut = min(1.0, clip / (float(norm) + 1e-6)) if clip else 1.0
            for name, gradient in moved[group].items():
                slope = cut * gradient + DECAY * weights[name]
                buffers = velocities.setdefault(group, {})
                buffers[name] = MU * buffers[name] + slope if name in buffers else slope
                weights[name] = weights[name] - step.rate * (slope + MU * buffers[name])
    return weights


def steps_of(groups: int, several: bool) -> list[Step]:
    rng = torch.Generator().manual_seed(1)
    steps = []
    for number in range(12):
        choices = torch.randint(3, (3 if several else 1,), generator=rng).tolist()
        factors = tuple(1 / (1 + number + position) for position in range(len(choices))) if several else (1.0,)
        whose = tuple(choice if groups > 1 else 0 for choice in choices)
        steps.append(Step(tuple((choice,) for choice in choices), 0.1 / (number + 1), factors, whose))
    return steps


@pytest.mark.parametrize("clip", [0, 0.3])
@pytest.mark.parametrize("several", [False, True], ids=["one subnet", "several"])
@pytest.mark.parametrize("groups", [1, 3])
def test_weights_move_as_written_out(groups: int, several: bool, clip: float) -> None:
    generator = torch.Generator().manual_seed(2)
    images, labels = torch.randn(8, 4, generator=generator)[:, :], torch.arange(8) % 3
    network = Paths()
    steps = steps_of(groups, several)
    expected = naive(network, steps, images, labels, clip)
    momenta = Momenta(network, SETTINGS, groups)
    for step in steps:
        train_step(network, momenta, step, images, labels, clip)
    for name, weight in network.named_parameters():
        assert torch.allclose(weight, expected[name], rtol=1e-4, atol=1e-6), name


def test_only_the_sampled_group_moves_its_buffers() -> None:
    network = Paths()
    momenta = Momenta(network, SETTINGS, 3)
    images, labels = torch.randn(8, 4), torch.arange(8) % 3
    train_step(network, momenta, Step(((1,),), 0.1, (1.0,), (1,)), images, labels, 0)
    first = {name: buffer.clone() for name, buffer in momenta.buffers()[1].items()}
    assert set(first) == {"common.weight", "choices.1.weight"}
    train_step(network, momenta, Step(((2,),), 0.1, (1.0,), (2,)), images, labels, 0)
    assert momenta.buffers()[0] == {}
    assert set(momenta.buffers()[2]) == {"common.weight", "choices.2.weight"}
    for name, buffer in momenta.buffers()[1].items():
        assert torch.equal(buffer, first[name])


def test_buffers_are_put_back() -> None:
    network, images, labels = Paths(), torch.randn(8, 4), torch.arange(8) % 3
    momenta = Momenta(network, SETTINGS, 3)
    for step in steps_of(3, several=True):
        train_step(network, momenta, step, images, labels, 0)
    again = Momenta(network, SETTINGS, 3)
    again.restore(momenta.buffers())
    for ours, theirs in zip(again.buffers(), momenta.buffers(), strict=True):
        assert ours.keys() == theirs.keys()
        for name, buffer in ours.items():
            assert torch.equal(buffer, theirs[name])
            assert buffer.data_ptr() != theirs[name].data_ptr()


@pytest.mark.parametrize("groups", [1, 2])
def test_reordered_weights_go_on_as_they_would_have(groups: int) -> None:
    """Hidden channels in another order are the same network, and with their momenta they learn the same."""
    images, labels = torch.randn(6, 4, generator=torch.Generator().manual_seed(1)), torch.arange(6) % 3
    plain, changed = Paths(), Paths()
    pairs = [(network, Momenta(network, SETTINGS, groups)) for network in (plain, changed)]
    steps = [Step(((choice,),), 0.1, (1.0,), (choice % groups,)) for choice in (0, 1, 2, 1, 0, 2)]
    losses = []
    for number, step in enumerate(steps):
        if number == 3:
            order = torch.tensor([2, 0, 3, 1])
            weights = [(changed.common.weight, 0), *((one.weight, 1) for one in changed.choices)]
            for weight, side in weights:
                pairs[1][1].reorder(Reordering(weight, side, order))  # type: ignore[arg-type]
        losses.append([train_step(*pair, step, images, labels, 0) for pair in pairs])
    for one, other in losses:
        assert one == pytest.approx(other, rel=1e-5)
    torch.testing.assert_close(changed.common.weight, plain.common.weight[[2, 0, 3, 1]])
