"""A whole lookup table as an SQLite database, for services in any language."""

import json
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from surrogate_nas._support.files import atomic_write
from surrogate_nas.costs.budget import Budget
from surrogate_nas.costs.cost import LATENCY_UPPER
from surrogate_nas.errors import SettingsError, WriteError
from surrogate_nas.lookup.table import LookupTable

SCHEMA_VERSION = 1
_INTEGER, _REAL, _TEXT = "INTEGER", "REAL", "TEXT"


def write_sqlite(table: LookupTable, path: Path, budgets: Sequence[Budget] = ()) -> int:
    """Writes every row: table ``architectures``, whose key ``rank`` is 1 for the best score, and table ``metadata``.

    There are indices on ``code``, on every cost, and on ``canonical``. The answer to any budget is the row of the
    smallest rank that meets it.

    Args:
        table: The table.
        path: The file.
        budgets: None: an SQLite database answers any budget.

    Returns:
        The number of rows.

    Raises:
        SettingsError: If there are budgets.
        WriteError: If the file cannot be written.
    """
    if budgets:
        raise SettingsError("an SQLite export holds every row, so you can ask it for any budget; leave the budget out")
    try:
        with atomic_write(path) as temporary:
            connection = sqlite3.connect(temporary)
            try:
                _write(table, connection)
            finally:
                connection.close()
    except sqlite3.Error as error:
        raise WriteError(f"{path} cannot be written: {error}") from None
    return len(table)


def _write(table: LookupTable, connection: sqlite3.Connection) -> None:
    # Queries are the same for every table: a latency that is no prediction keeps itself.
    upper = [LATENCY_UPPER] if "latency_ms" in table.costs else []
    kinds = {
        "code": _TEXT,
        "architecture": _TEXT,
        "canonical": _TEXT,
        "score": _REAL,
        "predicted_accuracy_percent": _REAL,
        "accuracy_std_percent": _REAL,
        **dict.fromkeys((*table.costs, *upper, *table.labels), _REAL),
        "pareto": _INTEGER,
    }
    columns = ", ".join(f"{_name(name)} {kind}" for name, kind in kinds.items())
    # A rebuilt export takes the place of the old one in one piece, so the database needs no journal of its own.
    connection.execute("PRAGMA journal_mode = OFF")
    with connection:
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        connection.execute(f"CREATE TABLE architectures (rank INTEGER PRIMARY KEY, {columns})")
        places = ", ".join("?" * (len(kinds) + 1))
        connection.executemany(f"INSERT INTO architectures VALUES ({places})", _rows(table, list(kinds)))
        for name in ("canonical", *table.costs):
            connection.execute(f"CREATE INDEX {_name(f'by_{name}')} ON architectures ({_name(name)})")
        connection.execute("CREATE UNIQUE INDEX by_code ON architectures (code)")
        connection.execute("CREATE TABLE metadata (key TEXT PRIMARY KEY, value TEXT)")
        facts = table.metadata.as_json([*kinds])
        connection.executemany(
            "INSERT INTO metadata VALUES (?, ?)", [(key, json.dumps(value)) for key, value in facts.items()]
        )
    connection.execute("ANALYZE")


def _rows(table: LookupTable, names: Sequence[str]) -> Iterator[tuple[Any, ...]]:
    for rank in range(len(table)):
        entry = table.entry(rank)
        known = {**entry.as_json(), **entry.costs, **entry.labels}
        known.setdefault(LATENCY_UPPER, entry.costs.get("latency_ms"))
        yield (rank + 1, *(known.get(name) for name in names))


def _name(name: str) -> str:
    """Returns a name of a column in quotes; ``latency_ms[pixel3]`` needs them."""
    return '"' + name.replace('"', '""') + '"'
