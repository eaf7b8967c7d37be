"""A quick way to see whether the files of a folder of images have changed."""

import hashlib
import os
from pathlib import Path


def listing(source: str, path: str | None) -> str | None:
    """Returns a hash of names, sizes and times of all files of a folder; None where there is no folder.

    If hashes are equal, the images are the same and need not be decoded to know it.

    Args:
        source: Where a study's images come from, as its settings have it.
        path: Its folder.
    """
    if source != "folder" or path is None or not os.path.isdir(path):
        return None
    hashed = hashlib.sha256()
    for parent, folders, files in os.walk(path):
        folders.sort()
        for name in sorted(files):
            file = os.path.join(parent, name)
            try:
                status = os.stat(file)
            except OSError:
                continue  # a link that leads nowhere; reading the images reports it
            entry = f"{Path(os.path.relpath(file, path)).as_posix()}\0{status.st_size}\0{status.st_mtime_ns}\0"
            hashed.update(entry.encode(errors="surrogateescape"))
    return hashed.hexdigest()[:16]
