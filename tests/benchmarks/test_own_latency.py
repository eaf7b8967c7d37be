"""The benchmark of this machine's latencies, on a tiny network."""

import json

import pytest

from benchmarks.own_latency import main

TINY = ["--channels", "2", "--cells", "1", "--image-size", "8", "--networks", "3", "--seeds", "1"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("space", "backend"),
    [
        ("nasbench201", "auto"),
        ("nasbench201", "eager"),
        ("darts", "eager"),
    ],
)
def test_a_row_has_errors_of_networks_that_were_not_fitted(
    capsys: pytest.CaptureFixture[str], space: str, backend: str
) -> None:
    assert main([*TINY, "--space", space, "--backend", backend, "--json"]) == 0
    [row] = json.loads(capsys.readouterr().out)
    assert 0 <= row["median_error_percent"] <= row["largest_error_percent"]
    assert -1 <= row["kendall_tau"] <= 1
    assert row["seconds"] > 0
    assert row["stated_percent"] >= row["drift_percent"] >= 0
    assert row["caution_percent"] > 0
    assert 0 <= row["kept_percent"] <= 100


@pytest.mark.slow
def test_networks_are_measured_later_under_other_work(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*TINY, "--space", "quick", "--later", "0.001", "--loads", "idle,busy"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["load", "idle", "busy"]


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--loads", "idle,noon", "--loads must be some of idle, busy, bursts (got 'noon')"),
        ("--networks", "1", "--networks must be between 2 and"),
        ("--image-size", "9", "multiple of 4"),
        ("--backend", "none", "not one of"),
    ],
)
def test_impossible_requests_end_with_an_error(
    capsys: pytest.CaptureFixture[str], option: str, value: str, message: str
) -> None:
    assert main([*TINY, option, value]) == 2
    assert message in capsys.readouterr().err
