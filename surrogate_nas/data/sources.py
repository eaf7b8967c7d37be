"""The one table of image sources. Importing it loads neither torch nor scikit-learn."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Literal

from surrogate_nas._support.cache_folder import expanded
from surrogate_nas.data.digits import open_digits
from surrogate_nas.data.folders.image_folder import open_folder, open_test_folder, open_validation_folder
from surrogate_nas.data.image_source import ImageSource
from surrogate_nas.data.torchvision_sets import TORCHVISION_SETS, open_torchvision_set, open_torchvision_test
from surrogate_nas.errors import DataError

SOURCES: dict[str, Callable[[Path | None], ImageSource]] = {
    "digits": open_digits,
    "folder": open_folder,
    **{name: partial(open_torchvision_set, name) for name in TORCHVISION_SETS},
}
PATH_USE: dict[str, Literal["none", "required", "optional"]] = {
    "digits": "none",
    "folder": "required",
    **dict.fromkeys(TORCHVISION_SETS, "optional"),
}


def open_source(name: str, path: str | None) -> ImageSource:
    """Opens a source by name.

    Args:
        name: A key of ``SOURCES``.
        path: Folder of images, or folder that holds or receives a torchvision set; a leading ``~`` is the home folder.

    Raises:
        DataError: If the name is unknown or the source cannot be opened.
    """
    if name not in SOURCES:
        raise DataError(f"no image source is called {name!r}; choose one of: {', '.join(SOURCES)}")
    return SOURCES[name](None if path is None else expanded(path))


def open_test_source(name: str, path: str | None, class_names: tuple[str, ...]) -> ImageSource | None:
    """Opens the test part that a source has in addition to its training part; no study reads it.

    Args:
        name: A key of ``SOURCES``.
        path: As for ``open_source``.
        class_names: The classes of the training part; labels are positions among them.

    Returns:
        The images, or None where the source has no test part.

    Raises:
        DataError: If it cannot be opened or has other classes.
    """
    folder = None if path is None else expanded(path)
    if name in TORCHVISION_SETS:
        return open_torchvision_test(name, folder)
    return open_test_folder(folder, class_names) if name == "folder" else None


def open_validation_source(name: str, path: str | None, class_names: tuple[str, ...]) -> ImageSource | None:
    """Opens the validation part that a folder of images has in addition to its training and test parts.

    Arguments and errors are as for ``open_test_source``.

    Returns:
        The images, or None where there is no such part: validation images are then taken from the training part.
    """
    if name != "folder" or path is None:
        return None
    return open_validation_folder(expanded(path), class_names)
