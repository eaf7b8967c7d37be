"""Decisions, the columns of a code, and codes written as one character for each."""

from collections.abc import Sequence
from dataclasses import dataclass

from surrogate_nas.errors import SpaceError

DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


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
                f"decision {decision.name} of {space} has choices {known[0]} to {known[-1]} (got {digit!r} in {text!r})"
            )
    return [DIGITS.index(digit) for digit in text]
