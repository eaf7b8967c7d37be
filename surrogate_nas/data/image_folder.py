"""A folder of images with one sub-folder per class, or with such folders for training and for testing.

torchvision's ImageFolder has the same layout and the same order of classes and files. It is not used since it counts
hidden files and folders (``._cat.jpg``, ``.ipynb_checkpoints``) as images and classes, takes ``train`` and ``test`` for
classes, and gives up on an empty folder.
"""

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from surrogate_nas.data.image_source import ImageSource
from surrogate_nas.errors import DataError

IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp", ".ppm", ".pgm", ".gif", ".tif", ".tiff"})
ARCHIVE_SUFFIXES = frozenset({".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".7z", ".rar"})
TRAINING_NAMES = ("train", "training")
# What may stand beside the training folder, the most like a test part first.
HELD_OUT_NAMES = ("test", "testing", "val", "valid", "validation", "dev")
FEWEST_CLASSES = 2
NAMES_SHOWN = 5
LAYOUT = "DIR/<class>/<image> or DIR/train/<class>/<image>"


def open_folder(path: Path | None) -> ImageSource:
    """Finds the images of ``DIR/<class>/`` or, where ``DIR/train`` has sub-folders, of ``DIR/train/<class>/`` alone.

    Classes are ordered by name, images by path. Folders inside a class folder belong to that class. Hidden files and
    folders are passed over; other things that are left out are named in ``notes``.

    Args:
        path: The folder.

    Raises:
        DataError: If the folder is missing, a file, or has not at least two class folders with images.
    """
    if path is None:
        raise DataError('data.path is missing: the source "folder" needs a folder with one sub-folder per class')
    root, notes = _training_folder(_checked(path))
    folders = visible_folders(root)
    if not folders:
        raise DataError(_no_classes(root))
    other: Counter[str] = Counter()
    found = {folder.name: _images_under(folder, other) for folder in folders}
    files = {name: images for name, images in found.items() if images}
    if len(files) < FEWEST_CLASSES:
        raise DataError(_too_few_classes(root, sorted(files), other))
    if empty := sorted(found.keys() - files.keys()):
        notes.append(f"{len(empty)} sub-folders of {root} without images were ignored: {_listed(empty)}")
    if other:
        notes.append(f"{other.total()} files of {root} that are no images were ignored ({_listed(sorted(other))})")
    if loose := sum(is_image(Path(entry)) for entry in os.listdir(root)):
        notes.append(f"{loose} images of {root} outside the class folders were ignored")
    return _source(root, files, sorted(files), notes)


def open_test_folder(path: Path | None, class_names: tuple[str, ...]) -> ImageSource | None:
    """The images beside ``DIR/train`` that ``open_folder`` leaves alone: ``DIR/test``, else ``DIR/val`` and the like.

    Args:
        path: The same folder as ``open_folder`` had.
        class_names: Names of the classes to train; labels are positions among them.

    Returns:
        The images, or None where ``DIR`` has no such folder.

    Raises:
        DataError: If its sub-folders are no classes of the training images, or hold no image.
    """
    root = None if path is None else _held_out_folder(_checked(path))
    if root is None:
        return None
    folders = visible_folders(root)
    if unknown := [folder.name for folder in folders if folder.name not in class_names]:
        raise DataError(f"{root} has sub-folders that are no class of the training images: {_listed(unknown)}")
    other: Counter[str] = Counter()
    files = {folder.name: _images_under(folder, other) for folder in folders}
    if not any(files.values()):
        raise DataError(f"{root} holds no image of the classes {_listed(sorted(class_names))}: expected {LAYOUT}")
    missing = [name for name in class_names if not files.get(name)]
    notes = [f"{root} has no image of {len(missing)} classes: {_listed(missing)}"] if missing else []
    return _source(root, files, class_names, notes)


def _held_out_folder(root: Path) -> Path | None:
    training, _ = _training_folder(root)
    if training == root:
        return None
    beside = {folder.name.lower(): folder for folder in visible_folders(root) if visible_folders(folder)}
    return next((beside[name] for name in HELD_OUT_NAMES if name in beside), None)


def is_image(path: Path) -> bool:
    """Whether a file name is visible and ends like an image, in capital or small letters."""
    return not path.name.startswith(".") and path.suffix.lower() in IMAGE_SUFFIXES


def visible_folders(folder: Path) -> list[Path]:
    """Sub-folders that are neither hidden nor left by a Mac's archiver, ordered by name.

    Raises:
        DataError: If the folder cannot be listed.
    """
    try:
        return sorted(entry for entry in folder.iterdir() if entry.is_dir() and _is_visible(entry.name))
    except OSError as error:
        raise _unlistable(error) from None


def _source(root: Path, files: dict[str, list[str]], names: Sequence[str], notes: list[str]) -> ImageSource:
    """The images of each class by its name; labels are positions among the names, in that order."""
    for name in names:
        try:
            name.encode()
        except UnicodeEncodeError:
            raise DataError(f"the class folder {name!a} of {root} has no valid UTF-8 name: rename it") from None
    paths = [file for name in names for file in files.get(name, ())]
    return ImageSource(
        open_image=lambda index: Image.open(paths[index]),
        describe=lambda index: os.path.relpath(paths[index], root),
        labels=np.repeat(np.arange(len(names), dtype=np.int64), [len(files.get(name, ())) for name in names]),
        class_names=tuple(names),
        notes=tuple(notes),
    )


def _checked(path: Path) -> Path:
    if not path.exists():
        raise DataError(f"the folder of images does not exist: {path}")
    if not path.is_dir():
        remedy = "unpack it and name the folder" if path.suffix.lower() in ARCHIVE_SUFFIXES else f"expected {LAYOUT}"
        raise DataError(f"data.path is a file, not a folder of images: {path} ({remedy})")
    return path


def _training_folder(root: Path) -> tuple[Path, list[str]]:
    """The folder that holds the class folders, with notes on what stands beside it."""
    folders = visible_folders(root)
    training = [folder for folder in folders if folder.name.lower() in TRAINING_NAMES]
    # "train" may also be a class, beside cars and boats: then it holds images and no folders.
    for folder in training:
        if visible_folders(folder):
            beside = [other.name for other in folders if other != folder]
            notes = [f"only {folder} is used; beside it, left alone: {_listed(beside)}"] if beside else []
            return folder, notes
    if folders and all(folder.name.lower() in {*HELD_OUT_NAMES, *TRAINING_NAMES} for folder in folders):
        if training:
            raise DataError(_no_classes(training[0]))
        raise DataError(f"{root} has {_listed([f.name for f in folders])} but no train folder: expected {LAYOUT}")
    return root, []


def _images_under(folder: Path, other: Counter[str]) -> list[str]:
    """Visible images at any depth, ordered by path; suffixes of other visible files are counted in ``other``."""
    images = []
    for file in _walk(folder):
        if is_image(file):
            images.append(str(file))
        else:
            other[file.suffix.lower() or "no suffix"] += 1
    return sorted(images)


def _walk(folder: Path) -> Iterator[Path]:
    def refuse(error: OSError) -> None:
        raise _unlistable(error)

    visited = set()  # a link may lead back up
    for parent, inner, files in os.walk(folder, onerror=refuse, followlinks=True):
        if (real := os.path.realpath(parent)) in visited:
            inner.clear()
            continue
        visited.add(real)
        inner[:] = sorted(name for name in inner if _is_visible(name))
        yield from (Path(parent, name) for name in files if _is_visible(name))


def _unlistable(error: OSError) -> DataError:
    return DataError(f"the folder cannot be read: {error.filename} ({error.strerror})")


def _is_visible(name: str) -> bool:
    return not name.startswith(".") and name != "__MACOSX"


def _no_classes(root: Path) -> str:
    images = sum(is_image(Path(entry)) for entry in os.listdir(root))
    has = f"{images} images but no class sub-folders" if images else "no class sub-folders"
    return f"{root} has {has}: expected {LAYOUT}"


def _too_few_classes(root: Path, names: list[str], other: Counter[str]) -> str:
    if not names:
        seen = f" (found only files ending in {_listed(sorted(other))})" if other else ""
        return f"no images in the sub-folders of {root}{seen}: expected {LAYOUT}, images ending in " + ", ".join(
            sorted(IMAGE_SUFFIXES)
        )
    inner = visible_folders(root / names[0])
    hint = f"; did you mean data.path = {str(root / names[0])!r}?" if len(inner) >= FEWEST_CLASSES else ""
    return f"at least {FEWEST_CLASSES} classes are needed (got only {names[0]!r} in {root}){hint}"


def _listed(names: list[str]) -> str:
    shown = ", ".join(names[:NAMES_SHOWN])
    return shown if len(names) <= NAMES_SHOWN else f"{shown} and {len(names) - NAMES_SHOWN} more"
