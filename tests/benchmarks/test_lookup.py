"""The benchmark of the table on a small scale."""

import json

import pytest

from benchmarks.lookup import main, measure, synthetic_table


def test_every_question_is_timed(capsys: pytest.CaptureFixture[str]) -> None:
    row = measure(300, repeats=1)
    assert set(row) >= {"read", "best", "pareto", "near", "nothing_meets", "first"}
    assert all(value > 0 for value in row.values())
    assert main(["--rows", "50,60", "--repeats", "1", "--json"]) == 0
    assert [found["rows"] for found in json.loads(capsys.readouterr().out)] == [50, 60]
    assert main(["--rows", "50", "--repeats", "1"]) == 0
    assert "nothing_meets" in capsys.readouterr().out


def test_tables_differ_by_seed_alone() -> None:
    assert synthetic_table(20).best() == synthetic_table(20).best()
    assert synthetic_table(20, seed=1).best() != synthetic_table(20).best()
