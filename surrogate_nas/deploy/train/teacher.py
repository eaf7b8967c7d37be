"""The larger architecture that teaches the one to deploy, where the user asks for one."""

import numpy as np

from surrogate_nas.deploy.train.chosen import Choice
from surrogate_nas.errors import SettingsError, SpaceError
from surrogate_nas.lookup.table import LookupTable
from surrogate_nas.space.space import Codes
from surrogate_nas.training.settings import FinalSettings


def teacher_of(choice: Choice, settings: FinalSettings) -> Codes | None:
    """Returns the effective code of the teacher that the settings ask for, shape (D,); None if they ask for none.

    Raises:
        SettingsError: If there is no such architecture, or it is not larger than the one to teach.
    """
    if settings.teacher is not None:
        code = _named(choice, settings.teacher)
    elif settings.teacher_budget is not None:
        code = _largest_within(choice, settings.teacher_budget)
    else:
        return None
    space = choice.space
    larger, smaller = space.flops(np.stack([code, choice.code]), choice.network).tolist()
    if larger <= smaller:
        raise SettingsError(
            f"the teacher {space.digits(code[None])[0]} takes {larger:,} multiply-accumulates, no more than the"
            f" {smaller:,} of {choice.entry.code}, which it would teach; name a larger one by training.teacher, or"
            " raise training.teacher_budget"
        )
    return code


def _named(choice: Choice, text: str) -> Codes:
    try:
        code = choice.space.parse(text).reshape(1, -1)
    except SpaceError as error:
        raise SettingsError(f"training.teacher: {error}") from None
    if not choice.space.is_connected(code)[0]:
        raise SettingsError(f"training.teacher: {text} has no path from its input to its output; name another")
    effective: Codes = choice.space.effective(code)[0]
    return effective


def _largest_within(choice: Choice, times: float) -> Codes:
    """Returns the table's architecture with the most multiply-accumulates within a multiple of the budgets."""
    if not choice.budgets:
        raise SettingsError(
            "training.teacher_budget multiplies the budgets, and this run has none; name a teacher by training.teacher"
        )
    table = LookupTable.load(choice.run.path)
    within = np.ones(len(table), dtype=np.bool_)
    for cost, limit in choice.budgets.items():
        within &= table.column(cost) <= times * limit
    if not within.any():
        raise SettingsError(
            f"no architecture of the table is within {times:g} times the budgets; raise training.teacher_budget, or"
            " name a teacher by training.teacher"
        )
    # Rows are sorted by score, so that the best of equally large ones is taken.
    entry = table.entry(int(np.argmax(np.where(within, table.column("flops"), -1))))
    effective: Codes = choice.space.effective(choice.space.parse(entry.code).reshape(1, -1))[0]
    return effective
