"""The files that a lookup table can be exported to, one row each."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from surrogate_nas._support.stored.run_contents import is_of_run
from surrogate_nas._support.words import choose_from
from surrogate_nas.costs.budget import Budget
from surrogate_nas.errors import RunFolderError, SettingsError
from surrogate_nas.lookup.c_header import write_c_header
from surrogate_nas.lookup.json_export import write_pareto_json
from surrogate_nas.lookup.sqlite_export import write_sqlite
from surrogate_nas.lookup.table import LookupTable

EXPORTS: dict[str, Callable[[LookupTable, Path, Sequence[Budget]], int]] = {
    "sqlite": write_sqlite,
    "c-header": write_c_header,
    "c-header-float": partial(write_c_header, real="float"),
    "json": write_pareto_json,
}


def export(
    table: LookupTable, kind: str, path: Path, budgets: Sequence[Budget] = (), *, overwrite: bool = False
) -> int:
    """Writes a table as another file.

    Args:
        table: The table.
        kind: A key of ``EXPORTS``.
        path: The file.
        budgets: Bounds that every entry meets.
        overwrite: Whether a file of that name may be replaced.

    Returns:
        The number of architectures written.

    Raises:
        SettingsError: If there is no such kind.
        RunFolderError: If a file is in the way, or a study wrote it.
        InfeasibleBudgetError: If nothing meets the budgets.
        WriteError: If the file cannot be written.
    """
    if kind not in EXPORTS:
        raise SettingsError(f"unknown export {kind!r}; {choose_from(EXPORTS, kind)}")
    if path.exists() and is_of_run(path):
        raise RunFolderError(f"{path} is a file of a run, which would be lost; give another path")
    if path.exists() and not overwrite:
        raise RunFolderError(f"{path} is in the way; give another path, or --overwrite to replace it")
    return EXPORTS[kind](table, path, budgets)
