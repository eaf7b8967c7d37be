"""Architectures of chains as text: names of blocks, layers parted by ``|`` and stages by ``+``."""

from collections.abc import Sequence

from surrogate_nas._support.words import choose_from, shown
from surrogate_nas.errors import SpaceError
from surrogate_nas.space.codes import Decision


def write_chain(names: Sequence[str], lengths: Sequence[int]) -> str:
    """Returns the text of a chain.

    Args:
        names: Of the chosen blocks, one for each layer.
        lengths: Layers of each stage.
    """
    rest = iter(names)
    return "+".join("|".join(next(rest) for _ in range(length)) for length in lengths)


def read_chain(text: str, space: str, decisions: Sequence[Decision], lengths: Sequence[int]) -> list[int]:
    """Returns the choices that a text names.

    Args:
        text: As ``write_chain`` writes it.
        space: Name of the space, for messages.
        decisions: One for each layer.
        lengths: Layers of each stage.

    Raises:
        SpaceError: If it is not of that form, or a block is none of its layer's choices.
    """
    names = [stage.split("|") for stage in text.split("+")]
    if [len(stage) for stage in names] != list(lengths):
        form = write_chain(["BLOCK"] * len(decisions), lengths)
        raise SpaceError(
            f"an architecture of {space} is {len(decisions)} digits or of the form {form} (got {shown(text)})"
        )
    code = []
    for decision, block in zip(decisions, (name for stage in names for name in stage), strict=True):
        if block not in decision.choices:
            raise SpaceError(
                f"unknown block {shown(block)} in layer {decision.name}; {choose_from(decision.choices, block)}"
            )
        code.append(decision.choices.index(block))
    return code
