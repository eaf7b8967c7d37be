"""Recipes for the training of the network to deploy, by the kind of images.

They are common practice for small images: stochastic gradient descent with Nesterov momentum, a learning rate
that warms up and falls along a cosine (arXiv 1706.02677, 1608.03983), smoothed labels (arXiv 1512.00567), mirrored and
moved images, and a running mean of the weights (arXiv 1803.05407 has its plain form). Rate and weight decay are those
that NAS-Bench-201 trained its networks with (arXiv 2001.00326).
"""

from dataclasses import dataclass

from surrogate_nas._support.words import count_of
from surrogate_nas.training.settings import TrainingSettings

_EPOCHS = {"photos": 100, "characters": 60}
_RATE, _RATE_BATCH = 0.1, 128  # of that batch; in proportion for smaller ones
_LARGEST_BATCH, _SMALLEST_BATCH, _FEWEST_STEPS = 128, 16, 20
_SHIFT_SHARE = 8  # images move by an eighth of their side, as 4 pixels of 32


@dataclass(frozen=True)
class Recipe:
    """Recipe of a final training.

    Attributes:
        kind: Kind of the images.
        settings: Steps, rates and the like.
        flip: Whether images are mirrored.
        shift: Pixels by which they are moved at most.
    """

    kind: str
    settings: TrainingSettings
    flip: bool
    shift: int

    def words(self) -> str:
        """Returns the recipe in one line."""
        one = self.settings
        moved = f"{'mirrored and ' if self.flip else ''}moved by up to {count_of(self.shift, 'pixel')}"
        return (
            f"{self.kind}: {count_of(one.epochs, 'epoch')} in batches of {one.batch_size}, rate {one.learning_rate:.3g}"
            f" after {one.warmup:.0%} warm-up falling along a cosine, weight decay {one.weight_decay:g}, labels"
            f" smoothed by {one.label_smoothing:g}, mean of weights over {one.ema:.0%} of the steps, images {moved}"
        )


def final_recipe(
    *,
    flip: bool,
    images: int,
    image_size: int,
    epochs: int | None = None,
    batch_size: int | None = None,
    learning_rate: float | None = None,
) -> Recipe:
    """Returns the recipe for images of a kind; given values replace its own.

    Args:
        flip: Whether to mirror images, which suits photos but not characters.
        images: Number of training images.
        image_size: Side in pixels.
        epochs: Passes over the images.
        batch_size: Images per step.
        learning_rate: Highest learning rate.
    """
    kind = "photos" if flip else "characters"
    fitting = max(_SMALLEST_BATCH, min(_LARGEST_BATCH, images // _FEWEST_STEPS))
    batch = min(batch_size or fitting, images)
    settings = TrainingSettings(
        epochs=epochs or _EPOCHS[kind],
        batch_size=batch,
        learning_rate=learning_rate or _RATE * min(1.0, batch / _RATE_BATCH),
        warmup=0.05,
        label_smoothing=0.1,
        ema=0.02,
        precision="auto",
    )
    return Recipe(kind, settings, flip, max(1, image_size // _SHIFT_SHARE))
