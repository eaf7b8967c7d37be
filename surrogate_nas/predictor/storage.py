"""Writes and reads a predictor's files: ``predictor.json`` and the safetensors file of numbers that it names.

The file of numbers carries a part of its own checksum in its name and is written first, so a crash between the two
writes leaves the previous predictor intact.
"""

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

from surrogate_nas._support.files import UNREADABLE, atomic_write, read_json, write_json
from surrogate_nas._support.stored.versions import require_version
from surrogate_nas._support.words import one_line
from surrogate_nas.errors import RunFolderError, StoreError
from surrogate_nas.predictor.models.encoding import ENCODING_VERSION
from surrogate_nas.predictor.protocol import StoredArrays
from surrogate_nas.space.space import Space

DESCRIPTION = "predictor.json"
KIND = "surrogate_nas predictor"
SCHEMA = 3
_REMEDY = "fit the predictor again"
_NUMBERS = re.compile(r"predictor-[0-9a-f]{16}\.safetensors")


def write_predictor(folder: Path, space: Space, content: Mapping[str, Any], arrays: StoredArrays) -> None:
    """Writes a predictor; an existing one is replaced once the new one is complete.

    Args:
        folder: Made if it is missing.
        space: Space of the predictor.
        content: Content of the description in addition to versions and space; JSON.
        arrays: Numbers by name.
    """
    data = save({name: np.ascontiguousarray(values) for name, values in arrays.items()})
    checksum = hashlib.sha256(data).hexdigest()
    name = f"predictor-{checksum[:16]}.safetensors"
    with atomic_write(folder / name) as temporary:
        temporary.write_bytes(data)
    header = {
        "kind": KIND,
        "schema": SCHEMA,
        "encoding": ENCODING_VERSION,
        "space": space.name,
        "space_fingerprint": space.fingerprint,
        "arrays": {"file": name, "sha256": checksum},
    }
    write_json(folder / DESCRIPTION, header | dict(content))
    for other in folder.iterdir():
        if other.name != name and _NUMBERS.fullmatch(other.name):
            other.unlink()


def read_predictor(folder: Path, space: Space) -> tuple[dict[str, Any], dict[str, NDArray[np.generic]]]:
    """Reads the description and the numbers of a predictor.

    Raises:
        StoreError: If a file is missing, foreign, damaged, or of another version.
        RunFolderError: If the predictor belongs to another space.
    """
    path = folder / DESCRIPTION
    description = read_json(path, "description of the predictor", _REMEDY, SCHEMA)
    if description.get("kind") != KIND:
        raise StoreError(f"{path} does not describe a predictor of this project (kind {description.get('kind')!r:.40})")
    require_version(f"the encoding of {path}", description.get("encoding"), ENCODING_VERSION, _REMEDY)
    if description.get("space_fingerprint") != space.fingerprint:
        raise RunFolderError(
            f"{path} belongs to the space {description.get('space')!s:.40} with fingerprint"
            f" {description.get('space_fingerprint')!s:.40}, not of {space.name} with {space.fingerprint}"
        )
    return description, _read_arrays(folder, description.get("arrays"))


def _read_arrays(folder: Path, entry: object) -> dict[str, NDArray[np.generic]]:
    if not (isinstance(entry, dict) and _NUMBERS.fullmatch(str(entry.get("file")))):
        raise StoreError(f"{folder / DESCRIPTION}: arrays.file must name the predictor's numbers (got {entry!r:.80})")
    path = folder / entry["file"]
    try:
        data = path.read_bytes()
    except OSError as error:
        raise StoreError(f"the predictor's numbers cannot be read: {path}: {error.strerror}") from None
    if hashlib.sha256(data).hexdigest() != entry.get("sha256"):
        raise StoreError(f"{path} is damaged or not the file that was saved: its checksum differs; {_REMEDY}")
    try:
        arrays: dict[str, NDArray[np.generic]] = load(data)
    except (SafetensorError, *UNREADABLE) as error:
        raise StoreError(f"{path} is not a safetensors file: {one_line(error, 100)}") from None
    return arrays
