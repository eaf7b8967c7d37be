"""Two halves of the training part have no image in common, and equally many of each class."""

import torch

from surrogate_nas.data.images import DataSplits
from surrogate_nas.gradient.halves import halves


def test_halves_are_a_stratified_partition(splits: DataSplits) -> None:
    first, second = (half.train for half in halves(splits, seed=1))
    seen = {image.numpy().tobytes() for half in (first, second) for image in half.images[:]}
    assert len(seen) == len(first) + len(second) == len(splits.train)
    counts = [torch.bincount(half.labels, minlength=4) for half in (first, second)]
    assert int((counts[0] - counts[1]).abs().max()) <= 1


def test_halves_follow_from_the_seed(splits: DataSplits) -> None:
    def images(seed: int) -> torch.Tensor:
        return halves(splits, seed)[0].train.images[:]

    assert torch.equal(images(1), images(1))
    assert not torch.equal(images(1), images(2))


def test_a_half_is_normalised_as_the_whole(splits: DataSplits) -> None:
    half = halves(splits, seed=1)[1]
    assert torch.equal(half.normalise(half.train.images[:]), splits.normalise(half.train.images[:]))
