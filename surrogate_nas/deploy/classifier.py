"""Classifies images by an exported model: ONNX Runtime, numpy and Pillow, and nothing else.

Symbols:
    N: images; C: channels; S: side in pixels; K: classes.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from surrogate_nas._support.cache_folder import expanded
from surrogate_nas._support.commands import shown
from surrogate_nas._support.files import parse_json, read_json
from surrogate_nas._support.model_format import (
    DESCRIPTION,
    EXPORT_AGAIN,
    INPUT,
    METADATA_KEY,
    ONNX,
    OUTPUT,
    SPACE,
    Described,
    Preprocessing,
    read_description,
    read_whole,
)
from surrogate_nas._support.onnx_session import open_session
from surrogate_nas._support.stored.checksums import check_onnx
from surrogate_nas._support.words import count_of, first_line, one_line
from surrogate_nas.deploy.accuracy import Accuracy
from surrogate_nas.deploy.pictures import Picture, Pictures, name_of, pictures_of, pixels_of
from surrogate_nas.errors import PredictionError, SettingsError, StoreError

_IMAGE_AXES = 4
_BEST = "best"  # the folder of a run that has the answer


@dataclass(frozen=True)
class Classification:
    """A model's answer for an image.

    Attributes:
        image: The file, or ``image 3`` where there is none.
        class_name: The most probable class.
        probability: Of that class, 0 to 1, by softmax; networks tend to be surer than they are right.
        probabilities: Of every class, by name.
    """

    image: str
    class_name: str
    probability: float
    probabilities: dict[str, float] = field(repr=False)

    def as_json(self) -> dict[str, Any]:
        """As JSON holds it."""
        return {
            "image": self.image,
            "class": self.class_name,
            "probability": self.probability,
            "probabilities": self.probabilities,
        }


@dataclass(frozen=True)
class Unreadable:
    """An image that could not be read, and the reason."""

    image: str
    reason: str

    def __str__(self) -> str:
        return f"the image {self.image} cannot be read: {self.reason}"


class Classifier:
    """An exported model.

    Made by ``load``, and by the training of a study's answer.

    Args:
        session: Of ONNX Runtime.
        described: The model's description.
        path: Its file.

    Example:
        ``folder`` is the run folder of a study whose answer was trained.

        >>> import numpy as np
        >>> from surrogate_nas import Classifier
        >>> model = Classifier.load(folder / "best")
        >>> (answer,) = model.predict(np.zeros((20, 30, 3), dtype=np.uint8))
        >>> answer.image, answer.class_name in model.class_names, len(answer.probabilities)
        ('image 0', True, 10)

        Images may be paths, folders, Pillow images and arrays. Pixels that are prepared already go in as they are:

        >>> model.probabilities(np.zeros((2, 1, 8, 8), dtype=np.uint8)).shape
        (2, 10)
    """

    def __init__(self, session: Any, described: Described, path: Path) -> None:  # noqa: ANN401 - it has no types
        self._session = session
        self.described = described
        self.path = path

    def __repr__(self) -> str:
        one = self.described.preprocessing
        colour = "grey" if one.channels == 1 else "colour"
        tested = f", {self.accuracy}" if self.accuracy else ""
        classes = count_of(len(self.class_names), "class", "classes")
        return f"<Classifier {self.path}: {classes}, {colour} images of {one.size}x{one.size}{tested}>"

    @classmethod
    def load(cls, model: Path | str, threads: int = 1) -> Self:
        """Opens a model.

        Args:
            model: The folder of a trained model, such as ``best`` of a run folder, or its ``.onnx`` file.
            threads: CPU threads of a forward pass.

        Raises:
            SettingsError: If there is no such file, or the number of threads is impossible.
            StoreError: If it is damaged, foreign, or of another version of the project.
            PredictionError: If onnxruntime is not installed.
        """
        if isinstance(threads, bool) or not isinstance(threads, int) or threads < 1:
            raise SettingsError(f"threads must be a whole number from 1 on (got {threads!r:.40})")
        model = expanded(model)
        return read_whole(model, lambda: cls._load(model, threads)) if model.is_dir() else cls._load(model, threads)

    @classmethod
    def _load(cls, model: Path, threads: int) -> Self:
        path = model / ONNX if model.is_dir() else model
        if not path.is_file() and (model / _BEST / ONNX).is_file():
            raise SettingsError(f"{model} is a run folder: its model is in {model / _BEST}")
        if not path.is_file():
            raise SettingsError(f"there is no model at {path}; export one with: {shown('train', 'RUN')}")
        if model.is_dir() and (model / SPACE).exists() and not (model / DESCRIPTION).exists():
            raise StoreError(
                f"the model in {model} was cut short while it was replaced; finish it with:"
                f" {shown('train', 'RUN', '--resume')}, and the options that it was trained with"
            )
        if path.suffix.lower() != f".{ONNX.rpartition('.')[2]}":
            raise SettingsError(f"{path} is not an ONNX file; name the folder of the model, or its {ONNX}")
        try:
            check_onnx(path.read_bytes())
            session = open_session(path, "predictions", PredictionError, threads)
            text = session.get_modelmeta().custom_metadata_map.get(METADATA_KEY, "null")
        except PredictionError:
            raise
        except Exception as error:  # onnxruntime raises classes of its own that have no common parent but this
            reason = first_line(error, 150)
            raise StoreError(f"the model {path} is damaged or not an ONNX model: {reason}; {EXPORT_AGAIN}") from None
        try:
            content = parse_json(text)
        except ValueError:
            raise StoreError(f"the description of the model is damaged: {path}; {EXPORT_AGAIN}") from None
        return cls(session, read_description(content, path), path)

    @property
    def folder(self) -> Path:
        """The folder of its files: weights, ONNX files, model card."""
        return self.path.parent

    @property
    def class_names(self) -> tuple[str, ...]:
        """Name of each class, in the order of the scores."""
        return self.described.class_names

    @property
    def results(self) -> Mapping[str, Any]:
        """Predicted and measured figures of the model, as in ``model.json``; empty for an ONNX file alone.

        Raises:
            StoreError: If that file is damaged.
        """
        path = self.folder / DESCRIPTION
        if not path.is_file():
            return {}
        content = read_description(read_json(path, "description of the model", EXPORT_AGAIN), path).content
        results = content.get("results", {})
        if not isinstance(results, Mapping):
            raise StoreError(f"the description of the model is damaged: {path}: results; {EXPORT_AGAIN}")
        return results

    @property
    def accuracy(self) -> Accuracy | None:
        """Accuracy of this file on the test images; None where it was not measured."""
        try:
            measured = [one for one in self.results.get("onnx", {}).values() if one.get("file") == self.path.name]
            return Accuracy.from_json(measured[0]["accuracy"]) if measured else None
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            where = self.folder / DESCRIPTION
            raise StoreError(
                f"the description of the model is damaged: {where}: {one_line(error, 100)}; export the model again"
            ) from None

    def predict(self, images: Pictures, *, skip_unreadable: bool = False, batch_size: int = 32) -> list[Classification]:
        """Returns the class of every image, in order.

        Args:
            images: One or several: paths of files or folders, Pillow images, uint8 arrays of shape (height, width) or
                (height, width, 3).
            skip_unreadable: Whether images that cannot be read are left out instead of being an error.
            batch_size: Images of a forward pass.

        Raises:
            SettingsError: If a path does not exist, or a folder holds no image.
            PredictionError: If an image cannot be read.
        """
        answers: list[Classification] = []
        for one in self.classify(pictures_of(images), batch_size):
            if isinstance(one, Classification):
                answers.append(one)
            elif not skip_unreadable:
                raise PredictionError(str(one))
        return answers

    def classify(self, images: Sequence[Picture], batch_size: int = 32) -> Iterator[Classification | Unreadable]:
        """Yields the answer for every image, in order, or the reason why there is none.

        Raises:
            SettingsError: If the batch size is not at least 1.
        """
        if batch_size < 1:
            raise SettingsError(f"batch_size must be at least 1 (got {batch_size})")
        for start in range(0, len(images), batch_size):
            read = [self._read(images[at], at) for at in range(start, min(start + batch_size, len(images)))]
            pixels = [one for one in read if not isinstance(one, Unreadable)]
            answers = iter(self.probabilities(np.stack(pixels))) if pixels else iter(())
            for at, one in enumerate(read, start):
                yield one if isinstance(one, Unreadable) else self._answer(name_of(images[at], at), next(answers))

    def _read(self, picture: Picture, position: int) -> NDArray[np.uint8] | Unreadable:
        try:
            return pixels_of(picture, self.described.preprocessing)
        except PredictionError as error:
            return Unreadable(name_of(picture, position), str(error))

    def _answer(self, image: str, row: NDArray[np.float64]) -> Classification:
        named = dict(zip(self.class_names, row.tolist(), strict=True))
        best = max(named, key=lambda name: named[name])
        return Classification(image, best, named[best], named)

    def probabilities(self, images: NDArray[np.uint8]) -> NDArray[np.float64]:
        """Returns the probability of each class, shape (N, K), of images (N, C, S, S).

        Raises:
            PredictionError: If the model cannot take them.
        """
        if not isinstance(images, np.ndarray) or images.dtype != np.uint8 or images.ndim != _IMAGE_AXES:
            got = f"{images.dtype} of shape {images.shape}" if isinstance(images, np.ndarray) else type(images).__name__
            raise PredictionError(f"probabilities takes uint8 pixels of shape (N, C, S, S), 0 to 255 (got {got})")
        inputs = normalised(images, self.described.preprocessing)
        try:
            scores = self._session.run([OUTPUT], {INPUT: inputs})[0].astype(np.float64)
        except Exception as error:  # as above
            reason = first_line(error, 150)
            raise PredictionError(f"the model cannot take images of shape {images.shape}: {reason}") from None
        wanted = (len(images), len(self.class_names))
        if scores.shape != wanted:
            raise PredictionError(
                f"the model {self.path} gives scores of shape {scores.shape} for its {wanted[1]} class names, not"
                f" {wanted}; export it again"
            )
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
