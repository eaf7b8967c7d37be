"""Recipes suit kind, size and number of the images, and the length of the training."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surrogate_nas.training.recipes import Recipe, final_recipe, strength
from surrogate_nas.training.settings import FinalSettings


def photos(images: int = 50_000, image_size: int = 32, **given: Any) -> Recipe:  # noqa: ANN401
    return final_recipe(
        flip=True, images=images, image_size=image_size, given=FinalSettings.model_validate(given) if given else None
    )


def test_photos_and_characters_are_trained_in_their_own_ways() -> None:
    small = photos()
    assert (small.kind, small.settings.flip, small.settings.shift) == ("small photos", True, 4)
    assert (small.settings.epochs, small.settings.batch_size, small.settings.learning_rate) == (100, 128, 0.1)
    digits = final_recipe(flip=False, images=1437, image_size=8)
    assert (digits.kind, digits.settings.flip, digits.settings.shift) == ("characters", False, 1)
    assert digits.settings.batch_size == 71
    # A six that is turned is a nine.
    assert (digits.settings.trivial_augment, digits.settings.mixup, digits.settings.cutmix) == (0, 0, 0)
    assert "characters: 60 epochs in batches of 71" in digits.words()
    assert "mirrored" not in digits.words()


def test_small_images_are_moved_and_larger_ones_cropped() -> None:
    small, medium, large = (photos(image_size=size).settings for size in (40, 96, 224))
    assert (small.shift, small.crop) == (5, 1)
    assert (medium.shift, large.shift) == (0, 0)
    assert 1 > medium.crop > large.crop


@given(few=st.integers(1, 10**6), more=st.integers(0, 10**6), size=st.integers(4, 300), flip=st.booleans())
def test_more_images_have_no_more_epochs_and_no_fewer_steps(few: int, more: int, size: int, flip: bool) -> None:
    one, other = (final_recipe(flip=flip, images=n, image_size=size).settings for n in (few, few + more))
    assert one.epochs >= other.epochs >= 20
    assert one.epochs * few <= 1.2 * other.epochs * (few + more)


def test_the_strength_of_augmentation_follows_the_passes() -> None:
    assert strength(1) == strength(8) == 0
    assert strength(1000) == 1
    values = [strength(epochs) for epochs in range(1, 200)]
    assert values == sorted(values)
    short, long = photos(epochs=8).settings, photos(epochs=160).settings
    assert short.trivial_augment == 0 < long.trivial_augment
    assert photos(image_size=224, epochs=8).settings.crop > photos(image_size=224, epochs=160).settings.crop


def test_images_are_mixed_in_long_trainings_on_few_of_them() -> None:
    few = photos(2_000).settings
    assert few.mixup > 0 < few.cutmix
    for other in (photos(50_000), photos(2_000, epochs=30), photos(2_000, mixup=0, cutmix=0)):
        assert (other.settings.mixup, other.settings.cutmix) == (0, 0)
    assert final_recipe(flip=False, images=2_000, image_size=28).settings.cutmix == 0


def test_what_is_given_counts() -> None:
    recipe = photos(1000, epochs=3, batch_size=64, learning_rate=0.5, mixup=0.2, trivial_augment=0.9, flip=False)
    one = recipe.settings
    assert (one.epochs, one.batch_size, one.learning_rate) == (3, 64, 0.5)
    assert (one.mixup, one.trivial_augment, one.flip) == (0.2, 0.9, False)
    assert (recipe.augmentation.mixup, recipe.augmentation.trivial_augment, recipe.augmentation.flip) == (
        0.2,
        0.9,
        False,
    )
    assert one.shift == photos(1000).settings.shift


def test_words_name_every_piece_that_is_on() -> None:
    plain = photos(epochs=5).words()
    assert "mirrored, moved by up to 4 pixels" in plain
    assert not any(word in plain for word in ("mixup", "CutMix", "TrivialAugment", "erased", "cropped", "taught"))
    pieces: dict[str, Any] = {
        "mixup": 0.2,
        "cutmix": 1.0,
        "trivial_augment": 0.5,
        "erasing": 0.1,
        "crop": 0.3,
        "teacher": "333333",
    }
    words = photos(**pieces).words()
    for expected in (
        "mixup 0.2",
        "CutMix 1",
        "TrivialAugment of strength 0.5",
        "(10% of them)",
        "cropped to 30%",
        "taught by 333333 (weight 0.5, temperature 2)",
        "except of norms and biases",
    ):
        assert expected in words
    assert "\n" not in words
    assert "as they are" in photos(flip=False, shift=0, epochs=1).words()
    assert "taught" not in photos(**pieces).untaught().words()
    assert "drawn equally often of every class" in photos(balance=True).words()
    weighed = photos(balance="weights").words()
    assert "weighted in the loss so that classes count the same" in weighed
    assert "drawn" not in weighed


@given(images=st.integers(1, 100_000), size=st.integers(4, 512))
def test_any_set_can_be_trained_on(images: int, size: int) -> None:
    one = photos(images, size).settings
    assert 1 <= one.batch_size <= images
    assert one.learning_rate == pytest.approx(0.1 * min(1, one.batch_size / 128))
    assert 0 <= one.shift < size


def test_pretrained_weights_change_slowly_and_from_the_end_on() -> None:
    scratch, tuned = (final_recipe(flip=True, images=1000, image_size=64, tuned=one) for one in (False, True))
    assert (scratch.settings.layer_decay, tuned.settings.layer_decay) == (1, 0.9)
    assert (scratch.settings.epochs, tuned.settings.epochs) == (200, 100)
    lengths = {
        images: final_recipe(flip=True, images=images, image_size=64, tuned=True).settings.epochs
        for images in (100, 400, 2000, 5000)
    }
    assert lengths == {100: 100, 400: 100, 2000: 50, 5000: 20}
    assert final_recipe(flip=True, images=50_000, image_size=64, tuned=True).settings.epochs == 5
    assert "each layer at 0.9 of the next one's rate, the last layer alone for 10% of the steps" in tuned.words()
    assert "layer" not in scratch.words()
    given = FinalSettings(layer_decay=0.5, learning_rate=0.3)
    chosen = final_recipe(flip=True, images=1000, image_size=64, given=given, tuned=True).settings
    assert (chosen.layer_decay, chosen.learning_rate, chosen.head_share) == (0.5, 0.3, 0.1)
