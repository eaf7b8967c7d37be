"""The database against the table."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from surrogate_nas.costs.budget import Budget
from surrogate_nas.errors import SettingsError, WriteError
from surrogate_nas.lookup.sqlite_export import write_sqlite
from surrogate_nas.lookup.table import LookupTable
from tests.conftest import REPOSITORY
from tests.lookup.test_table import hand_made


def test_the_query_of_the_guide_answers_for_a_table_without_predictions(tmp_path: Path) -> None:
    table = hand_made()
    guide = (REPOSITORY / "docs" / "how-to" / "deploy-the-table.md").read_text(encoding="utf-8")
    query = guide.partition("```sql\n")[2].partition("```")[0]
    assert "latency_upper_ms" not in table.costs
    write_sqlite(table, tmp_path / "table.db")
    with closing(sqlite3.connect(tmp_path / "table.db")) as database:
        found = database.execute(query).fetchone()
    best = table.best(latency_ms=3, params=1e6)
    assert found == (best.code, best.predicted_accuracy_percent, best.costs["latency_ms"])


def test_it_answers_as_the_table_does(table: LookupTable, tmp_path: Path) -> None:
    path = tmp_path / "table.db"
    assert write_sqlite(table, path) == len(table)
    query = "SELECT code, score, label_accuracy_percent FROM architectures WHERE latency_ms <= ? ORDER BY rank LIMIT 1"
    with closing(sqlite3.connect(path)) as database:
        for limit in (2.0, 4.0, 7.5):
            best = table.best(latency_ms=limit)
            label = best.labels.get("label_accuracy_percent")
            assert database.execute(query, (limit,)).fetchone() == (best.code, best.score, label)
        assert database.execute("SELECT count(*) FROM architectures").fetchone() == (len(table),)
        facts = dict(database.execute("SELECT key, value FROM metadata").fetchall())
        assert json.loads(facts["space_name"]) == table.metadata.space_name
        plan = str(database.execute("EXPLAIN QUERY PLAN SELECT * FROM architectures WHERE code = '0000'").fetchall())
        assert "by_code" in plan
        indices = database.execute("SELECT name FROM sqlite_master WHERE type = 'index'").fetchall()
        assert {"by_latency_ms", "by_flops", "by_canonical"} <= {name for (name,) in indices}


def test_budgets_and_impossible_places_are_refused(table: LookupTable, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="holds every row"):
        write_sqlite(table, tmp_path / "table.db", [Budget("latency_ms", 3)])
    (tmp_path / "file").write_text("")
    with pytest.raises(WriteError):
        write_sqlite(table, tmp_path / "file" / "table.db")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
