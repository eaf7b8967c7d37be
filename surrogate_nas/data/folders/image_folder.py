"""A folder of images with one sub-folder per class, or with such folders for training and for testing.

torchvision's ImageFolder has the same layout and the same order of classes and files. It is not used since it counts
hidden files and folders (``._cat.jpg``, ``.ipynb_checkpoints``) as images and classes, takes ``train`` and ``test`` for
classes, and gives up on an empty folder.
"""

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple
from unicodedata import normalize

import numpy as np

from surrogate_nas._support.words import count_of, printable
from surrogate_nas.data.folders.image_formats import is_image, open_image, readable_suffixes, unreadable_formats
from surrogate_nas.data.folders.listing import is_visible, visible_files, with_parents
from surrogate_nas.data.image_source import ImageSource
from surrogate_nas.errors import DataError

ARCHIVE_SUFFIXES = frozenset({".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".7z", ".rar"})
TRAINING_NAMES = ("train", "training")
TEST_NAMES = ("test", "testing")
VALIDATION_NAMES = ("val", "valid", "validation", "dev")
HELD_OUT_NAMES = TEST_NAMES + VALIDATION_NAMES
FEWEST_CLASSES = 2
NAMES_SHOWN = 5
LAYOUT = "DIR/<class>/<image> or DIR/train/<class>/<image>"


def open_folder(path: Path | None) -> ImageSource:
    """Finds the images of ``DIR/<class>/`` or, where ``DIR/train`` has sub-folders, of ``DIR/train/<class>/`` alone.

    Classes are ordered by name, images by path. Folders inside a class folder belong to that class. Hidden files and
    folders are passed over; other things that are left out are named in ``notes``, images in a format that cannot be
    read here in ``warnings``.

    Args:
        path: The folder.

    Raises:
        DataError: If the folder is missing, a file, or has not at least two class folders with images.
    """
    if path is None:
        raise DataError('data.path is missing: the source "folder" needs a folder with one sub-folder per class')
    root, notes, unused = _training_folder(existing_folder(path))
    folders = visible_folders(root)
    if not folders:
        raise DataError(_no_classes(root))
    others = {folder.name: Counter[str]() for folder in folders}
    found = {folder.name: _images_under(folder, others[folder.name]) for folder in folders}
    other = sum(others.values(), Counter[str]())
    files = {name: images for name, images in found.items() if images}
    if len(files) < FEWEST_CLASSES:
        raise DataError(_too_few_classes(root, sorted(files), other))
    empty = sorted(found.keys() - files.keys())
    if foreign := [name for name in empty if unreadable_formats(others[name])]:
        raise DataError(f"{root / foreign[0]}: {'; '.join(unreadable_formats(others[foreign[0]]))}")
    if empty:
        notes.append(f"{count_of(len(empty), 'sub-folder')} of {root} without images ignored: {_listed(empty)}")
    if loose := sum(is_image(Path(entry)) for entry in os.listdir(root)):
        notes.append(f"{count_of(loose, 'image')} of {root} outside the class folders ignored")
    source = _source(root, files, sorted(files), notes, other)
    return replace(source, warnings=(*unused, *source.warnings))


def open_test_folder(path: Path | None, class_names: tuple[str, ...]) -> ImageSource | None:
    """Opens the test images next to ``DIR/train``, in ``DIR/test``.

    Args:
        path: The same folder as ``open_folder`` had.
        class_names: Names of the classes to train; labels are positions among them.

    Returns:
        The images, or None where ``DIR`` has no such folder.

    Raises:
        DataError: If its sub-folders are not classes of the training images, or hold no image.
    """
    return _open_held_out(_held_out(path).test, class_names)


def open_validation_folder(path: Path | None, class_names: tuple[str, ...]) -> ImageSource | None:
    """Opens the validation images next to ``DIR/train``, in ``DIR/val`` and the like.

    Arguments, result and errors are as for ``open_test_folder``.
    """
    return _open_held_out(_held_out(path).validation, class_names)


class _HeldOut(NamedTuple):
    """The folders next to the training folder that are used."""

    test: Path | None
    validation: Path | None


def _held_out(root: Path | None) -> _HeldOut:
    if root is None or _find_training_folder(existing_folder(root)) is None:
        return _HeldOut(None, None)
    beside = {folder.name.lower(): folder for folder in visible_folders(root) if visible_folders(folder)}
    test, validation = (
        next((beside[name] for name in names if name in beside), None) for names in (TEST_NAMES, VALIDATION_NAMES)
    )
    return _HeldOut(test, validation)


def _open_held_out(root: Path | None, class_names: tuple[str, ...]) -> ImageSource | None:
    if root is None:
        return None
    folders = visible_folders(root)
    # Macs write accents as letters of their own, which look the same.
    known = {normalize("NFC", name): name for name in class_names}
    if unknown := [folder.name for folder in folders if normalize("NFC", folder.name) not in known]:
        raise DataError(
            f"{root} has {count_of(len(unknown), 'class', 'classes')} that the training images lack:"
            f" {_listed(unknown)}; rename or remove them"
        )
    other: Counter[str] = Counter()
    files = {known[normalize("NFC", folder.name)]: _images_under(folder, other) for folder in folders}
    if not any(files.values()):
        raise DataError(f"{root} holds no image of the classes {_listed(sorted(class_names))}: expected {LAYOUT}")
    source = _source(root, files, class_names, [], other)
    if missing := [name for name in class_names if not files.get(name)]:
        text = f"{root} has no image of {count_of(len(missing), 'class', 'classes')}: {_listed(missing)}"
        return replace(source, warnings=(text, *source.warnings))
    return source


def visible_folders(folder: Path) -> list[Path]:
    """Returns sub-folders that are neither hidden, nor left by a Mac's archiver, nor links back up, by name.

    Raises:
        DataError: If the folder cannot be read.
    """
    above = with_parents(folder)
    try:
        inside = [entry for entry in folder.iterdir() if entry.is_dir() and is_visible(entry.name)]
    except OSError as error:
        raise _unlistable(error) from None
    return sorted((entry for entry in inside if os.path.realpath(entry) not in above), key=lambda entry: entry.name)


def _source(
    root: Path, files: dict[str, list[str]], names: Sequence[str], notes: list[str], other: Counter[str]
) -> ImageSource:
    """Returns the images of each class by its name; labels are positions among the names, in that order."""
    for name in names:
        try:
            name.encode()
        except UnicodeEncodeError:
            raise DataError(f"the class folder {name!a} of {root} has no valid UTF-8 name: rename it") from None
    paths = [file for name in names for file in files.get(name, ())]
    warnings = unreadable_formats(other)
    if strange := sorted(suffix for suffix in other if not unreadable_formats({suffix: 1})):
        files_of = count_of(sum(other[suffix] for suffix in strange), "file")
        notes = [*notes, f"{files_of} of {root} ignored: not images ({_listed(strange)})"]
    return ImageSource(
        open_image=lambda index: open_image(paths[index]),
        describe=lambda index: printable(os.path.relpath(paths[index], root)),
        labels=np.repeat(np.arange(len(names), dtype=np.int64), [len(files.get(name, ())) for name in names]),
        class_names=tuple(names),
        notes=tuple(notes),
        warnings=tuple(f"{root}: {text}" for text in warnings),
    )


def existing_folder(path: Path) -> Path:
    """Returns the path of a folder.

    Raises:
        DataError: If there is none.
    """
    if not path.exists():
        raise DataError(f"the folder of images does not exist: {path}")
    if not path.is_dir():
        remedy = "unpack it and name the folder" if path.suffix.lower() in ARCHIVE_SUFFIXES else f"expected {LAYOUT}"
        raise DataError(f"data.path is a file, not a folder of images: {path} ({remedy})")
    return path


def _find_training_folder(root: Path) -> Path | None:
    """Returns ``train``, unless it is a class like cars and boats: then it holds images and no folders."""
    named = [folder for folder in visible_folders(root) if folder.name.lower() in TRAINING_NAMES]
    return next((folder for folder in named if visible_folders(folder)), None)


def _training_folder(root: Path) -> tuple[Path, list[str], list[str]]:
    """Returns the folder that holds the class folders, with notes and warnings on the folders next to it.

    Raises:
        DataError: If there is none, or test or validation images stand among the class folders.
    """
    folders, training = visible_folders(root), _find_training_folder(root)
    if training is not None:
        others = [folder for folder in folders if folder != training]
        return training, *_beside(training, others, _held_out(root))
    if folders and all(folder.name.lower() in {*HELD_OUT_NAMES, *TRAINING_NAMES} for folder in folders):
        if named := [folder for folder in folders if folder.name.lower() in TRAINING_NAMES]:
            raise DataError(_no_classes(named[0]))
        raise DataError(f"{root} has {_listed([f.name for f in folders])} but no train folder: expected {LAYOUT}")
    held_out = [folder.name for folder in folders if folder.name.lower() in HELD_OUT_NAMES and visible_folders(folder)]
    if held_out:
        raise DataError(
            f"{root} has class folders beside {_listed(held_out)}: move the class folders into {root / 'train'}, or"
            f" rename {_listed(held_out)} if it is a class"
        )
    return root, [], []


def _beside(training: Path, folders: list[Path], used: _HeldOut) -> tuple[list[str], list[str]]:
    """Returns a note on the use of each folder next to the training folder, and a warning about unused images."""
    parts = [f"{training} is used for the search"]
    if used.validation is not None:
        parts.append(f"{used.validation.name} labels architectures")
    if used.test is not None:
        parts.append(f"{used.test.name} is kept for the trained model")
    if rest := [folder.name for folder in folders if folder not in used]:
        parts.append(f"not used: {_listed(rest)}")
    full = [folder.name for folder in folders if folder not in used and _holds_images(folder)]
    warnings = [
        f"images in {_listed(full)} are not used, since {training} has the class folders; move classes into it, and"
        " images of each class into class folders of test/ or val/"
    ]
    return ["; ".join(parts)] if folders else [], warnings if full else []


def _holds_images(folder: Path) -> bool:
    """Returns whether a folder holds visible images at any depth."""
    return any(is_image(file) for file in visible_files(folder))


def _images_under(folder: Path, other: Counter[str]) -> list[str]:
    """Returns visible images at any depth, ordered by path; counts suffixes of other visible files in ``other``."""

    def refuse(error: OSError) -> None:
        raise _unlistable(error)

    images = []
    for file in visible_files(folder, refuse):
        # A pipe would be waited for without an end; a link that leads nowhere is an image that cannot be read.
        if is_image(file) and (file.is_file() or not file.exists()):
            images.append(str(file))
        else:
            other[file.suffix.lower() or "no suffix"] += 1
    # One order on every system: it decides which images are held out.
    return sorted(images, key=lambda file: Path(file).as_posix())


def _unlistable(error: OSError) -> DataError:
    return DataError(f"the folder cannot be read: {error.filename} ({error.strerror})")


def _no_classes(root: Path) -> str:
    images = sum(is_image(Path(entry)) for entry in os.listdir(root))
    has = f"{count_of(images, 'image')} but no class sub-folders" if images else "no class sub-folders"
    return f"{root} has {has}: expected {LAYOUT}"


def _too_few_classes(root: Path, names: list[str], other: Counter[str]) -> str:
    if not names:
        if foreign := unreadable_formats(other):
            return f"{root}: {'; '.join(foreign)}"
        seen = f" (found only files ending in {_listed(sorted(other))})" if other else ""
        return f"no images in the sub-folders of {root}{seen}: expected {LAYOUT}, images ending in " + ", ".join(
            sorted(readable_suffixes())
        )
    inner = visible_folders(root / names[0])
    hint = f"; did you mean data.path = {str(root / names[0])!r}?" if len(inner) >= FEWEST_CLASSES else ""
    return f"at least {FEWEST_CLASSES} classes are needed (got only {names[0]!r} in {root}){hint}"


def _listed(names: list[str]) -> str:
    shown = ", ".join(map(printable, names[:NAMES_SHOWN]))
    return shown if len(names) <= NAMES_SHOWN else f"{shown} and {len(names) - NAMES_SHOWN} more"
