"""Image sets that torchvision downloads, by name: their training part, and the test part for a network at the end."""

import contextlib
import socket
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock

from surrogate_nas._support.cache_folder import cache_folder
from surrogate_nas._support.words import one_line
from surrogate_nas.data.folders.image_folder import visible_folders
from surrogate_nas.data.folders.image_formats import is_image
from surrogate_nas.data.image_source import ImageSource
from surrogate_nas.errors import DataError

STALLED_SECONDS = 60.0


@dataclass(frozen=True)
class TorchvisionSet:
    """The names that torchvision has for a set.

    Attributes:
        class_name: Class in ``torchvision.datasets``.
        labels: Attribute of an instance that holds every label.
        training: Arguments that select the training part.
        testing: Arguments that select the test part; None where there is none.
    """

    class_name: str
    labels: str = "targets"
    training: dict[str, Any] = field(default_factory=lambda: {"train": True})
    testing: dict[str, Any] | None = field(default_factory=lambda: {"train": False})


TORCHVISION_SETS: dict[str, TorchvisionSet] = {
    "cifar10": TorchvisionSet("CIFAR10"),
    "cifar100": TorchvisionSet("CIFAR100"),
    "mnist": TorchvisionSet("MNIST"),
    "fashion_mnist": TorchvisionSet("FashionMNIST"),
    "kmnist": TorchvisionSet("KMNIST"),
    "svhn": TorchvisionSet("SVHN", "labels", {"split": "train"}, {"split": "test"}),
    "stl10": TorchvisionSet("STL10", "labels", {"split": "train"}, {"split": "test"}),
    "usps": TorchvisionSet("USPS"),
    "eurosat": TorchvisionSet("EuroSAT", training={}, testing=None),
}


def open_torchvision_set(name: str, path: Path | None) -> ImageSource:
    """Opens the training part of a set, downloading it first if there is no copy.

    Args:
        name: A key of ``TORCHVISION_SETS``.
        path: Folder that holds or receives the copy; the user's cache folder if None.

    Raises:
        DataError: If there is no intact copy and none can be downloaded.
    """
    return _open(name, path, TORCHVISION_SETS[name].training)


def open_torchvision_test(name: str, path: Path | None) -> ImageSource | None:
    """Opens the test part of a set; None where it has none. Raises what ``open_torchvision_set`` does."""
    testing = TORCHVISION_SETS[name].testing
    return None if testing is None else _open(name, path, testing)


def _open(name: str, path: Path | None, part: dict[str, Any]) -> ImageSource:
    row = TORCHVISION_SETS[name]
    root = default_root() if path is None else path
    if root.exists() and not root.is_dir():
        raise DataError(f"data.path is a file, not the folder of {name}: {root}")
    dataset = _load(name, root, part)
    labels = np.asarray(getattr(dataset, row.labels), dtype=np.int64)
    class_names = getattr(dataset, "classes", None) or [str(label) for label in range(int(labels.max()) + 1)]
    return ImageSource(
        open_image=lambda index: dataset[index][0],
        describe=lambda index: f"{name} image {index}",
        labels=labels,
        class_names=tuple(class_names),
    )


def default_root() -> Path:
    """Returns the folder for downloads, in the user's cache folder."""
    return cache_folder() / "images"


def _load(name: str, root: Path, part: dict[str, Any]) -> Any:  # noqa: ANN401 - torchvision has no types
    import torchvision.datasets  # slow to import, and only needed here

    make = getattr(torchvision.datasets, TORCHVISION_SETS[name].class_name)
    # Other people's readers raise whatever they like about a missing or damaged copy.
    with contextlib.suppress(Exception):
        return make(root=str(root), download=False, **part)
    if _holds_image_folders(root):
        raise DataError(f'{root} holds folders of images, no torchvision copy of {name}: set data.source = "folder"')
    try:
        root.mkdir(parents=True, exist_ok=True)
        with _downloading(root / f".{name}.lock"):
            return make(root=str(root), download=True, **part)
    except Exception as error:  # as above, and every kind of network trouble
        raise DataError(
            f"{name} could not be downloaded into {root} ({one_line(error)}): set data.path to a folder with"
            ' torchvision\'s copy of it, or data.source = "folder" and data.path to a folder of images'
        ) from None


@contextlib.contextmanager
def _downloading(lock: Path) -> Iterator[None]:
    """Downloads one set at a time; messages go to standard error, and a dead connection ends after a minute."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(STALLED_SECONDS)
    try:
        with FileLock(lock), contextlib.redirect_stdout(sys.stderr):
            yield
    finally:
        socket.setdefaulttimeout(before)


def _holds_image_folders(root: Path) -> bool:
    if not root.is_dir():
        return False
    folders = visible_folders(root)
    inner = [deeper for folder in folders if folder.name.lower() == "train" for deeper in visible_folders(folder)]
    return any(is_image(file) for folder in [*folders, *inner] for file in folder.iterdir())
