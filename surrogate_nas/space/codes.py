"""Decisions, the columns of a code, and codes written as one character for each."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from surrogate_nas._support.words import shown
from surrogate_nas.errors import SpaceError

DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"

_FEW = 100
_COMBINATIONS = 5_000


@dataclass(frozen=True)
class Decision:
    """One column of a code.

    Attributes:
        name: What is decided, such as the edge ``"2<-1"``.
        choices: Names of the operations to choose from, in index order.
    """

    name: str
    choices: tuple[str, ...]


def read_digits(text: str, space: str, decisions: Sequence[Decision]) -> list[int]:
    """Returns the choices of an architecture written as one character per decision.

    Args:
        text: As many of ``DIGITS`` as there are decisions.
        space: Name of the space, for messages.
        decisions: The D decisions.

    Raises:
        SpaceError: If a character is beyond the choices of its decision.
    """
    for decision, digit in zip(decisions, text, strict=True):
        known = DIGITS[: len(decision.choices)]
        if digit not in known:
            raise SpaceError(
                f"decision {decision.name} of {space} has choices {known[0]} to {known[-1]} (got {shown(digit)} in"
                f" {shown(text)})"
            )
    return [DIGITS.index(digit) for digit in text]


def texts_of(
    codes: NDArray[np.integer], decisions: Sequence[Decision], format_code: Callable[[NDArray[np.integer]], str]
) -> list[str]:
    """Returns the text of every code, in a hundredth of the time where each decision has a place of its own in it.

    Args:
        codes: Shape (N, D).
        decisions: The D decisions.
        format_code: Returns the text of one code, shape (D,).
    """
    if len(codes) < _FEW:
        return [format_code(code) for code in codes]
    base = np.zeros(len(decisions), dtype=codes.dtype)
    whole, at = format_code(base), 0
    table: list[list[str]] = []
    known: list[tuple[NDArray[np.integer], str]] = []
    for column, decision in enumerate(decisions):
        written = []
        for choice in range(len(decision.choices)):
            code = base.copy()
            code[column] = choice
            written.append(format_code(code))
            known.append((code, written[-1]))
        start = _shared(written)
        end = min(_shared([text[::-1] for text in written]), min(map(len, written)) - start)
        table.append([whole[at:start] + text[start : len(text) - end] for text in written])
        at = len(whole) - end
    # The text of a space may have no place per decision. Rows at equal distances may all have the same last choice.
    rows = np.random.default_rng(0).choice(len(codes), _FEW // 2, replace=False)
    known += [(codes[row], format_code(codes[row])) for row in rows]
    made = [text + whole[at:] for text in joined(np.stack([code for code, _ in known]), table)]
    if made == [text for _, text in known]:
        return [text + whole[at:] for text in joined(codes, table)]
    return [format_code(code) for code in codes]


def _shared(texts: Sequence[str]) -> int:
    """Returns how many letters texts share at their beginning."""
    return next(
        (i for i, letters in enumerate(zip(*texts, strict=False)) if len(set(letters)) > 1), min(map(len, texts))
    )


def joined(codes: NDArray[np.integer], table: Sequence[Sequence[str]]) -> list[str]:
    """Returns the joined fragments of the choices of each code.

    Fragments of several decisions are joined once for all combinations of their choices, of which there are few.

    Args:
        codes: Shape (N, D).
        table: Text of each choice of each decision.
    """
    texts, at = [""] * len(codes), 0
    while at < len(table):
        fragments, place, row = [""], at, np.zeros(len(codes), dtype=np.int64)
        while at < len(table) and (at == place or len(fragments) * len(table[at]) <= _COMBINATIONS):
            fragments = [before + text for before in fragments for text in table[at]]
            row = row * len(table[at]) + codes[:, at]
            at += 1
        texts = [before + fragments[position] for before, position in zip(texts, row.tolist(), strict=True)]
    return texts
