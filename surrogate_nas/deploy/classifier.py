"""Classifies image files by an exported model: ONNX Runtime, numpy and Pillow, and nothing else.

Symbols:
    N: images; C: channels; S: side in pixels; K: classes.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from surrogate_nas._support.commands import shown
from surrogate_nas._support.model_format import (
    INPUT,
    METADATA_KEY,
    ONNX,
    OUTPUT,
    Described,
    Preprocessing,
    read_description,
)
from surrogate_nas._support.optional import require_package
from surrogate_nas.data.decoding import square_pixels
from surrogate_nas.data.image_folder import is_image
from surrogate_nas.errors import PredictionError, SettingsError, StoreError


@dataclass(frozen=True)
class Classification:
    """A model's answer for an image.

    Attributes:
        image: The file.
        class_name: The most probable class.
        probability: Of that class, 0 to 1, by softmax; networks tend to be surer than they are right.
        probabilities: Of every class, by name.
    """

    image: str
    class_name: str
    probability: float
    probabilities: dict[str, float]

    def as_json(self) -> dict[str, Any]:
        """As JSON holds it."""
        return {
            "image": self.image,
            "class": self.class_name,
            "probability": self.probability,
            "probabilities": self.probabilities,
        }


class Classifier:
    """An exported model.

    Made by ``load``.

    Args:
        session: Of ONNX Runtime.
        described: What the model says of itself.

    Example:
        ``folder`` is the run folder of a study whose answer was trained.

        >>> import numpy as np
        >>> from surrogate_nas import Classifier
        >>> classifier = Classifier.load(folder / "best")
        >>> images = np.zeros((2, 1, 8, 8), dtype=np.uint8)
        >>> classifier.probabilities(images).shape
        (2, 10)
    """

    def __init__(self, session: Any, described: Described) -> None:  # noqa: ANN401 - onnxruntime has no types
        self._session = session
        self.described = described

    @classmethod
    def load(cls, model: Path, threads: int = 1) -> Self:
        """Opens a model.

        Args:
            model: An ``.onnx`` file that was exported here, or the folder with ``model.onnx``.
            threads: CPU threads of a forward pass.

        Raises:
            SettingsError: If there is no such file.
            StoreError: If it is damaged, foreign, or of another version of the project.
            PredictionError: If onnxruntime is not installed.
        """
        path = model / ONNX if model.is_dir() else model
        if not path.is_file():
            raise SettingsError(f"there is no model at {path}; export one by: {shown('train', 'RUN')}")
        runtime = require_package("onnxruntime", "predictions", PredictionError)
        options = runtime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        options.log_severity_level = 4
        try:
            session = runtime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
            text = session.get_modelmeta().custom_metadata_map.get(METADATA_KEY, "null")
        except Exception as error:  # onnxruntime raises classes of its own that have no common parent but this
            reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
            raise StoreError(f"the model {path} is damaged or no ONNX model: {reason}") from None
        try:
            content = json.loads(text)
        except ValueError:
            raise StoreError(f"the description of the model is damaged: {path}; export the model again") from None
        return cls(session, read_description(content, path))

    def classify(self, images: Sequence[Path], batch_size: int = 32) -> Iterator[Classification]:
        """The prediction of every image file, in their order.

        Raises:
            PredictionError: If an image cannot be read.
        """
        for start in range(0, len(images), batch_size):
            files = images[start : start + batch_size]
            pixels = np.stack([read_image(file, self.described.preprocessing) for file in files])
            for file, row in zip(files, self.probabilities(pixels), strict=True):
                named = dict(zip(self.described.class_names, row.tolist(), strict=True))
                best = max(named, key=lambda name: named[name])
                yield Classification(str(file), best, named[best], named)

    def probabilities(self, images: NDArray[np.uint8]) -> NDArray[np.float64]:
        """Probability of each class, shape (N, K), of images (N, C, S, S).

        Raises:
            PredictionError: If the model cannot take them.
        """
        inputs = normalised(images, self.described.preprocessing)
        try:
            scores = self._session.run([OUTPUT], {INPUT: inputs})[0].astype(np.float64)
        except Exception as error:  # as above
            reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
            raise PredictionError(f"the model cannot take images of shape {images.shape}: {reason}") from None
        powers = np.exp(scores - scores.max(axis=1, keepdims=True))
        probabilities: NDArray[np.float64] = powers / powers.sum(axis=1, keepdims=True)
        return probabilities


def normalised(images: NDArray[np.uint8], preprocessing: Preprocessing) -> NDArray[np.float32]:
    """(images / 255 - mean) / std per channel of images (N, C, S, S)."""
    std = np.array(preprocessing.std)[:, None, None]
    mean = np.array(preprocessing.mean)[:, None, None]
    # In the order in which the training images were normalised, so that the last bit agrees.
    scale, offset = (1 / (255 * std)).astype(np.float32), (-mean / std).astype(np.float32)
    inputs: NDArray[np.float32] = images.astype(np.float32) * scale + offset
    return inputs


def read_image(path: Path, preprocessing: Preprocessing) -> NDArray[np.uint8]:
    """The pixels of an image file as the model wants them, shape (C, S, S).

    Raises:
        PredictionError: If the file is missing or no image that Pillow knows.
    """
    mode: Literal["L", "RGB"] = "L" if preprocessing.channels == 1 else "RGB"
    try:
        with Image.open(path) as image:
            return square_pixels(image, preprocessing.size, mode)
    except Exception as error:  # decoders raise OSError, SyntaxError, struct.error, ... on damaged files
        reason = getattr(error, "strerror", None) or (str(error).splitlines() or [type(error).__name__])[0][:100]
        reason = "no image that Pillow knows" if "cannot identify image file" in reason else reason
        raise PredictionError(f"the image {path} cannot be read: {reason}") from None


def find_images(paths: Sequence[Path]) -> list[Path]:
    """The image files that are meant: files as they are, and the images at any depth of folders, ordered by path.

    Raises:
        SettingsError: If something does not exist, or a folder holds no image.
    """
    found: list[Path] = []
    for path in paths:
        if not path.exists():
            raise SettingsError(f"there is no image or folder of images at {path}")
        if path.is_dir():
            inside = sorted(file for file in path.rglob("*") if file.is_file() and is_image(file))
            if not inside:
                raise SettingsError(f"the folder {path} holds no image")
            found += inside
        else:
            found.append(path)
    return found
