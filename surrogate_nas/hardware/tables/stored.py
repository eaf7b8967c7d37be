"""Stores the costs of a pool in a file, ``costs.parquet``, for a study to work with and other tools to read.

One row per architecture, a column ``code`` of text, and a column per cost. A space that can be enumerated has all its
architectures there, in enumeration order. Metadata in the schema name the space and network of the costs and where
they come from.
"""

import io
import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import ArrayLike, NDArray

from surrogate_nas._support.files import atomic_write, parse_json
from surrogate_nas._support.stored.checksums import sealed, unsealed
from surrogate_nas._support.stored.parquet_texts import as_texts, read_parquet
from surrogate_nas._support.stored.versions import require_version
from surrogate_nas._support.words import choose_from, first_line, one_line
from surrogate_nas.errors import RunFolderError, SettingsError, SpaceError, StoreError
from surrogate_nas.hardware.protocol import CostSource
from surrogate_nas.space.network import NetworkSpec
from surrogate_nas.space.pool import Pool, whole_pool
from surrogate_nas.space.space import Space

_ROUNDING = 1e-9
SCHEMA = 1
_METADATA = b"surrogate_nas.costs"
_REMEDY = "remove the file, and the costs are computed again"


class StoredCosts:
    """Stored costs of the architectures of a pool; a cost model, if given, provides the costs of others.

    Attributes:
        names: The costs.
        pool: The architectures whose costs are kept.

    Args:
        pool: N architectures.
        values: Name of each cost to its values in the pool's order, shape (N,).
        errors: Median relative error to expect of each cost, None where nothing is known.
        descriptions: Where the values of each cost come from.
        held_out: Errors of networks left out of a prediction, for costs that were predicted.
        model: Provides the costs of architectures outside the pool.
        exact: Values of architectures that were measured or planned whole, by cost and by the digits of their effective
            codes. They replace predictions.
    """

    def __init__(
        self,
        pool: Pool,
        values: Mapping[str, NDArray[np.float64]],
        errors: Mapping[str, float | None],
        descriptions: Mapping[str, Any],
        held_out: Mapping[str, ArrayLike] | None = None,
        model: CostSource | None = None,
        exact: Mapping[str, Mapping[str, float]] | None = None,
    ) -> None:
        self.names: tuple[str, ...] = tuple(values)
        self.pool = pool
        self._values = dict(values)
        self._errors = dict(errors)
        self._descriptions = dict(descriptions)
        self._held_out = {name: np.asarray(values, dtype=np.float64) for name, values in (held_out or {}).items()}
        self._model = model
        self.exact: Mapping[str, Mapping[str, float]] = dict(exact or {})

    def evaluate(self, codes: ArrayLike) -> dict[str, NDArray[np.float64]]:
        """Returns every cost, shape (N,), of codes (N, D).

        Raises:
            SpaceError: If an architecture is not in the pool and there is no model.
        """
        return self.with_exact(codes, self._predicted(codes))

    def with_exact(self, codes: ArrayLike, values: Mapping[str, NDArray[np.float64]]) -> dict[str, NDArray[np.float64]]:
        """Returns values of codes (N, D), shape (N,) each, with what was measured or planned in place of the others."""
        found = dict(values)
        for cost in self.exact.keys() & found.keys():
            whole = self.known_exactly(cost, codes)
            found[cost] = np.where(np.isnan(whole), found[cost], whole)
        return found

    def known_exactly(self, cost: str, codes: ArrayLike) -> NDArray[np.float64]:
        """Returns a cost of codes (N, D) that were measured or planned as whole networks, NaN for others; (N,)."""
        known = self.exact.get(cost)
        if not known:
            return np.full(len(np.asarray(codes)), np.nan)
        digits = self.pool.space.digits(self.pool.space.effective(codes))
        return np.array([known.get(text, np.nan) for text in digits], dtype=np.float64)

    def measured_ms(self, codes: ArrayLike) -> NDArray[np.float64]:
        """Returns the latencies of codes (N, D) that were measured as whole networks, NaN for the others; (N,)."""
        return self.known_exactly("latency_ms", codes)

    @property
    def predictions(self) -> "StoredCosts":
        """The same costs as if no whole network had been measured or planned."""
        return self._like(self.pool, self._values, self._model, {})

    def _predicted(self, codes: ArrayLike) -> dict[str, NDArray[np.float64]]:
        if self._model is None:
            rows = self.pool.rows(codes)
            return {name: values[rows] for name, values in self._values.items()}
        rows = self.pool.find(codes)
        known = {name: values[rows] for name, values in self._values.items()}
        missing = rows < 0
        if missing.any():
            asked = self._model.evaluate(np.asarray(codes)[missing])
            for name, values in known.items():
                values[missing] = asked[name]
        return known

    def with_measured(self, codes: ArrayLike, ms: ArrayLike) -> "StoredCosts":
        """Returns the costs with latencies of architectures that were measured as whole networks.

        Args:
            codes: Effective codes, shape (M, D).
            ms: Their latencies, shape (M,).
        """
        return self.with_known(codes, {"latency_ms": ms})

    def with_known(self, codes: ArrayLike, values: Mapping[str, ArrayLike]) -> "StoredCosts":
        """Returns the costs with values of architectures that were measured or planned as whole networks.

        Args:
            codes: Effective codes, shape (M, D).
            values: Cost to its values, shape (M,).
        """
        digits, exact = self.pool.space.digits(codes), dict(self.exact)
        for cost, column in values.items():
            more = dict(zip(digits, np.asarray(column, dtype=np.float64).tolist(), strict=True))
            exact[cost] = {**exact.get(cost, {}), **more}
        return self._like(self.pool, self._values, self._model, exact)

    def over(self, pool: Pool, model: CostSource | None = None) -> "StoredCosts":
        """Returns stored costs of another pool; missing ones come from the model, its own or another.

        Raises:
            SpaceError: If an architecture is not known and there is no model.
        """
        source = self._like(self.pool, self._values, model or self._model, self.exact)
        return self._like(pool, source._predicted(pool.codes), source._model, self.exact)

    def only(self, names: Collection[str]) -> "StoredCosts":
        """Returns the costs of some names, without the others.

        Facts that belong to no stored cost stay, such as the ones of networks that are measured one at a time.
        """

        def kept(values: Mapping[str, Any]) -> dict[str, Any]:
            return {name: value for name, value in values.items() if name in names}

        values, errors = kept(self._values), kept(self._errors)
        described = {name: one for name, one in self._descriptions.items() if name in names or name not in self.names}
        return StoredCosts(self.pool, values, errors, described, kept(self._held_out), self._model, kept(self.exact))

    def joined(self, other: CostSource, model: CostSource | None) -> "StoredCosts":
        """Returns the costs together with other ones; a model of both provides them outside the pool."""
        errors = self._errors | {name: other.relative_error(name) for name in other.names}
        held_out = self._held_out | {name: other.held_out_errors(name) for name in other.names}
        return StoredCosts(
            self.pool,
            self._values | other.evaluate(self.pool.codes),
            errors,
            self._descriptions | other.describe(),
            held_out,
            model,
            self.exact,
        )

    def _like(
        self,
        pool: Pool,
        values: Mapping[str, NDArray[np.float64]],
        model: CostSource | None,
        exact: Mapping[str, Mapping[str, float]],
    ) -> "StoredCosts":
        return StoredCosts(pool, values, self._errors, self._descriptions, self._held_out, model, exact)

    def relative_error(self, cost: str) -> float | None:
        """Returns the median relative error that the cost was stored with.

        Raises:
            SettingsError: If the cost was not stored.
        """
        if cost not in self.names:
            raise SettingsError(f"unknown cost {cost!r}; {choose_from(self.names, cost)}")
        return self._errors.get(cost)

    def held_out_errors(self, cost: str) -> NDArray[np.float64]:
        """Returns errors of networks left out of the prediction that the cost was stored with, shape (M,).

        Raises:
            SettingsError: If the cost was not stored.
        """
        if cost not in self.names:
            raise SettingsError(f"unknown cost {cost!r}; {choose_from(self.names, cost)}")
        return self._held_out.get(cost, np.zeros(0))

    def agrees_with(self, model: CostSource, cost: str, of_model: str | None = None) -> bool:
        """Returns whether a model still gives the costs that are stored; a fit rounds by the number of threads.

        Args:
            model: The model.
            cost: Name of the cost here.
            of_model: Its name in the model, where that is another one.
        """
        now = model.evaluate(self.pool.codes)[of_model or cost]
        return np.allclose(self.evaluate(self.pool.codes)[cost], now, rtol=_ROUNDING, atol=0)

    def describe(self) -> dict[str, Any]:
        """Returns the description that each cost was stored with."""
        return dict(self._descriptions)


def tabulate(pool: Pool, model: CostSource) -> StoredCosts:
    """Returns stored costs of every architecture of a pool; the model provides the costs of others."""
    errors = {name: model.relative_error(name) for name in model.names}
    values = model.evaluate(pool.codes)
    held_out = {name: model.held_out_errors(name) for name in model.names}
    return StoredCosts(pool, {name: values[name] for name in model.names}, errors, model.describe(), held_out, model)


def write_costs(path: Path, network: NetworkSpec, costs: StoredCosts) -> None:
    """Writes the costs of a pool in one piece."""
    space, codes = costs.pool.space, costs.pool.codes
    metadata = {
        "schema": SCHEMA,
        "rows": len(codes),
        "space": space.name,
        "space_fingerprint": space.fingerprint,
        "network": network.described(),
        "costs": list(costs.names),
        "relative_errors": {name: costs.relative_error(name) for name in costs.names},
        "held_out_errors": {name: costs.held_out_errors(name).tolist() for name in costs.names},
        "descriptions": costs.describe(),
    }
    table = pa.table({"code": pa.array(space.digits(codes), pa.string()), **costs.evaluate(codes)})
    table = table.replace_schema_metadata({_METADATA: json.dumps(sealed(metadata), allow_nan=False).encode()})
    # An open file: in the text of a path pyarrow would put the home folder in the place of '~'.
    with atomic_write(path) as temporary, temporary.open("wb") as file:
        pq.write_table(table, file, write_page_checksum=True)


def read_costs(path: Path, space: Space, network: NetworkSpec) -> StoredCosts:
    """Reads costs that ``write_costs`` wrote; there is no model for other architectures.

    Raises:
        StoreError: If the file is missing, damaged, or of an unknown version.
        RunFolderError: If it belongs to another space or network, or was not written by this project.
    """
    if not path.is_file():
        raise StoreError(f"the table of costs is missing: {path}")
    try:
        content = path.read_bytes()
    except OSError as error:
        raise StoreError(f"the table of costs cannot be read: {path}: {error.strerror or error}") from None
    try:
        table = read_parquet(io.BytesIO(content))
    # Of pyarrow, an OSError too is about the content.
    except (OSError, ValueError, pa.ArrowException) as error:
        reason = first_line(error)
        raise StoreError(f"the table of costs cannot be read: {path}: {reason}; {_REMEDY}") from None
    metadata = _metadata(path, table)
    _require(path, "space", metadata.get("space_fingerprint"), space.fingerprint)
    _require(path, "network", metadata.get("network"), network.described())
    try:
        names = [str(name) for name in metadata["costs"]]
        errors, descriptions = dict(metadata["relative_errors"]), dict(metadata["descriptions"])
        # Files of runs that were started before bounds existed have none.
        held_out = {str(k): np.array(v, dtype=np.float64) for k, v in metadata.get("held_out_errors", {}).items()}
        if not pa.types.is_dictionary(table["code"].type):
            raise TypeError(f"codes are texts (got {table['code'].type})")
        codes = as_texts(table["code"])
        values = {name: _floats(table[name]) for name in names}
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise _damaged(path, one_line(error, 100)) from None
    pool = _stored_pool(path, space, codes)
    for name, column in values.items():
        if not np.isfinite(column).all():
            raise _damaged(path, f"column {name} has values that are not finite")
    return StoredCosts(pool, values, errors, descriptions, held_out)


def holds(path: Path, cost: str) -> bool:
    """Returns whether a table of costs has a cost; True if the file cannot be read, which ``read_costs`` explains."""
    try:
        with path.open("rb") as file:
            return cost in pq.read_schema(file).names
    except (OSError, ValueError, pa.ArrowException):
        return True


def _stored_pool(path: Path, space: Space, texts: list[str]) -> Pool:
    """Returns the architectures of the rows: all of a space that can be enumerated, else some."""
    if space.listable:
        if texts != space.digits(space.all_codes()):
            raise _damaged(path, f"its rows are not the architectures of {space.name}")
        return whole_pool(space)
    try:
        codes = space.check([space.parse(text) for text in texts])
    except (SpaceError, AttributeError) as error:
        raise _damaged(path, error) from None
    pool = Pool(space, codes, complete=False, uniform=0)
    if not np.array_equal(pool.find(codes), np.arange(len(codes))):
        raise _damaged(path, "an architecture has two rows")
    return pool


def _floats(column: pa.ChunkedArray) -> NDArray[np.float64]:
    if column.type != pa.float64():
        raise TypeError(f"costs are of type double (got {column.type})")
    return np.asarray(column.to_numpy(), dtype=np.float64)


def _metadata(path: Path, table: pa.Table) -> dict[str, Any]:
    held = (table.schema.metadata or {}).get(_METADATA)
    if held is None:
        raise RunFolderError(f"{path} is not a table of costs of this project; use another folder")
    try:
        metadata = parse_json(held)
        if not isinstance(metadata, dict):
            raise ValueError("no object")
        require_version(f"the table of costs {path}", metadata.get("schema"), SCHEMA, _REMEDY)
        # Version 0.1.0 wrote neither checksums nor the number of rows.
        if metadata.get("rows", len(table)) != len(table):
            raise ValueError(f"they are of {metadata['rows']!r:.40} rows, not of {len(table)}")
        return unsealed(metadata)
    except ValueError as error:
        raise _damaged(path, f"its metadata: {error}") from None


def _damaged(path: Path, reason: object) -> StoreError:
    return StoreError(f"the table of costs is damaged: {path}: {reason}; {_REMEDY}")


def _require(path: Path, field: str, held: object, wanted: object) -> None:
    if held != wanted:
        raise RunFolderError(
            f"{path} holds costs of another {field}: {held!s:.80} (this one is {wanted}); use another run folder"
        )
