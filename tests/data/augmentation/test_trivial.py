"""Every operation keeps shape, type and range; the share of changed images and the sizes follow the strength."""

import numpy as np
import pytest
import torch

from surrogate_nas.data.augmentation.trivial import OPERATIONS, changed


def pictures(count: int, channels: int = 3, side: int = 32) -> torch.Tensor:
    generator = torch.Generator().manual_seed(3)
    blocks = torch.randint(40, 200, (count, channels, side // 4, side // 4), dtype=torch.uint8, generator=generator)
    return blocks.repeat_interleave(4, 2).repeat_interleave(4, 3)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", list(OPERATIONS))
def test_an_operation_gives_images_and_changes_its_own_alone(name: str, channels: int) -> None:
    images = pictures(4, channels)
    before = images.clone()
    for size in (-1.0, -0.3, 0.3, 1.0):
        result = OPERATIONS[name](images, size)
        assert result.shape == images.shape
        assert result.dtype == torch.uint8
        if name != "colour" or channels == 3:
            assert not torch.equal(result, before)
    assert torch.equal(images, before)


@pytest.mark.parametrize("name", [name for name in OPERATIONS if name not in ("full contrast", "even histogram")])
def test_an_operation_of_size_0_changes_next_to_nothing(name: str) -> None:
    images = pictures(2)
    assert int((OPERATIONS[name](images, 0.0).int() - images.int()).abs().max()) <= 1


def test_as_many_images_are_changed_as_the_strength_says() -> None:
    images = pictures(1).expand(2000, 3, 32, 32)
    for strength in (0.0, 0.3, 1.0):
        result = changed(images, strength, np.random.default_rng(5))
        share = (result != images).flatten(1).any(dim=1).float().mean().item()
        # Some operations of a small size leave an image as it is.
        assert strength - 0.1 * strength - 0.02 <= share <= strength + 0.03


def test_stronger_changes_are_larger() -> None:
    images = pictures(500)
    means = []
    for strength in (0.2, 0.6, 1.0):
        results = [changed(images, strength, np.random.default_rng(seed)) for seed in range(4)]
        means.append(np.mean([(one.int() - images.int()).abs().float().mean().item() for one in results]))
    assert means[0] < means[1] / 2
    assert means[1] < means[2]


def test_draws_come_from_the_generator_alone() -> None:
    images = pictures(64)
    torch.manual_seed(1)
    first = changed(images, 1.0, np.random.default_rng(5))
    torch.manual_seed(2)
    assert torch.equal(changed(images, 1.0, np.random.default_rng(5)), first)
    assert not torch.equal(changed(images, 1.0, np.random.default_rng(6)), first)
