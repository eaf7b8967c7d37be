"""Reads the architectures of a table's rows, and puts back the leading zeros that spreadsheets take from codes."""

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from surrogate_nas._support.words import shown
from surrogate_nas.errors import CostTableError, SpaceError
from surrogate_nas.hardware.tables.text_columns import Columns
from surrogate_nas.space.space import Space

# Marks by which people make a spreadsheet keep text, and the fraction that a column of numbers gets.
_KEPT_AS_TEXT = re.compile(r"""'(?P<quoted>\w+)|="(?P<formula>\w+)"|(?P<number>\d+)\.0+""", re.ASCII)


def code_texts(space: Space, columns: Columns, name: str) -> list[str]:
    """Returns the codes of the rows, as a spreadsheet had them before it took them for numbers.

    Codes get their leading zeros back where some code of the column has all its digits; a table of another space, with
    fewer decisions, has none such.
    """
    texts = columns.texts(name)
    if name != "code":
        return texts
    texts = [_plain(text) for text in texts]
    digits = space.num_decisions
    if not any(len(text) == digits for text in texts):
        return texts
    return [text.zfill(digits) if text.isascii() and text.isdigit() else text for text in texts]


def parse_row(space: Space, text: str, columns: Columns, name: str, row: int) -> NDArray[np.int8]:
    """Returns the code of a row, shape (D,), from its text.

    Raises:
        CostTableError: If it is not a code of the space.
    """
    try:
        return space.parse(text)
    except SpaceError as error:
        where, got = columns.where(row, name), columns.texts(name)[row]
        if name == "arch":
            raise CostTableError(f"{where}: {error}; use a table of this space") from None
        example = space.digits(np.zeros((1, space.num_decisions), dtype=np.int8))[0]
        remedy = f"use a table of this space, whose codes are like {example}"
        if not text:
            remedy = f"give the row a code like {example}, or remove it"
        elif re.fullmatch(r"[\d.,]+E\+?\d+", text, re.ASCII | re.IGNORECASE):
            remedy = f"a spreadsheet made it a number: import the column as text, so that codes stay like {example}"
        elif _lost_zeros(columns, name) and text.isascii() and text.isdigit() and len(text) < space.num_decisions:
            remedy = f"codes have {space.num_decisions} digits: keep the column as text, so that leading zeros stay"
        raise CostTableError(f"{where}: {shown(got)} is not an architecture of {space.name}; {remedy}") from None


def parse_rows(space: Space, texts: Sequence[str], columns: Columns, name: str) -> list[NDArray[np.int8]]:
    """Returns the code of every row, shape (D,) each.

    Raises:
        CostTableError: If one is not a code of the space.
    """
    # A small file may say one thing hundreds of thousands of times.
    known: dict[str, NDArray[np.int8]] = {}
    for row, text in enumerate(texts):
        if text not in known:
            known[text] = parse_row(space, text, columns, name, row)
    return [known[text] for text in texts]


def require_once(columns: Columns, name: str, positions: NDArray[np.integer]) -> None:
    """Checks that rows, by a number of each architecture, shape (rows,), are of different architectures.

    Raises:
        CostTableError: If two are of the same.
    """
    _, first, count = np.unique(positions, return_index=True, return_counts=True)
    if (count > 1).any():
        earlier = int(first[count > 1].min())
        later = int(np.flatnonzero(positions == positions[earlier])[1])
        raise CostTableError(
            f"{columns.where(later, name)}: architecture {columns.texts(name)[later]} appears twice, first in"
            f" {columns.place(earlier)}; keep one of the rows"
        )


def _lost_zeros(columns: Columns, name: str) -> bool:
    """Returns whether a spreadsheet may have taken leading zeros away: some code would still have one otherwise."""
    texts = columns.texts(name)
    return columns.path.suffix != ".parquet" and not any(len(text) > 1 and text.startswith("0") for text in texts)


def _plain(text: str) -> str:
    match = _KEPT_AS_TEXT.fullmatch(text)
    return next(filter(None, match.groups())) if match else text
