"""Writing files so that a crash never leaves half of one in the place of a good one."""

import errno
import json
import math
import os
import re
import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from surrogate_nas._support.stored.checksums import sealed, unsealed
from surrogate_nas._support.stored.versions import require_version
from surrogate_nas.errors import StoreError, WriteError

# Windows refuses to replace a file that another program holds open, such as a scanner for viruses, for moments.
OPEN_FILES_STAY = os.name == "nt"
_PATIENCE_SECONDS = 2.0
# A JSONDecodeError and a UnicodeDecodeError are ValueErrors, as is a number of too many digits; brackets may be nested
# too deeply, a number may be too large for a float, and a size too large for the memory.
UNREADABLE = (ValueError, RecursionError, OverflowError, MemoryError)
"""Errors by which parsers refuse what a damaged or hostile file holds."""
NO_SUCH_CALL = frozenset({errno.EPERM, errno.EINVAL, errno.ENODEV, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS})
"""Answers of CIFS, FUSE, exFAT and other mounts to ``chmod``, ``fsync`` and ``mmap``, which not all of them have."""
# Names of devices, which Windows takes for no file, with any ending.
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE | re.ASCII)


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Yields a temporary path in the same folder, which replaces ``path`` once the block ends without an error.

    The content reaches the disk before the name does, so after a crash ``path`` holds the old file or the new one.

    Args:
        path: The file to write; its folder is made if it is missing.

    Raises:
        WriteError: If it cannot be written, or the block fails with an ``OSError``; ``path`` is what it was.
    """
    # Not of the tempfile module, whose files only their owner may read: a run folder is shared like any other output.
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))
        try:
            permissions = temporary.stat().st_mode & 0o777
            yield temporary
            # Windows flushes only files that are open for writing.
            with temporary.open("rb+") as file:
                flush_to_disk(file.fileno())
            # The block may have put a file of its own in the place of the empty one.
            if temporary.stat().st_mode & 0o777 != permissions:
                with _where_the_system_has_it():
                    temporary.chmod(permissions)
            put_in_place(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
    except WriteError:
        raise
    except OSError as error:
        raise WriteError(f"{path} cannot be written: {_reason(error, temporary)}") from None


def flush_to_disk(handle: int) -> None:
    """Waits until an open file is on the disk; some file systems have no such call, and nothing more can be done there.

    Raises:
        OSError: If the disk refuses.
    """
    with _where_the_system_has_it():
        os.fsync(handle)


@contextmanager
def _where_the_system_has_it() -> Iterator[None]:
    """Passes over a call that a file system does not have; what a disk refuses stays an error."""
    try:
        yield
    except OSError as error:
        if error.errno not in NO_SUCH_CALL:
            raise


def put_in_place(temporary: Path, path: Path) -> None:
    """Moves a file into its place, and waits a moment where others hold the place open and the system minds."""
    patience = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            temporary.replace(path)
        except PermissionError:
            if not OPEN_FILES_STAY or path.is_dir() or time.monotonic() > patience:
                raise
            time.sleep(0.05)
        else:
            return


def _reason(error: OSError, temporary: Path) -> str:
    """Returns the system's reason, without the name of a temporary file that nobody knows."""
    if not error.strerror:
        return str(error)
    other = error.filename is not None and str(error.filename) != str(temporary)
    return f"{error.strerror}: {error.filename}" if other else error.strerror


def file_state(path: Path) -> tuple[int, int]:
    """Returns a pair that changes whenever a file is replaced; zeros where there is none, which its reader reports."""
    try:
        status = path.stat()
    except OSError:
        return 0, 0
    return status.st_ino, status.st_mtime_ns


def is_file_name(text: str) -> bool:
    """Returns whether a name of letters, digits, '.', '_' and '-' names a file on every system."""
    plain = re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]*", text)
    return plain is not None and not text.endswith(".") and not _RESERVED.fullmatch(text)


def as_file_name(text: str) -> str:
    """Returns a name with '-' in the place of what files are not called on every system, such as '/' and ':'."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip(".-") or "-"


def write_text(path: Path, text: str) -> None:
    """Writes a UTF-8 text file in one piece; its lines end in one way on every system, so that hashes agree."""
    with atomic_write(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Writes an object as indented JSON in one piece, with a checksum as its last field.

    NaN and infinity are refused, since other readers do not take them.
    """
    write_text(path, json.dumps(sealed(content), indent=2, allow_nan=False) + "\n")


def parse_json(text: str | bytes) -> Any:  # noqa: ANN401 - a file may hold anything
    """Returns the content of JSON that may be damaged or hostile.

    Raises:
        ValueError: If it is not JSON, is nested too deeply, or has a number that no float holds.
    """
    try:
        decoded = text if isinstance(text, str) else text.decode()
        return json.loads(decoded, parse_int=_whole_number, parse_float=_finite, parse_constant=_finite)
    except UNREADABLE as error:
        raise ValueError(str(error)) from None


def _whole_number(digits: str) -> int:
    number = int(digits)
    _finite(number)
    return number


def _finite(number: str | int) -> float:
    if not math.isfinite(value := float(number)):
        raise ValueError(f"{number} is not a finite number")
    return value


def read_json(path: Path, what: str, remedy: str, version: int = 1) -> dict[str, Any]:
    """Reads a JSON object that the project wrote; a file of a former version may have no checksum.

    Args:
        path: The file.
        what: What the file is, for the message, such as ``"lookup table metadata"``.
        remedy: What to do about a damaged file.
        version: The version that is read, where the file states one.

    Raises:
        StoreError: If the file is missing, not a JSON object, of another version, or not what was written.
    """
    try:
        content = parse_json(path.read_bytes())
        if not isinstance(content, dict):
            raise ValueError(f"it must be a JSON object (got {type(content).__name__})")
        found = content.get("schema_version", content.get("schema", version))
        require_version(f"the {what} {path}", found, version, remedy)
        return unsealed(content)
    except FileNotFoundError:
        raise StoreError(f"the {what} is missing: {path}; {remedy}") from None
    except OSError as error:
        raise StoreError(f"the {what} cannot be read: {path}: {error.strerror or error}") from None
    except ValueError as error:
        raise StoreError(f"the {what} cannot be read: {path}: {error}; {remedy}") from None
