"""Reads and writes the order that a search by gradients has learned, as CSV: one row for each isomorphism class."""

import csv
import math
from pathlib import Path

import numpy as np

from surrogate_nas._support.files import write_text
from surrogate_nas._support.stored.csv_rows import read_csv_rows
from surrogate_nas.errors import SettingsError, SpaceError
from surrogate_nas.space.class_table import ClassTable
from surrogate_nas.space.space import Space

_CODE = "code"


def write_votes(path: Path, votes: ClassTable) -> None:
    """Writes votes, a table of one column; folders are made, and an existing file is replaced in one piece.

    Raises:
        WriteError: If it cannot be written.
    """
    (name,) = votes.names
    rows = zip(votes.space.digits(votes.codes), votes.values[:, 0].tolist(), strict=True)
    write_text(path, f"{_CODE},{name}\n" + "".join(f"{code},{value!r}\n" for code, value in rows))


def read_votes(path: Path, space: Space) -> ClassTable:
    """Reads votes.

    Raises:
        SettingsError: If the file cannot be read, is of another space, or a vote is not a finite number.
    """
    try:
        table = read_csv_rows(path, SettingsError)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise SettingsError(f"votes cannot be read: {path}: {error}") from None
    if len(table.header) != 2 or table.header[0] != _CODE or not table.rows:
        raise SettingsError(f"{path}: votes are rows of two columns, {_CODE} and the name of the vote")
    try:
        values = [float(value) for _, value in table.rows]
        if not all(map(math.isfinite, values)):
            raise ValueError("a vote is not finite")
        codes = np.stack([space.parse(code) for code, _ in table.rows])
        return ClassTable(space, (table.header[1],), codes, np.array(values)[:, None])
    except (ValueError, SpaceError) as error:
        raise SettingsError(f"{path}: {error}") from None
