"""Recipes for the training of the network to deploy, by kind, size and number of images and by the training's length.

They are common practice for images: stochastic gradient descent with Nesterov momentum, a learning rate that warms up
and falls along a cosine (arXiv 1706.02677, 1608.03983), no weight decay of norms and biases (arXiv 1812.01187),
smoothed labels (arXiv 1512.00567), augmentation, and a running mean of the weights (arXiv 1803.05407 has its plain
form). Rate and weight decay are those that NAS-Bench-201 trained its networks with (arXiv 2001.00326).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Self

from surrogate_nas._support.words import count_of
from surrogate_nas.data.augmentation.augmented import Augmentation
from surrogate_nas.training.settings import FinalSettings

_RATE, _RATE_BATCH = 0.1, 128  # of that batch; in proportion for smaller ones
_LARGEST_BATCH, _SMALLEST_BATCH, _FEWEST_STEPS = 128, 16, 20
_SHIFT_SHARE = 8  # images move by an eighth of their side, as 4 pixels of 32
_MILD_EPOCHS, _STRONG_EPOCHS = 10, 100
_FEW_IMAGES = 10_000
_MIXED = {"mixup": 0.2, "cutmix": 1.0}
# Of pretrained weights, which need fewer passes, and smaller steps in early layers. The most epochs were chosen on
# validation images (``python -m benchmarks.tuned_epochs``); they end where hundreds of images take many minutes.
_TUNED = {"layer_decay": 0.9, "head_share": 0.1}
_TUNED_SEEN, _TUNED_EPOCHS = 100_000, (5, 100)


@dataclass(frozen=True)
class _Row:
    """Recipe of a kind of images.

    Attributes:
        kind: Name of the kind.
        mirrored: Whether it is for images that may be mirrored.
        most_pixels: Largest side that it is for.
        seen: Number of images that a training sees, repeats among them, where its epochs are within the bounds.
        fewest_epochs: Epochs for the largest sets.
        most_epochs: Epochs for the smallest sets.
        strongest: Augmentation of a long training; a shorter one has less of it.
        of_few: Further augmentation of a long training on few images, which a network learns by heart soonest.
    """

    kind: str
    mirrored: bool
    most_pixels: float
    seen: int
    fewest_epochs: int
    most_epochs: int
    strongest: Mapping[str, float] = field(default_factory=dict)
    of_few: Mapping[str, float] = field(default_factory=dict)

    def epochs(self, images: int) -> int:
        """Returns the passes over a number of images: more over few images than over many."""
        return max(self.fewest_epochs, min(self.most_epochs, self.seen // images))

    def augmentation(self, images: int, epochs: int) -> dict[str, float]:
        """Returns settings between no augmentation and all of it, by the length of the training."""
        share = strength(epochs)
        none = {name: float(FinalSettings.model_fields[name].default) for name in self.strongest}
        scaled = {name: round(none[name] + share * (value - none[name]), 3) for name, value in self.strongest.items()}
        return scaled | (dict(self.of_few) if images <= _FEW_IMAGES and share == 1 else {})


_STRONG = {"trivial_augment": 0.5, "erasing": 0.1}
_ROWS = (
    _Row("characters", False, math.inf, 100_000, 20, 60),
    _Row("small photos", True, 40, 5_000_000, 30, 200, {"trivial_augment": 0.5}, _MIXED),
    _Row("photos", True, 112, 5_000_000, 30, 200, {"crop": 0.5, **_STRONG}, _MIXED),
    _Row("large photos", True, math.inf, 5_000_000, 30, 200, {"crop": 0.25, **_STRONG}, _MIXED),
)


@dataclass(frozen=True)
class Recipe:
    """Recipe of a final training.

    Attributes:
        kind: Kind of the images.
        settings: Steps, rates, augmentation and teacher.
    """

    kind: str
    settings: FinalSettings

    @property
    def augmentation(self) -> Augmentation:
        """Random changes of the images."""
        one = self.settings
        return Augmentation(
            one.flip, one.shift, one.crop, one.trivial_augment, one.erasing, mixup=one.mixup, cutmix=one.cutmix
        )

    def untaught(self) -> Self:
        """Returns the same recipe without a teacher."""
        alone = {
            name: FinalSettings.model_fields[name].default for name in FinalSettings.model_fields if "teach" in name
        }
        return replace(self, settings=self.settings.model_copy(update=alone))

    def words(self) -> str:
        """Returns the recipe in one line."""
        one = self.settings
        exempt = "" if one.decay_norms else " except of norms and biases"
        taught = f", {_teacher_words(one)}" if one.teacher or one.teacher_budget else ""
        return (
            f"{self.kind}: {count_of(one.epochs, 'epoch')} in batches of {one.batch_size}, rate {one.learning_rate:.3g}"
            f" after {one.warmup:.0%} warm-up falling along a cosine, weight decay {one.weight_decay:g}{exempt}"
            f"{_layers_words(one)}, labels smoothed by {one.label_smoothing:g}"
            f", mean of weights over {one.ema:.0%} of the steps, images"
            f" {_images_words(one)}{taught}{_quantisation_words(one)}"
        )


def _layers_words(one: FinalSettings) -> str:
    decay = f", each layer at {one.layer_decay:g} of the next one's rate" if one.layer_decay < 1 else ""
    return f"{decay}, the last layer alone for {one.head_share:.0%} of the steps" if one.head_share else decay


def _quantisation_words(one: FinalSettings) -> str:
    epochs = count_of(one.quantisation_epochs, "epoch")
    return f"; 8-bit files: {epochs} of quantisation-aware training after it" if one.quantisation_epochs else ""


def _images_words(one: FinalSettings) -> str:
    pieces = {
        "drawn equally often of every class": one.balance is True,
        "weighted in the loss so that classes count the same": one.balance == "weights",
        "mirrored": one.flip,
        f"moved by up to {count_of(one.shift, 'pixel')}": one.shift,
        f"cropped to {one.crop:.0%} of their area or more": one.crop < 1,
        f"changed by TrivialAugment of strength {one.trivial_augment:.2g}": one.trivial_augment,
        f"erased in a box ({one.erasing:.0%} of them)": one.erasing,
        f"mixed by mixup {one.mixup:g}": one.mixup,
        f"mixed by CutMix {one.cutmix:g}": one.cutmix,
    }
    return ", ".join(words for words, done in pieces.items() if done) or "as they are"


def _teacher_words(one: FinalSettings) -> str:
    by = one.teacher or f"the largest architecture within {one.teacher_budget:g} times the budgets"
    return f"taught by {by} (weight {one.teacher_weight:g}, temperature {one.temperature:g})"


def final_recipe(
    *, flip: bool, images: int, image_size: int, given: FinalSettings | None = None, tuned: bool = False
) -> Recipe:
    """Returns the recipe for images of a kind, a size and a number.

    Args:
        flip: Whether images may be mirrored, which suits photos but not characters.
        images: Number of training images.
        image_size: Side in pixels.
        given: Values that were set here take the place of the recipe's own.
        tuned: Whether the network begins with pretrained weights.
    """
    chosen = {} if given is None else {name: getattr(given, name) for name in given.model_fields_set}
    row = next(row for row in _ROWS if row.mirrored == flip and image_size <= row.most_pixels)
    fitting = max(_SMALLEST_BATCH, min(_LARGEST_BATCH, images // _FEWEST_STEPS))
    batch = min(chosen.pop("batch_size", fitting), images)
    few, many = _TUNED_EPOCHS
    usual = max(few, min(many, _TUNED_SEEN // images)) if tuned else row.epochs(images)
    epochs = chosen.pop("epochs", usual)
    own = {
        "epochs": epochs,
        "batch_size": batch,
        "learning_rate": _RATE * min(1.0, batch / _RATE_BATCH),
        **(_TUNED if tuned else {}),
        "warmup": 0.05,
        "decay_norms": False,
        "label_smoothing": 0.1,
        "ema": 0.02,
        "precision": "auto",
        "flip": flip,
        "shift": 0 if "crop" in row.strongest else max(1, image_size // _SHIFT_SHARE),
        **row.augmentation(images, epochs),
    }
    return Recipe(row.kind, FinalSettings.model_validate(own | chosen))


def strength(epochs: int) -> float:
    """Returns the share of a kind's strongest augmentation that suits a number of passes over the images, 0 to 1.

    Strong augmentation slows learning, so that it hurts a short training; a long one would learn the images by heart
    without it. A pass has at least 20 steps except over the smallest sets, so that few passes are few steps as well.
    ``python -m benchmarks.resnet20`` with ``--images``, ``--epochs`` and ``--set training.trivial_augment=0`` measures
    both sides.
    """
    return min(1.0, max(0.0, math.log(epochs / _MILD_EPOCHS) / math.log(_STRONG_EPOCHS / _MILD_EPOCHS)))
