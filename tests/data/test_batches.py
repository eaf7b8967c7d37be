"""Batches as a function of the step, and augmentation against a plain loop over images."""

import dataclasses
import re
from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from surrogate_nas.data.batches import Batches, moved
from surrogate_nas.data.images import DataSplits
from surrogate_nas.errors import DataError

MakeSplits = Callable[..., DataSplits]


def move_one(image: torch.Tensor, down: int, right: int, mirrored: bool) -> torch.Tensor:
    """Moves one image pixel by pixel."""
    result = torch.zeros_like(image)
    side = image.shape[-1]
    for row in range(side):
        for column in range(side):
            to_row, to_column = row + down, (side - 1 - column if mirrored else column) + right
            if 0 <= to_row < side and 0 <= to_column < side:
                result[:, to_row, to_column] = image[:, row, column]
    return result


@given(st.integers(1, 6), st.integers(1, 3), st.integers(2, 6), st.integers(0, 2), st.integers(0, 10**6))
def test_moving_agrees_with_a_loop_over_pixels(count: int, channels: int, side: int, shift: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    images = torch.from_numpy(rng.integers(1, 256, size=(count, channels, side, side), dtype=np.uint8))
    down, right = rng.integers(-shift, shift + 1, size=(2, count))
    mirrored = rng.random(count) < 0.5
    expected = [move_one(*one) for one in zip(images, down.tolist(), right.tolist(), mirrored.tolist(), strict=True)]
    assert torch.equal(moved(images, down, right, mirrored), torch.stack(expected))


def test_every_image_comes_once_per_epoch(make_splits: MakeSplits) -> None:
    splits = make_splits(images=100)
    for batch_size in (1, 7, 20, len(splits.train)):
        batches = Batches(splits, batch_size, seed=5, flip=False, shift=0)
        used = batches.steps_per_epoch * batch_size
        assert len(splits.train) - batch_size < used <= len(splits.train)
        for epoch in (0, 1, 4):
            steps = range(epoch * batches.steps_per_epoch, (epoch + 1) * batches.steps_per_epoch)
            seen = np.concatenate([batches.indices(step) for step in steps])
            assert len(seen) == used == len(set(seen.tolist()))


def test_a_step_gives_the_same_batch_whatever_came_before(make_splits: MakeSplits) -> None:
    splits = make_splits()
    first = Batches(splits, 16, seed=5, flip=True, shift=2)
    in_order = [first.batch(step) for step in range(12)]
    for step in (11, 3, 0, 7):
        resumed = Batches(splits, 16, seed=5, flip=True, shift=2).batch(step)
        again = first.batch(step)
        for batch in (resumed, again):
            assert torch.equal(batch[0], in_order[step][0])
            assert torch.equal(batch[1], in_order[step][1])


def test_parts_of_a_batch_are_rows_of_the_whole(make_splits: MakeSplits) -> None:
    batches = Batches(make_splits(), 15, seed=5, flip=True, shift=2)
    images, labels = batches.batch(7)
    for rank in range(4):
        part = slice(rank, None, 4)
        some, their = batches.batch(7, part)
        assert torch.equal(some, images[part])
        assert torch.equal(their, labels[part])


def test_epochs_steps_and_seeds_differ(make_splits: MakeSplits) -> None:
    splits = make_splits()
    batches = Batches(splits, 16, seed=5, flip=False, shift=0)
    orders = [batches.indices(step).tolist() for step in (0, 1, batches.steps_per_epoch)]
    orders.append(Batches(splits, 16, seed=6, flip=False, shift=0).indices(0).tolist())
    assert all(a != b for i, a in enumerate(orders) for b in orders[:i])


def test_without_augmentation_a_batch_is_the_normalised_images_and_their_labels(make_splits: MakeSplits) -> None:
    splits = make_splits()
    batches = Batches(splits, 16, seed=5, flip=False, shift=0)
    images, labels = batches.batch(2)
    indices = torch.from_numpy(batches.indices(2))
    mean = torch.tensor(splits.mean).view(-1, 1, 1)
    std = torch.tensor(splits.std).view(-1, 1, 1)
    assert images.dtype == torch.float32
    torch.testing.assert_close(images, (splits.train.images[indices] / 255 - mean) / std, atol=1e-5, rtol=1e-5)
    assert torch.equal(labels, splits.train.labels[indices])


def test_half_of_the_images_are_mirrored_and_moves_are_even(make_splits: MakeSplits) -> None:
    splits = make_splits(images=1000, channels=1, size=5)
    # One white pixel off the centre shows how its image was moved and whether it was mirrored.
    splits.train.images[:].zero_()
    splits.train.images[:][:, :, 2, 1] = 255
    batches = Batches(splits, 500, seed=1, flip=True, shift=1)
    positions = torch.cat([batches.batch(step)[0].flatten(1).argmax(dim=1) for step in range(8)])
    rows, columns = np.unravel_index(positions.numpy(), (5, 5))
    assert np.bincount(rows, minlength=5)[[0, 4]].tolist() == [0, 0]
    assert np.bincount(rows, minlength=5)[1:4] / len(rows) == pytest.approx(1 / 3, abs=0.04)
    # Column 1 gives 0, 1, 2 and its mirror image, column 3, gives 2, 3, 4.
    assert np.bincount(columns, minlength=5) / len(columns) == pytest.approx(
        [1 / 6, 1 / 6, 1 / 3, 1 / 6, 1 / 6], abs=0.04
    )


def test_what_leaves_the_picture_is_followed_by_black(make_splits: MakeSplits) -> None:
    splits = make_splits(channels=1)
    splits.train.images[:].fill_(255)
    images, _ = Batches(splits, 32, seed=0, flip=False, shift=2).batch(0)
    black = -splits.mean[0] / splits.std[0]
    assert images.min().item() == pytest.approx(black, rel=1e-5)
    assert set(images.flatten().tolist()) == {images.min().item(), images.max().item()}


def test_training_images_are_not_changed(make_splits: MakeSplits) -> None:
    splits = make_splits()
    before = splits.train.fingerprint()
    batches = Batches(splits, 16, seed=5, flip=True, shift=2)
    for step in range(10):
        batches.batch(step)[0].zero_()
    assert splits.train.fingerprint() == before


@pytest.mark.parametrize("batch_size", [0, 1000])
def test_a_batch_of_more_images_than_there_are_is_refused(make_splits: MakeSplits, batch_size: int) -> None:
    splits = make_splits()
    message = f"a batch holds at least 1 and at most all of {len(splits.train)} training images (got {batch_size})"
    with pytest.raises(DataError, match=re.escape(message)):
        Batches(splits, batch_size, seed=0, flip=False, shift=0)


def test_a_move_out_of_the_picture_is_refused(make_splits: MakeSplits) -> None:
    with pytest.raises(DataError, match=re.escape("less than the image size, 6 pixels (got 6)")):
        Batches(make_splits(size=6), 4, seed=0, flip=False, shift=6)


def test_steps_start_at_0(make_splits: MakeSplits) -> None:
    with pytest.raises(DataError, match=re.escape("counted from 0 (got -1)")):
        Batches(make_splits(), 4, seed=0, flip=False, shift=0).batch(-1)


def test_balanced_classes_come_equally_often_and_the_epoch_stays_as_long(make_splits: MakeSplits) -> None:
    splits = make_splits(images=200, classes=2)
    few = torch.cat(
        [torch.nonzero(splits.train.labels == 0).flatten(), torch.nonzero(splits.train.labels == 1).flatten()[:6]]
    )
    uneven = dataclasses.replace(splits, train=splits.train.take(few))
    plain, balanced = (Batches(one, 8, seed=5, flip=False, shift=0) for one in (uneven, uneven.balanced()))
    assert plain.steps_per_epoch == balanced.steps_per_epoch
    shares = []
    for batches in (plain, balanced):
        labels = torch.cat([batches.batch(step)[1] for step in range(4 * batches.steps_per_epoch)])
        shares.append(float(labels.double().mean()))
    assert shares[0] < 0.15
    assert shares[1] == pytest.approx(0.5, abs=0.03)
    again = Batches(uneven.balanced(), 8, seed=5, flip=False, shift=0)
    assert torch.equal(again.batch(9)[0], balanced.batch(9)[0])
    assert plain.class_weights is balanced.class_weights is None
    # With weights in the loss, images are drawn as they are.
    weighted = Batches(uneven.balanced(weighted=True), 8, seed=5, flip=False, shift=0)
    assert torch.equal(weighted.batch(9)[0], plain.batch(9)[0])
    assert weighted.class_weights is not None
    large, small = uneven.train.labels.bincount().tolist()
    assert weighted.class_weights.tolist() == pytest.approx([(large + small) / 2 / one for one in (large, small)])
