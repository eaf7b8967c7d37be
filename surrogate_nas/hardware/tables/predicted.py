"""Writes and reads tables of predicted latencies: Parquet files that also carry the errors of the predictions.

Predictions from a profile of this machine, or from measurements of another device, are written in this form, as the
latency table of a study. The errors stand in the metadata of the file's schema; a CSV has no place for them.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from surrogate_nas._support.files import atomic_write, parse_json
from surrogate_nas._support.stored.checksums import sealed, unsealed
from surrogate_nas._support.stored.run_contents import is_of_run
from surrogate_nas._support.stored.versions import require_version
from surrogate_nas._support.streams import in_one_line
from surrogate_nas.costs.number_formats import Numbers
from surrogate_nas.errors import CostTableError, SpaceError, StoreError
from surrogate_nas.space.network import NetworkSpec
from surrogate_nas.space.space import Codes, Space

SCHEMA = 1
_METADATA = b"surrogate_nas.predicted_latency"
_CONDITIONS = ("runtime", "provider", "dtype", "threads", "batch")
_MOST_LETTERS = 40
_OPTIONS = {
    "channels": "--channels",
    "cells": "--cells",
    "image_size": "--image-size",
    "input_channels": "--input-channels",
}


def require_parquet(path: Path) -> None:
    """Refuses a file that predictions cannot be written to.

    Raises:
        CostTableError: If its name does not end in ``.parquet``, or it is there and is no table of this kind.
    """
    if path.suffix.lower() != ".parquet":
        raise CostTableError(
            f"a table of predicted latencies is a .parquet file, which can carry its errors (got {path})"
        )
    if path.exists() and (is_of_run(path) or not _is_replaceable(path)):
        raise CostTableError(f"{path} is there, and no table that this command wrote; give another --output")


def write_predicted(
    path: Path,
    space: Space,
    columns: Mapping[str, NDArray[np.float64]],
    errors: Mapping[str, NDArray[np.float64]],
    facts: Mapping[str, Any],
    codes: Codes | None = None,
) -> None:
    """Writes a table of the whole space, or of some of its architectures.

    Args:
        path: A ``.parquet`` file.
        space: The space; rows are its architectures in listing order.
        columns: Name of each column to its values, shape (size,), or (M,) with codes.
        errors: Measured / predicted - 1 of networks left out of the prediction, by column.
        facts: Origin of the values, as JSON takes it.
        codes: Rows of the table, shape (M, D); all architectures unless given.

    Raises:
        CostTableError: If the name of the file does not end in ``.parquet``, or another file is there.
    """
    require_parquet(path)
    metadata = {
        "schema": SCHEMA,
        "space_fingerprint": space.fingerprint,
        "held_out_errors": {name: values.tolist() for name, values in errors.items()},
        "facts": dict(facts),
    }
    rows = space.digits(space.all_codes() if codes is None else codes)
    table = pa.table({"code": pa.array(rows, pa.string()), **columns})
    table = table.replace_schema_metadata({_METADATA: json.dumps(sealed(metadata), allow_nan=False).encode()})
    # An open file: in the text of a path pyarrow would put the home folder in the place of '~'.
    with atomic_write(path) as temporary, temporary.open("wb") as file:
        pq.write_table(table, file, write_page_checksum=True)


def read_held_out(path: Path, column: str) -> NDArray[np.float64]:
    """Returns the errors of a column's predictions, shape (M,); M is 0 for files of other kinds.

    Raises:
        CostTableError: If the record of errors in the file is damaged.
    """
    metadata = _metadata(path)
    try:
        errors = np.array(metadata["held_out_errors"].get(column, []) if metadata else [], dtype=np.float64)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise _damaged(path, error) from None
    if not np.isfinite(errors).all() or errors.ndim != 1:
        raise CostTableError(f"{path}: its errors must be finite numbers; make the table again")
    return errors


def typical_error(errors: NDArray[np.float64], drift: float) -> float:
    """Returns the median relative error of predictions, drift included.

    Args:
        errors: Measured / predicted - 1, shape (M,), each with the drift on top, which lengthens only.
        drift: How much latencies may grow from one session to the next.
    """
    return float(np.median(np.abs(1 - 1 / (1 + errors - drift)))) + drift


def is_own(path: Path) -> bool:
    """Returns whether a table was written by this project: its latencies are in milliseconds, even if they are small.

    Raises:
        CostTableError: If the record in the file is damaged.
    """
    return bool(_metadata(path))


def _is_replaceable(path: Path) -> bool:
    try:
        return is_own(path)
    except (CostTableError, pa.ArrowInvalid, OSError):
        return False


def require_own(path: Path, space: Space, unit: str) -> None:
    """Refuses a table that this project wrote for another space, and another unit than milliseconds for its tables.

    One code may stand for different architectures in two spaces.

    Raises:
        CostTableError: If the space or the unit is another one.
    """
    metadata = _metadata(path)
    if not metadata:
        return
    if metadata.get("space_fingerprint") != space.fingerprint:
        raise CostTableError(
            f"{path} was made for another search space than {space.name}, so its codes mean other architectures; make a"
            " table of this space by hardware profile or hardware import-bench"
        )
    if unit not in ("auto", "ms"):
        raise CostTableError(f"{path}: its latencies are in ms, as this project writes them, and not in {unit}")


def read_drift(path: Path) -> float:
    """Returns the drift of the measurements that a table of this project is made of; 0 for files of other kinds.

    Raises:
        CostTableError: If the record in the file is damaged.
    """
    drift = _fact(path, "drift")
    try:
        return 0.0 if drift is None else max(0.0, float(str(drift)))
    except ValueError as error:
        raise _damaged(path, error) from None


def read_sizes(path: Path) -> dict[str, int] | None:
    """Returns the sizes of the network that predictions are of; None for files of other kinds, which do not say.

    Raises:
        CostTableError: If the record in the file is damaged.
    """
    metadata = _metadata(path)
    try:
        sizes = metadata.get("facts", {}).get("network")
        return None if sizes is None else NetworkSpec.read(sizes).described()
    except (AttributeError, SpaceError) as error:
        raise _damaged(path, error) from None


def require_sizes(path: Path, network: NetworkSpec) -> None:
    """Refuses a table of predictions for another network than a study deploys; classes matter to one layer only.

    Raises:
        CostTableError: If a size differs; the message has the options that measure the right ones.
    """
    held, wanted = read_sizes(path), network.described()
    other = [name for name in _OPTIONS if held is not None and held.get(name) != wanted.get(name)]
    if held is not None and other:
        measured, deployed = ([f"{name} {sizes.get(name)}" for name in other] for sizes in (held, wanted))
        options = [f"{_OPTIONS[name]} {wanted[name]}" for name in other]
        raise CostTableError(
            f"{path}: measured on networks with {', '.join(measured)}, but the study deploys {', '.join(deployed)};"
            f" measure again with {' '.join(options)}, or set the sizes of the study"
        )


def require_batch(path: Path, batch: int) -> None:
    """Refuses a table of predictions for another batch than a study's; other tables do not say theirs.

    Raises:
        CostTableError: If it differs; the message names both.
    """
    held = _fact(path, "batch")
    if held is not None and str(held) != str(batch):
        raise CostTableError(
            f"{path}: measured at batch {held}, but the study deploys a batch of {batch}; measure again"
            f" with --batch {batch}, or set hardware.batch of the study"
        )


def read_conditions(path: Path) -> str:
    """Returns what the networks of a table were measured with, such as ``"onnxruntime 1.27.0, 4 threads, batch 1"``.

    The text is empty for files of other kinds, which do not say.

    Raises:
        CostTableError: If the record in the file is damaged.
    """
    # Logs of other programs do not say all of them.
    said = {name: in_one_line(str(_fact(path, name) or ""))[:_MOST_LETTERS] for name in _CONDITIONS}
    runtime, provider = said["runtime"], said["provider"]
    if runtime[:1].isdigit():  # this machine's profile has the version alone
        runtime = f"onnxruntime {runtime}"
    threads = f"{said['threads']} thread{'s' if said['threads'] != '1' else ''}" if said["threads"] else ""
    batch = f"batch {said['batch']}" if said["batch"] else ""
    return ", ".join(filter(None, (runtime, provider if provider != runtime else "", said["dtype"], threads, batch)))


def _fact(path: Path, name: str) -> object:
    """Returns what a table of predictions says of its measurements; None where it does not."""
    try:
        return _metadata(path).get("facts", {}).get(name)
    except AttributeError as error:
        raise _damaged(path, error) from None


def require_numbers(path: Path, numbers: Numbers) -> None:
    """Refuses a table of predictions for networks that compute with other numbers than a study's; others do not say.

    Raises:
        CostTableError: If they do; the message names both.
    """
    held = _fact(path, "dtype")
    if held is not None and held != numbers:
        raise CostTableError(
            f"{path}: measured on networks in {held}, but the study deploys {numbers}; measure again with"
            f" {_precision_options(numbers)}, or set hardware.precision and hardware.activations of the study"
        )


def _precision_options(numbers: Numbers) -> str:
    precision, _, signed = numbers.partition(" with ")
    return f"--precision {precision}{' --activations signed' if signed else ''}"


def _metadata(path: Path) -> dict[str, Any]:
    """Returns what a table of predictions says of itself; nothing for files of other kinds."""
    if path.suffix.lower() != ".parquet":
        return {}
    with path.open("rb") as file:
        held = (pq.read_schema(file).metadata or {}).get(_METADATA)
    if held is None:
        return {}
    try:
        metadata = unsealed(parse_json(held))
        require_version(path, metadata["schema"], SCHEMA, "make the table again")
    except StoreError as error:
        raise CostTableError(str(error)) from None
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise _damaged(path, error) from None
    return metadata


def _damaged(path: Path, error: Exception) -> CostTableError:
    return CostTableError(f"{path}: its record of errors is damaged: {error!r}; make the table again")
