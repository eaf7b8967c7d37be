"""Recipes suit the kind and the number of images."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surrogate_nas.training.recipes import final_recipe


def test_photos_and_characters_are_trained_in_their_own_ways() -> None:
    photos = final_recipe(flip=True, images=50_000, image_size=32)
    assert (photos.kind, photos.flip, photos.shift) == ("photos", True, 4)
    assert (photos.settings.epochs, photos.settings.batch_size, photos.settings.learning_rate) == (100, 128, 0.1)
    digits = final_recipe(flip=False, images=1437, image_size=8)
    assert (digits.kind, digits.flip, digits.shift) == ("characters", False, 1)
    assert digits.settings.batch_size == 71
    assert "characters: 60 epochs in batches of 71" in digits.words()
    assert "mirrored" not in digits.words()


def test_what_is_given_counts() -> None:
    recipe = final_recipe(flip=True, images=1000, image_size=32, epochs=3, batch_size=64, learning_rate=0.5)
    assert (recipe.settings.epochs, recipe.settings.batch_size, recipe.settings.learning_rate) == (3, 64, 0.5)


@given(images=st.integers(1, 100_000), size=st.integers(4, 512))
def test_any_set_can_be_trained_on(images: int, size: int) -> None:
    recipe = final_recipe(flip=True, images=images, image_size=size)
    assert 1 <= recipe.settings.batch_size <= images
    assert recipe.settings.learning_rate == pytest.approx(0.1 * min(1, recipe.settings.batch_size / 128))
    assert 1 <= recipe.shift < size
