"""Labels are mixed as images are: an image that is its own label in numbers shows the share of each."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from surrogate_nas.data.augmentation.mixing import cut_mixed, mixed_labels, mixed_up

CLASSES = 5


def batch(seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Returns images that are 1 in the channel of their label and 0 elsewhere, and the labels."""
    labels = torch.randint(0, CLASSES, (12,), generator=torch.Generator().manual_seed(seed))
    planes = torch.nn.functional.one_hot(labels, CLASSES).float()
    return planes[:, :, None, None].expand(12, CLASSES, 8, 8).clone(), labels


@pytest.mark.parametrize("mix", [mixed_up, cut_mixed])
@given(alpha=st.floats(0.05, 1), seed=st.integers(0, 1000))
def test_labels_are_mixed_as_images_are(mix: object, alpha: float, seed: int) -> None:
    images, labels = batch(seed)
    mixture, weight = mix(images, alpha, np.random.default_rng(seed))  # type: ignore[operator]
    shares = mixed_labels(labels, CLASSES, weight)
    assert 0 <= weight <= 1
    torch.testing.assert_close(shares.sum(dim=1), torch.ones(12))
    torch.testing.assert_close(mixture.mean(dim=(2, 3)), shares, atol=1e-5, rtol=0)


def test_a_box_is_cut_and_nothing_is_blended() -> None:
    images, labels = batch(2)
    seen = set()
    for seed in range(200):
        mixture, weight = cut_mixed(images, 1.0, np.random.default_rng(seed))
        assert set(mixture.flatten().tolist()) <= {0.0, 1.0}
        seen.add(round(weight, 3))
    assert min(seen) < 0.2
    assert max(seen) > 0.95
    assert len(set(labels.tolist())) > 1


def test_boxes_favour_no_corner_and_are_cut_off_at_the_border() -> None:
    images = torch.stack([torch.zeros(1, 8, 8), torch.ones(1, 8, 8)])
    rng = np.random.default_rng(0)
    replaced = torch.stack([cut_mixed(images, 1.0, rng)[0][0, 0] for _ in range(4000)]).mean(dim=0)
    corners = [float(replaced[row, column]) for row in (0, -1) for column in (0, -1)]
    assert max(corners) - min(corners) < 0.04
    # The same rule on the square of side 1: 0.323 of its pixels.
    assert float(replaced.mean()) == pytest.approx(0.323, abs=0.02)


def test_a_weight_of_1_leaves_labels_alone() -> None:
    _, labels = batch(1)
    assert torch.equal(mixed_labels(labels, CLASSES, 1.0).argmax(dim=1), labels)
