"""The Pareto set of a lookup table as one JSON file, for devices that hold tens of architectures and not thousands."""

from collections.abc import Sequence
from pathlib import Path

from surrogate_nas._support.files import write_json
from surrogate_nas.costs.budget import Budget
from surrogate_nas.lookup.table import LookupTable

FORMAT = "surrogate_nas Pareto set"
SCHEMA_VERSION = 1


def write_pareto_json(table: LookupTable, path: Path, budgets: Sequence[Budget] = ()) -> int:
    """Writes the front of score against what latency budgets are held against, the cheapest first.

    Args:
        table: The table.
        path: The file.
        budgets: Bounds that every entry meets.

    Returns:
        The number of entries.

    Raises:
        InfeasibleBudgetError: If nothing meets the budgets.
        WriteError: If the file cannot be written.
    """
    cost = table.binding(table.metadata.primary_cost)
    entries = table.pareto(cost, budgets)
    facts = table.metadata.as_json([*table.costs, *table.labels, "score", "predicted_accuracy_percent"])
    content = {"format": FORMAT, "schema_version": SCHEMA_VERSION, "cost": cost, **facts}
    write_json(path, {**content, "entries": [entry.as_json() for entry in entries]})
    return len(entries)
