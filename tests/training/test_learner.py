"""One step updates the weights, and the learning rate has the right shape."""

import math
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from surrogate_nas.data.images import ImageSet, normalise
from surrogate_nas.training.distillation import Teacher
from surrogate_nas.training.learner import Learner, evaluate, rate_factor
from surrogate_nas.training.settings import TrainingSettings

Noise = Callable[[int, int], ImageSet]
Batch = tuple[torch.Tensor, torch.Tensor]
CPU = torch.device("cpu")


def make(steps: int = 10, **settings: object) -> tuple[nn.Module, Learner]:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(144, 2))
    recipe = TrainingSettings.model_validate({"learning_rate": 0.05} | settings)
    return network, Learner(network, recipe, steps, CPU, distributed=False)


@pytest.fixture
def batch(noise: Noise) -> tuple[torch.Tensor, torch.Tensor]:
    images = noise(16, 3)
    return images.images[:].float() / 255, images.labels


@given(progress=st.floats(0, 1), warmup=st.floats(0, 0.5))
def test_the_rate_stays_between_nothing_and_its_highest(progress: float, warmup: float) -> None:
    assert 0 <= rate_factor(progress, warmup) <= 1 + 1e-12


def test_the_rate_rises_then_falls_along_a_cosine() -> None:
    assert rate_factor(0, 0) == 1
    assert rate_factor(0.05, 0.1) == pytest.approx(0.5)
    assert rate_factor(0.1, 0.1) == 1
    assert rate_factor(0.55, 0.1) == pytest.approx(0.5)
    assert rate_factor(0.3, 0) == pytest.approx(0.5 * (1 + math.cos(0.3 * math.pi)))
    assert rate_factor(1, 0.1) == pytest.approx(0)


@pytest.mark.parametrize(("steps", "trains"), [(1, True), (20, True), (21, False)])
def test_a_single_step_of_warm_up_is_none(batch: Batch, steps: int, trains: bool) -> None:
    network, learner = make(steps=steps, warmup=0.05, ema=0)
    before = [parameter.detach().clone() for parameter in network.parameters()]
    learner.step(*batch, 0)
    after = list(network.parameters())
    assert any(not torch.equal(one, other) for one, other in zip(before, after, strict=True)) == trains


def test_processes_with_unequal_parts_train_as_one(batch: Batch) -> None:
    images, labels = batch
    gradients: list[torch.Tensor] = []
    for rows, processes in ((slice(0, 11), 2), (slice(11, 16), 2), (slice(0, 16), 1)):
        torch.manual_seed(0)
        linear = nn.Linear(images[0].numel(), 2)
        network = nn.Sequential(nn.Flatten(), linear)
        learner = Learner(network, TrainingSettings(learning_rate=0.05), 10, CPU, distributed=False)
        learner.step(images[rows], labels[rows], 0, len(labels[rows]) * processes / 16)
        assert linear.weight.grad is not None
        gradients.append(linear.weight.grad)
    one, other, whole = gradients
    torch.testing.assert_close((one + other) / 2, whole)


def test_steps_lower_the_loss(batch: Batch) -> None:
    _, learner = make(ema=0.2, label_smoothing=0.1, warmup=0.1)
    losses = [learner.step(*batch, step) for step in range(10)]
    assert losses[-1] < losses[0]


def test_dropout_follows_from_seed_and_step(batch: Batch) -> None:
    losses: list[list[float]] = []
    for seed, first in ((1, 0), (1, 0), (2, 0)):
        torch.manual_seed(0)
        network = nn.Sequential(nn.Flatten(), nn.Dropout(0.5), nn.LazyLinear(2))
        network(batch[0])
        torch.manual_seed(len(losses))  # whatever the process drew before
        learner = Learner(network, TrainingSettings(learning_rate=0.05), 4, CPU, distributed=False, seed=(seed,))
        losses.append([learner.step(*batch, step) for step in range(first, 4)])
    assert losses[0] == losses[1] != losses[2]


@pytest.mark.parametrize("taught", [False, True])
def test_weighted_classes_train_as_repeated_images_do(batch: Batch, taught: bool) -> None:
    images, labels = batch[0], torch.tensor([0] * 12 + [1] * 4)
    often = torch.cat([torch.arange(12), torch.arange(12, 16).repeat(3)])
    networks = []
    for rows, weights in ((torch.arange(16), torch.tensor([16 / 24, 16 / 8])), (often, None)):
        torch.manual_seed(0)
        network = nn.Sequential(nn.Flatten(), nn.Linear(images[0].numel(), 2))
        learner = Learner(network, TrainingSettings(learning_rate=0.05), 10, CPU, distributed=False)
        learner.weigh(weights)
        if taught:
            torch.manual_seed(1)
            larger = nn.Sequential(nn.Flatten(), nn.Linear(images[0].numel(), 2))
            learner.learn_from(Teacher(larger, 0.5, 2.0))
        for step in range(3):
            learner.step(images[rows], labels[rows], step)
        networks.append(network)
    for one, other in zip(*(network.parameters() for network in networks), strict=True):
        torch.testing.assert_close(one, other)


def test_the_mean_of_the_weights_is_the_running_one(batch: Batch) -> None:
    network, learner = make(steps=40, ema=0.1)  # over 4 steps: a decay of 3/4
    expected, seen = None, []
    for step in range(5):
        learner.step(*batch, step)
        seen.append(network[4].bias.detach().clone())  # type: ignore[index]
    expected = seen[0]
    for one in seen[1:]:
        expected = 0.75 * expected + 0.25 * one
    mean = learner.result[4].bias  # type: ignore[index]
    torch.testing.assert_close(mean, expected)
    assert not torch.equal(mean, seen[-1])


def test_half_precision_leaves_the_weights_whole(batch: Batch) -> None:
    network, learner = make(precision="bfloat16")
    loss = learner.step(*batch, 0)
    assert math.isfinite(loss)
    assert {parameter.dtype for parameter in network.parameters()} == {torch.float32}
    _, plain = make(precision="auto")
    assert plain.step(*batch, 0) != loss


def test_shares_of_classes_are_labels_too(batch: Batch) -> None:
    images, labels = batch
    _, whole = make()
    _, shares = make()
    one_hot = torch.nn.functional.one_hot(labels, 2).float()
    assert shares.step(images, one_hot, 0) == pytest.approx(whole.step(images, labels, 0))
    _, even = make()
    assert even.step(images, torch.full((16, 2), 0.5), 0) != pytest.approx(shares.step(images, one_hot, 1))


def test_norms_and_biases_may_be_left_out_of_the_decay(batch: Batch) -> None:
    # Without a gradient only the decay moves a weight.
    changed = {}
    for decay_norms in (True, False):
        network, learner = make(weight_decay=0.5, decay_norms=decay_norms)
        with torch.no_grad():
            for parameter in network.parameters():
                parameter.fill_(0.7)
        learner.step(torch.zeros_like(batch[0]), torch.full((16, 2), 0.5), 0)
        changed[decay_norms] = {name: bool((one - 0.7).abs().max() > 1e-3) for name, one in network.named_parameters()}
    assert all(changed[True].values())
    assert {name for name, moved in changed[False].items() if moved} == {"0.weight", "4.weight"}


def test_early_layers_change_less(batch: Batch) -> None:
    moved = {}
    for decay in (1.0, 0.1):
        network, learner = make(layer_decay=decay, weight_decay=0, momentum=0, clip_norm=None)
        before = [one.detach().clone() for one in network.parameters()]
        learner.step(*batch, 0)
        moved[decay] = [(one - old).norm().item() for one, old in zip(network.parameters(), before, strict=True)]
    shares = [slow / fast for slow, fast in zip(moved[0.1], moved[1.0], strict=True) if fast > 1e-6]
    # The convolution, the norm behind it, and the last layer; a bias before a norm has no gradient.
    assert shares == pytest.approx([0.01, 0.1, 0.1, 1, 1], rel=1e-3)


def test_the_last_layer_is_trained_first_and_alone(batch: Batch, tmp_path: Path) -> None:
    network, learner = make(head_share=0.2)
    body = {name: one.detach().clone() for name, one in network.named_parameters() if not name.startswith("4.")}
    head = network[4].weight.detach().clone()  # type: ignore[index]
    for step in range(2):
        learner.step(*batch, step)
    assert all(torch.equal(dict(network.named_parameters())[name], one) for name, one in body.items())
    assert not torch.equal(network[4].weight, head)  # type: ignore[index]
    learner.save(tmp_path / "one.safetensors", 2, {})
    other, again = make(head_share=0.2)
    assert again.load(tmp_path / "one.safetensors", {}) == 2
    for one in (learner, again):
        one.step(*batch, 2)
    assert all(torch.equal(*pair) for pair in zip(network.parameters(), other.parameters(), strict=True))
    assert not torch.equal(network[0].weight, body["0.weight"])  # type: ignore[index]


def test_a_checkpoint_brings_everything_back(tmp_path: Path, batch: Batch) -> None:
    _, whole = make(ema=0.5)
    losses = [whole.step(*batch, step) for step in range(3)]
    whole.save(tmp_path / "c", 3, {})
    losses += [whole.step(*batch, step) for step in range(3, 6)]
    _, again = make(ema=0.5)
    assert again.load(tmp_path / "c", {}) == 3
    assert [again.step(*batch, step) for step in range(3, 6)] == losses[3:]
    for name, tensor in whole.result.state_dict().items():
        assert torch.equal(again.result.state_dict()[name], tensor)


def test_accuracy_and_loss_are_those_of_plain_arithmetic(noise: Noise) -> None:
    class Fixed(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.tensor([[2.0, 0.0]]).expand(len(x), 2)

    images = noise(30, 1)
    accuracy, loss = evaluate(Fixed(), images, lambda pixels: normalise(pixels, (0.5,), (0.2,)), 7)
    assert accuracy == 50
    assert loss == pytest.approx(0.5 * (math.log1p(math.exp(-2)) + math.log1p(math.exp(2))))
    uneven = ImageSet(images.images, torch.tensor([0] * 27 + [1] * 3), images.class_names)
    figures = [evaluate(Fixed(), uneven, lambda pixels: pixels / 255, 7, by_class=one)[0] for one in (False, True)]
    assert figures == [90, 50]
