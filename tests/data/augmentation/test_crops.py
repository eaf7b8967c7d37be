"""Boxes lie within the image, and a crop of them shows what is there."""

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from surrogate_nas.data.augmentation.crops import cropped, draw_boxes


@given(least=st.floats(0.01, 1), stretch=st.floats(1, 4), seed=st.integers(0, 10**6))
def test_boxes_lie_within_the_image_and_have_their_area(least: float, stretch: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    areas = rng.uniform(least, 1, 50)
    top, left, height, width = draw_boxes(areas, stretch, rng).T
    for first, length in ((top, height), (left, width)):
        assert (first >= 0).all()
        assert (first + length <= 1 + 1e-9).all()
    np.testing.assert_allclose(height * width, areas)
    assert (np.maximum(height, width) / np.minimum(height, width) <= stretch * (1 + 1e-9)).all()


def test_a_box_of_no_area_is_none() -> None:
    assert draw_boxes(np.zeros(3), 2.0, np.random.default_rng(0))[:, 2:].tolist() == [[0.0, 0.0]] * 3


def pictures(count: int = 3, side: int = 8) -> torch.Tensor:
    return torch.randint(0, 256, (count, 3, side, side), dtype=torch.uint8, generator=torch.manual_seed(1))


def test_the_whole_image_is_a_crop_and_mirrored_it_is_the_mirror_image() -> None:
    images, whole = pictures(), np.tile([0.0, 0.0, 1.0, 1.0], (3, 1))
    mirrored = np.array([False, True, False])
    result = cropped(images, whole, mirrored)
    assert result.dtype == torch.uint8
    assert torch.equal(result[[0, 2]], images[[0, 2]])
    assert torch.equal(result[1], images[1].flip(-1))


def test_a_crop_is_its_quarter_enlarged() -> None:
    quarters = torch.tensor([[10, 20], [30, 40]], dtype=torch.uint8).repeat_interleave(4, 0).repeat_interleave(4, 1)
    images = quarters.expand(4, 3, 8, 8)
    corners = np.array([[0, 0], [0, 0.5], [0.5, 0], [0.5, 0.5]])
    result = cropped(images, np.hstack([corners, np.full((4, 2), 0.5)]), np.zeros(4, dtype=np.bool_))
    # Bilinear interpolation reaches a quarter of a pixel over the border.
    assert torch.equal(result[:, 0, 3, 3], torch.tensor([10, 20, 30, 40], dtype=torch.uint8))
    assert result[0].float().mean() < result[1].float().mean() < result[2].float().mean() < result[3].float().mean()
