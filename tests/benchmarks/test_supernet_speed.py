"""The benchmark of steps and evaluations, on a tiny supernet."""

import json

import pytest

from benchmarks.supernet_speed import main, matrix_rate

TINY = ["--channels", "2", "--cells", "1", "--image-size", "8", "--batch", "4", "--subnets", "2", "--repeats", "1"]


@pytest.mark.slow
def test_a_row_has_times_and_the_floor(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*TINY, "--threads", "1", "--json"]) == 0
    row = json.loads(capsys.readouterr().out)
    assert {name: row[name] for name in ("channels", "cells", "image_size", "batch", "threads")} == {
        "channels": 2,
        "cells": 1,
        "image_size": 8,
        "batch": 4,
        "threads": 1,
    }
    assert 0 < row["floor_ms"] < row["step_ms"]
    assert row["evaluate_ms"] > 0


@pytest.mark.slow
def test_the_table_has_a_line_a_row(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*TINY, "--threads", "1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert lines[1].split()[:5] == ["2", "1", "8", "4", "1"]


@pytest.mark.slow
def test_the_rate_is_of_this_world() -> None:
    assert 1e9 < matrix_rate() < 1e15


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--channels", "4"], "must be given together"),
        ([*TINY, "--threads", "0"], "--threads must be 1 to"),
        ([*TINY, "--threads", "two"], "--threads must be numbers such as 1,2 (got 'two')"),
        ([*TINY, "--space", "nowhere"], "nowhere"),
    ],
)
def test_impossible_requests_end_with_an_error(
    capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert main(arguments) == 2
    assert message in capsys.readouterr().err
