"""Defines the folder of a trained model and the model's description, with the standard library alone.

``model.json`` stands next to the weights, and the same JSON text is inside the ONNX file, so that this one file is
enough to classify images.
"""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args

from surrogate_nas._support.commands import shown
from surrogate_nas._support.files import file_state
from surrogate_nas._support.stored.versions import require_version
from surrogate_nas._support.words import one_line
from surrogate_nas.errors import StoreError

FORMAT = "surrogate_nas model"
SCHEMA_VERSION, CROPPING_VERSION = 2, 1
"""Of descriptions; programs that only read the second one take the centre square of every image."""
MOST_SIDE = 4096
METADATA_KEY = "surrogate_nas"
"""Under which the description is kept among the metadata of an ONNX file."""

DESCRIPTION, SPACE, SPACE_PROGRAM, WEIGHTS = "model.json", "space.toml", "space.py", "model.safetensors"
ONNX, INT8, PROGRAM, CARD = "model.onnx", "model.int8.onnx", "model.pt2", "model-card.md"
MODEL_FILES = (DESCRIPTION, SPACE, SPACE_PROGRAM, WEIGHTS, ONNX, INT8, PROGRAM, CARD)
INPUT, OUTPUT = "images", "scores"
EXPORT_AGAIN = "export the model again"


_PATIENCE_SECONDS = 2.0  # in which a model is replaced, unless the process that does so was killed

Fit = Literal["crop", "pad"]
"""How an image becomes square: by its centre square, or whole between black borders."""


@dataclass(frozen=True)
class Preprocessing:
    """From an image file to the input of a model.

    An image is turned upright, made square, resized, and every channel becomes (value / 255 - mean) / std.

    Attributes:
        size: Side of the input in pixels.
        channels: 1 for grey, 3 for red, green and blue.
        mean: Of each channel, white being 1.
        std: Of each channel.
        fit: How it is made square.
    """

    size: int
    channels: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    fit: Fit = "crop"

    @property
    def schema_version(self) -> int:
        """Version of a description that holds this: a program that would crop images all the same refuses it."""
        return CROPPING_VERSION if self.fit == "crop" else SCHEMA_VERSION

    def as_json(self) -> dict[str, Any]:
        """As JSON holds it."""
        return asdict(self)

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "Preprocessing":
        """Reads what ``as_json`` made.

        Raises:
            KeyError, OverflowError, TypeError, ValueError: If it is not that.
        """
        size, channels = content["size"], content["channels"]
        mean, std = (tuple(float(value) for value in content[name]) for name in ("mean", "std"))
        if not (type(size) is int and 0 < size <= MOST_SIDE):
            raise ValueError(f"size is a whole number of pixels up to {MOST_SIDE}")
        if not (channels in (1, 3) and len(mean) == len(std) == channels):
            raise ValueError("1 or 3 channels, and a mean and a std of each are needed")
        if not all(math.isfinite(value) for value in (*mean, *std)) or min(std) <= 0:
            raise ValueError("means and stds must be finite, and stds above zero")
        fit = content.get("fit", "crop")
        if fit not in get_args(Fit):
            raise ValueError(f"fit is one of {', '.join(get_args(Fit))}")
        return cls(size, channels, mean, std, fit)


@dataclass(frozen=True)
class Described:
    """The facts that are needed to run a model.

    Attributes:
        class_names: Name of each class, in the order of the scores.
        preprocessing: What is done to images.
        content: The whole description.
    """

    class_names: tuple[str, ...]
    preprocessing: Preprocessing
    content: Mapping[str, Any]


def read_description(content: Any, where: object) -> Described:  # noqa: ANN401 - whatever a file held
    """Checks a description.

    Args:
        content: What JSON gave.
        where: Where it comes from, for messages.

    Raises:
        StoreError: If it is none of a model, of another version, or damaged.
    """
    if not isinstance(content, Mapping) or content.get("format") != FORMAT:
        raise StoreError(f"{where} describes no model of surrogate_nas; export one with: {shown('train', 'RUN')}")
    wrote = f"{where}, written by surrogate_nas {content.get('created_with', 'unknown')!s:.40},"
    if content.get("schema_version") != CROPPING_VERSION:
        require_version(wrote, content.get("schema_version"), SCHEMA_VERSION, EXPORT_AGAIN)
    try:
        names = tuple(content["class_names"])
        if len(names) < 1 or not all(isinstance(name, str) for name in names):
            raise ValueError("class_names must be texts")
        # A half of a surrogate pair is no letter, and no terminal or file takes it.
        "".join(names).encode()
        preprocessing = Preprocessing.from_json(content["preprocessing"])
    except (KeyError, OverflowError, TypeError, ValueError) as error:
        raise StoreError(
            f"the description of the model is damaged: {where}: {one_line(error)}; {EXPORT_AGAIN}"
        ) from None
    return Described(names, preprocessing, content)


_Model = TypeVar("_Model")


def read_whole(folder: Path, read: Callable[[], _Model]) -> _Model:
    """Returns what a function reads of a model's folder, never parts of two models that replace one another.

    The description goes first and comes last when a model is replaced, so it must be the same before and after. Where
    it is missing beside other files, or changes, the function is called again for some seconds.

    Args:
        folder: The folder.
        read: Reads it; what it raises is raised once nobody replaces the model.
    """
    patience = time.monotonic() + _PATIENCE_SECONDS
    while True:
        before = _version(folder)
        try:
            found = read()
        except Exception:
            if not _may_change(folder, before, patience):
                raise
        else:
            if not _may_change(folder, before, patience):
                return found
        time.sleep(0.02)


_NO_FILE = (0, 0)


def _version(folder: Path) -> tuple[int, int]:
    """Returns which description lies in a folder; zeros where there is none."""
    return file_state(folder / DESCRIPTION)


def _may_change(folder: Path, before: tuple[int, int], patience: float) -> bool:
    """Returns whether a model is being replaced, as far as can be seen and while there is patience."""
    unsettled = _version(folder) != before or (before == _NO_FILE and (folder / SPACE).exists())
    return unsettled and time.monotonic() < patience
