"""The files of a folder of images, and a quick way to see whether they have changed."""

import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path


def visible_files(folder: Path, on_error: Callable[[OSError], object] | None = None) -> Iterator[Path]:
    """Yields the files at any depth of a folder and behind its links, but for what is hidden.

    Args:
        folder: The folder.
        on_error: Called with the error of a folder that cannot be read; such folders are passed over otherwise.
    """
    # A link may lead back up, from where the folder is or from where it really is.
    visited = with_parents(Path(os.path.abspath(folder)).parent) | with_parents(Path(os.path.realpath(folder)).parent)
    for parent, inner, files in os.walk(folder, onerror=on_error, followlinks=True):
        if (real := os.path.realpath(parent)) in visited:
            inner.clear()
            continue
        visited.add(real)
        inner[:] = sorted(name for name in inner if is_visible(name))
        yield from (Path(parent, name) for name in sorted(files) if is_visible(name))


def with_parents(folder: Path) -> set[str]:
    """Returns the real paths of a folder and of all folders around it: a link to one would hold everything again."""
    real = Path(os.path.realpath(folder))
    return {str(real), *map(str, real.parents)}


def is_visible(name: str) -> bool:
    """Returns whether a file or folder is neither hidden nor left by a Mac's archiver."""
    return not name.startswith(".") and name != "__MACOSX"


def listing(source: str, path: str | None) -> str | None:
    """Returns a hash of names, sizes and times of all visible files of a folder; None where there is no folder.

    If hashes are equal, the images are the same and need not be decoded to know it.

    Args:
        source: Where a study's images come from, as its settings have it.
        path: Its folder.
    """
    if source != "folder" or path is None or not os.path.isdir(path):
        return None
    hashed = hashlib.sha256()
    for file in visible_files(Path(path)):
        try:
            status = file.stat()
        except OSError:
            continue  # a link that leads nowhere; reading the images reports it
        entry = f"{Path(os.path.relpath(file, path)).as_posix()}\0{status.st_size}\0{status.st_mtime_ns}\0"
        hashed.update(entry.encode(errors="surrogateescape"))
    return hashed.hexdigest()[:16]
