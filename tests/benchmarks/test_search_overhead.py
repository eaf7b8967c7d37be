"""The benchmark of overhead on a small scale."""

import json

import pytest

from benchmarks.search_overhead import drawn_numbers, main, measure, measure_whole, million
from surrogate_nas.space.load import load_space


def test_every_architecture_is_written() -> None:
    space = load_space("nasbench201")
    row = measure_whole(space, drawn_numbers(space), 5000)
    assert row["trials"] == 15_625
    assert float(row["seconds"]) > 0


def test_samplers_are_timed(capsys: pytest.CaptureFixture[str]) -> None:
    space = load_space("nasbench201")
    assert measure(space, drawn_numbers(space), "evolution", 60, 20)["trials"] == 60
    assert main(["--no-million", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["sampler"] for row in rows] == ["predictor", "everything"]


def test_the_large_space_has_a_million() -> None:
    assert million().size == 1_048_576
    assert million().listable
