"""Computes zero-cost scores of a whole space, once per machine: they depend on no data and no labels."""

import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np

from surrogate_nas._support.cache_folder import cache_folder
from surrogate_nas.errors import SpaceError, StoreError, SurrogateNasWarning, WriteError
from surrogate_nas.space.class_table import ClassTable
from surrogate_nas.space.space import Codes, Space
from surrogate_nas.zero_cost.scores import SCORES, scores_kind, zero_cost_scores
from surrogate_nas.zero_cost.settings import ZeroCostSettings
from surrogate_nas.zero_cost.table import identity, read_table, write_table

MOST_CODES = 50_000
"""Codes of the largest space whose classes are all scored; a class takes about 15 ms."""


def can_be_scored(space: Space) -> bool:
    """Returns whether all classes of a space can be scored in minutes."""
    return scores_kind(space) and space.size <= MOST_CODES


def table_path(space: Space, settings: ZeroCostSettings) -> Path:
    """Returns the path of a space's table on this machine."""
    return cache_folder() / f"zero-cost-{identity(space, settings)}.safetensors"


def distinct_codes(space: Space) -> Codes:
    """Returns one code for each isomorphism class with a path from input to output, shape (C, D)."""
    codes = space.all_codes()
    canonical = np.unique(space.index(space.canonical(codes[space.is_connected(codes)])))
    return space.codes_at(canonical)


def compute_table(
    space: Space,
    settings: ZeroCostSettings,
    on_progress: Callable[[int, int], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> ClassTable:
    """Scores every class of a space.

    Raises:
        SpaceError: If the space is of a kind without scores, or has too many architectures.
        Interrupted: If ``should_stop`` returned True.
    """
    if not can_be_scored(space):
        raise SpaceError(
            f"zero-cost scores of all architectures need a chain or operations on edges, at most {MOST_CODES:,} codes"
            f" (got {space.name} with {space.size:,})"
        )
    codes = distinct_codes(space)
    return ClassTable(space, SCORES, codes, zero_cost_scores(space, codes, settings, on_progress, should_stop))


def cached_table(
    space: Space,
    settings: ZeroCostSettings,
    on_progress: Callable[[int, int], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> ClassTable:
    """Returns the table from the cache of this machine; a missing one is computed and kept.

    Warns:
        SurrogateNasWarning: If the cache is damaged, or cannot be written.

    Raises:
        SpaceError: If the space cannot be scored.
        Interrupted: If ``should_stop`` returned True.
    """
    path, own = table_path(space, settings), identity(space, settings)
    if path.exists():
        try:
            return read_table(path, space, own)
        except StoreError as error:
            warnings.warn(f"{error}; they are computed again", SurrogateNasWarning, stacklevel=2)
    table = compute_table(space, settings, on_progress, should_stop)
    try:
        write_table(path, table, own)
    except WriteError as error:
        warnings.warn(f"zero-cost scores cannot be kept for the next run: {error}", SurrogateNasWarning, stacklevel=2)
    return table
