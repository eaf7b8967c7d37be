"""Balanced draws are equally many of every class, and balanced figures are means over classes."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from surrogate_nas.data.classes.balance import (
    Tally,
    balanced_order,
    class_weighted_loss,
    class_weights,
    image_weights,
    images_behind,
    weighted_loss,
)

COUNTS = st.lists(st.integers(0, 30), min_size=2, max_size=6).filter(lambda counts: sum(counts) > 0)


@given(counts=COUNTS, seed=st.integers(0, 9))
def test_every_class_is_drawn_equally_often_and_every_image_of_it_too(counts: list[int], seed: int) -> None:
    labels = np.repeat(np.arange(len(counts)), counts)
    drawn = balanced_order(labels, np.random.default_rng(seed))
    assert drawn.shape == labels.shape
    present = np.flatnonzero(counts)
    each = np.bincount(labels[drawn], minlength=len(counts))[present]
    assert each.max() - each.min() <= 1
    times = np.bincount(drawn, minlength=len(labels))
    for one in present:
        assert np.ptp(times[labels == one]) <= 1


def test_the_order_is_random_and_of_the_seed() -> None:
    labels = np.repeat([0, 1], [40, 4])
    first, again, other = (balanced_order(labels, np.random.default_rng(seed)).tolist() for seed in (0, 0, 1))
    assert first == again != other
    # Classes are mixed: no batch of eleven is of one of them.
    assert {len(set(labels[first][start : start + 11])) for start in (0, 11, 22, 33)} == {2}


@given(counts=COUNTS)
def test_weights_make_classes_the_same_and_images_one_on_average(counts: list[int]) -> None:
    labels = torch.repeat_interleave(torch.arange(len(counts)), torch.tensor(counts))
    weights = class_weights(labels, len(counts))
    assert weights.shape == (len(counts),)
    assert float(weights[labels].mean()) == pytest.approx(1)
    of_classes = weights * torch.tensor(counts)
    assert of_classes[torch.tensor(counts) > 0].std(correction=0) == pytest.approx(0, abs=1e-4)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_the_weighted_loss_of_all_images_is_the_mean_over_classes(smoothing: float) -> None:
    labels, generator = torch.tensor([0] * 6 + [1] * 2 + [2]), torch.Generator().manual_seed(0)
    scores, weights = torch.randn(9, 3, generator=generator), class_weights(labels, 3)
    each = [F.cross_entropy(scores[labels == k], labels[labels == k], label_smoothing=smoothing) for k in range(3)]
    loss = weighted_loss(scores, labels, image_weights(labels, weights), label_smoothing=smoothing)
    torch.testing.assert_close(loss, torch.stack(each).mean())
    # Shares that are whole classes are classes.
    shares = F.one_hot(labels, 3).float()
    torch.testing.assert_close(
        weighted_loss(scores, shares, image_weights(shares, weights), label_smoothing=smoothing), loss
    )
    assert weighted_loss(scores, labels, None) == F.cross_entropy(scores, labels)


def test_every_share_of_a_mixed_image_counts_by_its_class() -> None:
    scores, weights = torch.randn(2, 2, generator=torch.Generator().manual_seed(0)), torch.tensor([0.5, 2.0])
    shares = torch.tensor([[0.25, 0.75], [1.0, 0.0]])
    logs = scores.log_softmax(dim=1)
    loss = class_weighted_loss(scores, shares, weights)
    torch.testing.assert_close(loss, -(0.5 * 0.25 * logs[0, 0] + 2 * 0.75 * logs[0, 1] + 0.5 * logs[1, 0]) / 2)


@given(seed=st.integers(0, 9), smoothing=st.sampled_from([0.0, 0.1]))
def test_shares_of_one_class_are_that_class(seed: int, smoothing: float) -> None:
    rng = torch.Generator().manual_seed(seed)
    scores, weights = torch.randn(5, 3, generator=rng), torch.rand(3, generator=rng) + 0.1
    labels = torch.randint(3, (5,), generator=rng)
    whole, shares = (
        class_weighted_loss(scores, targets, weights, label_smoothing=smoothing)
        for targets in (labels, F.one_hot(labels, 3).float())
    )
    torch.testing.assert_close(whole, shares)
    plain = class_weighted_loss(scores, labels, None, label_smoothing=smoothing)
    torch.testing.assert_close(plain, F.cross_entropy(scores, labels, label_smoothing=smoothing))


def test_classes_count_the_same_however_images_are_mixed() -> None:
    rng = np.random.default_rng(0)
    labels = torch.tensor([0] * 95 + [1] * 5)
    weights, count = class_weights(labels, 2), torch.zeros(2)
    for _ in range(50):
        one = F.one_hot(labels, 2).double()
        mixed = one.lerp(one[torch.from_numpy(rng.permutation(100))], float(rng.random()))
        scores = torch.zeros(100, 2, dtype=torch.float64, requires_grad=True)
        class_weighted_loss(scores, mixed, weights.double()).backward()  # type: ignore[no-untyped-call]
        assert scores.grad is not None
        # Softmax of equal scores is a half, so a class pulls by its weight, and both are pushed by half of all.
        count += -scores.grad.sum(dim=0).float()
    assert count.abs().max() < 1e-4


def tally_of(scores: torch.Tensor, labels: torch.Tensor, *, by_class: bool) -> Tally:
    tally = Tally(labels, by_class=by_class)
    for start in range(0, len(labels), 7):
        tally.add(scores[start : start + 7], labels[start : start + 7])
    return tally


@given(counts=COUNTS, seed=st.integers(0, 9))
def test_figures_are_means_over_images_or_means_over_classes(counts: list[int], seed: int) -> None:
    rng = torch.Generator().manual_seed(seed)
    labels = torch.repeat_interleave(torch.arange(len(counts)), torch.tensor(counts))
    labels = labels[torch.randperm(len(labels), generator=rng)]
    scores = torch.randn(len(labels), len(counts), generator=rng, dtype=torch.float64)
    right, loss = (scores.argmax(1) == labels).double(), F.cross_entropy(scores, labels, reduction="none")
    plain, balanced = (tally_of(scores, labels, by_class=one) for one in (False, True))
    assert (plain.accuracy_percent, plain.loss) == pytest.approx((100 * float(right.mean()), float(loss.mean())))
    present = sorted(set(labels.tolist()))
    recall = np.mean([float(right[labels == one].mean()) for one in present])
    of_class = np.mean([float(loss[labels == one].mean()) for one in present])
    assert (balanced.accuracy_percent, balanced.loss) == pytest.approx((100 * recall, of_class))


def test_a_balanced_accuracy_rests_on_as_many_images_as_leave_its_variance() -> None:
    even, uneven = (torch.repeat_interleave(torch.arange(2), torch.tensor(counts)) for counts in ((50, 50), (90, 10)))
    assert [images_behind(labels, by_class=False) for labels in (even, uneven)] == [100, 100]
    assert images_behind(even, by_class=True) == 100
    # Simulated: the spread of the mean of two recalls of 80%, as of one share of so many images.
    rights = np.random.default_rng(0).binomial([90, 10], 0.8, size=(200_000, 2)) / [90, 10]
    images = images_behind(uneven, by_class=True)
    assert images == 36
    assert np.var(rights.mean(axis=1)) == pytest.approx(0.8 * 0.2 / images, rel=0.02)
