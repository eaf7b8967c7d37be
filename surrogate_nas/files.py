"""Writing files so that a crash never leaves half of one in the place of a good one."""

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from surrogate_nas.errors import StoreError


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Yields a temporary path in the same folder, which replaces ``path`` once the block ends without an error.

    The content reaches the disk before the name does, so after a crash ``path`` holds the old file or the new one.

    Args:
        path: The file to write; its folder is made if it is missing.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=path.suffix, dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        # mkstemp makes files that only their owner reads; a run folder is meant to be shared like any other output.
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o666 & ~umask)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Writes a UTF-8 text file in one piece."""
    with atomic_write(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path, content: Any) -> None:  # noqa: ANN401 - whatever json takes
    """Writes indented JSON in one piece; NaN and infinity are refused, since other readers do not take them."""
    write_text(path, json.dumps(content, indent=2, allow_nan=False) + "\n")


def read_json(path: Path, what: str) -> dict[str, Any]:
    """Reads a JSON object that the project wrote.

    Args:
        path: The file.
        what: What the file is, for the message, such as ``"lookup table metadata"``.

    Raises:
        StoreError: If the file is missing, not JSON, or not an object.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise StoreError(f"the {what} is missing: {path}") from None
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise StoreError(f"the {what} cannot be read: {path}: {error}") from None
    if not isinstance(content, dict):
        raise StoreError(f"the {what} must be a JSON object (got {type(content).__name__}): {path}")
    return content
