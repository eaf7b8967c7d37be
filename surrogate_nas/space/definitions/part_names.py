"""The names that files of weights have for the parts of a space's largest architecture, which is a known network."""

from dataclasses import dataclass


@dataclass(frozen=True)
class PartNames:
    """The names that one kind of files has.

    Attributes:
        source: Where such files come from, such as ``"torchvision:mobilenet_v2"``.
        norm_epsilon: Number that batch normalisations add to the variance in the network of these files.
        layers: For each layer, except where images are resized: the names of its parts that have weights, in the order
            in which data go through them; a shortcut comes last.
    """

    source: str
    norm_epsilon: float
    layers: tuple[tuple[str, ...], ...]
