"""Reads the measurements that ``measure.py`` made on a device, and refuses a file that is of several devices at once.

Symbols:
    M: measured architectures.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from surrogate_nas._support.files import parse_json
from surrogate_nas._support.words import count_of, shown
from surrogate_nas.errors import CostTableError, MeasurementError, SpaceError
from surrogate_nas.hardware.regression.sparse import FEWEST
from surrogate_nas.hardware.tables.cell_numbers import LATENCY, fault_of, positive_numbers, read_numbers
from surrogate_nas.hardware.tables.column_units import misnamed, unit_of_time
from surrogate_nas.hardware.tables.device_columns import other_cost
from surrogate_nas.hardware.tables.row_codes import code_texts, parse_row, require_once
from surrogate_nas.hardware.tables.text_columns import Columns, read_columns
from surrogate_nas.hardware.transfer import remote_runner
from surrogate_nas.space.network import NetworkSpec
from surrogate_nas.space.space import Codes, Space

RUNNER = "measure.py"
_LEAST_MS, _MOST_MS = 1e-6, 1e9  # from a nanosecond to eleven days
_FACTS = ("batch", "threads", "provider", "runtime")
_PRECISION = "precision"  # a column that results of networks in 32 bits may be without
# As spreadsheets write them in some languages.
_TRUE = ("true", "1", "wahr", "vrai", "vero", "verdadero", "waar")
_FALSE = ("false", "0", "falsch", "faux", "falso", "onwaar")
_FLAGS = {**dict.fromkeys(_TRUE, True), **dict.fromkeys(_FALSE, False)}


@dataclass(frozen=True)
class RemoteResults:
    """Measurements of a device.

    Attributes:
        device: Name of the device.
        codes: Calmly measured architectures, shape (M, D).
        median_ms: Their latencies, shape (M,).
        noisy: Number of others, which stayed noisy and are left out.
        drift: Largest relative change of the models that were timed again at the end.
        unsettled: The others, shape (noisy, D).
        facts: Batch, threads, provider and runtime, as the device wrote them, the sizes of the networks, and ``dtype``:
            what they compute with.
    """

    device: str
    codes: Codes
    median_ms: NDArray[np.float64]
    noisy: int
    drift: float
    facts: dict[str, Any]
    unsettled: Codes = field(default_factory=lambda: np.zeros((0, 0), np.int8))


def read_results(path: Path, space: Space, fewest: int = FEWEST) -> RemoteResults:
    """Reads the results of the runner, of which at least ``fewest`` have to be calm.

    Raises:
        CostTableError: If the file is missing, foreign, of another space or of several devices, or has impossible
            values; the message names row and column.
        MeasurementError: If too few measurements are calm.
    """
    columns, facts = _result_columns(path)
    if facts["space"] != space.fingerprint:
        raise CostTableError(f"{path}: measured for another space than {space.name}; export the models again")
    require_name(path, facts["device"])
    if fewest > 1:  # a prediction needs networks that differ
        positive_numbers(columns, "median_ms")
    medians, again = _medians_and_again(columns)
    texts = code_texts(space, columns, "code")
    codes = np.array([parse_row(space, text, columns, "code", row) for row, text in enumerate(texts)])
    require_once(columns, "code", np.unique(codes, axis=0, return_inverse=True)[1].reshape(-1))
    noisy = np.array([_flag(columns, row, text) for row, text in enumerate(columns.texts("noisy"))])
    if (~noisy).sum() < fewest:
        raise MeasurementError(_too_few(path, len(codes), int(noisy.sum()), fewest))
    # A measurement that never settled differs from a second one however steady the device is.
    calm = ~noisy & np.array([bool(text) for text in columns.texts("again_ms")])
    change = np.abs(again / medians - 1)
    drift = float((change[calm] if calm.any() else change).max())
    said: dict[str, Any] = {name: facts[name] for name in _FACTS}
    said |= {"measured_at": columns.texts("measured_at")[0], "network": _sizes(path, facts["network"])}
    said |= {"dtype": (_only(columns, _PRECISION) if _PRECISION in columns.names else "") or "float32"}
    return RemoteResults(facts["device"], codes[~noisy], medians[~noisy], int(noisy.sum()), drift, said, codes[noisy])


def _flag(columns: Columns, row: int, text: str) -> bool:
    """Returns whether a measurement was noisy."""
    if text.strip().lower() not in _FLAGS:
        raise CostTableError(f"{columns.where(row, 'noisy')}: {shown(text)} is neither True nor False; correct it")
    return _FLAGS[text.strip().lower()]


def read_rows(path: Path, codes: Sequence[str]) -> list[dict[str, str]]:
    """Reads the results of models of a bench as they were written, one row for each code, in the order of the codes.

    Raises:
        CostTableError: If the file is missing or foreign, lacks a code, has others, or has impossible values; the
            message names row and column.
    """
    columns, facts = _result_columns(path)
    require_name(path, facts["device"])
    _medians_and_again(columns)
    for row, (text, value) in enumerate(zip(columns.texts("iqr_ms"), read_numbers(columns, "iqr_ms"), strict=True)):
        if text and not 0 <= value <= _MOST_MS:
            raise CostTableError(
                f"{columns.where(row, 'iqr_ms')}: {shown(text)} is no range of milliseconds; measure again"
            )
    names = [name for name in remote_runner.COLUMNS if name in columns.names]
    texts = zip(*(columns.texts(name) for name in names), strict=True)
    rows = [dict(zip(names, cells, strict=True)) for cells in texts]
    held = [row["code"] for row in rows]
    if sorted(held) != sorted(codes):
        raise CostTableError(
            f"{path}: it has rows of {', '.join(held[:3]):.90}, and not one of each of the"
            f" {count_of(len(codes), 'model')} that were measured; measure again"
        )
    return [rows[held.index(code)] for code in codes]


def _result_columns(path: Path) -> tuple[Columns, dict[str, str]]:
    """Returns the columns of results, and what all rows have in common."""
    columns = read_columns(path)
    missing = [name for name in remote_runner.COLUMNS if name not in (*columns.names, _PRECISION)]
    if missing:
        remedy = f"measure with the {RUNNER} of a new bench" if missing == ["network"] else f"use what {RUNNER} wrote"
        raise CostTableError(f"{path}: the column {missing[0]!r} of results is missing; {remedy}")
    return columns, {name: _only(columns, name) for name in ("device", "space", "network", *_FACTS)}


def _only(columns: Columns, name: str) -> str:
    """Returns the one value that all rows have in a column."""
    values = list(dict.fromkeys(columns.texts(name)))
    if not values:
        raise CostTableError(f"{columns.path}: there are no rows below the header; measure again")
    if len(values) > 1:
        row = columns.texts(name).index(values[1])
        raise CostTableError(
            f"{columns.where(row, name)}: results of two measurements ({values[0]:.60}, {values[1]:.60}); import one"
            " device, with one set of options, at a time"
        )
    return values[0]


def require_name(path: Path, device: str) -> None:
    """Refuses names of devices that are no names of columns or files.

    Raises:
        CostTableError: If it is one.
    """
    if not re.fullmatch(r"[A-Za-z0-9_.-]+", device) or device in ("code", "arch", "auto"):
        raise CostTableError(
            f"{path}: a device is named by letters, digits, '_', '.' and '-' (got {shown(device)}); rename it"
        )
    if misnamed(device) is not None or other_cost(device) is not None or unit_of_time(device) is not None:
        raise CostTableError(
            f"{path}: {shown(device)} ends as a column of another cost or unit does, and a study would not read its"
            " latencies; rename the device"
        )


def _medians_and_again(columns: Columns) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Returns latencies, and the ones at the end of models that were timed again, shape (M,) each."""
    medians = _milliseconds(columns, "median_ms", read_numbers(columns, "median_ms"))
    empty = np.array([not text for text in columns.texts("again_ms")])
    return medians, _milliseconds(columns, "again_ms", np.where(empty, medians, read_numbers(columns, "again_ms")))


def _milliseconds(columns: Columns, name: str, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns latencies of a column, shape (M,), after a check that a device may have them."""
    for row, value in enumerate(values.tolist()):
        fault = fault_of(columns, name, row, value, LATENCY)
        if fault is None and not _LEAST_MS <= value <= _MOST_MS:
            fault = f"{columns.where(row, name)}: {value:g} ms is beyond every device; measure again"
        if fault is not None:
            raise CostTableError(fault)
    return values


def _too_few(path: Path, rows: int, noisy: int, fewest: int) -> str:
    if rows < fewest:
        return f"{path} has {count_of(rows, 'row')}, and {fewest} are needed; measure the other models too"
    return (
        f"{path}: {noisy} of {rows} measurements never settled, and {fewest} calm ones are needed; measure again on a"
        f" device that does nothing else, with --attempts 10 of {RUNNER}, or --again --attempts 10 of hardware measure"
    )


def _sizes(path: Path, text: str) -> dict[str, int]:
    try:
        return NetworkSpec.read(parse_json(text)).described()
    except (ValueError, SpaceError) as error:
        raise CostTableError(f"{path}, column network: {error}; measure again") from None
