"""The benchmark of scoring, on few architectures."""

import json

import pytest

from benchmarks.scoring import main


@pytest.mark.slow
def test_it_prints_seconds_and_memory(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--count", "2000", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["count"] == 2000
    assert result["seconds"] > 0
    assert result["peak_memory_mb"] > 10


def test_the_table_names_the_model(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--count", "50", "--model", "ridge", "--distinct"]) == 0
    assert "50 architectures, ridge" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(["--count", "0"], "at least 1 (got 0)"), (["--count", "5", "--model", "oracle"], "'oracle'; choose from gcn")],
)
def test_impossible_requests_end_with_an_error(
    capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert main(arguments) == 2
    assert message in capsys.readouterr().err
