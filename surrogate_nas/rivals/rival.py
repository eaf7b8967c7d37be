"""A rival: a network that people take off the shelf, and its variants of other widths."""

from dataclasses import dataclass
from importlib.util import find_spec

from surrogate_nas._support.late import Late

WIDTHS: tuple[float, ...] = tuple(n / 16 for n in (*range(2, 17), *range(18, 33, 2), *range(36, 65, 4)))
"""Factors on the channels of networks that can have any width: in sixteenths up to 1, in coarser steps beyond."""


@dataclass(frozen=True)
class Interface:
    """The images that a network takes, and the scores that it gives.

    Attributes:
        channels: Channels of an image.
        image_size: Side of an image in pixels.
        classes: Number of scores.
    """

    channels: int
    image_size: int
    classes: int


@dataclass(frozen=True)
class Rival:
    """One network of the shelf.

    Attributes:
        title: Its name for people.
        family: Networks of one family are variants of one idea.
        make: Builds it from the number of classes and the width, for colour images of its usual size.
        widths: Widths that it has, rising.
        is_for_photos: Whether its usual images are of 224 pixels; strides are then taken away for smaller ones.
        package: The package that has it.
    """

    title: str
    family: str
    make: Late
    widths: tuple[float, ...] = WIDTHS
    is_for_photos: bool = True
    package: str = "torchvision"

    @property
    def is_installed(self) -> bool:
        """True if its package is installed; a folder of that name is not one."""
        found = find_spec(self.package)
        return found is not None and found.origin is not None
