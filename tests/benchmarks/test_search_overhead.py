"""The benchmark of overhead on a small scale."""

import json
from pathlib import Path

import pytest

from benchmarks.search_overhead import drawn_numbers, main, measure, measure_whole, million
from surrogate_nas.search.journal.database import Database
from surrogate_nas.search.settings import SearchSettings
from surrogate_nas.space.load import load_space


def test_every_architecture_is_written() -> None:
    space = load_space("nasbench201")
    row = measure_whole(space, drawn_numbers(space), 5000)
    assert row["trials"] == 15_625
    assert float(row["seconds"]) > 0


def test_samplers_are_timed(capsys: pytest.CaptureFixture[str]) -> None:
    space = load_space("nasbench201")
    settings = SearchSettings(sampler="evolution", trials=60, batch=20)
    assert measure(space, drawn_numbers(space), settings)["trials"] == 60
    assert main(["--no-million", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["sampler"] for row in rows] == ["predictor", "everything"]


@pytest.mark.slow
def test_a_database_is_timed_and_left_empty(tmp_path: Path) -> None:
    space, database = load_space("nasbench201"), Database(f"sqlite:///{tmp_path}/trials.db", "benchmark")
    row = measure(space, drawn_numbers(space), SearchSettings(trials=4, batch=2), database)
    assert (row["trials"], row["journal_mb"]) == (4, 0)
    assert database.storage.get_all_studies() == []


def test_the_large_space_has_a_million() -> None:
    assert million().size == 1_048_576
    assert million().listable
