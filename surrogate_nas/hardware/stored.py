"""The costs of a whole space in a file, ``costs.parquet``: what a study works with and another tool can read.

One row per architecture in listing order, a column ``code`` of text, and a column per cost. Metadata in the schema say
which space and network the costs are of and where they come from.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import ArrayLike, NDArray

from surrogate_nas.errors import RunFolderError, SettingsError, StoreError
from surrogate_nas.files import atomic_write
from surrogate_nas.hardware.protocol import CostModel
from surrogate_nas.space.network import NetworkSpec
from surrogate_nas.space.space import Space

SCHEMA = 1
_METADATA = b"surrogate_nas.costs"


class StoredCosts:
    """Costs of every architecture of a space that can be listed, by position.

    Args:
        space: The space.
        values: Name of each cost to its values in listing order, shape (size,).
        errors: Median relative error to expect of each cost, None where nothing is known.
        descriptions: Where the values of each cost come from.
        held_out: Errors of networks left out of a prediction, for costs that were predicted.
    """

    def __init__(
        self,
        space: Space,
        values: Mapping[str, NDArray[np.float64]],
        errors: Mapping[str, float | None],
        descriptions: Mapping[str, Any],
        held_out: Mapping[str, ArrayLike] | None = None,
    ) -> None:
        self.names: tuple[str, ...] = tuple(values)
        self._space = space
        self._values = dict(values)
        self._errors = dict(errors)
        self._descriptions = dict(descriptions)
        self._held_out = {name: np.asarray(values, dtype=np.float64) for name, values in (held_out or {}).items()}

    def evaluate(self, codes: ArrayLike) -> dict[str, NDArray[np.float64]]:
        """Every cost, shape (N,), of codes (N, D)."""
        positions = self._space.index(codes)
        return {name: values[positions] for name, values in self._values.items()}

    def relative_error(self, cost: str) -> float | None:
        """Median relative error that the cost was stored with.

        Raises:
            SettingsError: If the cost was not stored.
        """
        if cost not in self.names:
            raise SettingsError(f"unknown cost {cost!r}; choose from {', '.join(self.names)}")
        return self._errors.get(cost)

    def held_out_errors(self, cost: str) -> NDArray[np.float64]:
        """Errors of networks left out of the prediction that the cost was stored with, shape (M,).

        Raises:
            SettingsError: If the cost was not stored.
        """
        if cost not in self.names:
            raise SettingsError(f"unknown cost {cost!r}; choose from {', '.join(self.names)}")
        return self._held_out.get(cost, np.zeros(0))

    def describe(self) -> dict[str, Any]:
        """The description that each cost was stored with."""
        return dict(self._descriptions)


def tabulate(space: Space, model: CostModel) -> StoredCosts:
    """The costs of every architecture.

    Raises:
        SpaceError: If the space is too large to list.
    """
    errors = {name: model.relative_error(name) for name in model.names}
    values = model.evaluate(space.all_codes())
    held_out = {name: model.held_out_errors(name) for name in model.names}
    return StoredCosts(space, {name: values[name] for name in model.names}, errors, model.describe(), held_out)


def write_costs(path: Path, space: Space, network: NetworkSpec, costs: StoredCosts) -> None:
    """Writes the costs of a whole space in one piece.

    Raises:
        SpaceError: If the space is too large to list.
    """
    codes = space.all_codes()
    metadata = {
        "schema": SCHEMA,
        "space": space.name,
        "space_fingerprint": space.fingerprint,
        "network": asdict(network),
        "costs": list(costs.names),
        "relative_errors": {name: costs.relative_error(name) for name in costs.names},
        "held_out_errors": {name: costs.held_out_errors(name).tolist() for name in costs.names},
        "descriptions": costs.describe(),
    }
    table = pa.table({"code": pa.array(space.digits(codes), pa.string()), **costs.evaluate(codes)})
    table = table.replace_schema_metadata({_METADATA: json.dumps(metadata, allow_nan=False).encode()})
    with atomic_write(path) as temporary:
        pq.write_table(table, temporary)


def read_costs(path: Path, space: Space, network: NetworkSpec) -> StoredCosts:
    """Reads what ``write_costs`` wrote.

    Raises:
        StoreError: If the file is missing, damaged, or of a version that this one does not know.
        RunFolderError: If it is of another space or network, or was not written by this project.
    """
    if not path.is_file():
        raise StoreError(f"the table of costs is missing: {path}")
    try:
        table = pq.read_table(path)
    except (OSError, pa.ArrowException) as error:
        reason = str(error).strip().splitlines()[0]
        raise StoreError(f"the table of costs cannot be read: {path}: {reason}") from None
    metadata = _metadata(path, table)
    _require(path, "space", metadata.get("space_fingerprint"), space.fingerprint)
    _require(path, "network", metadata.get("network"), asdict(network))
    try:
        names = [str(name) for name in metadata["costs"]]
        errors, descriptions = dict(metadata["relative_errors"]), dict(metadata["descriptions"])
        # Files of runs that were begun before there were bounds have none.
        held_out = {str(k): np.array(v, dtype=np.float64) for k, v in metadata.get("held_out_errors", {}).items()}
        codes = table["code"].to_pylist()
        values = {name: _floats(table[name]) for name in names}
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise StoreError(f"the table of costs is damaged: {path}: {error!r}") from None
    if codes != space.digits(space.all_codes()):
        raise StoreError(f"the table of costs is damaged: {path}: its rows are not the architectures of {space.name}")
    for name, column in values.items():
        if not np.isfinite(column).all():
            raise StoreError(f"the table of costs is damaged: {path}: column {name} has values that are not finite")
    return StoredCosts(space, values, errors, descriptions, held_out)


def _floats(column: pa.ChunkedArray) -> NDArray[np.float64]:
    if column.type != pa.float64():
        raise TypeError(f"costs are of type double (got {column.type})")
    return np.asarray(column.to_numpy(), dtype=np.float64)


def _metadata(path: Path, table: pa.Table) -> dict[str, Any]:
    held = (table.schema.metadata or {}).get(_METADATA)
    if held is None:
        raise RunFolderError(f"{path} is no table of costs that this project wrote; use another folder")
    try:
        metadata = json.loads(held)
    except ValueError as error:
        raise StoreError(f"the table of costs is damaged: {path}: its metadata are no JSON: {error}") from None
    if not isinstance(metadata, dict) or metadata.get("schema") != SCHEMA:
        version = metadata.get("schema") if isinstance(metadata, dict) else None
        raise StoreError(f"the table of costs must be of version {SCHEMA} (got {version!r}): {path}")
    return metadata


def _require(path: Path, field: str, held: object, wanted: object) -> None:
    if held != wanted:
        raise RunFolderError(
            f"{path} holds costs of another {field}: {held} (this one is {wanted}); use another run folder"
        )
