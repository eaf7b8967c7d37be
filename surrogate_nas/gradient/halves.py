"""Two halves of the training part: one for weights, one for what is learnt about architectures."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from surrogate_nas.data.images import DataSplits, ImageSet


@dataclass(frozen=True, eq=False)
class Half:
    """Half of the training images of a study, for ``Batches``.

    Attributes:
        train: The images.
        whole: The study's images, which it is normalised as.
    """

    train: ImageSet
    whole: DataSplits

    @property
    def balance(self) -> bool:
        """True where every class counts the same."""
        return self.whole.balance

    @property
    def weighted(self) -> bool:
        """True where it does by weights in the loss, which settings refuse here."""
        return self.whole.weighted

    def normalise(self, images: Tensor) -> Tensor:
        """Converts images (B, C, S, S), uint8, to float32."""
        return self.whole.normalise(images)


def halves(splits: DataSplits, seed: int) -> tuple[Half, Half]:
    """Returns two halves of the training part without a common image; each has half of every class, to one image."""
    rng = np.random.default_rng(seed)
    labels = splits.train.labels.cpu().numpy()
    shuffled = rng.permutation(len(labels))
    by_class = shuffled[np.argsort(labels[shuffled], kind="stable")]
    first, second = (torch.from_numpy(np.sort(by_class[start::2])) for start in (0, 1))
    device = splits.train.labels.device
    return Half(splits.train.take(first.to(device)), splits), Half(splits.train.take(second.to(device)), splits)
