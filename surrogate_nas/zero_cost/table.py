"""Reads and writes the file that keeps the zero-cost scores of a whole space."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

from surrogate_nas._support.files import atomic_write, parse_json
from surrogate_nas._support.stored.checksums import DIFFERS, KEY, checksum_of_arrays
from surrogate_nas._support.stored.versions import require_version
from surrogate_nas._support.tensor_files import texts_of
from surrogate_nas._support.words import one_line
from surrogate_nas.errors import SpaceError, StoreError
from surrogate_nas.space.class_table import ClassTable
from surrogate_nas.space.space import Space
from surrogate_nas.zero_cost.settings import ZeroCostSettings

_REMEDY = "remove it to compute them again"
KIND = "surrogate_nas zero-cost scores"
SCHEMA = 3
"""Increased with every change of the file's layout or of the computation of a score."""


def identity(space: Space, settings: ZeroCostSettings) -> str:
    """Returns the identity of a table: space, settings and the version of the scores."""
    text = json.dumps([SCHEMA, space.fingerprint, settings.model_dump()], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def write_table(path: Path, table: ClassTable, belongs_to: str) -> None:
    """Writes a table; an existing file is replaced in one piece.

    Raises:
        WriteError: If it cannot be written.
    """
    header = {"kind": KIND, "schema": str(SCHEMA), "identity": belongs_to, "names": json.dumps(table.names)}
    columns: Mapping[str, NDArray[Any]] = {"codes": table.codes, "values": table.values}
    arrays = {name: np.ascontiguousarray(values) for name, values in columns.items()}
    data = save(arrays, {**header, KEY: checksum_of_arrays(arrays, header)})
    with atomic_write(path) as temporary:
        temporary.write_bytes(data)


def read_table(path: Path, space: Space, belongs_to: str | None = None) -> ClassTable:
    """Reads a table.

    Args:
        path: The file.
        space: Its space.
        belongs_to: Result of ``identity``; None accepts scores of any settings.

    Raises:
        StoreError: If the file is missing, damaged, foreign, of another space or of other settings.
    """
    try:
        # Not mapped, which some file systems refuse.
        content = path.read_bytes()
        arrays, header = load(content), texts_of(content)
        names = tuple(parse_json(header.get("names", "[]")))
    except (OSError, SafetensorError, TypeError, ValueError) as error:
        raise StoreError(f"zero-cost scores cannot be read: {path}: {one_line(error, 100)}") from None
    if header.get("kind") != KIND:
        raise StoreError(f"{path} does not hold zero-cost scores of this project")
    require_version(f"the file of zero-cost scores {path}", header.get("schema"), SCHEMA, _REMEDY)
    if header.pop(KEY, None) not in (None, checksum_of_arrays(arrays, header)):
        raise StoreError(f"the zero-cost scores are damaged: {path}: {DIFFERS}; {_REMEDY}")
    if belongs_to is not None and header.get("identity") != belongs_to:
        raise StoreError(f"{path} holds zero-cost scores of another space or of other settings; {_REMEDY}")
    if not {"codes", "values"} <= arrays.keys():
        raise StoreError(f"{path} is not complete: codes and values are needed")
    try:
        return ClassTable(space, names, space.check(arrays["codes"]), np.asarray(arrays["values"], dtype=np.float64))
    except SpaceError as error:
        raise StoreError(f"{path} does not hold scores of the space {space.name}: {error}") from None
