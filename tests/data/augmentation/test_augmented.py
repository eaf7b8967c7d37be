"""Augmented batches follow from seed and step, and each piece does what it does whatever the others do."""

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch

from surrogate_nas.data.augmentation.augmented import Augmentation, AugmentedBatches
from surrogate_nas.data.batches import Batches
from surrogate_nas.data.images import DataSplits
from surrogate_nas.errors import DataError

MakeSplits = Callable[..., DataSplits]
EVERYTHING = Augmentation(flip=True, shift=1, crop=0.5, trivial_augment=0.7, erasing=0.3, mixup=0.3, cutmix=1.0)


def batches(splits: DataSplits, augmentation: Augmentation, seed: int = 5) -> AugmentedBatches:
    return AugmentedBatches(splits, 16, seed=seed, augmentation=augmentation)


def test_a_step_gives_the_same_batch_whatever_came_before(make_splits: MakeSplits) -> None:
    splits = make_splits()
    one = batches(splits, EVERYTHING)
    in_order = [one.batch(step) for step in range(8)]
    for step in (7, 2, 0):
        torch.manual_seed(step)
        resumed = batches(splits, EVERYTHING).batch(step)
        assert torch.equal(resumed[0], in_order[step][0])
        assert torch.equal(resumed[1], in_order[step][1])
    other = batches(splits, EVERYTHING, seed=6).batch(0)
    assert not torch.equal(other[0], in_order[0][0])


def test_nothing_is_plain_batches(make_splits: MakeSplits) -> None:
    splits = make_splits()
    plain = Batches(splits, 16, seed=5, flip=False, shift=0)
    one = batches(splits, Augmentation())
    assert one.steps_per_epoch == plain.steps_per_epoch
    for step in (0, 9):
        assert all(torch.equal(*pair) for pair in zip(one.batch(step), plain.batch(step), strict=True))


@pytest.mark.parametrize(
    "piece", [{"flip": True}, {"shift": 2}, {"crop": 0.3}, {"trivial_augment": 1.0}, {"erasing": 1.0}]
)
def test_a_piece_changes_images_and_no_label(make_splits: MakeSplits, piece: dict[str, float]) -> None:
    splits = make_splits()
    plain = batches(splits, Augmentation()).batch(3)
    images, labels = batches(splits, replace(Augmentation(), **piece)).batch(3)  # type: ignore[arg-type]
    assert images.shape == plain[0].shape
    assert torch.equal(labels, plain[1])
    assert 3 < (images != plain[0]).flatten(1).any(dim=1).sum() <= 16
    # Pixels are those of a uint8 image, or the mean colour.
    black, white = splits.normalise(torch.tensor([0, 255], dtype=torch.uint8).view(2, 1, 1, 1).expand(2, 3, 1, 1))
    assert (images >= black.minimum(torch.zeros(())) - 1e-5).all()
    assert (images <= white.maximum(torch.zeros(())) + 1e-5).all()


def test_mixed_batches_have_shares_that_sum_to_one_and_both_kinds_take_their_turn(make_splits: MakeSplits) -> None:
    splits = make_splits()
    order = Batches(splits, 16, seed=5, flip=False, shift=0)
    one = batches(splits, Augmentation(mixup=0.5, cutmix=1.0))
    only = [batches(splits, Augmentation(mixup=0.5)), batches(splits, Augmentation(cutmix=1.0))]
    kinds = []
    for step in range(40):
        images, shares = one.batch(step)
        assert shares.shape == (16, len(splits.class_names))
        torch.testing.assert_close(shares.sum(dim=1), torch.ones(16))
        plain = order.batch(step)[0]
        blended = ((images - plain).abs() > 1e-6) & ((images - plain.roll(1, 0)).abs() > 1e-6)
        kinds.append(bool(blended.any()))
    assert 10 < sum(kinds) < 30
    assert all(two.batch(0)[1].dtype == torch.float32 for two in only)


def test_a_move_out_of_the_picture_is_refused(make_splits: MakeSplits) -> None:
    with pytest.raises(DataError, match="less than the image size, 6 pixels"):
        batches(make_splits(size=6), Augmentation(shift=6))
