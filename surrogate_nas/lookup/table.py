"""The lookup table: what is deployed. A budget goes in, the best architecture within it comes out.

Rows are sorted by score, the best first, and equal scores by primary cost, the cheapest first. So the answer to any
budget is the first row that meets it, and a new budget, on whatever cost, needs no search.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from numbers import Integral, Real
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from surrogate_nas._support.cache_folder import expanded
from surrogate_nas._support.commands import shown
from surrogate_nas._support.words import count_of
from surrogate_nas._support.words import shown as shown_text
from surrogate_nas.costs.budget import Budget, BudgetRequest, BudgetRequests
from surrogate_nas.costs.cost import COSTS, split_cost, upper_of
from surrogate_nas.costs.pareto import pareto_mask, sorted_front
from surrogate_nas.errors import BudgetError, InfeasibleBudgetError, SettingsError, StoreError
from surrogate_nas.lookup.columns import checked_columns
from surrogate_nas.lookup.entry import Entry, half_interval
from surrogate_nas.lookup.metadata import UNPROFILED, TableMetadata
from surrogate_nas.lookup.misses import infeasible_error, least_rows
from surrogate_nas.lookup.neighbours import Neighbour, changed_decisions, nearest_rows
from surrogate_nas.lookup.parquet_columns import ParquetColumns, encode
from surrogate_nas.lookup.table_files import read_files, write_files

_FIRST_BLOCK = 4096
_MISSES = 256
_TEXTS = ("code", "architecture", "canonical")
_NEEDED = (*_TEXTS, "score", "predicted_accuracy_percent", "accuracy_std_percent", "pareto")


class LookupTable:
    """Predicted accuracy and costs of every architecture that was considered.

    Made by ``build`` or ``load``. Methods take resolved budgets; ``resolve`` makes those from numbers and texts.

    Example:
        ``folder`` is the run folder of a finished study.

        >>> from surrogate_nas import LookupTable
        >>> table = LookupTable.load(folder)
        >>> table.best(flops="60%").code
        '1102'
        >>> [entry.code for entry in table.pareto("flops")][:2]
        ['0000', '0010']
    """

    def __init__(self, metadata: TableMetadata, columns: ParquetColumns, folder: Path | None = None) -> None:
        """Use ``build`` or ``load``."""
        self.metadata = metadata
        self._columns, self._folder = columns, folder
        self.costs: tuple[str, ...] = tuple(name for name in columns.names if name in COSTS)
        self.labels: tuple[str, ...] = tuple(name for name in columns.names if name.startswith("label_"))

    @classmethod
    def build(
        cls,
        metadata: TableMetadata,
        *,
        codes: Sequence[str],
        architectures: Sequence[str],
        canonical: Sequence[str],
        score: ArrayLike,
        predicted_accuracy_percent: ArrayLike,
        accuracy_std_percent: ArrayLike,
        costs: Mapping[str, ArrayLike],
        labels: Mapping[str, ArrayLike] | None = None,
    ) -> Self:
        """Returns a table of N architectures, in any order.

        Args:
            metadata: Facts that hold for every row.
            codes: Digits, length N, all different and of one width.
            architectures: The same for people, length N.
            canonical: Digits of the representative of each, length N.
            score: Shape (N,), higher is better.
            predicted_accuracy_percent: Shape (N,).
            accuracy_std_percent: Shape (N,), at least 0.
            costs: Name (a key of ``costs.cost.COSTS``) to values of shape (N,), with the primary cost among them.
            labels: Name that starts with ``label_`` to measured accuracies in percent, shape (N,), NaN where unknown.

        Raises:
            SettingsError: If a column does not fit, naming it.
        """
        columns = checked_columns(
            {"code": codes, "architecture": architectures, "canonical": canonical},
            {
                "score": score,
                "predicted_accuracy_percent": predicted_accuracy_percent,
                "accuracy_std_percent": accuracy_std_percent,
            },
            costs,
            labels or {},
            metadata.primary_cost,
        )
        primary = columns[metadata.primary_cost]
        columns["pareto"] = pareto_mask(columns["score"], primary[:, None])
        order = np.lexsort((columns["code"], primary, -columns["score"]))
        image = encode({name: column[order] for name, column in columns.items()})
        return cls(metadata, ParquetColumns(image, "a new table"))

    @classmethod
    def load(cls, path: Path | str) -> Self:
        """Reads a table from a run folder or from its ``.parquet`` file next to the ``.json`` one.

        Raises:
            RunFolderError: If there is no table.
            StoreError: If it is damaged, foreign, or its files were not written together.
        """
        path = expanded(path)
        columns, facts = read_files(path)
        metadata = TableMetadata.from_json(facts, path)
        missing = {*_NEEDED, metadata.primary_cost}.difference(columns.names)
        if missing:
            raise StoreError(f"the lookup table lacks the columns {', '.join(sorted(missing))}: {path}")
        columns.decode_small()
        return cls(metadata, columns, path if path.is_dir() else path.parent)

    def write(self, folder: Path) -> None:
        """Writes ``lookup.parquet``, ``lookup.csv`` (the same rows, rounded) and ``lookup.json``.

        Raises:
            RunFolderError: If the folder cannot be written to.
        """
        write_files(folder, self._columns, self.metadata.as_json(self._columns.names))

    def __repr__(self) -> str:
        size = count_of(len(self), "architecture")
        return f"<LookupTable of {self.metadata.space_name}: {size}, {', '.join(self.costs)}>"

    def __len__(self) -> int:
        return self._columns.num_rows

    def column(self, name: str) -> NDArray[Any]:
        """Returns a numeric column in the order of the table, shape (N,).

        Raises:
            SettingsError: If there is no such column.
        """
        numeric = [known for known in self._columns.names if known not in _TEXTS]
        if name not in numeric:
            raise SettingsError(f"the lookup table has no column {name!r}; it has {', '.join(numeric)}")
        return self._columns.numbers(name)

    def entry(self, row: int) -> Entry:
        """Returns the architecture of a row; row 0 has the best score.

        Raises:
            SettingsError: If there is no such row.
        """
        if not 0 <= _whole(row, "a row") < len(self):
            raise SettingsError(f"rows of the lookup table are 0 to {len(self) - 1:,} (got {row:,})")
        return Entry.from_row(self._columns.row(row), self.costs, self.labels)

    def half_interval_percent(self, entry: Entry) -> float | None:
        """Returns half of the 95% interval of an entry's predicted accuracy; None in tables of former versions."""
        error = self.metadata.label_error_percent
        return None if error is None else half_interval(entry.accuracy_std_percent, error)

    def resolve(self, **budgets: float | str) -> list[Budget]:
        """Budgets by name of the cost: a number in the stored unit, or a text such as ``"3ms"`` or ``"40%"``.

        A text may have several devices: ``"5ms, raspi4=30ms"``. A percentile is one of this table's own column.

        Raises:
            BudgetError: If the table has no such cost, a cost is bounded twice, or a budget is not a positive one with
                a unit.
        """
        found = [one for cost, asked in budgets.items() for one in self._resolve(cost, asked)]
        costs = [one.cost for one in found]
        twice = next((cost for cost in costs if costs.count(cost) > 1), None)
        if twice is not None:
            raise BudgetError(f"the {COSTS[twice].title} is bounded more than once; give one budget")
        return found

    def _resolve(self, cost: str, asked: object) -> list[Budget]:
        if isinstance(asked, str):
            return [self._resolve_request(one) for one in BudgetRequests.parse(cost, asked).requests]
        if isinstance(asked, (bool, np.bool_)) or not isinstance(asked, (Real, np.number)):
            raise BudgetError(
                f"the budget on {cost} must be a number or a text such as '5ms' (got {asked!r}); leave it out for no"
                " limit"
            )
        cost, limit = self.binding(cost), float(asked)
        values = self._cost(cost)
        if not math.isfinite(limit) or limit <= 0:
            raise BudgetError(f"the budget on {cost} must be a finite number above zero (got {asked})")
        return [BudgetRequest(cost, str(asked), limit=limit).resolve(values)]

    def _resolve_request(self, request: BudgetRequest) -> Budget:
        base, device = split_cost(request.cost)
        # The study's own device needs no name, and may have it.
        cost = self.binding(base if device == self.metadata.device else request.cost)
        return replace(request, cost=cost).resolve(self._cost(cost))

    def binding(self, cost: str) -> str:
        """Returns the column that a budget on a cost is held against: the upper bound of a predicted cost."""
        upper = upper_of(cost)
        return upper if upper is not None and upper in self.costs else cost

    def _cost(self, cost: str) -> NDArray[Any]:
        why = self.metadata.notes.get(UNPROFILED) if cost == "latency_ms" else None
        if why is not None and cost not in self.costs:
            words = ("--output-dir", self._folder or "RUN", "--resume", "--set", "hardware.latency=always")
            raise BudgetError(
                f"the lookup table has no latency, which was {why}; profile it with: {shown('study', *words)}"
            )
        if cost not in self.costs:
            raise BudgetError(self._lacks(cost))
        return self._columns.numbers(cost)

    def _lacks(self, cost: str) -> str:
        """Returns that the table does not have a cost, and what it has: of other devices, or of other kinds."""
        base, device = split_cost(cost)
        if base not in COSTS:
            return f"the lookup table has no cost {cost!r}; it has {', '.join(self.costs)}"
        found = {split_cost(one) for one in self.costs if upper_of(one) is not None or split_cost(one)[0] in COSTS}
        devices = [self.metadata.device if of is None else of for one, of in found if one == base]
        title = COSTS[base].title + (f" of {shown_text(device)}" if device is not None else "")
        if devices:
            first, *_ = names = sorted(devices)
            example = f"{COSTS[base].option} {first}={COSTS[base].example}"
            return f"the lookup table has no {title}; it has that of {', '.join(names)}: write {example}"
        kinds = sorted({COSTS[one].title for one, _ in found if one in COSTS})
        return f"the lookup table has no {title}; it has {', '.join(kinds)}"

    def best(self, **budgets: float | str) -> Entry:
        """Returns the best architecture within all budgets, such as ``best(latency_ms=3, flops="50M")``.

        Raises:
            BudgetError: If a budget is malformed, ``None``, or on a cost that the table does not have.
            InfeasibleBudgetError: If nothing meets them, with the smallest reachable costs and the nearest misses.
        """
        return self.best_for(self.resolve(**budgets))

    def best_for(self, budgets: Sequence[Budget]) -> Entry:
        """Returns the best architecture within all budgets; raises what ``best`` raises."""
        for row in self._rows_within(budgets):
            return self.entry(row)
        raise self.infeasible(budgets)

    def top(self, count: int, budgets: Sequence[Budget] = ()) -> list[Entry]:
        """Returns the best architectures within all budgets, at most ``count``, the best first.

        Of architectures that compute the same only the best is returned.

        Raises:
            SettingsError: If ``count`` is not positive.
            InfeasibleBudgetError: If nothing meets the budgets.
        """
        entries = self._distinct(self._rows_within(_checked(budgets)), _to_list(count))
        if not entries:
            raise self.infeasible(budgets)
        return entries

    def pareto(self, cost: str | None = None, budgets: Sequence[Budget] = ()) -> list[Entry]:
        """Returns the front of score against a cost, the cheapest first, of the architectures within all budgets.

        Of architectures that compute the same only one is returned.

        Args:
            cost: A cost of the table; the primary one unless given.
            budgets: Bounds that everything on the front meets.

        Raises:
            BudgetError: If the table does not have the cost.
            InfeasibleBudgetError: If nothing meets the budgets.
        """
        values = self._cost(cost or self.metadata.primary_cost)
        rows = np.flatnonzero(self._violation(_checked(budgets), slice(None)) <= 0)
        if not len(rows):
            raise self.infeasible(budgets)
        front = rows[sorted_front(self._columns.numbers("score")[rows], values[rows])]
        return self._distinct(iter(front[np.argsort(values[front], kind="stable")].tolist()), len(front))

    def near(
        self, code: str, count: int = 10, budgets: Sequence[Budget] = (), most_changes: int | None = None
    ) -> list[Neighbour]:
        """Returns better or cheaper architectures that differ from one in few decisions.

        Args:
            code: An architecture of the table.
            count: Length of the list; of architectures that compute the same only the best is in it.
            budgets: Bounds that every neighbour meets.
            most_changes: Most decisions that may differ; any number unless given.

        Returns:
            The fewest changes first, equally near ones by score. Each has a better score or a smaller primary cost than
            the architecture of the code.

        Raises:
            SettingsError: If the table has no such code, or a number is impossible.
            InfeasibleBudgetError: If nothing in the table meets the budgets.
        """
        count, budgets = _to_list(count), _checked(budgets)
        if most_changes is not None and _whole(most_changes, "most_changes") < 0:
            raise SettingsError(f"most_changes must be at least 0 (got {most_changes})")
        changes, own = self._changes_from(code)
        score, primary = self._columns.numbers("score"), self._cost(self.metadata.primary_cost)
        wanted = (score > score[own]) | (primary < primary[own])
        if budgets:
            within = self._violation(budgets, slice(None)) <= 0
            if not within.any():
                raise self.infeasible(budgets)
            wanted &= within
        reference = self.entry(own)
        rows = nearest_rows(changes, wanted, most_changes)
        entries = self._distinct(rows, count, apart_from=reference.canonical)
        return [Neighbour.of(entry, reference, self.metadata.primary_cost) for entry in entries]

    def find(self, code: str) -> Entry:
        """Returns the architecture of a code.

        Raises:
            SettingsError: If the table has no such code.
        """
        return self.entry(self._changes_from(code)[1])

    def _changes_from(self, code: str) -> tuple[NDArray[np.uint16], int]:
        """Returns the number of decisions in which each row differs from a code, shape (N,), and the code's own row."""
        changes = changed_decisions(self._columns.letters("code"), code)
        own = int(np.argmin(changes))
        if changes[own]:
            raise SettingsError(f"the lookup table has no architecture {code}; the nearest is {self.entry(own).code}")
        return changes, own

    def smallest(self, cost: str) -> float:
        """Returns the smallest reachable value of a cost, in its stored unit."""
        return float(self._cost(cost).min())

    def nearest_misses(self, budgets: Sequence[Budget], count: int = 3) -> list[Entry]:
        """Returns the entries that exceed the budgets least, by the largest relative excess."""
        # Architectures that compute the same cost the same: enough are sorted for some to be left.
        rows = least_rows(self._violation(budgets, slice(None)), _MISSES * count)
        return self._distinct(iter(rows.tolist()), count)

    def infeasible(self, budgets: Sequence[Budget]) -> InfeasibleBudgetError:
        """Returns the error for budgets that nothing meets: the smallest reachable costs and the nearest misses."""
        smallest = [self.smallest(budget.cost) for budget in budgets]
        return infeasible_error(budgets, smallest, self.nearest_misses(budgets))

    def _violation(self, budgets: Sequence[Budget], rows: slice) -> NDArray[np.float64]:
        """Returns the largest violation of each row, shape (N,); at most 0 is feasible."""
        worst = np.full(len(range(len(self))[rows]), -np.inf)
        for budget in budgets:
            np.maximum(worst, budget.violation(self._cost(budget.cost)[rows]), out=worst)
        return worst

    def _rows_within(self, budgets: Sequence[Budget]) -> Iterator[int]:
        # In growing blocks: the first hit is near the top of the table unless the budget is tight.
        start, size = 0, _FIRST_BLOCK
        while start < len(self):
            hits = np.flatnonzero(self._violation(budgets, slice(start, start + size)) <= 0)
            yield from (start + hits).tolist()
            start, size = start + size, 4 * size

    def _distinct(self, rows: Iterator[int], count: int, apart_from: str | None = None) -> list[Entry]:
        """Returns the first entries that differ from each other, and from a canonical code, in what they compute."""
        seen = {apart_from}
        entries: list[Entry] = []
        for row in rows:
            if len(entries) == count:
                break
            entry = self.entry(row)
            if entry.canonical not in seen:
                seen.add(entry.canonical)
                entries.append(entry)
        return entries


def _whole(value: object, what: str) -> int:
    """Returns a whole number as it is.

    Raises:
        SettingsError: If it is none.
    """
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise SettingsError(f"{what} of a lookup table is a whole number (got {value!r:.40})")
    return int(value)


def _to_list(count: object) -> int:
    found = _whole(count, "the number of architectures")
    if found < 1:
        raise SettingsError(f"the number of architectures to list must be at least 1 (got {found})")
    return found


def _checked(budgets: Sequence[Budget]) -> Sequence[Budget]:
    """Returns budgets as they are.

    Raises:
        BudgetError: If they are something else.
    """
    if isinstance(budgets, str | bytes | Mapping) or not all(isinstance(one, Budget) for one in budgets):
        raise BudgetError(
            f"budgets here are what resolve returns, such as table.resolve(latency_ms='5ms') (got {budgets!r:.40})"
        )
    return budgets
